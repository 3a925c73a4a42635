import type { Measurement } from './measurement.ts';
import type { PartResult } from './parts/part.ts';
import { decimal, table, whole } from './table.ts';
import { showTarget } from './target.ts';

/** Formats a result for the terminal: the usage of each contender, beside that of Strongroom, and the targets. */
export function showPart({ title, notes, measurements, blobs, targets }: PartResult): string {
  const sections = [...Map.groupBy(measurements, ({ what }) => what)].map(([what, group]) => {
    const ofEntities = group.some(({ entities }) => entities !== undefined);
    const head = [
      what,
      'requests',
      ...(blobs === undefined ? [] : ['a blob']),
      ...(ofEntities ? ['a 1,000'] : []),
      'seconds',
      ...(ofEntities ? ['a second'] : []),
      'CPU s',
      ...(ofEntities ? ['µs each'] : []),
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
        ...(ofEntities ? [decimal(perEntity(each.requests, each) * 1000)] : []),
        decimal(each.seconds),
        ...(ofEntities ? [whole(1 / perEntity(each.seconds, each))] : []),
        decimal(each.cpuSeconds),
        ...(ofEntities ? [decimal(perEntity(each.cpuSeconds ?? Number.NaN, each) * 1e6)] : []),
        whole(each.peakMiB),
        ours && each !== ours ? beside(each, ours) : '',
      ]),
    );
  });
  return `\n${title}\n${notes.map((note) => `  ${note}\n`).join('')}\n${sections.join('\n')}\n${targets.map(showTarget).join('')}`;
}

function perEntity(value: number, { entities = Number.NaN }: Measurement): number {
  return value / entities;
}

/** The ratio to Strongroom's usage. */
function beside(each: Measurement, ours: Measurement): string {
  const requests = `${ratio(each.requests, ours.requests)} requests`;
  if (each.cpuSeconds === undefined || !ours.cpuSeconds) return requests;
  return `${requests}, ${ratio(each.cpuSeconds, ours.cpuSeconds)} CPU`;
}

function ratio(theirs: number, ours: number): string {
  const value = theirs / ours;
  return `${value.toFixed(value < 10 ? 1 : 0)}×`;
}
