import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, it, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { lockPath, summaryPath } from '#domain/run/control-paths.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import { EMPTY_STATE } from '#domain/watch/state.ts';
import { overviewHandler } from '#functions/watch/overview.ts';
import { openConditions, readVault } from '#functions/watch/read-vault.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

test('a lock that cannot be read is an open condition until it can, and closes no other one of its job', async () => {
  const vault = new Vault();
  vault.put('a', 'text');
  const { id } = await vault.backup();
  await vault.note(id, (notes) => ({ ...notes, brake: { reason: 'x', containers: ['data'] } }));
  const changes: string[] = [];
  const given = vault.deps();
  const deps = {
    ...given,
    limits: { ...given.limits, sharedMs: 0 },
    configuration: {
      ...given.configuration,
      accounts: new Map(['SOURCE', 'VAULT'].map((alias) => [alias, {}])),
      notify: { every: '0 */5 * * * *', channels: [], send: [], pings: new Map(), severity: {}, names: true },
    },
    telemetry: {
      ...given.telemetry,
      warn: () => {},
      watchPassed: () => {},
      conditionChanged: (to: string, { id, severity }: Condition) => changes.push(`${to} ${id} ${severity}`),
    },
    notifier: { send: async () => {}, ping: async () => {} },
  } as unknown as Dependencies;
  const pass = watchHandler(deps);
  await pass();
  let sound = Buffer.alloc(0);
  vault.alter(lockPath('nightly'), (body) => {
    sound = Buffer.from(body);
    return Buffer.from('garbage');
  });
  await pass();
  expect(changes).toEqual(['open brake/nightly error', 'open damaged/object/nightly error']);
  const { body } = await overviewHandler(deps)(httpRequest(), {} as DurableClient, {} as InvocationContext);
  expect(JSON.parse(String(body)).jobs).toMatchObject([{ state: 'unknown', severity: 'error' }]);
  vault.alter(lockPath('nightly'), () => sound);
  await pass();
  expect(changes.at(-1)).toBe('closed damaged/object/nightly error');
});

test('the condition names the object', () => {
  const unread = new Map([['nightly', 'strongroom/locks/nightly.json in VAULT is damaged: it is not JSON']]);
  const [condition] = openConditions({ facts: [], unread }, new Date(0));
  expect(condition).toMatchObject({ condition: 'damaged', message: expect.stringContaining('locks/nightly.json') });
});

it.each([
  ['backup', ['nightly']],
  [undefined, []],
] as const)('a run (%s) with a damaged summary keeps these jobs from being read: %j', async (what, unread) => {
  const vault = new Vault();
  vault.put('a', 'text');
  await vault.backup();
  const run = { job: 'nightly', id: 'nightly-20260501T235959Z-aaaaaa' };
  vault.vault.write('strongroom', { name: summaryPath(run), body: Buffer.from('{') });
  const deps = vault.deps();
  const startedAt = new Date(vault.clock.app).toISOString();
  const about = { job: run.job, mode: what ? 'full' : 'restore', startedAt, ...(what && { what }) };
  const state = { ...EMPTY_STATE, unfinished: { [run.id]: about } };
  const found = await readVault(deps, 'VAULT', new WatchStore(deps.blobs('VAULT')), state, false);
  expect([...found.unread.keys()]).toEqual(unread);
});
