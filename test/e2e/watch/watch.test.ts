import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5 } } });

interface Hook {
  id: string;
  type: string;
  data: { id: string; message: string; link: string };
}

const received: Hook[] = [];
const hook = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    received.push({ id: String(request.headers['webhook-id']), ...JSON.parse(body) });
    response.end();
  });
});

beforeAll(() => new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  hook.closeAllConnections();
  hook.close();
});

const start = () =>
  bed.start({
    job: { schedule: '0 0 0 1 1 *' },
    more: {
      notify: {
        channels: [{ name: 'hook', kind: 'webhook', url: 'HOOK_URL', secret: 'HOOK_SECRET' }],
        send: [{ to: ['hook'], when: ['all'] }],
        link: 'https://backups.example.net/',
      },
    },
    env: {
      HOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/x-secret-path`,
      HOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
    },
  });

const watch = async (app: Strongroom) =>
  expect((await app.call('POST', '/admin/functions/watch', {})).status).toBe(202);

test('a run that fails is reported once, over a restart, and again when it is over', async () => {
  let app = await start();
  expect((await app.call('POST', '/api/notify/test', { channel: 'hook' })).status).toBe(200);
  // Without a container, a backup fails.
  await app.ended(await app.begin('/api/jobs/nightly/runs'));
  await watch(app);
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(2);
  expect(received[1]).toMatchObject({ type: 'strongroom.condition.opened', data: { id: 'failed/backup/nightly' } });
  const { runs } = (await app.call('GET', '/api/runs')).body as unknown as { runs: object[] };
  expect(runs).toMatchObject([{ status: 'failed', problem: { code: 'no-containers' } }]);
  await app.host.stop();
  app = await start();
  await watch(app);
  await bed.fill(3);
  await app.ended(await app.begin('/api/jobs/nightly/runs'));
  await watch(app);
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(3);
  expect(received[2]).toMatchObject({ type: 'strongroom.condition.closed', data: { id: 'failed/backup/nightly' } });
  // What was done by hand is reported once, when it has ended.
  const { id: restore } = await app.restore({ existing: 'skip' });
  await watch(app);
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(4);
  expect(received[3]).toMatchObject({ type: 'strongroom.run.ended', data: { id: `restored/${restore}` } });
  await watch(app);
  expect(received.slice(1).map(({ data }) => data.link)).toEqual(Array(3).fill('https://backups.example.net/'));
  expect(new Set(received.map(({ id }) => id)).size).toBe(4);
  expect(app.host.output()).not.toContain('x-secret-path');
});

test('a job that is paused has no next run, until it is resumed', async () => {
  const app = await start();
  const job = async () => ((await app.call('GET', '/api/health/details')).body.jobs as unknown as object[])[0];
  expect(await job()).toMatchObject({ next: expect.any(String), paused: null });
  expect((await app.call('POST', '/api/jobs/nightly/pause', { reason: 'a move' })).status).toBe(200);
  expect(await job()).toMatchObject({ next: null, paused: { since: expect.any(String), until: null } });
  expect((await app.call('POST', '/api/jobs/nightly/resume')).status).toBe(200);
  expect(await job()).toMatchObject({ next: expect.any(String), paused: null });
});
