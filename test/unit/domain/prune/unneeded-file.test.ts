import { describe, expect, it } from 'vitest';
import { isEntityFile, isUnneeded } from '#domain/prune/unneeded-file.ts';
import { entityFilePath, rangeKey } from '#domain/run/control-paths.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const RUN = { job: 'nightly', id: 'nightly-20261120T000000Z-aaaaaa' };
const PATH = entityFilePath(RUN, 'orders', rangeKey(3), 'k3f9q2');

describe('the path of a file of entities', () => {
  it('is what a run of the job gives it', () => {
    expect(isEntityFile(PATH, 'nightly', 'orders')).toBe(true);
    const odd = { job: 'a-20260101t000000z-b', id: 'a-20260101t000000z-b-20261120T000000Z-aaaaaa' };
    expect(isEntityFile(entityFilePath(odd, 'o2X', rangeKey(0), 'aaaaaa'), odd.job, 'o2X')).toBe(true);
  });

  it.each([
    ['another job', PATH, 'weekly', 'orders'],
    ['a run of another job', PATH.replace('/nightly-', '/weekly-'), 'nightly', 'orders'],
    ['another table', PATH, 'nightly', 'order'],
    ['another spelling', PATH, 'nightly', 'Orders'],
    ['a folder below', PATH.replace('/nightly-', '/x/nightly-'), 'nightly', 'orders'],
    ['a way out', PATH.replace('-000003', '-../000003'), 'nightly', 'orders'],
    ['no run', PATH.replace('T000000Z', ''), 'nightly', 'orders'],
    ['no end', PATH.replace('.gz', ''), 'nightly', 'orders'],
    ['a manifest', `jobs/nightly/runs/${RUN.id}/manifest/table.orders/000003-range.ndjson.gz`, 'nightly', 'orders'],
    ['a lock', 'locks/nightly.json', 'nightly', 'orders'],
  ])('is not that of %s', (_, path, job, table) => {
    expect(isEntityFile(path, job, table)).toBe(false);
  });
});

it.each<[boolean, string, { lastModified?: string; needed?: string; name?: string }]>([
  [true, 'old, and named by nothing', {}],
  [false, 'named', { needed: PATH }],
  [false, 'as old as the margin', { lastModified: '2026-11-20T12:00:00.000Z' }],
  [false, 'of an unknown age', { lastModified: 'yesterday' }],
  [false, 'not ours', { name: `${PATH}.bak` }],
])('a file may go: %s, when it is %s', (expected, _, { lastModified, needed, name = PATH }) => {
  const file = blobState({ name, lastModified: lastModified ?? '2026-11-20T11:59:59.999Z' });
  const before = Date.parse('2026-11-20T12:00:00.000Z');
  const of = { job: 'nightly', table: 'orders' };
  expect(isUnneeded(file, of, (path) => path === needed, before)).toBe(expected);
});
