import { createHash } from 'node:crypto';
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Azurite, newAccountKey, startAzurite } from '../../../host/azurite/azurite.ts';
import { parseBlobPath } from '../../../host/blobs/blob-path.ts';
import { readEventGridCall } from '../../../host/blobs/event-grid.ts';
import { hostIdOf } from '../../../host/data/host-id.ts';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { putRaw } from '../../support/builders/hostile-names.ts';
import { Fixture, temporaryDirectory, until } from './fixture.ts';

const NAMES = Array.from({ length: 20 }, (_, index) => `account${index}`);
let azurite: Azurite;
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

beforeAll(async () => {
  azurite = await startAzurite({ accounts: NAMES.map((name) => ({ name, key: newAccountKey() })) });
});
afterAll(() => azurite.stop());

/** Accounts that no other test has, one for the blobs and one for the host, and settings to look there often. */
function accounts() {
  const [data, host] = [NAMES.pop(), NAMES.pop()].map((name) => azurite.connectionString(name ?? 'none left'));
  const service = BlobServiceClient.fromConnectionString(data ?? '');
  const container = service.getContainerClient('incoming');
  return {
    env: {
      BLOBS: data,
      AzureWebJobsStorage: host,
      AzureFunctionsWebHost__hostid: 'the-host',
      AzureFunctionsJobHost__extensions__blobs__scanInterval: '00:00:00.200',
    },
    service,
    container,
    upload: (name: string, text: string) => container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text)),
    hostService: BlobServiceClient.fromConnectionString(host ?? ''),
    records: BlobServiceClient.fromConnectionString(host ?? '').getContainerClient('azure-webjobs-hosts'),
    queue: (name: string, of: 'data' | 'host' = 'host') =>
      QueueServiceClient.fromConnectionString((of === 'host' ? host : data) ?? '').getQueueClient(name),
  };
}

interface Seen {
  text: string;
  triggerMetadata: Record<string, unknown> & { blobTrigger: string };
}

function effectsOf(fixture: Fixture, name: string): Seen[] {
  return fixture.effects(`${name} {`).map((line) => JSON.parse(line.slice(name.length)) as Seen);
}

const texts = (fixture: Fixture, name = 'scanned') =>
  effectsOf(fixture, name)
    .map(({ text, triggerMetadata }) => `${triggerMetadata.blobTrigger}=${text}`)
    .sort();

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

async function waiting(queue: ReturnType<ReturnType<typeof accounts>['queue']>): Promise<number> {
  return (await queue.getProperties()).approximateMessagesCount ?? 0;
}

/** Two looks at the container that began after now. What they find has been put into the queue. */
async function twoLooks({ upload }: ReturnType<typeof accounts>, fixture: Fixture, mark: string): Promise<void> {
  for (const name of [`${mark}-1`, `${mark}-2`]) {
    await upload(name, 'mark');
    await until(name, () => (texts(fixture).includes(`incoming/${name}=mark`) ? true : undefined));
  }
}

test('names in the braces of a path stand for any text', () => {
  const match = (path: string, blob: string) => parseBlobPath(path, 'It').match(blob);
  expect(match('con/{name}', 'a/b.txt')).toEqual({ name: 'a/b.txt' });
  expect(match('/con/{folder}/{file}.{ext}', 'x/y/z.tar.gz')).toEqual({ folder: 'x/y', file: 'z.tar', ext: 'gz' });
  expect(match('con/in/{name}', 'out/a')).toBeUndefined();
  expect(match('con/a.b', 'aXb')).toBeUndefined();
  expect(match('con/a.b', 'a.b')).toEqual({});
  expect(match('con', 'any')).toEqual({});
  expect(match('con/{{x}}-{n}', '{x}-1\n2')).toEqual({ n: '1\n2' });
  expect(parseBlobPath('$web/{name}', 'It').container).toBe('$web');
  for (const odd of ['', '{con}/x', 'Con/x', 'con/{}', 'con/{a b}', 'con/{a', 'con/a}']) {
    expect(() => parseBlobPath(odd, 'It')).toThrow(/^It has the path/);
  }
});

test('the host id is as it is set, or the same for the same app and data', () => {
  const directory = temporaryDirectory();
  const [one, same, other] = ['/x', '/x', '/y'].map((data) => hostIdOf(directory, data, {}));
  expect(one).toMatch(/^[a-z0-9-]{1,32}$/);
  expect([same === one, other === one]).toEqual([true, false]);
  expect(hostIdOf(directory, '/x', { AzureFunctionsWebHost__hostid: 'mine' })).toBe('mine');
  for (const odd of ['Mine', 'a--b', 'a'.repeat(33)])
    expect(() => hostIdOf(directory, '/x', { AzureFunctionsWebHost__hostid: odd })).toThrow(/is not a host id/);
});

