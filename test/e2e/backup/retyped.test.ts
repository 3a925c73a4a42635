import { expect, test } from 'vitest';
import { executePrune, planPrune, restorePoints } from '../../support/app/pruning.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { contentOf } from '../../support/judge/content-of.ts';

const bed = useTestBed();

const writeAs = {
  block: (name: string, text: string) => bed.upload(name, text),
  append: async (name: string, text: string) => {
    const client = bed.original().getAppendBlobClient(name);
    await client.create();
    await client.appendBlock(text, text.length);
  },
  page: async (name: string, text: string) => {
    const client = bed.original().getPageBlobClient(name);
    await client.create(512);
    await client.uploadPages(Buffer.alloc(512, text), 0, 512);
  },
};
type Kind = keyof typeof writeAs;

const retype = async (name: string, kind: Kind, text: string) => {
  await bed.original().getBlobClient(name).deleteIfExists();
  await writeAs[kind](name, text);
};

/** The second has the name of the copy that is kept beside for the first. */
const NAMES = ['log', 'strongroom-types/append/log'];
const settings = { limits: { sliceBlobs: 2, chunkBlobs: 2 }, job: { retention: { marginHours: 0, keepLast: 2 } } };

test('I2: a name whose blob changes its type is backed up each time, and each restore point has its own', async () => {
  for (const name of ['a', 'z']) await bed.upload(name, name);
  const app = await bed.start(settings);
  const points: { id: string; content: Awaited<ReturnType<typeof contentOf>> }[] = [];
  for (const [night, kind] of (['block', 'append', 'page', 'block'] as const).entries()) {
    for (const name of NAMES) await retype(name, kind, `night ${night}`);
    const { id, ...report } = await app.run({ mode: 'incremental' });
    const expected = { listed: 4, copied: night === 0 ? 4 : 2, failed: 0, skipped: 0 };
    expect(report).toMatchObject({ status: 'succeeded', counts: expected });
    points.push({ id, content: await contentOf(bed.source.connectionString, 'data') });
    expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 4 });
  }
  for (const { id, content } of points) {
    const container = `back-${id.slice(-6)}`;
    expect(await app.restore({ restorePoint: id, target: { container } })).toMatchObject({ status: 'succeeded' });
    expect(await contentOf(bed.source.connectionString, container)).toEqual(content);
    for (const body of [{ kind: 'drill' }, { kind: 'deep', portion: '100%' }]) {
      const report = await app.verify({ restorePoint: id, ...body });
      expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 4, failed: 0 } });
    }
  }
});

test('I5: a prune deletes the copies of earlier types that no restore point needs, and none that one needs', async () => {
  for (const name of NAMES) await bed.upload(name, 'before the first night');
  const app = await bed.start(settings);
  const nights = ['block', 'append', 'page', 'append'] as const;
  for (const [night, kind] of nights.entries()) {
    for (const name of NAMES) await retype(name, kind, `night ${night}`);
    expect(await app.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded', counts: { copied: 2 } });
  }
  const before = await contentOf(bed.source.connectionString, 'data');
  const done = await executePrune(app, await planPrune(app));
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  // The copies of the first two nights: two blobs, and two snapshots of append blobs.
  expect(done.counts.removed).toBe(4);
  for (const id of await restorePoints(app)) {
    expect(await app.verify({ restorePoint: id, kind: 'deep', portion: '100%' })).toMatchObject({
      status: 'succeeded',
      counts: { listed: 2, failed: 0 },
    });
  }
  // What is kept beside is still the copy of its blob, even if nothing has the name itself any more.
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 2 });
  expect(await app.restore({ target: { container: 'back' } })).toMatchObject({ status: 'succeeded' });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
});

test('a retry backs up a blob whose type differs from the type of its backup blob', async () => {
  await bed.upload('log', 'as block');
  const app = await bed.start(settings);
  await app.run();
  await retype('log', 'append', 'as append');
  const refusal = { status: 409, headers: { 'x-ms-error-code': 'BlobImmutableDueToPolicy' }, body: '' };
  const isCopyBeside = ({ method, path }: { method: string; path: string }) =>
    method === 'PUT' && path.endsWith('strongroom-types/append/log');
  bed.proxy.rules.push({ match: isCopyBeside, answer: () => refusal });
  const failed = await app.run({ mode: 'incremental' });
  expect(failed).toMatchObject({ status: 'completed-with-failures', counts: { failed: 1 } });
  bed.proxy.rules.length = 0;
  expect(await app.retry(failed.id)).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 1 });
});
