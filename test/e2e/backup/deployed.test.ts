import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJournal, writeJournal } from '../../../host/durable/journal-file.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

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
