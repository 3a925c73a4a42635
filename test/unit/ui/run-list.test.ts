import { describe, expect, it, test } from 'vitest';
import { filtersOf, isFiltered, paceOfList, queryOf, runLineOf } from '../../../ui/model/run-list.ts';
import { type RunRow, resultOf, starterOf, titleOf } from '../../../ui/model/run-words.ts';

const NOW = new Date('2026-11-30T12:00:30.000Z');

const row = (change: Partial<RunRow> = {}): RunRow => ({
  ...{ id: 'r', job: 'nightly', mode: 'incremental', trigger: 'timer', status: 'succeeded', dryRun: false },
  ...{ startedAt: '2026-11-29T22:30:00.000Z', seconds: 667.1, requests: 9, problem: null, problems: 0, point: null },
  held: null,
  counts: { listed: 5020, copied: 3100, unchanged: 1920, skipped: 0, failed: 0 },
  ...change,
});

describe('the filters', () => {
  it('are in the address, and become the query', () => {
    const filters = filtersOf(new URLSearchParams('job=nightly&status=failed&days=7'));
    expect(isFiltered(filters)).toBe(true);
    expect(queryOf(filters, NOW, undefined)).toEqual({
      ...{ job: 'nightly', mode: '', status: 'failed', dryRun: 'false', limit: 50 },
      from: '2026-11-23T12:00:00.000Z',
    });
  });

  it('leave previews out unless they are asked for', () => {
    expect(queryOf(filtersOf(new URLSearchParams('previews=yes')), NOW, undefined).dryRun).toBeUndefined();
    expect(isFiltered(filtersOf(new URLSearchParams('previews=yes')))).toBe(false);
  });

  it('ignore days that are none', () => {
    for (const days of ['', 'x', '-1', '0']) {
      expect(queryOf(filtersOf(new URLSearchParams({ days })), NOW, undefined).from).toBeUndefined();
    }
    for (const day of ['x', '2026-13-01', '2026-11', '2026-11-31T00:00:00Z']) {
      expect(queryOf(filtersOf(new URLSearchParams({ day })), NOW, undefined).from, day).toBeUndefined();
    }
  });

  it('choose a day of a time zone, whatever else is said of time', () => {
    const filters = filtersOf(new URLSearchParams('day=2026-11-27&days=7'));
    expect(isFiltered(filters)).toBe(true);
    expect(queryOf(filters, NOW, 'Asia/Tokyo')).toMatchObject({
      ...{ from: '2026-11-26T15:00:00.000Z', to: '2026-11-27T14:59:59.999Z' },
    });
  });
});

test.each<[Partial<RunRow>, string]>([
  [{}, 'backup'],
  [{ mode: 'full' }, 'full backup'],
  [{ mode: 'full', dryRun: true }, 'preview of a full backup'],
  [{ mode: 'verify', verify: { point: 'p', kind: 'deep' } }, 'deep verification'],
  [{ mode: 'verify', verify: { point: 'p', kind: 'drill' } }, 'drill'],
  [{ mode: 'prune', dryRun: true, prune: { plan: null } }, 'plan of a prune'],
  [{ mode: 'prune', prune: { plan: 'p' } }, 'prune'],
  [{ mode: 'reconcile' }, 'reconciliation'],
  [{ mode: 'unknown' }, 'unknown'],
  [
    {
      mode: 'restore',
      restore: {
        point: 'p',
        account: 'SOURCE',
        container: '{container}',
        table: '{table}',
        prefix: '',
        existing: 'skip',
      },
    },
    'restore into SOURCE',
  ],
  [
    {
      mode: 'restore',
      restore: {
        point: 'p',
        account: 'OTHER',
        container: '{container}-old',
        table: '{table}',
        prefix: '',
        existing: 'skip',
      },
    },
    'restore into OTHER / {container}-old',
  ],
  [
    {
      mode: 'restore',
      restore: { point: 'p', account: 'SOURCE', container: '', table: '{table}Old', prefix: '', existing: 'skip' },
    },
    'restore into SOURCE / {table}Old',
  ],
])('a run with %j is called "%s"', (change, title) => {
  expect(titleOf(row(change))).toBe(title);
});

test.each<[Partial<RunRow>, string]>([
  [{}, '3,100 copied, 1,920 unchanged'],
  [{ counts: { listed: 1204, copied: 1200, unchanged: 4 }, mode: 'restore' }, '1,200 restored, 4 the same'],
  [{ counts: { listed: 9, planned: 7, unchanged: 2 }, dryRun: true }, '7 to copy, 2 unchanged'],
  [
    { counts: { planned: 1207 }, bytes: { planned: 3_200_000_000 }, mode: 'prune', dryRun: true },
    '1,207 to delete, 3.2 GB',
  ],
  [{ counts: { removed: 1207, failed: 1 }, mode: 'prune' }, '1,207 deleted, 1 failed'],
  [{ counts: { listed: 5018, failed: 2 }, mode: 'verify' }, '5,018 items listed, 2 missing or different'],
  [{ counts: { listed: 3, copied: 3 }, mode: 'reconcile' }, '3 archived'],
  [{ counts: { listed: 0 } }, 'nothing to do'],
])('what came of %j is "%s"', (change, result) => {
  expect(resultOf(row(change))).toBe(result);
});

test.each<[Partial<RunRow>, string]>([
  [{ by: { name: null, via: 'schedule' } }, 'by schedule'],
  [{ by: { name: 'ada@example.net', via: 'entra' } }, 'by ada@example.net'],
  [{ by: { name: 'ci', via: 'key' } }, 'by the key ci'],
  [{ by: { name: null, via: 'key' } }, 'with a key'],
  [{ by: { name: null, via: 'loopback' } }, 'on this machine'],
  [{ trigger: 'timer' }, 'by schedule'],
  [{ trigger: 'http' }, ''],
])('a run of %j was started %s', (change, text) => {
  expect(starterOf(row(change))).toBe(text);
});

test('a row says why it ended so, and how many more reasons there are', () => {
  const problem = { code: 'destination-leased', container: 'images', count: 14, message: '14 blobs: leased' };
  expect(runLineOf(row({ status: 'completed-with-failures', problem, problems: 3 }))).toMatchObject({
    mark: { word: 'incomplete', tone: 'warn' },
    why: { code: 'destination-leased', text: 'images: 14 blobs: leased (and 2 more)' },
    took: '11 min 7 s',
  });
});

test('a run that did not start has no result', () => {
  const { counts: _counts, ...rest } = row({ status: 'not-started', seconds: null });
  expect(runLineOf(rest)).toMatchObject({ result: '', took: '', mark: { word: 'not started' } });
});

test('the list is asked for more often while something runs', () => {
  expect(paceOfList([row()])).toBe(30_000);
  expect(paceOfList([row(), row({ status: 'running' })])).toBe(5_000);
});
