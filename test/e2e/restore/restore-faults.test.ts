import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startHost } from '../../support/app/host-process.ts';
import { Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { getRaw, HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';
import { Random } from '../../support/builders/random.ts';
import { azureCopies, type CopyFate, FOR_EVER } from '../../support/faults/azure-copies.ts';
import {
  DROP,
  type FaultProxy,
  type FaultRule,
  type ProxiedRequest,
  startFaultProxy,
} from '../../support/faults/fault-proxy.ts';
import { FAULTS, type FaultContext, refusal } from '../../support/faults/faults.ts';
import { contentOf, type WholeBlob } from '../../support/judge/content-of.ts';

let source: TestAccount;
let vault: TestAccount;
let elsewhere: TestAccount;
let proxy: FaultProxy;
const rooms: Strongroom[] = [];

const LIMITS = { retryDelayMs: 20 };
const JOB = {
  name: 'nightly',
  source: { account: 'SOURCE', containers: ['data'] },
  destination: { account: 'VAULT', container: '{container}backup', prefix: 'of/' },
};

const start = async ({ job, limits, ...more }: { job?: object; limits?: object; [key: string]: unknown } = {}) => {
  const room = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    env: { ELSEWHERE: proxy.connectionString(elsewhere) },
    jobs: [{ ...JOB, ...job }],
    more: { accounts: ['ELSEWHERE'] },
    limits: { ...LIMITS, ...limits },
    ...more,
  });
  rooms.push(room);
  return room;
};

beforeEach(async () => {
  [source, vault, elsewhere] = takeAccounts(3) as [TestAccount, TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
});

afterEach(async () => {
  await Promise.all(rooms.splice(0).map((room) => room.host.kill()));
  await proxy.stop();
});

const containerOf = (account: TestAccount, name: string) =>
  BlobServiceClient.fromConnectionString(account.connectionString).getContainerClient(name);

const put = (client: ContainerClient, name: string, text: string, more: object = {}) =>
  client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), more);

/** A few of every kind: most without metadata of their own, which is where ours would stay. */
async function fill(plain = 10): Promise<ContainerClient> {
  const data = await makeContainer(source.connectionString, 'data');
  await Promise.all(Array.from({ length: plain }, (_, index) => put(data, `plain/${index}`, `plain ${index}`)));
  await put(data, 'rich', 'rich', { metadata: { Author: 'Ada' }, tags: { state: 'done' }, tier: 'Cool' });
  await put(data, 'tagged', 'tagged', { tags: { a: '1' } });
  await put(data, 'empty', '');
  const log = data.getAppendBlobClient('log');
  await log.create();
  await log.appendBlock('line\n', 5);
  await page(data, 'disk', 1);
  return data;
}

async function page(data: ContainerClient, name: string, byte: number): Promise<void> {
  const disk = data.getPageBlobClient(name);
  // Not written over: the emulator lets a page blob share its pages with copies of it.
  await disk.deleteIfExists();
  await disk.create(512);
  await disk.uploadPages(Buffer.alloc(512, byte), 0, 512);
}

