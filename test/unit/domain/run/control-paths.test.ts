import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunkKey,
  kindOfPath,
  lockPath,
  type PartKind,
  parseChunkKey,
  partPath,
  planKey,
  runPrefix,
  sliceKey,
  summaryPath,
} from '#domain/run/control-paths.ts';

const run = { job: 'nightly', id: 'nightly-20261121T233000Z-k3f9q2' };

/** Names that look like the folders and keys around them. */
const TREACHEROUS = [
  'chunk',
  'slice',
  'plan',
  'pending',
  'progress',
  'manifest',
  'runs',
  'jobs',
  'run-json',
  '000001-copy',
  'scan-copy',
  '$root',
  '$web',
  'strongroom',
];
const anyContainer = fc.oneof(
  fc.constantFrom(...TREACHEROUS),
  fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}$/),
);
const anyJob = fc.oneof(
  fc.constantFrom('runs', 'jobs', 'manifest', 'plan', 'chunk', 'pending'),
  fc.stringMatching(/^[a-z0-9]{1,20}$/),
);
const number = fc.nat({ max: 999_999 });

const anyPart = fc.oneof(
  fc.record({ kind: fc.constant<PartKind>('slice'), key: number.map(sliceKey) }),
  fc.record({
    kind: fc.constantFrom<PartKind>('chunk', 'progress'),
    key: fc.tuple(number, number, number).map((n) => chunkKey(...n)),
  }),
  fc.record({
    kind: fc.constant<PartKind>('pending'),
    key: fc
      .tuple(number, number, number, number)
      .map(([a, b, c, round]) => `${chunkKey(a, b, c)}-r${String(round).padStart(3, '0')}`),
  }),
  fc.record({
    kind: fc.constant<PartKind>('plan'),
    key: fc.tuple(number, number, fc.constantFrom('copy00', 'scan11', 'k3f9q2')).map((n) => planKey(...n)),
  }),
);

describe('paths of parts', () => {
  it('tell what they were made of, also for names that look like something else', () => {
    fc.assert(
      fc.property(anyJob, anyContainer, anyPart, (job, container, { kind, key }) => {
        const of = { job, id: `${job}-20261121T233000Z-k3f9q2` };
        const path = partPath(of, kind, container, key);
        expect(kindOfPath(path)).toEqual({ kind, container, key });
        expect(path.startsWith(runPrefix(of))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('are never the same for two different parts', () => {
    fc.assert(
      fc.property(anyContainer, anyContainer, anyPart, anyPart, (one, other, a, b) => {
        const same = one === other && a.kind === b.kind && a.key === b.key;
        expect(partPath(run, a.kind, one, a.key) === partPath(run, b.kind, other, b.key)).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });

  it('look like this', () => {
    expect(partPath(run, 'chunk', 'images', chunkKey(3, 2, 0))).toBe(
      'jobs/nightly/runs/nightly-20261121T233000Z-k3f9q2/manifest/images/000003-chunk-02-000000.ndjson.gz',
    );
  });

  it.each([
    summaryPath(run),
    lockPath('runs'),
    `${runPrefix(run)}manifest/`,
    `${runPrefix(run)}manifest/images`,
    `${runPrefix(run)}manifest/images/a/b`,
    `${runPrefix(run)}other/images/000000-slice.ndjson.gz`,
    'manifest/images/000000-slice.ndjson.gz',
  ])('%s is none', (path) => {
    expect(kindOfPath(path)).toBeUndefined();
  });
});

describe('keys of copies', () => {
  it('tell what they were made of', () => {
    fc.assert(
      fc.property(number, number, number, (slice, chunk, from) => {
        expect(parseChunkKey(chunkKey(slice, chunk, from))).toEqual({ slice, chunk, from });
      }),
    );
  });

  it('are no other keys', () => {
    expect(parseChunkKey(sliceKey(1))).toBeUndefined();
    expect(parseChunkKey(planKey(1, 1, 'abcdef'))).toBeUndefined();
    expect(parseChunkKey(`${chunkKey(1, 1, 1)}-r001`)).toBeUndefined();
  });
});
