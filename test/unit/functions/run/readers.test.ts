import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import { jobContextOf } from '#app/job-context.ts';
import { readersInProgress } from '#functions/run/readers.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

const DEEP = { kind: 'deep', portion: '1/7', turn: 0, sample: 0 } as const;

test('a start waits for all readers that may be stalled at the same time', async () => {
  const vault = new Vault({ silentMs: 40 });
  const { id: point } = await vault.backup();
  const readers = [];
  for (let count = 0; count < 3; count++) {
    const run = await vault.begin({ mode: 'verify', verify: { ...DEEP, point } });
    await vault.control.signOfLife(run, new Date(vault.clock.app));
    readers.push(run.id);
  }
  vault.pass(2);
  const asked: string[] = [];
  vault.before = ({ name = '' }) => {
    const [, id] = /runs\/([^/]+)\/signs$/.exec(name) ?? [];
    if (id !== undefined) asked.push(id);
  };
  const terminated: string[] = [];
  const client = {
    getStatus: async () => ({ runtimeStatus: 'Running' }),
    terminate: async (id: string) => terminated.push(id),
  } as unknown as DurableClient;
  const deps = vault.deps();
  expect(await readersInProgress(deps, jobContextOf(deps, 'nightly'), client)).toEqual([]);
  expect(terminated.sort()).toEqual(readers);
  expect(asked.length).toBeGreaterThanOrEqual(3 * 8);
  // The last reader is asked for before the first has been asked for to the end.
  expect(asked.indexOf(readers[2]!)).toBeLessThan(asked.lastIndexOf(readers[0]!));
});

test('an activity that registers a deep verification twice takes one turn', async () => {
  const vault = new Vault();
  vault.jobs = [{ ...jobOf('nightly', {}), verify: { afterRun: 'deep', kind: 'deep', portion: '1/7' } }];
  vault.put('a', 'content');
  const run = await vault.begin({ mode: 'full' });
  await vault.work(run);
  const { beginNext } = makeActivities(vault.deps());
  const first = await beginNext({ run });
  expect(first).toMatchObject({ next: { verify: { turn: 0 } } });
  expect(await beginNext({ run })).toEqual(first);
  expect((await vault.control.readLock('nightly'))?.value.turn).toBe(1);
});
