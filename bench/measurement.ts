import type { Usage } from './process-usage.ts';
import type { RequestCounts } from './servers/request-counter.ts';

/** One contender with one task. */
export interface Measurement extends Usage {
  what: string;
  contender: string;
  /** In total, and by operation. */
  requests: number;
  operations: RequestCounts;
  /** The number of entities, if the task reads or writes a table. */
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

/** The medians of the measurements of each contender and task, in order of appearance. */
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
