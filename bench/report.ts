import type { Measurement } from './measurement.ts';
import type { PartResult } from './parts/part.ts';
import { decimal, table, whole } from './table.ts';
import { showTarget } from './target.ts';

/** One part's result for people: what each contender took, how that compares with Strongroom, and the targets. */
export function showPart({ title, notes, measurements, blobs, targets }: PartResult): string {
  const sections = [...Map.groupBy(measurements, ({ what }) => what)].map(([what, group]) => {
    const head = [
      what,
      'requests',
      ...(blobs === undefined ? [] : ['a blob']),
      'seconds',
      'CPU s',
      'peak MiB',
      'beside Strongroom',
    ];
    const ours = group.find(({ contender }) => contender === 'Strongroom');
    return table(
      head,
      group.map((each) => [
        each.contender,
        whole(each.requests),
        ...(blobs === undefined ? [] : [decimal(each.requests / blobs, 2)]),
        decimal(each.seconds),
        decimal(each.cpuSeconds),
        whole(each.peakMiB),
        ours && each !== ours ? beside(each, ours) : '',
      ]),
    );
  });
  return `\n${title}\n${notes.map((note) => `  ${note}\n`).join('')}\n${sections.join('\n')}\n${targets.map(showTarget).join('')}`;
}

/** How many times what Strongroom took. */
function beside(each: Measurement, ours: Measurement): string {
  const requests = `${ratio(each.requests, ours.requests)} requests`;
  if (each.cpuSeconds === undefined || !ours.cpuSeconds) return requests;
  return `${requests}, ${ratio(each.cpuSeconds, ours.cpuSeconds)} CPU`;
}

function ratio(theirs: number, ours: number): string {
  const value = theirs / ours;
  return `${value.toFixed(value < 10 ? 1 : 0)}×`;
}
