import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { type Access, hashOf } from '#config/access.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import type { RunRef } from '#domain/run/run.ts';
import { holdHandler, unholdHandler } from '#functions/restore-points/note-restore-point.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { startRunHandler } from '#functions/run/start-run.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

const KEY = 'a long and random text';
const BY = { name: 'ci', via: 'key' };
const access: Access = { mode: 'keys', keys: [{ name: 'ci', role: 'admin', sha256: hashOf(KEY) }], roles: new Map() };

/** A vault whose callers send the key `ci`. */
function room() {
  const vault = new Vault();
  vault.put('a', 'a');
  const given = vault.deps();
  const deps: Dependencies = { ...given, configuration: { ...given.configuration, access } };
  let started: RunRef | undefined;
  const client = {
    getStatus: async () => ({ runtimeStatus: 'Running' }),
    startNew: async (_: string, { input }: { input: { run: RunRef } }) => {
      started = input.run;
    },
  } as unknown as DurableClient;
  const ask = async (handler: typeof holdHandler, params: Record<string, string>, body: object = {}) => {
    const request = httpRequest({ params, body, headers: { 'x-functions-key': KEY } });
    const answer = await handler(deps)(request, client, { functionName: 'f' } as InvocationContext);
    return JSON.parse(String(answer.body));
  };
  return { vault, ask, started: () => started! };
}

test('a run has who started it: in its lock, its input, its report and the list', async () => {
  const { vault, ask, started } = room();
  const { id } = await ask(startRunHandler, { job: 'nightly' });
  expect(started().by).toEqual(BY);
  expect((await vault.control.readLock('nightly'))?.value.run?.by).toEqual(BY);
  expect((await ask(getRunHandler, { id })).by).toEqual(BY);
  await vault.work(started());
  expect((await ask(getRunHandler, { id })).by).toEqual(BY);
  expect((await ask(listRunsHandler, {})).runs[0]).toMatchObject({ id, by: BY });
});

test('a run of an earlier version does not have it, and continues all the same', async () => {
  const { vault, ask, started } = room();
  const { id } = await ask(startRunHandler, { job: 'nightly' });
  const { by: _, ...run } = started();
  vault.alter(lockPath('nightly'), (lock) => {
    const { run: held, ...rest } = JSON.parse(String(lock));
    return Buffer.from(JSON.stringify({ ...rest, run: { ...held, by: undefined } }));
  });
  await vault.work(run as RunRef);
  const report = await ask(getRunHandler, { id });
  expect(report).toMatchObject({ id, status: 'succeeded' });
  expect(report).not.toHaveProperty('by');
});

test('a hold has who set it, and the chain who lifted it', async () => {
  const { vault, ask } = room();
  const { id } = await vault.backup();
  expect((await ask(holdHandler, { id }, { reason: 'court' })).hold).toMatchObject({ reason: 'court', by: BY });
  await ask(unholdHandler, { id });
  expect(vault.chain().at(-1)).toMatchObject({ kind: 'unhold', by: BY });
});