async function begin(room: Strongroom, body: object): Promise<string> {
  const answer = await room.call('POST', '/api/restores', body);
  if (answer.status !== 202) throw new Error(`Not started: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}

const restore = async (room: Strongroom, body: object) => room.ended(await begin(room, body));

async function retry(room: Strongroom, id: string) {
  const answer = await room.call('POST', `/api/runs/${id}/retry`);
  expect(answer.status).toBe(202);
  return room.ended(answer.body.id);
}

const failures = async (room: Strongroom, id: string) =>
  Object.fromEntries((await room.outcomes(id, 'status=failed')).map(({ name, code }) => [name, code]));

const into =
  (container: string, name = '') =>
  (request: ProxiedRequest) =>
    request.path.includes(`/${container}/${name}`) && 'x-ms-copy-source' in request.headers;
const isClearing =
  (container: string) =>
  ({ method, path, query }: ProxiedRequest) =>
    method === 'PUT' && path.includes(`/${container}/`) && query.get('comp') === 'metadata';

const only = (all: Record<string, WholeBlob>, holds: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => holds(name)));

const keptIn = async (account: TestAccount, container: string): Promise<number> => {
  let count = 0;
  for await (const { snapshot } of containerOf(account, container).listBlobsFlat({ includeSnapshots: true })) {
    if (snapshot) count++;
  }
  return count;
};

test('F3: copies that pend, fail, are aborted, vanish or hang; what fails for good is named, and a retry mends it', async () => {
  const data = await fill(8);
  await page(data, 'broken disk', 2);
  const before = await contentOf(source.connectionString, 'data');
  const starts = new Map<string, number>();
  const once = (end: CopyFate['end']) => (count: number) =>
    count === 1 ? { looks: 1, end } : { looks: 0, end: 'success' };
  const fates: Record<string, (count: number) => object> = {
    'plain/0': once('failed'),
    'plain/1': once('aborted'),
    'plain/2': once('vanishes'),
    'plain/3': once('replaced'),
    'plain/4': () => ({ looks: 0, end: 'failed' }),
    'plain/5': () => FOR_EVER,
    'broken disk': () => ({ looks: 0, end: 'failed' }),
  };
  const copies = azureCopies(source, (container, blob) => {
    if (container !== 'back') return undefined;
    starts.set(blob, (starts.get(blob) ?? 0) + 1);
    return (fates[blob]?.(starts.get(blob)!) ?? { looks: 1, end: 'success' }) as CopyFate;
  });
  proxy.layers.push(copies.layer);
  const room = await start({ job: { method: 'async' }, limits: { copyDeadlineMs: 6000 } });
  await room.run();
  const report = await restore(room, { target: { container: 'back' } });
  expect(await failures(room, report.id)).toEqual({
    'plain/2': 'target-exists',
    'plain/3': 'target-exists',
    'broken disk': 'copy-failed',
  });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 14, copied: 11, failed: 3 } });
  const sound = (name: string) => !['plain/2', 'plain/3', 'broken disk'].includes(name);
  expect(only(await contentOf(source.connectionString, 'back'), sound)).toEqual(only(before, sound));
  // What somebody else has put there, or where nothing tells any more that it was ours, is left alone; what the failed copy left is replaced, though nothing that exists is to be.
  copies.heal();
  delete fates['broken disk'];
  const again = await retry(room, report.id);
  expect(again).toMatchObject({ counts: { listed: 3, copied: 1, failed: 2 } });
  expect(await failures(room, again.id)).toEqual({ 'plain/2': 'target-exists', 'plain/3': 'target-exists' });
  const mended = (name: string) => sound(name) || name === 'broken disk';
  expect(only(await contentOf(source.connectionString, 'back'), mended)).toEqual(only(before, mended));
});

test('cancelled in mid-restore: pending copies are aborted, nothing claims to be restored, and the next restore is whole', async () => {
  await fill(6);
  const before = await contentOf(source.connectionString, 'data');
  let hang = true;
  const copies = azureCopies(source, (container, blob) =>
    container === 'back' && hang && blob.startsWith('plain/') ? FOR_EVER : undefined,
  );
  proxy.layers.push(copies.layer);
  const room = await start({ job: { method: 'async' } });
  await room.run();
  const id = await begin(room, { target: { container: 'back' } });
  const looks = (request: ProxiedRequest) => request.method === 'HEAD' && request.path.includes('/back/plain');
  await expect.poll(() => proxy.requests.some(looks), { timeout: 20_000 }).toBe(true);
  await room.call('POST', `/api/runs/${id}/cancel`);
  expect(await room.ended(id)).toMatchObject({ status: 'cancelled', counts: { copied: 5 } });
  expect((await room.outcomes(id)).filter(({ name }) => name!.startsWith('plain/'))).toEqual([]);
  const aborted = proxy.requests.filter(({ query }) => query.has('copyid'));
  expect(aborted.map(({ status }) => status)).toEqual(Array(6).fill(204));
  // Copies that were broken off have left blobs of no bytes; they are nobody's, also for a restore that replaces nothing.
  hang = false;
  const whole = await restore(room, { target: { container: 'back' } });
  expect(await failures(room, whole.id)).toEqual({
    ...Object.fromEntries(['disk', 'empty', 'log', 'rich', 'tagged'].map((name) => [name, 'target-exists'])),
  });
  expect(await contentOf(source.connectionString, 'back')).toEqual(before);
});

test('I4: killed in the middle, again and again: it ends as if nothing had happened', async () => {
  await fill(30);
  const before = await contentOf(source.connectionString, 'data');
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-restore-'));
  const limits = { sliceBlobs: 12, chunkBlobs: 6 };
  let room = await start({ dataDir, limits });
  await room.run();
  const mirror = await contentOf(vault.connectionString, 'databackup');
  const isPart =
    (kind: string) =>
    ({ method, path }: ProxiedRequest) =>
      method === 'PUT' && path.includes('/strongroom/jobs/') && path.includes(kind);
  const id = await begin(room, { target: { container: 'back' } });
  // At the first: a plan, a copy, the request after a copy, outcomes, the summary. Done by the service, and never told.
  for (const match of [
    isPart('/plan/'),
    into('back', 'plain/1'),
    isClearing('back'),
    isPart('-chunk-'),
    isPart('run.json'),
  ]) {
    let seen = () => {};
    const struck = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const rule: FaultRule = {
      match: (request: ProxiedRequest) =>
        match(request) && !(request.path.includes('run.json') && !request.path.includes(id)),
      times: 1,
      after: () => {
        seen();
        return DROP;
      },
    };
    proxy.rules.push(rule);
    await struck;
    await room.host.kill();
    await proxy.idle();
    room = await start({ dataDir, limits });
  }
  const report = await room.ended(id);
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 35, copied: 35, failed: 0 } });
  expect((await room.outcomes(id)).map(({ name }) => name).sort()).toEqual(Object.keys(before).sort());
  expect(await contentOf(source.connectionString, 'back')).toEqual(before);
  expect(await keptIn(source, 'back')).toBe(0);
  expect(await contentOf(vault.connectionString, 'databackup')).toEqual(mirror);
});

test.each(['soonest', 'in-turn'])(
  'F28: activities executed twice (%s answers) restore each blob once',
  async (answers) => {
    await fill(8);
    const before = await contentOf(source.connectionString, 'data');
    const folder = mkdtempSync(join(tmpdir(), 'strongroom-restore-'));
    const file = join(folder, 'strongroom.json');
    writeFileSync(file, JSON.stringify({ jobs: [JOB] }));
    const host = await startHost({
      args: ['--app', new URL('../../support/app/twice-app', import.meta.url).pathname],
      env: {
        SOURCE: proxy.connectionString(source),
        VAULT: proxy.connectionString(vault),
        STRONGROOM_CONFIG: file,
        STRONGROOM_LIMITS: JSON.stringify({ ...LIMITS, sliceBlobs: 8, chunkBlobs: 4 }),
        ACTIVITIES_TWICE: answers,
      },
    });
    const room = new Strongroom(host);
    rooms.push(room);
    rmSync(folder, { recursive: true });
    await room.run();
    const fresh = await restore(room, { target: { container: 'back' } });
    expect(fresh).toMatchObject({ status: 'succeeded', counts: { listed: 13, copied: 13 } });
    expect(await contentOf(source.connectionString, 'back')).toEqual(before);
    const back = containerOf(source, 'back');
    for (let index = 0; index < 8; index++) await put(back, `plain/${index}`, 'in the way');
    const over = await restore(room, { target: { container: 'back' }, existing: 'overwrite', prefix: 'plain/' });
    expect(over).toMatchObject({ status: 'succeeded', counts: { listed: 8, copied: 8 } });
    expect(await contentOf(source.connectionString, 'back')).toEqual(before);
    for (let index = 0; index < 8; index++) {
      const kept = await snapshotsOf(source.connectionString, 'back', `plain/${index}`);
      expect(new Set(kept)).toEqual(new Set(['in the way']));
    }
  },
);

test('I6: what an earlier restore has put there is not taken for what this one brings', async () => {
  const data = await fill(2);
  const room = await start();
  const first = await room.run();
  const then = await contentOf(source.connectionString, 'data');
  const target = { container: 'back' };
  expect(await restore(room, { target })).toMatchObject({ status: 'succeeded' });
  await put(data, 'plain/0', 'other 0');
  await page(data, 'disk', 9);
  const now = await contentOf(source.connectionString, 'data');
  expect(await room.run({ mode: 'incremental' })).toMatchObject({ counts: { copied: 2 } });

  const refused = await restore(room, { target });
  expect(refused).toMatchObject({ counts: { copied: 0, failed: 7 } });
  expect(await retry(room, refused.id)).toMatchObject({ counts: { listed: 7, copied: 0, failed: 7 } });
  expect(await contentOf(source.connectionString, 'back')).toEqual(then);
  expect(await restore(room, { target, existing: 'overwrite' })).toMatchObject({ status: 'succeeded' });
  expect(await contentOf(source.connectionString, 'back')).toEqual(now);
  expect(await restore(room, { target, existing: 'overwrite', restorePoint: first.id })).toMatchObject({
    status: 'succeeded',
  });
  expect(await contentOf(source.connectionString, 'back')).toEqual(then);
});

test('I7: with blocks alone, and a record that cannot be taken off at first, nothing of ours stays on what is restored', async () => {
  await fill(4);
  const before = await contentOf(source.connectionString, 'data');
  const room = await start({ job: { method: 'blocks' } });
  await room.run();
  const refuse = { match: isClearing('back'), answer: () => refusal(403, 'AuthorizationPermissionMismatch') };
  proxy.rules.push(refuse);
  const report = await restore(room, { target: { container: 'back' } });
  // These the service copies itself.
  const copied = ['disk', 'empty', 'log'];
  expect(await failures(room, report.id)).toEqual(
    Object.fromEntries(copied.map((name) => [name, 'access-denied-target'])),
  );
  proxy.rules.length = 0;
  expect(await retry(room, report.id)).toMatchObject({ status: 'succeeded', counts: { listed: 3, copied: 3 } });
  expect(await contentOf(source.connectionString, 'back')).toEqual(before);
});

test('a target or a vault that denies, a lease, a container deleted in between: each failure by name, and the rest restored', async () => {
  const data = await fill(6);
  const room = await start();
  const point = await room.run();
  const before = await contentOf(source.connectionString, 'data');
  await put(data, 'plain/0', 'newer');
  await room.run({ mode: 'incremental' });
  const of = (container: string, more: object = {}) =>
    restore(room, { restorePoint: point.id, target: { account: 'ELSEWHERE', container }, ...more });

  proxy.rules.push({ match: into('denied'), answer: () => refusal(403, 'AuthorizationPermissionMismatch') });
  const denied = await of('denied');
  expect(denied).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: 11 } });
  expect(new Set(Object.values(await failures(room, denied.id)))).toEqual(new Set(['access-denied-target']));
  proxy.rules.length = 0;

  const isOfSnapshot = ({ headers }: ProxiedRequest) => /[?&]snapshot=/.test(headers['x-ms-copy-source'] ?? '');
  proxy.rules.push({
    match: isOfSnapshot,
    answer: () =>
      refusal(403, 'CannotVerifyCopySource', {
        'x-ms-copy-source-status-code': '403',
        'x-ms-copy-source-error-code': 'AuthorizationPermissionMismatch',
      }),
  });
  expect(await failures(room, (await of('locked')).id)).toEqual({ 'plain/0': 'access-denied-vault' });
  proxy.rules.length = 0;
  const others = (name: string) => name !== 'plain/0';
  expect(only(await contentOf(elsewhere.connectionString, 'locked'), others)).toEqual(only(before, others));

  const isListing = ({ path, query }: ProxiedRequest) => path.endsWith('/databackup') && query.get('comp') === 'list';
  proxy.rules.push({ match: isListing, answer: () => refusal(403, 'AuthorizationPermissionMismatch') });
  const blind = await of('blind');
  expect(blind.status).toBe('failed');
  expect(blind.problems).toMatchObject([{ code: 'access-denied-vault', container: 'data' }]);
  proxy.rules.length = 0;

  const gone = containerOf(elsewhere, 'gone');
  await gone.create();
  proxy.rules.push({ match: into('gone'), times: 1, before: async () => void (await gone.delete()) });
  expect(await of('gone')).toMatchObject({ status: 'succeeded', counts: { copied: 11 } });
  expect(await contentOf(elsewhere.connectionString, 'gone')).toEqual(before);

  const leased = await makeContainer(elsewhere.connectionString, 'leased');
  await put(leased, 'plain/1', 'in use');
  await leased.getBlobClient('plain/1').getBlobLeaseClient().acquireLease(-1);
  // Another comes in between.
  const busy = {
    match: into('leased', 'plain/2'),
    times: 1,
    before: async () => void (await put(leased, 'plain/2', 'mine')),
  };
  proxy.rules.push(busy);
  const report = await of('leased', { existing: 'overwrite' });
  expect(await failures(room, report.id)).toEqual({ 'plain/1': 'destination-leased' });
  expect(await snapshotsOf(elsewhere.connectionString, 'leased', 'plain/2')).toEqual(['mine']);
  const populated = await makeContainer(elsewhere.connectionString, 'populated');
  // The very same, to the byte; and not by us.
  const same = {
    match: into('populated', 'plain/3'),
    times: 1,
    before: async () => void (await put(populated, 'plain/3', 'plain 3')),
  };
  proxy.rules.push(same);
  expect(await failures(room, (await of('populated')).id)).toEqual({ 'plain/3': 'target-exists' });
});

test('archived content is a failure by name, or asked back; damaged outcomes are named, and what is not among them restored', async () => {
  await fill(20);
  const before = await contentOf(source.connectionString, 'data');
  const room = await start({ limits: { sliceBlobs: 10, chunkBlobs: 5 } });
  const point = await room.run();
  const archived = containerOf(vault, 'databackup').getBlobClient('of/plain/0');
  await archived.setAccessTier('Archive');
  const plain = await restore(room, { target: { container: 'back' } });
  expect(await failures(room, plain.id)).toEqual({ 'plain/0': 'content-archived' });
  const asked = await restore(room, { target: { container: 'again' }, rehydrate: 'high' });
  expect(asked).toMatchObject({ status: 'succeeded', counts: { copied: 25 } });
  // The emulator gives a copy the tier of what it is made from.
  const readable = { ...before, 'plain/0': { ...before['plain/0'], tier: 'Hot' } };
  expect(await contentOf(source.connectionString, 'again')).toEqual(readable);
  // Asked back by somebody meanwhile: now a retry manages it.
  expect(await retry(room, plain.id)).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1 } });
  expect(await contentOf(source.connectionString, 'back')).toEqual(readable);

  const control = containerOf(vault, 'strongroom');
  const part = `jobs/nightly/runs/${point.id}/manifest/data/000000-chunk-00-000000.ndjson.gz`;
  const { metadata } = await control.getBlobClient(part).getProperties();
  await control.getBlockBlobClient(part).upload('not what was written', 20, { metadata: metadata! });
  const report = await restore(room, { target: { container: 'rest' } });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 20, failed: 1 } });
  expect(await failures(room, report.id)).toEqual({ [part]: 'damaged' });
  const rest = await contentOf(source.connectionString, 'rest');
  expect(rest).toEqual(only(before, (name) => name in rest));
  expect(Object.keys(rest)).toHaveLength(20);
  // A retry cannot name them either, and does not look as if it had.
  expect(await retry(room, report.id)).toMatchObject({
    status: 'completed-with-failures',
    counts: { copied: 0, failed: 1 },
  });
});

test('from the vault alone: a retry’s restore point, no catalog, no source, another host, into an empty account, in a storm', async () => {
  await put(await fill(30), 'a', 'first of all');
  const limits = { sliceBlobs: 12, chunkBlobs: 5 };
  const room = await start({ limits });
  const broken = (request: ProxiedRequest) => into('databackup')(request) && /[1357]$|rich|log|\/a$/.test(request.path);
  const refuse = { match: broken, answer: () => refusal(403, 'AuthorizationPermissionMismatch') };
  proxy.rules.push(refuse);
  const first = await room.run();
  expect(first.counts.failed).toBeGreaterThan(10);
  proxy.rules.length = 0;
  const point = await retry(room, first.id);
  expect(point.status).toBe('succeeded');
  const before = await contentOf(source.connectionString, 'data');
  await room.host.stop();
  await TableClient.fromConnectionString(vault.connectionString, 'strongroom', {
    allowInsecureConnection: true,
  }).deleteTable();
  await containerOf(source, 'data').delete();

  const random = new Random(7);
  const isTarget = ({ path, method }: ProxiedRequest) => path.includes(`/${elsewhere.name}/`) && method !== 'GET';
  proxy.rules.push(
    { match: () => random.chance(0.3), answer: () => refusal(503, 'ServerBusy') },
    { match: (request) => isTarget(request) && random.chance(0.15), after: () => DROP },
  );
  // Nothing answers where the source was.
  const nowhere = source.connectionString.replace(
    /BlobEndpoint=[^;]*/,
    `BlobEndpoint=http://127.0.0.1:9/${source.name}`,
  );
  const another = await start({ source: nowhere, limits: { ...limits, sliceBlobs: 1 } });
  const id = await begin(another, { target: { account: 'ELSEWHERE' } });
  // To whoever asks in such weather, too, may be told that the vault does not answer.
  let report = await another.until(id, ({ status }) => typeof status === 'string' && status !== 'running');
  proxy.rules.length = 0;
  // Five tries are not always enough in such weather; then it is told, and a retry is.
  if (report.status !== 'succeeded') report = await retry(another, report.id);
  expect(report.status).toBe('succeeded');
  expect(await contentOf(elsewhere.connectionString, 'data')).toEqual(before);
  // Every one is found where it should be, however the listing is cut and in whatever order the retry's outcomes come: the
  // pass over the retry's names begins at the first page again.
  const { after } = FAULTS.find(({ name }) => name === 'short-page')!.strike({
    addRule: (rule) => void proxy.rules.unshift(rule),
  } as Partial<FaultContext> as FaultContext);
  const isFirstPage = ({ path, query }: ProxiedRequest) =>
    path === `/${elsewhere.name}/data` && query.get('comp') === 'list' && !query.has('marker');
  proxy.rules.push({ match: isFirstPage, ...(after && { after }) });
  const same = await restore(another, { target: { account: 'ELSEWHERE' }, existing: 'if-different', dryRun: true });
  expect(same.counts).toMatchObject({ listed: 36, unchanged: 34, planned: 2 });
});

