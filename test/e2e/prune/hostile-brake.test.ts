import { expect, test } from 'vitest';
import { executePrune, planPrune, restorePoints } from '../../support/app/pruning.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { seed, tableOf } from '../../support/builders/tables.ts';
import { contentOf } from '../../support/judge/content-of.ts';

/** What anyone who writes to the source can do, and nothing else: the vault must keep what it holds, and say so. */
const bed = useTestBed({ app: { limits: { sliceBlobs: 7, chunkBlobs: 3, retryDelayMs: 5 } } });

const BLOBS = 10;
const nameOf = (index: number) => `blob-${index}`;
const ALL = Array.from({ length: BLOBS }, (_, index) => nameOf(index));

const start = (job: object = {}) =>
  bed.start({ job: { retention: { keepLast: 2, marginHours: 0, brake: { percent: 50, blobs: 5 } }, ...job } });

const put = (name: string, text: string, options: object = {}) => bed.upload(name, text, 'data', options);

async function fill(text: string, from = 0, to = BLOBS, options: object = {}): Promise<void> {
  for (let index = from; index < to; index++) await put(nameOf(index), text, options);
}

interface Line {
  container: string;
  name: string;
  code: string;
  cause?: string;
  hint?: string;
  entities?: number;
}

async function noLongerHeld(app: Strongroom, id: string): Promise<Line[]> {
  const { body } = await app.call('GET', `/api/runs/${id}/outcomes?status=no-longer-held`);
  return body.items as unknown as Line[];
}

async function brakeOf(app: Strongroom, id: string): Promise<{ reason: string; containers: string[] } | null> {
  const { body } = await app.call('GET', `/api/restore-points/${id}`);
  return body.brake as unknown as { reason: string; containers: string[] } | null;
}

const prune = async (app: Strongroom) => executePrune(app, await planPrune(app));

test.each<[string, object]>([
  ['the archive tier', { tier: 'Archive' }],
  ['markers of directories', { metadata: { hdi_isfolder: 'true' } }],
])(
  'blobs that are rewritten as %s engage the safety brake, and nothing of them is ever deleted',
  async (_, options) => {
    const app = await start();
    await makeContainer(bed.source.connectionString, 'data');
    await fill('good');
    const good = await app.run();
    const content = await contentOf(bed.source.connectionString, 'data');
    await fill('bad', 0, BLOBS, options);
    const bad = await app.run({ mode: 'incremental' });
    expect(await brakeOf(app, bad.id)).toEqual({
      reason: `data: ${BLOBS} of ${BLOBS} blobs changed or lost since ${good.id}, more than 50%`,
      containers: ['data'],
    });
    const brake = (problems: { code: string }[]) => problems.filter(({ code }) => code === 'brake-engaged');
    expect(brake(bad.problems)).toMatchObject([
      { container: 'data', message: expect.stringContaining('more than 50%') },
    ]);
    if (bad.counts.skipped > 0) {
      expect(bad).toMatchObject({ status: 'completed-with-failures', noLongerHeld: { skipped: BLOBS } });
      expect((await noLongerHeld(app, bad.id)).map(({ name, code }) => `${name} ${code}`)).toEqual(
        ALL.map((name) => `${name} skipped`),
      );
    }
    await app.run({ mode: 'incremental' });
    await app.run({ mode: 'full' });
    expect(await prune(app)).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
    for (const name of ALL) await bed.original().deleteBlob(name);
    await app.run({ mode: 'incremental' });
    for (let night = 0; night < 2; night++) {
      expect(await prune(app)).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
    }
    expect(await restorePoints(app)).toContain(good.id);
    await app.restore({ restorePoint: good.id, target: { container: 'back' } });
    expect(await contentOf(bed.source.connectionString, 'back')).toEqual(content);
  },
);

test('small containers that are filled with other blobs first still engage the safety brake together', async () => {
  const app = await start({
    source: { account: 'SOURCE', containers: ['*'] },
    retention: { keepLast: 2, marginHours: 0, brake: { percent: 50, blobs: 6 } },
  });
  const containers = ['one', 'two', 'a-b'];
  const fillAll = async (text: string, name: string, count: number) => {
    for (const container of containers) {
      for (let index = 0; index < count; index++) await bed.upload(`${name}-${index}`, text, container);
    }
  };
  await fillAll('good', 'blob', 4);
  const good = await app.run();
  expect(good.containers.map(({ container }) => container).sort()).toEqual(containers.toSorted());
  await fillAll('junk', 'junk', 8);
  await app.run({ mode: 'incremental' });
  await fillAll('encrypted', 'blob', 4);
  const bad = await app.run({ mode: 'incremental' });
  expect((await brakeOf(app, bad.id))?.containers).toEqual(['*']);
  for (let night = 0; night < 3; night++) {
    await app.run({ mode: 'incremental' });
    expect(await prune(app)).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
  }
  expect(await restorePoints(app)).toContain(good.id);
});