test('reads what Event Grid calls with, in either schema', () => {
  const read = (type: string, body: unknown) => readEventGridCall(type, Buffer.from(JSON.stringify(body)));
  const data = { url: 'https://a.blob.core.windows.net/c/x/y%20z', eTag: '0x1', blobType: 'PageBlob' };
  const blob = { container: 'c', blob: 'x/y z', etag: '"0x1"', blobType: 'PageBlob' };
  expect(read('Notification', [{ data }])).toEqual({ kind: 'events', blobs: [blob] });
  expect(read('notification', { data })).toEqual({ kind: 'events', blobs: [blob] });
  expect(read('Notification', [{ data: { ...data, url: 'http://127.0.0.1:1/a/c/b' } }])).toMatchObject({
    blobs: [{ container: 'c', blob: 'b' }],
  });
  expect(read('SubscriptionValidation', [{ data: { validationCode: '42' } }])).toMatchObject({ validationCode: '42' });
  expect(read('SubscriptionValidation', { data: '{"validationCode":"42"}' })).toMatchObject({ validationCode: '42' });
  expect(readEventGridCall('Unsubscribe', Buffer.of())).toEqual({ kind: 'goodbye' });
  expect(readEventGridCall('Notification', Buffer.from('{'))).toBeUndefined();
  for (const odd of [[{}], [{ data: { url: 'https://a.example/c' } }], [{ data: { url: 7 } }], ['x']])
    expect(read('Notification', odd)).toBeUndefined();
  expect(read('Other', [{ data }])).toBeUndefined();
});

test('each version of a blob starts its function once, over restarts; for another host all are new', async () => {
  const own = accounts();
  const { env, container, upload, records, queue } = own;
  await container.create();
  const { etag } = await upload('a.txt', 'one');
  await upload('dir/b.txt', 'two');
  const options = { env: { ...env, FIXTURE_STORAGE: 'scanned,texts' } };
  let fixture = await Fixture.start(options);
  await until('both blobs', () => (texts(fixture).length === 2 ? true : undefined));
  await until('the one below a folder', () => (texts(fixture, 'texts').length === 1 ? true : undefined));
  const first = ['incoming/a.txt=one', 'incoming/dir/b.txt=two'];
  expect(texts(fixture)).toEqual(first);

  // What the function is told, and the records of the host, are those of the real one.
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
  expect(effectsOf(fixture, 'texts')[0]).toEqual({
    text: 'two',
    triggerMetadata: {
      blobTrigger: 'incoming/dir/b.txt',
      uri: `${container.url}/dir/b.txt`,
      metadata: {},
      folder: 'dir',
      file: 'b',
      properties: expect.objectContaining({
        ...{ lastModified: time, createdOn: time, contentLength: 3, blobType: 0 },
        contentHash: createHash('md5').update('two').digest('base64'),
        // Not what one would expect of an ETag, and what the real host passes: see `uploadId`.
        eTag: {},
      }),
    },
  });
  const names: string[] = [];
  for await (const { name } of records.listBlobsFlat()) names.push(name);
  expect(names).toContain(`blobreceipts/the-host/Host.Functions.scanned/${etag}/incoming/a.txt`);
  const scanInfo = await records
    .getBlobClient(`blobscaninfo/the-host/${own.service.accountName}/incoming/scanInfo`)
    .downloadToBuffer();
  expect(JSON.parse(scanInfo.toString())).toEqual({ LatestScan: expect.stringMatching(/^20.*\.999Z$/) });
  expect(await waiting(queue('azure-webjobs-blobtrigger-the-host'))).toBe(0);

  // Overwritten, it is another version; unchanged ones stay done.
  await upload('a.txt', 'three');
  await until('the new version', () => (texts(fixture).includes('incoming/a.txt=three') ? true : undefined));
  await fixture.host.stop();
  await upload('c.txt', 'while it was down');
  fixture = await fixture.restart(options);
  await until('the one that came meanwhile', () => (texts(fixture).length === 4 ? true : undefined));
  await twoLooks(own, fixture, 'mark');
  const marks = ['incoming/mark-1=mark', 'incoming/mark-2=mark'];
  expect(texts(fixture)).toEqual(
    [...first, 'incoming/a.txt=three', 'incoming/c.txt=while it was down', ...marks].sort(),
  );
  await fixture.host.stop();

  const before = texts(fixture).length;
  fixture = await fixture.restart({ env: { ...options.env, AzureFunctionsWebHost__hostid: 'another' } });
  await until('all of them again', () => (texts(fixture).length === before + 5 ? true : undefined));
});

