import { describe, expect, it } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunReport } from '#domain/run/run.ts';
import { followedBy, laterRuns } from '#functions/run/followed-by.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';

const row = (id: string, more: Partial<CatalogRow> = {}): CatalogRow => ({
  ...{ id, job: 'nightly', mode: 'incremental', trigger: 'timer', status: 'succeeded', dryRun: false },
  startedAt: `2026-05-0${id}T00:00:00.000Z`,
  ...more,
});
const run = (id: string, more: Partial<RunReport> = {}) =>
  ({ ...row(id), status: 'failed', problems: [], ...more }) as RunReport;
const LOST = { problems: [problemOf('run-lost', 0)] };

describe('what came of a run', () => {
  it.each<[string, CatalogRow[], RunReport, string[]]>([
    ['its retry', [row('3'), row('2', { mode: 'retry', retryOf: '1' }), row('1')], run('1'), ['2 retries']],
    [
      'the verification and the retry after it, oldest first',
      [row('4', { mode: 'retry', retryOf: '1' }), row('3'), row('2', { mode: 'verify', follows: '1' })],
      run('1'),
      ['2 follows', '4 retries'],
    ],
    [
      'the prune that carries out a plan, however it was started',
      [row('2', { mode: 'prune', prune: { plan: '1' } })],
      run('1', { mode: 'prune', dryRun: true, status: 'succeeded' }),
      ['2 follows'],
    ],
    [
      'the next backup after one that was lost',
      [row('5'), row('4'), row('3', { dryRun: true }), row('2', { mode: 'verify' })],
      run('1', LOST),
      ['4 replaces'],
    ],
    [
      'no retry of another run in place of one that was lost',
      [row('3'), row('2', { mode: 'retry', retryOf: '0' })],
      run('1', LOST),
      ['3 replaces'],
    ],
    ['nothing of a run that failed on its own', [row('2')], run('1'), []],
    ['nothing of a run that was cancelled', [row('2')], run('1', { status: 'cancelled', trigger: 'http' }), []],
    ['nothing of a dry run that was lost', [row('2')], run('1', { ...LOST, dryRun: true }), []],
    ['nothing of a restore that was lost', [row('2', { mode: 'restore' })], run('1', { ...LOST, mode: 'restore' }), []],
    ['no earlier run', [row('2', LOST as object), row('1')], run('2', LOST), []],
  ])('is %s', (_what, rows, of, expected) => {
    expect(laterRuns(rows, of).map(({ id, how }) => `${id} ${how}`)).toEqual(expected);
  });
});

it('is not known if more runs have been since, or if the catalog does not answer', async () => {
  const ask = (list: () => Promise<object>) =>
    followedBy({ catalog: () => ({ list }) } as unknown as Dependencies, 'VAULT', run('1'));
  const rows = [row('2', { mode: 'retry', retryOf: '1' })];
  expect(await ask(async () => ({ rows }))).toEqual([{ id: '2', how: 'retries' }]);
  expect(await ask(async () => ({ rows, next: 'x' }))).toBeUndefined();
  const refuse = async () => {
    throw new StorageError('unreachable', 'no table service');
  };
  expect(await ask(refuse)).toBeUndefined();
});
