import { describe, expect, it } from 'vitest';
import { chunkKey, laterKey, type PartKind, partPath, sliceKey } from '#domain/run/control-paths.ts';
import { phaseOf } from '#domain/run/phase.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import { emptyTally, type Tally } from '#domain/run/tally.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

function part(kind: PartKind, key: string, tally: Partial<Tally>, container = 'images'): ListedPart {
  return { path: partPath(RUN, kind, container, key), tally: { ...emptyTally(container, 'x'), ...tally } };
}

const slice = (tally: Partial<Tally>, container?: string) => part('slice', sliceKey(0), tally, container);
const listed = slice({ listed: 5, unchanged: 2, planned: 3, last: true });
const half = part('chunk', chunkKey(0, 0, 0), { planned: 2, copied: 2 });
const pending = part('chunk', chunkKey(0, 0, 0), { planned: 3, copied: 1, later: { items: 2, attempt: 'a' } });
const later = part('chunk', laterKey(chunkKey(0, 0, 0)), { planned: 2, copied: 2 });
const same = slice({ listed: 1, unchanged: 1, last: true }, 'docs');
const gone = part('compared', '000000-compared', {}, 'lost');

describe('the phase of a run', () => {
  it.each<[string, ListedPart[], number | undefined]>([
    ['starting', [], 2],
    ['starting', [gone], 2],
    ['listing', [slice({ listed: 5, unchanged: 5 })], 1],
    ['listing', [same], 2],
    ['listing', [same], undefined],
    ['copying', [listed], 1],
    ['copying', [listed, half], 1],
    ['copying', [slice({ listed: 5, unchanged: 2, planned: 3 }), half], 1],
    ['waiting', [listed, pending], 1],
    ['waiting', [listed, pending, same], 2],
    ['publishing', [listed, pending, later], 1],
    ['publishing', [listed, pending, later, same, gone], 2],
    ['copying', [part('range', 'x-range', { listed: 1, copied: 1, keys: ['', 'm'] }, 'table.orders')], 1],
    ['publishing', [part('range', 'x-range', { listed: 1, copied: 1, keys: ['', ''] }, 'table.orders')], 1],
  ])('is %s', (phase, parts, containers) => {
    expect(phaseOf(parts, { dryRun: false, containers })).toBe(phase);
  });

  it('is never copying in a dry run that has planned everything', () => {
    expect(phaseOf([listed], { dryRun: true, containers: 1 })).toBe('publishing');
  });
});