test('the name of a blob cannot lead the host to another container, nor stop its scan', async () => {
  const own = accounts();
  const { env, service, hostService, container, records, upload } = own;
  await container.create();
  const address = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('rcwl'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  const victims = [service, hostService].map((each) => each.getContainerClient('victim'));
  for (const victim of victims) await victim.create();
  await victims[0]!.getBlockBlobClient('x').upload('private', 7);
  const up = '../'.repeat(7);
  const odd = [
    '../victim/x',
    ...[1, 2, 3, 4, 5, 6, 7].map((depth) => `${'../'.repeat(depth)}victim/y`),
    `a/${up}victim/z`,
  ];
  const fine = ['x'.repeat(1024), 'ä ö?#%', 'a..b', '__proto__'];
  for (const name of [...odd, 'a\\..\\b', ...fine]) expect(await putRaw(address, name, 'content'), name).toBe(201);
  await upload('plain', 'content');
  const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'scanned' } });
  await until('the plain ones', () => (texts(fixture).length >= fine.length + 1 ? true : undefined));
  await twoLooks(own, fixture, 'mark');
  const called = texts(fixture).map((text) => text.slice('incoming/'.length, text.indexOf('=')));
  expect(called.sort()).toEqual([...fine, 'plain', 'mark-1', 'mark-2'].sort());
  for (const victim of victims) {
    const names: string[] = [];
    for await (const { name } of victim.listBlobsFlat()) names.push(name);
    expect(names).toEqual(victim === victims[0] ? ['x'] : []);
  }
  // It has come to the end, and continues there.
  const info = records.getBlobClient(`blobscaninfo/the-host/${service.accountName}/incoming/scanInfo`);
  expect(await info.exists()).toBe(true);
  expect(fixture.host.output()).not.toContain('Cannot enqueue');
});

test('of a large blob, the function gets all but the content', async () => {
  const { env, container, upload } = accounts();
  await container.create();
  await container.getBlockBlobClient('large').uploadData(Buffer.alloc(16 * 1024 * 1024 + 1));
  await upload('small', 'small');
  const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'scanned' } });
  await until('both', () => (effectsOf(fixture, 'scanned').length === 2 ? true : undefined));
  const large = effectsOf(fixture, 'scanned').find(({ triggerMetadata }) =>
    triggerMetadata.blobTrigger.endsWith('large'),
  );
  expect(large).toMatchObject({ triggerMetadata: { properties: { contentLength: 16 * 1024 * 1024 + 1 } } });
  expect(large?.text ?? '').toBe('');
  expect(texts(fixture)).toContain('incoming/small=small');
});

test('a receipt that was not completed is taken up again', async () => {
  const { env, container, upload, records } = accounts();
  await container.create();
  const { etag } = await upload('a.txt', 'one');
  await records.create();
  const receipt = records.getBlockBlobClient(`blobreceipts/the-host/Host.Functions.scanned/${etag}/incoming/a.txt`);
  await receipt.upload('', 0, { metadata: { Incomplete: 'Incomplete' } });
  const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'scanned' } });
  await until('the blob', () => (texts(fixture).length === 1 ? true : undefined));
  await until(
    'the receipt',
    async () => Object.keys((await receipt.getProperties()).metadata ?? {}).length === 0 || undefined,
  );
});

test('scans a container that is created later, and puts a blob that fails five times into the poison queue', async () => {
  const own = accounts();
  const { env, container, upload, queue } = own;
  const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'scanned' } });
  await container.create();
  const { etag } = await upload('bad.bin', 'x');
  const poison = queue('webjobs-blobtrigger-poison', 'data');
  await until('the poison queue', async () => ((await poison.exists()) && (await waiting(poison)) === 1) || undefined);
  expect(texts(fixture)).toEqual(Array.from({ length: 5 }, () => 'incoming/bad.bin=x'));
  const [message] = (await poison.peekMessages()).peekedMessageItems;
  expect(Buffer.from(message?.messageText ?? '', 'base64').toString()).toBe(
    JSON.stringify({
      Type: 'BlobTrigger',
      FunctionId: 'Host.Functions.scanned',
      BlobType: 'BlockBlob',
      ContainerName: 'incoming',
      BlobName: 'bad.bin',
      ETag: etag,
    }),
  );
  await twoLooks(own, fixture, 'mark');
  expect(texts(fixture)).toHaveLength(7);
});

