import { expect, it } from 'vitest';
import type { RunSummary } from '#domain/run/run.ts';
import { verdictOf } from '#domain/verify/verdict.ts';

interface Done {
  kind: 'quick' | 'deep' | 'drill';
  /** Blobs that were listed, and those of them that were read. */
  blobs: [listed: number, read: number];
  entities?: number;
  failed?: number;
  skipped?: number;
  status?: string;
}

function verdict({ kind, blobs: [listed, read], entities = 0, failed = 0, skipped = 0, status = 'succeeded' }: Done) {
  const part = (container: string, key: string, unchanged: number) => ({
    path: `jobs/nightly/runs/nightly-20260502T000000Z-vvvvvv/manifest/${container}/${key}.ndjson.gz`,
    ...{ container, unchanged, failed: 0, skipped: 0 },
  });
  const container = (name: string, unchanged: number) => ({ container: name, status, counts: { unchanged } });
  return verdictOf({
    ...{ id: 'nightly-20260502T000000Z-vvvvvv', status, startedAt: '2026-05-02T00:00:00.000Z' },
    verify: { point: 'p', kind, portion: '1/7', turn: 0, sample: 5 },
    counts: { listed: listed + entities, failed, skipped },
    containers: [container('data', listed), ...(entities > 0 ? [container('table.orders', entities)] : [])],
    parts: [
      part('data', '000000-slice', listed - read),
      part('data', '000000-chunk-00-000000', read),
      ...(entities > 0 ? [part('table.orders', '000000-slice', entities)] : []),
    ],
  } as unknown as RunSummary);
}

it.each<[string | undefined, Done]>([
  ['73 of 230 items read, none wrong', { kind: 'deep', blobs: [230, 73] }],
  ['73 of 1,230 items read, 2 wrong or not checked', { kind: 'deep', blobs: [1_230, 73], failed: 2 }],
  ['70 of 230 items read, none wrong, 3 skipped', { kind: 'deep', blobs: [230, 70], skipped: 3 }],
  ['230 items checked, by listing only, none wrong', { kind: 'quick', blobs: [230, 0] }],
  [
    '280 items checked, 50 of them read, the others by listing only, none wrong',
    { kind: 'quick', blobs: [230, 0], entities: 50 },
  ],
  ['a drill restored 5 blobs and 50 entities, all equal', { kind: 'drill', blobs: [5, 5], entities: 50 }],
  ['a drill restored 1 blob, 2 wrong or not checked', { kind: 'drill', blobs: [1, 1], failed: 2 }],
  [undefined, { kind: 'deep', blobs: [230, 73], status: 'cancelled' }],
])('a verification says what it looked at: %s', (words, done) => {
  expect(verdict(done)).toBe(words);
});
