import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { heldInVault } from '#functions/watch/held-in-vault.ts';
import { heldByJobs, pastBackups } from '#functions/watch/past-runs.ts';
import type { VaultFacts } from '#functions/watch/read-vault.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { jobOf } from '../../../support/builders/prune-vault.ts';

const NOW = new Date('2026-05-20T12:00:00.000Z');
const row = (id: string, startedAt: string, more: Partial<CatalogRow> = {}): CatalogRow => ({
  ...{ id, job: 'a', mode: 'prune', trigger: 'timer', status: 'succeeded', dryRun: true, startedAt },
  ...more,
});
const held = (bytes: number) => ({ blobs: 1, kept: 0, bytes });

test('what a job holds is what its newest plan says, in whichever order the rows come', () => {
  const rows = [
    row('1', '2026-05-01T00:00:00.000Z', { held: held(1) }),
    row('3', '2026-05-03T00:00:00.000Z'),
    row('2', '2026-05-02T00:00:00.000Z', { held: held(2) }),
  ];
  const newest = { ...held(2), at: '2026-05-02T00:00:00.000Z' };
  for (const some of [rows, rows.toReversed()]) expect(heldByJobs(some)).toEqual(new Map([['a', newest]]));
});

test('a list that may lack the first runs says since when it is whole', async () => {
  const rows = [row('1', '2026-05-01T00:00:00.000Z', { mode: 'full', dryRun: false })];
  for (const incomplete of [true, false]) {
    const list = async () => ({ rows, ...(incomplete && { incomplete: true }) });
    const deps = { now: () => NOW, limits: { sharedMs: 0 }, catalog: () => ({ list }) } as unknown as Dependencies;
    expect(await pastBackups(deps)('VAULT')).toEqual({
      rows,
      ...(incomplete && { since: new Date(rows[0]!.startedAt) }),
    });
  }
});

test('what a vault holds is known if it is known of each job that may hold something there', () => {
  const of = (job: string, bytes: number): [string, ReturnType<typeof held> & { at: string }] => [
    job,
    { ...held(bytes), at: NOW.toISOString() },
  ];
  const rule = {
    ...{ name: 'uploads', reconcile: '0 0 * * * *', timeZone: 'UTC' },
    ...{ source: { account: 'SOURCE', container: 'in' }, destination: { account: 'VAULT', container: 'out' } },
  };
  const jobs = ['a', 'b', 'c'].map((name) => jobOf(name, {}));
  const deps = { configuration: { jobs, archives: [rule] } } as unknown as Dependencies;
  const facts = (more: Partial<VaultFacts>) =>
    ({ state: { kinds: { 'a backup': {} } }, points: new Map(), unread: new Map(), ...more }) as VaultFacts;
  const known = new Map([of('a', 1), of('b', 2)]);
  // A rule has no plans, and a job that never ran holds nothing.
  const points = new Map(['b', 'uploads'].map((name) => [name, { id: 'x', notes: {} }]));
  expect(heldInVault(deps, 'VAULT', facts({ points }), known)).toMatchObject({ blobs: 2, bytes: 3 });
  expect(heldInVault(deps, 'VAULT', facts({ points, unread: new Map([['c', 'damaged']]) }), known)).toBeUndefined();
});