test('a message for a deleted blob or an old version calls no function; the current version has its own message', async () => {
  const { env, container, upload, queue } = accounts();
  await container.create();
  // Nothing of it is found by looking: the only look is at the start, when there is another blob.
  await upload('first', 'first');
  const waits = { AzureFunctionsJobHost__extensions__blobs__scanInterval: '01:00:00' };
  const fixture = await Fixture.start({ env: { ...env, ...waits, FIXTURE_STORAGE: 'scanned' } });
  const internal = queue('azure-webjobs-blobtrigger-the-host');
  await until('the look', () => (texts(fixture).length === 1 ? true : undefined));
  const { etag } = await upload('changed', 'new');
  const { etag: last } = await upload('last', 'last');
  const of = (BlobName: string, ETag: string | undefined, FunctionId = 'Host.Functions.scanned') =>
    base64({ Type: 'BlobTrigger', FunctionId, BlobType: 'BlockBlob', ContainerName: 'incoming', BlobName, ETag });
  await internal.sendMessage(of('gone', '"0x1"'));
  for (const old of ['"0x1"', '"0x2"', '"0x3"']) await internal.sendMessage(of('changed', old));
  await internal.sendMessage(of('changed', etag, 'Host.Functions.unknown'));
  await internal.sendMessage(of('last', last));
  await until('what is there', () => (texts(fixture).length === 3 ? true : undefined));
  await until('the queue to be empty', async () => (await waiting(internal)) === 0 || undefined);
  await fixture.host.stop();
  // However many old versions there were, it comes once.
  expect(texts(fixture)).toEqual(['incoming/changed=new', 'incoming/first=first', 'incoming/last=last']);
  expect(fixture.host.output()).not.toContain('failed');
});

test('Event Grid shakes hands, and starts a function by telling of a blob', async () => {
  const { env, service } = accounts();
  const pushed = service.getContainerClient('pushed');
  await pushed.create();
  const blob = pushed.getBlockBlobClient('in/a.txt');
  const { etag } = await blob.upload('told', 4);
  const key = '0123456789abcdef';
  const fixture = await Fixture.start({ env: { ...env, FIXTURE_STORAGE: 'pushed', STRONGROOM_KEY: key } });
  const call = (type: string, body: unknown, name = 'Host.Functions.pushed', code = key) =>
    fixture.fetch(`/runtime/webhooks/blobs?functionName=${name}&code=${code}`, {
      method: 'POST',
      headers: { 'aeg-event-type': type },
      body: JSON.stringify(body),
    });
  const hands = await call('SubscriptionValidation', [{ data: { validationCode: '512d38b6' } }]);
  expect([hands.status, await hands.json()]).toEqual([200, { validationResponse: '512d38b6' }]);
  const event = { data: { url: blob.url, eTag: etag?.replaceAll('"', ''), blobType: 'BlockBlob' } };
  expect((await call('Notification', [event], undefined, 'wrong')).status).toBe(401);
  expect((await call('Notification', [event], 'Host.Functions.other')).status).toBe(404);
  expect((await call('Notification', [{ data: {} }])).status).toBe(400);
  expect((await fixture.fetch(`/runtime/webhooks/blobs?code=${key}`)).status).toBe(405);
  expect((await call('Unsubscribe', [])).status).toBe(202);
  expect(effectsOf(fixture, 'pushed')).toEqual([]);
  expect((await call('Notification', [event])).status).toBe(202);
  await until('the call', () => (effectsOf(fixture, 'pushed').length > 0 ? true : undefined));
  expect(texts(fixture, 'pushed')).toEqual(['pushed/in/a.txt=told']);

  // By hand, with the path of a blob.
  const fire = (input: string) => fixture.post(`/admin/functions/pushed?code=${key}`, { input });
  expect((await fire('pushed/in/a.txt')).status).toBe(202);
  await until('the second call', () => (effectsOf(fixture, 'pushed').length === 2 ? true : undefined));
  expect((await fire('pushed')).status).toBe(202);
  await until('its failure', () => (fixture.host.output().includes('is not the path of a blob') ? true : undefined));
});

test.each([
  [{ BLOBS: undefined }, /"scanned" needs the storage account "BLOBS"/],
  [{ AzureWebJobsStorage: undefined }, /"scanned" needs .*Set "AzureWebJobsStorage"/],
  [{ BLOBS: undefined, BLOBS__blobServiceUri: 'https://a.example' }, /BLOBS__queueServiceUri/],
])('the host does not start with %j, and says what is missing', async (missing, reason) => {
  const settings = { BLOBS: 'UseDevelopmentStorage=true', AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
  const env = { FIXTURE_STORAGE: 'scanned', ...settings, ...missing };
  const outcome = await Fixture.start({ env }).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(HostDidNotStart);
  expect((outcome as HostDidNotStart).output).toMatch(reason);
});
