import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { functionName } from '#functions/triggers.ts';
import { pauseJobHandler } from '#functions/watch/pause-job.ts';
import { resumeJobHandler } from '#functions/watch/resume-job.ts';
import { testChannelHandler } from '#functions/watch/test-channel.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

function room() {
  const vault = new Vault();
  const given = vault.deps();
  const channels = [{ name: 'ops', kind: 'slack', url: 'https://x' }];
  const sent: string[] = [];
  let refuses = false;
  const deps = {
    ...given,
    configuration: { ...given.configuration, notify: { channels } },
    notifier: {
      send: async ({ name }: { name: string }) => {
        if (refuses) throw new Error('HTTP 403');
        sent.push(name);
      },
    },
  } as unknown as Dependencies;
  const call = async (
    make: (deps: Dependencies) => ReturnType<typeof pauseJobHandler>,
    body: object,
    job = 'nightly',
  ) => {
    const request = httpRequest({ params: { job }, body, method: 'POST', headers: { 'x-functions-key': 'x' } });
    const answer = await make(deps)(request, {} as DurableClient, {} as InvocationContext);
    return { status: answer.status, body: JSON.parse(answer.body as string) };
  };
  return { vault, call, sent, refuse: () => (refuses = true) };
}

test('a job is paused with a reason, and resumed', async () => {
  const { call, vault } = room();
  const at = new Date(vault.clock.app).toISOString();
  const until = '2026-06-01T00:00:00+02:00';
  const by = { name: null, via: 'key' };
  expect(await call(pauseJobHandler, { reason: ' a move ' })).toEqual({
    status: 200,
    body: { job: 'nightly', paused: { at, reason: 'a move', by } },
  });
  vault.pass(1);
  expect((await call(pauseJobHandler, { reason: 'still', until })).body.paused).toEqual({
    ...{ at, reason: 'still', until: '2026-05-31T22:00:00.000Z', by },
  });
  expect(await call(resumeJobHandler, {})).toEqual({ status: 200, body: { job: 'nightly', paused: null } });
  const kept = await new WatchStore(vault.deps().blobs('VAULT')).readPauses();
  expect(kept.jobs.nightly).toMatchObject({ by, resumedBy: by });
  expect(await call(resumeJobHandler, {})).toMatchObject({ status: 409, body: { code: 'not-paused' } });
});

test('a reason to pause is a text that others can read, as that of a hold is', async () => {
  const { call } = room();
  const control = 'this may not contain control characters, line breaks or marks that change the direction of text';
  for (const [reason, message] of [
    ['a\nb', control],
    ['a\u202eb', control],
    ['x'.repeat(201), 'this must have at most 200 characters'],
    ['\u200b', 'this needs a character that can be seen'],
  ]) {
    expect(await call(pauseJobHandler, { reason })).toMatchObject({
      ...{ status: 400, body: { errors: [{ path: 'body.reason', message }] } },
    });
  }
});

test('a pause needs a reason, an end to come and a job', async () => {
  const { call } = room();
  expect(await call(pauseJobHandler, {})).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
  const over = { reason: 'x', until: '2020-01-01T00:00:00Z' };
  expect(await call(pauseJobHandler, over)).toMatchObject({
    ...{ status: 400, body: { errors: [{ path: 'body.until', message: 'this time is over' }] } },
  });
  expect(await call(pauseJobHandler, { reason: 'x' }, 'other')).toMatchObject({ status: 404 });
  expect(await call(resumeJobHandler, {}, 'other')).toMatchObject({ status: 404, body: { code: 'job-not-found' } });
});

test('a channel is tried, and says why it took nothing', async () => {
  const { call, sent, refuse } = room();
  expect(await call(testChannelHandler, { channel: 'ops' })).toMatchObject({ status: 200, body: { sent: true } });
  expect(sent).toEqual(['ops']);
  expect(await call(testChannelHandler, { channel: 'x' })).toMatchObject({
    status: 404,
    body: { code: 'channel-not-found' },
  });
  expect(await call(testChannelHandler, {})).toMatchObject({
    ...{ status: 400, body: { errors: [{ path: 'body.channel', message: expect.stringContaining('missing') }] } },
  });
  refuse();
  expect(await call(testChannelHandler, { channel: 'ops' })).toMatchObject({
    ...{
      status: 502,
      body: { title: 'Channel did not take the message', detail: expect.stringContaining('HTTP 403') },
    },
  });
});

test('names of functions can be in an app setting on Linux, and stay apart', () => {
  const names = [functionName('backup', 'a-b'), functionName('backup', 'ab'), functionName('archive_queue', 'a-b-C_D')];
  expect(names).toEqual(['backup_a_b', 'backup_ab', 'archive_queue_a_b_C_D']);
  for (const name of names) expect(`AzureWebJobs_${name}_Disabled`).toMatch(/^[A-Za-z][A-Za-z0-9_]*$/);
});
