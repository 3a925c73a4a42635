import { expect, test } from 'vitest';
import type { JobOverview } from '#api/overview.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5 } } });

interface Overview {
  totals: { running: number; held: { blobs: number }; conditions: Record<string, number> };
  conditions: { id: string; severity: string }[];
  jobs: JobOverview[];
  vaults: { alias: string; held: object | null }[];
}

const overview = async (app: Strongroom) => {
  const { status, body } = await app.call('GET', '/api/overview');
  expect(status).toBe(200);
  return body as unknown as Overview;
};

const job = (name: string, more: object = {}) => ({
  name,
  source: { account: 'SOURCE', containers: [name] },
  destination: { account: 'VAULT', container: '{container}backup' },
  ...more,
});

test('the overview shows what each job has, does and lacks', async () => {
  await bed.fill(3, 'first');
  const app = await bed.start({ jobs: [job('first', { schedule: '0 0 0 1 1 *' }), job('second')] });
  expect((await overview(app)).jobs).toMatchObject([
    { name: 'first', state: 'never', severity: null, restorePoint: null, runs: [{ kind: 'backup', state: 'ok' }] },
    { name: 'second', state: 'never', runs: [{ kind: 'backup', state: 'unwatched', next: null }] },
  ]);

  const { id } = await app.run({}, 'first');
  await app.run({}, 'second');
  const after = await overview(app);
  expect(after.totals).toMatchObject({ running: 0, held: { blobs: 3 }, conditions: { error: 1, critical: 0 } });
  // Without its container, a backup fails.
  expect(after.conditions).toMatchObject([{ id: 'failed/backup/second', severity: 'error' }]);
  expect(after.jobs).toMatchObject([
    {
      ...{ state: 'ok', severity: null, runs: [{ last: { id, status: 'succeeded' }, lastGood: { id } }] },
      restorePoint: { id, blobs: 3, lacks: { failed: 0 }, isHeld: false, verified: null },
    },
    { state: 'failed', severity: 'error', restorePoint: null },
  ]);

  const endSlow = bed.slowCopies(3_000);
  const restore = await app.begin('/api/restores', { job: 'first', target: { container: 'other' } });
  await app.call('POST', `/api/restore-points/${id}/hold`, { reason: 'an audit' });
  const during = await overview(app);
  expect(during.jobs[0]).toMatchObject({
    running: [{ id: restore, mode: 'restore', phase: expect.any(String), fraction: expect.any(Number) }],
    restorePoint: { isHeld: true },
    size: { blobs: 3, entities: 0 },
  });
  // Yesterday may have been another day when the run began.
  expect(during.jobs[0]!.strip!.slice(-2).map(({ worst }) => worst)).toContain('succeeded');
  expect(during.jobs.map(({ strip }) => strip?.length)).toEqual([30, 30]);
  endSlow();
  await app.ended(restore);
  expect((await overview(app)).totals.running).toBe(0);

  // What a vault holds is known when each job that has run has planned a prune.
  for (const each of ['first', 'second']) {
    expect((await overview(app)).vaults).toEqual([{ alias: 'VAULT', held: null }]);
    await app.ended(await app.begin('/api/prunes', { job: each }));
  }
  const held = { blobs: 3, kept: 0, bytes: expect.any(Number), at: expect.any(String) };
  expect((await overview(app)).vaults).toEqual([{ alias: 'VAULT', held }]);

  const { body: jobs } = await app.call('GET', '/api/jobs');
  expect(jobs.jobs).toMatchObject([{ schedules: [{ words: 'on day 1 of January at 00:00' }] }, { schedules: [] }]);
  await app.run({}, 'first');
  const { body: tried } = await app.call('GET', '/api/jobs/first/retention?keepLast=1');
  expect(tried).toMatchObject({
    isInForce: false,
    keeps: 2,
    restorePoints: [{ reasons: ['last 1', 'last good'] }, { id }],
  });
  expect((await app.call('GET', '/api/jobs/first/retention')).body).toMatchObject({ policy: null, keeps: 2 });
});

test('a vault that does not answer hides no other one, and one damaged lock no other job', async () => {
  await bed.fill(1, 'first');
  const elsewhere = { destination: { account: 'ELSEWHERE', container: '{container}backup' } };
  const app = await bed.start({ jobs: [job('first'), job('second'), job('third', elsewhere)] });
  await app.run({}, 'first');
  await app.run({}, 'second');
  await bed.rewriteLock(() => ({ job: 'second', epoch: 'x' }), 'second');
  bed.proxy.rules.push({
    match: ({ path }) => path.includes(bed.elsewhere.name),
    answer: () => ({ status: 403, headers: { 'x-ms-error-code': 'AuthorizationFailure' }, body: '' }),
  });
  const { jobs, conditions } = await overview(app);
  expect(jobs).toMatchObject([
    { state: 'unwatched', restorePoint: { blobs: 1 }, problem: null },
    { state: 'unknown', problem: { code: 'damaged', message: expect.stringContaining('locks/second.json') } },
    { state: 'unknown', problem: { code: 'access-denied-destination' } },
  ]);
  expect(conditions.map(({ id }) => id)).toContain('out-of-reach/ELSEWHERE');
});

test('a configuration is checked with the settings of the app, and does not count', async () => {
  const app = await bed.start({ jobs: [job('first')] });
  const check = async (value: object) => (await app.call('POST', '/api/config/check', value)).body;
  expect(await check({ jobs: [job('first'), job('second')] })).toMatchObject({ isValid: true, problems: [], jobs: 2 });
  expect(await check({ jobs: [job('first', { schedule: '0 4 * * *' })] })).toMatchObject({
    ...{ isValid: false, jobs: null, problems: [{ path: 'jobs[0].schedule' }] },
  });
  expect((await app.call('GET', '/api/jobs')).body.jobs).toHaveLength(1);
});
