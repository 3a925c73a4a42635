import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dueNow } from '../../support/app/due-now.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { DROP } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5 } } });

const fire = async (app: Strongroom) =>
  expect((await app.call('POST', '/admin/functions/backup_nightly', {})).status).toBe(202);

const timed = async (app: Strongroom) => {
  const { runs } = (await app.call('GET', '/api/runs?job=nightly')).body as unknown as {
    runs: { trigger: string; status: string }[];
  };
  const started = runs.filter(({ trigger, status }) => trigger === 'timer' && status !== 'not-started');
  return started.map(({ status }) => status);
};

/** No request for the lock of the job gets an answer: the vault is out of reach for every start. */
const outage = (times: number) =>
  bed.proxy.rules.push({ match: ({ path }) => path.includes('/locks/'), times, answer: () => DROP });

test('F30: a timer that fires again, after a restart, or without a status, starts no second run', async () => {
  await bed.fill(3);
  const job = { schedule: dueNow() };
  let app = await bed.start({ job });
  await fire(app);
  await fire(app);
  await expect.poll(() => timed(app), { timeout: 20_000 }).toEqual(['succeeded']);
  await app.host.kill();
  rmSync(join(bed.dataDir, 'timers.json'));
  app = await bed.start({ job });
  await fire(app);
  // Stopping waits for the timer.
  await app.host.stop();
  app = await bed.start({ job });
  expect(await timed(app)).toEqual(['succeeded']);
  expect(app.host.output()).not.toContain('run-not-started');
});

test('a vault that is out of reach when the timer fires is tried again for minutes', async () => {
  await bed.fill(3);
  const app = await bed.start({ job: { schedule: dueNow() } });
  outage(20);
  await fire(app);
  await expect.poll(() => timed(app), { timeout: 20_000 }).toEqual(['succeeded']);
  expect(app.host.output()).toMatch(/start-retried .*"job":"nightly","what":"backup"/);
});

test('a start that fails for minutes is an error in the log, and the next tick makes up for it', async () => {
  await bed.fill(3);
  const app = await bed.start({ job: { schedule: dueNow() } });
  outage(10_000);
  await fire(app);
  await app.host.printed(/Timer function "backup_nightly" failed/, 20_000);
  expect(app.host.output()).toMatch(/start-failed .*"job":"nightly","what":"backup","due":"20/);
  bed.proxy.rules.length = 0;
  // The watch notes it, now that the vault answers.
  expect((await app.call('POST', '/admin/functions/watch', {})).status).toBe(202);
  const rows = async () => ((await app.call('GET', '/api/runs')).body as unknown as { runs: object[] }).runs;
  const missed = expect.objectContaining({
    status: 'not-started',
    problem: expect.objectContaining({ code: 'unreachable' }),
  });
  await expect.poll(rows, { timeout: 20_000 }).toEqual([missed]);
  await fire(app);
  await expect.poll(() => timed(app), { timeout: 20_000 }).toEqual(['succeeded']);
});

test('F30: what was missed is made up for once after the host has lost what it knows of the timer', async () => {
  await bed.fill(3);
  const hour = (new Date().getUTCHours() + 21) % 24;
  const schedule = `0 0 ${hour} * * *`;
  let app = await bed.start({ job: { schedule: dueNow() } });
  await fire(app);
  await expect.poll(() => timed(app), { timeout: 20_000 }).toEqual(['succeeded']);
  await app.host.kill();
  rmSync(join(bed.dataDir, 'timers.json'));
  const at = new Date(Date.now() - 3 * 24 * 3_600_000);
  at.setUTCHours(hour, 0, 0, 0);
  await bed.rewriteLock((lock) => ({
    ...lock,
    served: { backup: { ...lock.served!.backup, at: at.toISOString(), schedule: `${schedule} UTC` } },
  }));
  app = await bed.start({ job: { schedule } });
  await fire(app);
  await expect.poll(() => timed(app), { timeout: 20_000 }).toEqual(['succeeded', 'succeeded']);
  await fire(app);
  await app.host.stop();
  expect((await bed.lock()).epoch).toBe(2);
});