test('what a run skips is owed: no later run succeeds without it, and a retry has nothing to do', async () => {
  const app = await start({ retention: { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 5 } } });
  await makeContainer(bed.source.connectionString, 'data');
  await fill('good');
  const good = await app.run();
  await fill('bad', 0, 4, { tier: 'Archive' });
  for (let night = 0; night < 3; night++) {
    const run = await app.run({ mode: 'incremental' });
    expect(run).toMatchObject({ status: 'completed-with-failures', noLongerHeld: { skipped: 4 } });
    expect(await app.call('POST', `/api/runs/${run.id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'nothing-to-retry' },
    });
    await prune(app);
  }
  // The newest that succeeded.
  expect(await restorePoints(app)).toContain(good.id);
  await bed.original().getBlobClient(nameOf(0)).setAccessTier('Hot');
  for (const name of ALL.slice(1, 4)) await bed.original().deleteBlob(name);
  expect(await app.run({ mode: 'incremental' })).toMatchObject({
    status: 'succeeded',
    counts: { held: 7 },
    noLongerHeld: { deleted: 3, skipped: 0 },
  });
});

test('blobs that are added first, and steps of less than half, do not keep the safety brake from engaging', async () => {
  const app = await start();
  await makeContainer(bed.source.connectionString, 'data');
  await fill('good');
  const good = await app.run();
  const content = await contentOf(bed.source.connectionString, 'data');
  for (let index = 0; index < 2 * BLOBS; index++) await put(`junk-${index}`, 'junk');
  const ids = [(await app.run({ mode: 'incremental' })).id];
  for (const [from, to] of [
    [0, 4],
    [4, 8],
    [8, 10],
  ]) {
    await fill('encrypted', from, to);
    ids.push((await app.run({ mode: 'incremental' })).id);
  }
  const brakes = await Promise.all(ids.map((id) => brakeOf(app, id)));
  expect(brakes).toEqual([
    null,
    null,
    { reason: `data: 8 of 10 blobs changed or lost since ${good.id}, more than 50%`, containers: ['data'] },
    // It is on: what follows does not engage it again.
    null,
  ]);
  await prune(app);
  await app.restore({ restorePoint: good.id, target: { container: 'back' } });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(content);
});

test('a container that turns over by design engages the safety brake once, and not after its release', async () => {
  const app = await start();
  await makeContainer(bed.source.connectionString, 'data');
  const engaged: string[] = [];
  for (let night = 0; night < 5; night++) {
    for (let index = 0; index < 5; index++) {
      await put(`log-${night}-${index}`, `night ${night}`);
      if (night > 0) await bed.original().deleteBlob(`log-${night - 1}-${index}`);
    }
    const { id, status } = await app.run({ mode: 'incremental' });
    expect(status).toBe('succeeded');
    if (await brakeOf(app, id)) engaged.push(id);
    if (night === 2) await app.call('POST', `/api/restore-points/${engaged[0]}/release`, {});
  }
  expect(engaged).toHaveLength(1);
  await prune(app);
  expect(await restorePoints(app)).toHaveLength(2);
});

test('a run lists by name what it no longer holds, and says why', async () => {
  const app = await start({ source: { account: 'SOURCE', containers: ['*'], exclude: ['*.tmp'] } });
  for (const container of ['data', 'more']) await makeContainer(bed.source.connectionString, container);
  for (const name of ['a', 'b', 'c']) await put(name, name);
  await bed.upload('x', 'x', 'more');
  await app.run();
  await bed.original().deleteBlob('a');
  await put('b', 'archived', { tier: 'Archive' });
  await bed.original('more').deleteIfExists();
  const after = await app.run({ mode: 'incremental' });
  expect(after).toMatchObject({
    status: 'completed-with-failures',
    counts: { held: 1 },
    noLongerHeld: { deleted: 2, skipped: 1, failed: 0, notSelected: 0 },
  });
  expect(after.problems.map(({ code }) => code)).toContain('no-longer-held');
  const lines = await noLongerHeld(app, after.id);
  expect(lines.map(({ container, name, code, cause }) => [container, name, code, cause])).toEqual([
    ['data', 'a', 'deleted', undefined],
    ['data', 'b', 'skipped', 'source-archived'],
    ['more', 'x', 'deleted', undefined],
  ]);
  expect(lines[1]!.hint).toContain('Rehydrate');
  const { body } = await app.call('GET', `/api/runs/${after.id}/outcomes`);
  expect((body.items as unknown as Line[]).map(({ name }) => name)).toEqual(['b', 'c']);
});

test('a table that is dropped, or no longer selected, is one line, and its entities engage the safety brake', async () => {
  const source = { account: 'SOURCE', tables: ['*'] };
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ partitionKey: 'p', rowKey: String(n).padStart(4, '0'), n }));
  let app = await start({ source, destination: { account: 'VAULT', container: '{container}' } });
  for (const table of ['Orders', 'Logs', 'Empty']) {
    await seed(bed.source.connectionString, table, table === 'Empty' ? [] : rows(20));
  }
  const first = await app.run();
  expect(first).toMatchObject({ status: 'succeeded', counts: { held: 40 } });
  for (const table of ['Orders', 'Empty']) await tableOf(bed.source.connectionString, table).deleteTable();
  const dropped = await app.run({ mode: 'incremental' });
  expect(dropped).toMatchObject({
    status: 'succeeded',
    counts: { held: 20 },
    noLongerHeld: { deleted: 2, skipped: 0, failed: 0, notSelected: 0 },
  });
  const lines = await noLongerHeld(app, dropped.id);
  expect(lines).toMatchObject([
    { container: 'table.Empty', name: 'Empty', code: 'deleted', entities: 0 },
    { container: 'table.Orders', name: 'Orders', code: 'deleted', entities: 20 },
  ]);
  expect(await brakeOf(app, dropped.id)).toEqual({
    reason: `table Orders: 20 of 20 entities changed or lost since ${first.id}, more than 50%`,
    containers: ['table.Orders'],
  });
  await prune(app);
  await app.restore({ restorePoint: first.id, tables: ['Orders'] });
  await app.host.stop();
  app = await start({
    source: { account: 'SOURCE', tables: ['Orders'] },
    destination: { account: 'VAULT', container: '{container}' },
  });
  const last = await app.run({ mode: 'incremental' });
  expect(last).toMatchObject({ counts: { held: 20 }, noLongerHeld: { notSelected: 1 } });
  expect(await noLongerHeld(app, last.id)).toMatchObject([{ name: 'Logs', code: 'not-selected' }]);
});
