import type { Usage } from './process-usage.ts';
import type { RequestCounts } from './servers/request-counter.ts';

/** One contender doing one thing. */
export interface Measurement extends Usage {
  what: string;
  contender: string;
  /** In all, and by operation. */
  requests: number;
  operations: RequestCounts;
  /** Of the table, where it is one that is read or written. */
  entities?: number;
}

export function measurement(what: string, contender: string, operations: RequestCounts, usage: Usage): Measurement {
  const requests = Object.values(operations).reduce((sum, count) => sum + count, 0);
  const { seconds, cpuSeconds, peakMiB } = usage;
  return {
    what,
    contender,
    requests,
    seconds,
    ...(cpuSeconds !== undefined && { cpuSeconds }),
    ...(peakMiB !== undefined && { peakMiB }),
    operations,
  };
}

/** The middle one of each number among measurements of the same contender doing the same thing, in order of appearance. */
export function medians(measurements: Measurement[]): Measurement[] {
  const groups = Map.groupBy(measurements, ({ what, contender }) => `${what}\n${contender}`);
  return [...groups.values()].map((group) => {
    const of = (field: 'requests' | 'seconds' | 'cpuSeconds' | 'peakMiB') =>
      median(group.map((each) => each[field]).filter((value) => value !== undefined));
    const cpuSeconds = of('cpuSeconds');
    const peakMiB = of('peakMiB');
    return {
      ...group[0]!,
      requests: of('requests')!,
      seconds: of('seconds')!,
      ...(cpuSeconds !== undefined && { cpuSeconds }),
      ...(peakMiB !== undefined && { peakMiB }),
    };
  });
}

function median(values: number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