test('I8: names that strangers chose come back under just these names, and nothing beside them', async () => {
  const open = async (account: TestAccount, name: string) =>
    (await makeContainer(account.connectionString, name)).generateSasUrl({
      permissions: ContainerSASPermissions.parse('rcwl'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
  const data = await open(source, 'data');
  const names = HOSTILE_NAMES.filter((name, index) => name.length < 250 && (index % 2 === 0 || /[%.]/.test(name)));
  await Promise.all(names.map((name) => putRaw(data, name, name)));
  const canary = await makeContainer(elsewhere.connectionString, 'canary');
  await put(canary, 'x', 'untouched');
  const untouched = await contentOf(elsewhere.connectionString, 'canary');
  const room = await start({ limits: { sliceBlobs: 100, chunkBlobs: 60 } });
  const point = await room.run();
  const held = (await room.outcomes(point.id, 'status=copied')).map(({ name }) => name!);
  expect(held.length).toBeGreaterThan(80);
  const report = await restore(room, { target: { account: 'ELSEWHERE' } });
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: held.length, copied: held.length } });
  const restored = await open(elsewhere, 'data');
  const found: string[] = [];
  for await (const { name } of containerOf(elsewhere, 'data').listBlobsFlat()) found.push(name);
  expect(found.sort()).toEqual([...held].sort());
  await Promise.all(
    held.map(async (name) => expect(await getRaw(restored, name), JSON.stringify(name)).toBe(await getRaw(data, name))),
  );
  expect(await contentOf(elsewhere.connectionString, 'canary')).toEqual(untouched);
  const containers: string[] = [];
  const service = BlobServiceClient.fromConnectionString(elsewhere.connectionString);
  for await (const { name } of service.listContainers()) containers.push(name);
  expect(containers.sort()).toEqual(['canary', 'data']);
});
