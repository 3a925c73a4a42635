import { expect, test } from 'vitest';
import type { RunReport } from '#domain/run/run.ts';
import type { RunCost } from '#functions/run/run-cost.ts';
import { parseExposition } from '../../support/app/exposition.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed({ app: { job: { schedule: '0 0 0 1 1 *' }, limits: { retryDelayMs: 5 } } });

async function scrape(app: Strongroom) {
  const response = await fetch(`${app.host.url}/api/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const metrics = parseExposition(await response.text());
  return (name: string) =>
    Object.fromEntries(
      (metrics.get(`strongroom_${name}`)?.samples ?? []).map(({ labels: { job_name, ...labels }, value }) => [
        Object.values(labels).join(' ') || job_name,
        value,
      ]),
    );
}

test('metrics show runs, and the same after a restart that loses all data of the host', async () => {
  await bed.fill(3);
  let app = await bed.start();
  const first = await app.run();
  const second = await app.run({ mode: 'incremental' });
  const { total } = (second as RunReport & { cost: RunCost }).cost;
  expect(total).toBeGreaterThan(0);
  // The event has the same cost, for the workbook.
  const [, event] = new RegExp(`run-finished (\\{.*${second.id}.*\\})`).exec(app.host.output())!;
  expect(JSON.parse(event!)).toMatchObject({ cost: total, currency: 'USD' });
  await app.verify();
  const check = async () => {
    const of = await scrape(app);
    expect(of('account_up')).toEqual({ SOURCE: 1, VAULT: 1 });
    expect(of('last_run_status')).toMatchObject({ 'backup succeeded': 1, 'verify succeeded': 1 });
    expect(of('last_run_items')).toMatchObject({ 'backup copied': 0, 'backup unchanged': 3, 'backup failed': 0 });
    expect(of('last_run_ended_timestamp_seconds').backup).toBe(Date.parse(second.finishedAt!) / 1000);
    expect(of('job_restore_point_timestamp_seconds').nightly).toBe(Date.parse(second.startedAt) / 1000);
    expect(of('last_run_cost')['backup USD']).toBe(total);
    expect(of('last_run_requests').backup).toBe(Object.values(second.requests).reduce((sum, each) => sum + each, 0));
    expect(of('job_verified_failed_items')).toEqual({ quick: 0 });
    expect(of('job_overdue')).toMatchObject({ backup: 0 });
    expect(of('job_next_timestamp_seconds').backup).toBeGreaterThan(Date.now() / 1000);
    expect(of('condition')).toEqual({});
  };
  expect(first.status).toBe('succeeded');
  await check();
  await app.host.stop();
  bed.loseData();
  app = await bed.start();
  await check();
});

test('metrics show how far a run is, and that a backup has failed', async () => {
  await bed.fill(2);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  bed.proxy.rules.push({ match: (request) => isCopy(request) && request.path.endsWith('1'), before: () => held });
  let app = await bed.start();
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed === 2);
  let of = await scrape(app);
  expect(of('runs_in_progress')).toEqual({ backup: 1, verify: 0, prune: 0 });
  expect(of('run_progress_ratio').backup).toBeLessThan(1);
  expect(of('run_sign_timestamp_seconds').backup).toBeGreaterThan(Date.now() / 1000 - 120);
  expect(of('last_run_status')).toEqual({});
  await app.call('POST', `/api/runs/${id}/cancel`);
  letGo();
  await app.ended(id);
  await bed.original().delete();
  await app.ended(await app.start());
  await app.host.stop();
  app = await bed.start();
  of = await scrape(app);
  expect(of('last_run_status')).toMatchObject({ 'backup failed': 1, 'backup cancelled': 0 });
  expect(of('condition')).toEqual({ 'failed/backup/nightly failed error': 1 });
  expect(of('runs_in_progress')).toMatchObject({ backup: 0 });
});
