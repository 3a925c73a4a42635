import { expect, test } from 'vitest';
import { executePrune, planPrune, restorePoints } from '../../support/app/pruning.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { contentsOf } from '../../support/builders/contents-of.ts';
import { contentOf } from '../../support/judge/content-of.ts';

const bed = useTestBed();

test('a prune deletes what no restore point needs, and all remaining points still restore the source', async () => {
  const client = await makeContainer(bed.source.connectionString, 'data');
  const upload = (name: string, text: string) =>
    client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), { metadata: { of: 'mine' } });
  const app = await bed.start({
    job: { retention: { marginHours: 0, keepLast: 2 } },
    limits: { sliceBlobs: 7, chunkBlobs: 3 },
  });
  const states: { id: string; content: Awaited<ReturnType<typeof contentOf>> }[] = [];
  for (let day = 0; day < 4; day++) {
    for (let i = 0; i < 20; i++) await upload(`blob-${i}`, i % 3 === 0 ? `day ${day}` : 'always');
    await upload(`only-${day}`, `only on day ${day}`);
    if (day > 0) await client.deleteBlob(`only-${day - 1}`);
    const { id, status } = await app.run({ mode: day === 2 ? 'full' : 'incremental' });
    expect(status).toBe('succeeded');
    states.push({ id, content: await contentOf(bed.source.connectionString, 'data') });
  }
  const plan = await planPrune(app);
  expect(plan).toMatchObject({ mode: 'prune', dryRun: true, status: 'succeeded' });
  expect(plan.plan.remove.sort()).toEqual([states[0]!.id, states[1]!.id].sort());
  expect(plan.plan).toMatchObject({ summary: { removes: 2, items: plan.counts.planned } });
  const listed = await app.outcomes(plan.id, 'status=planned');
  expect(listed).toHaveLength(plan.counts.planned!);
  // It counts what is there, which takes it no request more.
  const { held } = plan.plan.summary;
  expect(held).toEqual(await contentsOf(bed.vault.connectionString, 'databackup'));
  expect(held!.kept).toBeGreaterThan(20);
  // A plan deletes nothing.
  expect(await restorePoints(app)).toHaveLength(4);
  expect(await snapshotsOf(bed.vault.connectionString, 'databackup', 'blob-0')).toHaveLength(3);

  const done = await executePrune(app, plan);
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  expect((await app.report(plan.id)) as unknown).toMatchObject({ followedBy: [{ id: done.id, how: 'follows' }] });
  const { runs } = (await app.call('GET', '/api/runs?mode=prune')).body as unknown as { runs: object[] };
  expect(runs).toMatchObject([
    { id: done.id, held: null },
    { id: plan.id, held },
  ]);
  expect(await restorePoints(app)).toEqual([states[3]!.id, states[2]!.id]);
  expect(await snapshotsOf(bed.vault.connectionString, 'databackup', 'blob-0')).toEqual(['day 2']);
  const backup = await contentOf(bed.vault.connectionString, 'databackup');
  expect(Object.keys(backup).filter((name) => name.startsWith('only'))).toEqual(['only-2', 'only-3']);
  for (const { id, content } of states.slice(2)) {
    expect(await app.restore({ restorePoint: id, target: { container: `back-${id.slice(-6)}` } })).toMatchObject({
      status: 'succeeded',
    });
    expect(await contentOf(bed.source.connectionString, `back-${id.slice(-6)}`)).toEqual(content);
  }
  const removed = { restorePoint: states[0]!.id, target: { container: 'never' } };
  expect((await app.call('POST', '/api/restores', removed)).status).toBe(404);
  const left: string[] = [];
  for await (const { name } of bed.control.listBlobsFlat()) if (name.includes(states[0]!.id)) left.push(name);
  expect(left).toEqual([]);
  // The next plan has nothing left to do.
  const again = await planPrune(app);
  expect(again).toMatchObject({ plan: { remove: [], expired: [] }, counts: { planned: 0 } });
});
