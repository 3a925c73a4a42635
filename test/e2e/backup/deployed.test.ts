import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readJournal, writeJournal } from '../../../host/durable/journal-file.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';

const bed = useTestBed({
  app: { limits: { sliceBlobs: 40, chunkBlobs: 20 }, job: { source: { account: 'SOURCE', containers: ['*'] } } },
});

/** Makes a journal that of an earlier build: its runs name no version, and it had an activity that is gone. */
async function makeOlder(file: string): Promise<void> {
  const older: unknown[] = [];
  for await (const records of readJournal(file)) {
    for (const record of records) {
      const text = JSON.stringify(record).replaceAll(/,\\*"orchestrations\\*":\d+/g, '');
      older.push(JSON.parse(text.replaceAll('processTasks', 'backUpTasks')));
    }
  }
  await writeJournal(file, older);
}

test('F31: a run that an earlier build began is published as failed at once, and the next start works', async () => {
  for (const container of ['one', 'two', 'three']) await bed.fill(30, container);
  const hurry = bed.slowCopies(150);
  let app = await bed.start();
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  await app.host.kill();
  hurry();
  await makeOlder(join(bed.dataDir, 'durable.journal'));
  app = await bed.start();
  const report = await app.ended(id);
  expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'deployed-during-run' }] });
  expect(report.problems).toHaveLength(1);
  expect(report.counts.listed).toBeGreaterThan(0);
  expect(app.host.output()).toContain('run-finished');
  expect(await app.run({ mode: 'incremental' })).toMatchObject({
    status: 'succeeded',
    counts: { listed: 90, failed: 0 },
  });
  for (const container of ['one', 'two', 'three']) await bed.expectBackedUp(container);
});

describe('I1: a setting that changes while a run is in progress ends it, and no restore point mixes two setups', () => {
  /** Kills a host in the middle of a full run, and starts another one with this change. */
  async function restartedWith(change: object) {
    for (const container of ['one', 'two']) await bed.fill(30, container);
    const hurry = bed.slowCopies(150);
    const app = await bed.start();
    const id = await app.start();
    await app.until(id, ({ counts }) => counts.copied > 0);
    await app.host.kill();
    hurry();
    const now = await bed.start(change);
    // Another vault knows nothing of the run until it has ended.
    await expect.poll(async () => (await now.call('GET', `/api/runs/${id}`)).status, { timeout: 20_000 }).toBe(200);
    return { app: now, report: await now.ended(id) };
  }

  test('another source account', async () => {
    const { app, report } = await restartedWith({ source: bed.proxy.connectionString(bed.elsewhere) });
    expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'setup-changed' }] });
    expect((await app.call('GET', '/api/restore-points')).body.restorePoints).toEqual([]);
    expect(await app.call('POST', `/api/runs/${report.id}/retry`)).toMatchObject({ status: 409 });
    // Nothing of the first account is in the restore point of the second.
    const one = await makeContainer(bed.elsewhere.connectionString, 'one');
    await one.getBlockBlobClient('blob-000').upload('of another account', 18);
    expect(await app.run({ mode: 'incremental' })).toMatchObject({
      status: 'succeeded',
      counts: { listed: 1, copied: 1 },
    });
  });

  test('another vault', async () => {
    const { app, report } = await restartedWith({ vault: bed.proxy.connectionString(bed.elsewhere) });
    expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'setup-changed' }] });
    expect(app.host.output()).toMatch(/run-finished.*failed/);
    expect((await app.call('GET', '/api/runs')).body.runs).toMatchObject([{ id: report.id, status: 'failed' }]);
    expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 60, copied: 60 } });
  });

  test('its job removed', async () => {
    const { app, report } = await restartedWith({ job: { name: 'another' } });
    expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'setup-changed' }] });
    expect((await app.call('GET', '/api/runs')).body.runs).toMatchObject([{ id: report.id, status: 'failed' }]);
    expect(await app.run({}, 'another')).toMatchObject({ status: 'succeeded', counts: { listed: 60 } });
  });

  test('another selection', async () => {
    const { app, report } = await restartedWith({ job: { source: { account: 'SOURCE', containers: ['two'] } } });
    expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'setup-changed' }] });
    expect(await app.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded', counts: { listed: 30 } });
  });
});
