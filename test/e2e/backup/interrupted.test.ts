import { describe, expect, it } from 'vitest';
import { EXECUTION } from '../../../prove/crash/throw-case.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const QUICK = { QUICK_TIMERS: '1' };
const bed = useTestBed({ app: { limits: { sliceBlobs: 20, chunkBlobs: 10 } } });

/** At this request of an activity, ends all activities in progress, as often as stated. */
function endAllAt(app: Strongroom, isIt: (request: ProxiedRequest) => boolean, times: number): void {
  bed.proxy.rules.unshift({
    match: (request) => request.headers[EXECUTION] !== undefined && isIt(request),
    times,
    before: async () => void (await app.call('POST', '/api/end')),
  });
}

async function fillThree(): Promise<void> {
  for (const container of ['one', 'two', 'three']) await bed.fill(40, container);
}

async function listed(app: Strongroom, id: string): Promise<string | undefined> {
  const { runs } = (await app.call('GET', '/api/runs')).body as unknown as { runs: { id: string; status: string }[] };
  return runs.find((run) => run.id === id)?.status;
}

describe('I4: activities that the platform ends', () => {
  it('a process that dies in the first activity and again in the middle costs a run nothing', async () => {
    await fillThree();
    const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['*'] } }, rough: QUICK });
    endAllAt(app, ({ query }) => query.get('comp') === 'list', 2);
    endAllAt(app, isCopy, 2);
    expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 120, copied: 120 }, problems: [] });
    for (const container of ['one', 'two', 'three']) await bed.expectBackedUp(container);
    expect(app.host.output()).toContain('WorkerProcessExitException');
  });

  it('an activity that is ended each time costs its container, in our words, and no other', async () => {
    await fillThree();
    const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['*'] } }, rough: QUICK });
    bed.proxy.rules.unshift({
      match: (request) => isCopy(request) && request.path.includes('/twobackup/blob-005'),
      before: async ({ headers }) => void (await app.call('POST', `/api/end?execution=${headers[EXECUTION]}`)),
    });
    const report = await app.run();
    const message = 'The platform ended copyChunk each time before it answered (WorkerProcessExitException)';
    expect(report).toMatchObject({ status: 'completed-with-failures', problems: [{ code: 'interrupted', message }] });
    expect(report.problems).toHaveLength(1);
    expect(JSON.stringify(report)).not.toMatch(/ at D:|\.cs|System\.Exception/);
    for (const container of ['one', 'three']) await bed.expectBackedUp(container);
    bed.proxy.rules.length = 0;
    const { body } = await app.call('POST', `/api/runs/${report.id}/retry`);
    expect(await app.ended(body.id)).toMatchObject({ status: 'succeeded' });
    await bed.expectBackedUp('two');
  });
});

describe('I4: an orchestration that fails', () => {
  it('a run whose orchestration fails is published as failed at once, with its event', async () => {
    await bed.fill(5);
    let app = await bed.start({ rough: { BROKEN_ORCHESTRATOR: 'processRun' } });
    const report = await app.run();
    expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'orchestration-failed' }] });
    expect(report.problems).toHaveLength(1);
    expect(JSON.stringify(report)).not.toContain('DurableTask');
    expect(await listed(app, report.id)).toBe('failed');
    expect(app.host.output()).toContain('run-finished');
    await app.host.stop();
    app = await bed.start();
    expect(await app.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded' });
  });

  it('a container whose orchestration fails costs no other its place in the restore point', async () => {
    await bed.fill(5);
    const app = await bed.start({ rough: { ...QUICK, BROKEN_ORCHESTRATOR: 'processContainer' } });
    const report = await app.run();
    expect(report.problems.map(({ code, container }) => [code, container])).toContainEqual([
      'orchestration-failed',
      'data',
    ]);
  });

  it('a run that nothing could publish reads the same everywhere, and the next start closes it', async () => {
    await bed.fill(5);
    let app = await bed.start({ rough: { BROKEN_ORCHESTRATOR: 'runJob' } });
    const id = await app.start();
    expect(await app.ended(id)).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
    expect(await listed(app, id)).toBe('failed');
    const health = await app.call('GET', '/api/health/details');
    expect(health.body.jobs).toMatchObject([{ name: 'nightly', lostRun: id }]);
    await app.host.stop();
    app = await bed.start();
    expect(await app.run()).toMatchObject({ status: 'succeeded' });
    expect((await app.call('GET', '/api/health/details')).body.jobs).toMatchObject([{ lostRun: null }]);
    expect(await listed(app, id)).toBe('failed');
  });
});
