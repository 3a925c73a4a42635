import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { contentOf } from '../../support/judge/content-of.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let app: Strongroom | undefined;

const start = async (retention: object, more: object = {}) => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    job: { retention: { marginHours: 0, ...retention } },
    ...more,
  });
  return app;
};

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

interface Plan {
  hash: string;
  remove: string[];
  expired: string[];
  decisions: { id: string; keep: boolean; reasons: string[] }[];
}

const planned = async (room: Strongroom) => {
  const answer = await room.call('POST', '/api/prunes', {});
  if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
  const report = await room.ended(answer.body.id);
  return { ...report, plan: (report as unknown as { plan: Plan }).plan };
};

const carriedOut = async (room: Strongroom, { id, plan }: { id: string; plan: Plan }) => {
  const answer = await room.call('POST', '/api/prunes', { plan: id, hash: plan.hash });
  if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
  return room.ended(answer.body.id);
};

const points = async (room: Strongroom) => {
  const { body } = await room.call('GET', '/api/restore-points');
  return (body.restorePoints as unknown as { id: string }[]).map(({ id }) => id);
};

const restored = (room: Strongroom, point: string, container: string): Promise<Answer> =>
  room.call('POST', '/api/restores', { restorePoint: point, target: { container } });

test('what no kept restore point needs goes, and every kept one still restores exactly what the source was', async () => {
  const client = await makeContainer(source.connectionString, 'data');
  const upload = (name: string, text: string) =>
    client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), { metadata: { of: 'mine' } });
  const room = await start({ keepLast: 2 }, { limits: { sliceBlobs: 7, chunkBlobs: 3 } });
  const states: { id: string; content: Awaited<ReturnType<typeof contentOf>> }[] = [];
  for (let day = 0; day < 4; day++) {
    for (let i = 0; i < 20; i++) await upload(`blob-${i}`, i % 3 === 0 ? `day ${day}` : 'always');
    await upload(`only-${day}`, `only on day ${day}`);
    if (day > 0) await client.deleteBlob(`only-${day - 1}`);
    const { id, status } = await room.run({ mode: day === 2 ? 'full' : 'incremental' });
    expect(status).toBe('succeeded');
    states.push({ id, content: await contentOf(source.connectionString, 'data') });
  }
  const plan = await planned(room);
  expect(plan).toMatchObject({ mode: 'prune', dryRun: true, status: 'succeeded' });
  expect(plan.plan.remove.sort()).toEqual([states[0]!.id, states[1]!.id].sort());
  const listed = await room.outcomes(plan.id, 'status=planned');
  expect(listed).toHaveLength(plan.counts.planned!);
  // Nothing has been deleted by planning.
  expect(await points(room)).toHaveLength(4);
  expect(await snapshotsOf(vault.connectionString, 'databackup', 'blob-0')).toHaveLength(3);

  const done = await carriedOut(room, plan);
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  expect(await points(room)).toEqual([states[3]!.id, states[2]!.id]);
  expect(await snapshotsOf(vault.connectionString, 'databackup', 'blob-0')).toEqual(['day 2']);
  const mirror = await contentOf(vault.connectionString, 'databackup');
  expect(Object.keys(mirror).filter((name) => name.startsWith('only'))).toEqual(['only-2', 'only-3']);
  for (const { id, content } of states.slice(2)) {
    const answer = await restored(room, id, `back-${id.slice(-6)}`);
    expect(await room.ended(answer.body.id)).toMatchObject({ status: 'succeeded' });
    expect(await contentOf(source.connectionString, `back-${id.slice(-6)}`)).toEqual(content);
  }
  expect((await restored(room, states[0]!.id, 'never')).status).toBe(404);
  const control = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
  const left: string[] = [];
  for await (const { name } of control.listBlobsFlat()) if (name.includes(states[0]!.id)) left.push(name);
  expect(left).toEqual([]);
  // With nothing more to do, nothing more is done.
  const again = await planned(room);
  expect(again).toMatchObject({ plan: { remove: [], expired: [] }, counts: { planned: 0 } });
});
