import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RunReport } from '#domain/run/run.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed();
/** Milliseconds without a sign after which a run of another host is lost; after six times that, it is stalled. */
const SILENT = 1_500;

async function withOtherHost(use: (other: Strongroom) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-other-'));
  const other = await bed.start({ dataDir, limits: { silentMs: SILENT } });
  try {
    await use(other);
  } finally {
    await other.host.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

test('F6: another host leaves a run alone that gives signs of life, shows it, and cancels it', async () => {
  await bed.fill(60);
  const app = await bed.start({ limits: { silentMs: SILENT, copiesAtOnce: 1 } });
  const hurry = bed.slowCopies(400);
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  await withOtherHost(async (other) => {
    await sleep(SILENT * 1.5);
    const start = await other.call('POST', '/api/jobs/nightly/runs');
    expect(start).toMatchObject({ status: 409, body: { code: 'run-in-progress', run: id } });
    const report = await other.report(id);
    expect(report).toMatchObject({ status: 'running', problems: [] });
    expect(Date.now() - Date.parse(report.lastSign!)).toBeLessThan(SILENT + 1_000);
    const cancel = await other.call('POST', `/api/runs/${id}/cancel`);
    expect(cancel).toMatchObject({ status: 202, body: { status: 'running', cancelling: true } });
    expect(cancel.body).not.toHaveProperty('hint');
    hurry();
    expect((await app.ended(id, 20)).status).toBe('cancelled');
    const next = await other.run({ mode: 'incremental' });
    expect(next).toMatchObject({ status: 'succeeded', counts: { listed: 60, failed: 0 } });
  });
  await bed.expectBackedUp();
});

test('I4: a run that its host continues after a long pause is not ended, however long it was silent', async () => {
  await bed.fill(40);
  const limits = { silentMs: 500, copiesAtOnce: 2 };
  let app = await bed.start({ limits });
  const hurry = bed.slowCopies(400);
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  await app.host.kill();
  await sleep(6 * limits.silentMs + 500);
  app = await bed.start({ limits });
  const start = await app.call('POST', '/api/jobs/nightly/runs');
  expect(start).toMatchObject({ status: 409, body: { code: 'run-in-progress', run: id } });
  hurry();
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded', counts: { listed: 40, copied: 40 } });
});

test('F28: what a run shows of its progress never goes back when its host is killed', async () => {
  await bed.fill(200);
  const limits = { copiesAtOnce: 4 };
  let app = await bed.start({ limits });
  const hurry = bed.slowCopies(100);
  const id = await app.start();
  const shown = [(await app.until(id, ({ counts }) => counts.copied > 20)).counts.copied];
  await app.host.kill();
  app = await bed.start({ limits });
  for (let look = 0; look < 25; look++) {
    shown.push((await app.report(id)).counts.copied);
    await sleep(150);
  }
  hurry();
  shown.push((await app.ended(id)).counts.copied);
  expect(shown).toEqual([...shown].sort((a, b) => a - b));
  expect(shown.at(-1)).toBe(200);
});

const FORCE = /\{"force": true\}/;

/** Everything that an operator asks about a run that is in progress and silent names it, and says how to end it. */
async function expectShownAsSilent(app: Strongroom, id: string): Promise<void> {
  const isSilent = ({ lastSign, problems }: RunReport) =>
    lastSign && problems.some(({ code }) => code === 'run-silent');
  const report = await app.until(id, (now) => Boolean(isSilent(now)), 30);
  expect(report).toMatchObject({ status: 'running', problems: [{ hint: expect.stringMatching(FORCE) }] });
  expect(Date.parse(report.lastSign!)).toBeGreaterThan(Date.parse(report.startedAt) - 1_000);
  const start = await app.call('POST', '/api/jobs/nightly/runs');
  expect(start).toMatchObject({ status: 409, body: { code: 'run-in-progress', run: id } });
  expect(start.body).toMatchObject({
    hint: expect.stringMatching(FORCE),
    detail: expect.stringContaining('no sign of life'),
  });
  const health = await app.call('GET', '/api/health/details');
  expect(health.body.jobs).toMatchObject([{ silent: { run: id, hint: expect.stringMatching(FORCE) } }]);
  const cancel = await app.call('POST', `/api/runs/${id}/cancel`);
  expect(cancel).toMatchObject({ status: 202, body: { cancelling: true, hint: expect.stringMatching(FORCE) } });
}

test('F6: a run whose activity hangs is shown as silent, and can be ended by force', async () => {
  await bed.fill(10);
  const app = await bed.start({ limits: { silentMs: 1_000 } });
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  bed.proxy.rules.push({ match: isCopy, before: () => held });
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  // Requests that only watch a run are no signs of it.
  await expectShownAsSilent(app, id);
  const forced = await app.call('POST', `/api/runs/${id}/cancel`, { force: true });
  expect(forced).toMatchObject({ status: 200, body: { status: 'cancelled', cancelling: false } });
  bed.proxy.rules.splice(0);
  release();
  expect((await app.call('GET', '/api/health/details')).body.jobs).toMatchObject([{ silent: null }]);
  expect(await app.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded', counts: { listed: 10 } });
  expect(await app.report(id)).toMatchObject({ status: 'cancelled' });
});

test('F6: a run whose orchestration hangs is ended as stalled by the next start after the written time', async () => {
  await bed.fill(10);
  const limits = { silentMs: 1_000 };
  let app = await bed.start({ limits, rough: { HUNG_ORCHESTRATOR: 'processContainer' } });
  const id = await app.start();
  await expectShownAsSilent(app, id);
  const silentSince = Date.parse((await app.report(id)).lastSign!);
  let next = await app.call('POST', '/api/jobs/nightly/runs');
  for (; next.status === 409; next = await app.call('POST', '/api/jobs/nightly/runs')) await sleep(250);
  expect(Date.now() - silentSince).toBeGreaterThan(limits.silentMs * 6 - 1_000);
  expect(next.status).toBe(202);
  const problems = [{ code: 'run-stalled' }];
  expect(await app.report(id)).toMatchObject({ status: 'failed', problems });
  await app.host.kill();
  app = await bed.start({ limits });
  expect(await app.ended(next.body.id)).toMatchObject({ status: 'succeeded', counts: { listed: 10, copied: 10 } });
  expect(await app.report(id)).toMatchObject({ status: 'failed', problems });
});
