import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendBlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Archiving, ruleWith, startArchiving } from '../../support/app/archiving.ts';
import { until } from '../../support/app/until.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, isCopy, type ProxiedRequest, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let room: Archiving;

const QUIET_MINUTES = 10;
/** How much of them is left of a blob that grows. */
const LEFT_MS = 3_000;

const from = (container: string) => ({ account: 'SOURCE', container });
const RULES = [
  ruleWith({ name: 'scanned', source: from('scanned'), events: { blobTrigger: 'scan' } }),
  ruleWith({ name: 'deleted', source: from('deleted') }),
  ruleWith({ name: 'logs', source: from('logs'), quietMinutes: QUIET_MINUTES }),
  ruleWith({
    ...{ name: 'found', source: from('found'), quietMinutes: QUIET_MINUTES },
    events: { blobTrigger: 'scan' },
  }),
];
/**
 * Listings of these show a blob as if it had been written some minutes ago, and still so as long as it grows: a slow
 * machine makes no blob quiet.
 */
const QUIET_CONTAINERS = ['logs', 'found'];
const growing = new Set<string>();
const sealed = new Set<string>();

beforeAll(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  for (const container of ['scanned', 'deleted', ...QUIET_CONTAINERS]) {
    await makeContainer(source.connectionString, container);
  }
  proxy.layers.push(async (request, pass) => {
    const response = await pass();
    const isListed = QUIET_CONTAINERS.some((container) => request.path === `/${source.name}/${container}`);
    return isListed && request.query.get('comp') === 'list'
      ? { ...response, body: shownEarlier(response.body.toString()) }
      : response;
  });
  room = await startArchiving(source, vault, {
    proxy,
    rules: RULES,
    limits: { retryDelayMs: 10 },
    env: {
      AzureFunctionsJobHost__extensions__blobs__scanInterval: '00:00:00.2',
      // The host keeps its queue of poison blobs there, and sees the blobs without the proxy.
      SOURCE: `${proxy.connectionString(source)};QueueEndpoint=${/QueueEndpoint=([^;]*)/.exec(source.connectionString)?.[1]}`,
    },
  });
});

beforeEach(() => {
  proxy.rules.length = 0;
  proxy.requests.length = 0;
});

afterAll(async () => {
  await room?.app.host.kill();
  await proxy?.stop();
});

function shownEarlier(listing: string): string {
  return listing.replace(/<Blob>.*?<\/Blob>/gs, (blob) => {
    const name = /<Name>([^<]*)/.exec(blob)![1]!;
    const quietFor = QUIET_MINUTES * 60_000 - (growing.has(name) ? LEFT_MS : -LEFT_MS);
    const seal = sealed.has(name) ? '<Sealed>true</Sealed>' : '';
    return blob
      .replace(/(<Last-Modified>)[^<]*/, `$1${new Date(Date.now() - quietFor).toUTCString()}`)
      .replace('</Properties>', `${seal}</Properties>`);
  });
}

async function newLog(name: string, container = 'logs'): Promise<AppendBlobClient> {
  const log = room.source.getContainerClient(container).getAppendBlobClient(name);
  growing.add(name);
  await log.create();
  return log;
}

async function append(log: AppendBlobClient, text: string): Promise<string> {
  return (await log.appendBlock(text, text.length)).etag!.replaceAll('"', '');
}

const copiesOf = (name: string) =>
  proxy.requests.filter(
    (request) => isCopy(request) && request.path.endsWith(`/${name}`) && (request.served?.status ?? 500) < 300,
  ).length;
const looksAt = (name: string) => proxy.requests.filter(({ query }) => query.get('prefix') === name).length;
const ofReceipts = (name: string) => (request: ProxiedRequest) =>
  request.path.includes(`/receipts/`) && request.path.includes(`/${Buffer.from(name).toString('hex')}/`);
const isArchived = async (name: string, text: string, container = 'logsarchive') =>
  (await room.archived(container))[name] === text;

test('F22: an upload of a blob trigger waits for a lease on its destination, and does not fail permanently', async () => {
  const destination = room.vault.getContainerClient('scannedarchive').getBlobClient('leased');
  await room.upload('leased', 'one', 'scanned');
  await until(async () => (await room.states('leased', 'scanned')).includes('done'));
  const lease = destination.getBlobLeaseClient();
  await lease.acquireLease(-1);
  const said = room.app.host.output().length;
  const two = await room.upload('leased', 'two', 'scanned');
  const tries = () =>
    room.app.host
      .output()
      .slice(said)
      .match(/upload-failed .*destination-leased/g)?.length ?? 0;
  await until(async () => tries() >= 3, 60);
  expect(await room.poison('scanned')).toEqual([]);
  expect(room.app.host.output().slice(said)).not.toMatch(/upload-failed-permanently|attempt \d of 5/);
  await lease.releaseLease();
  const isDone = async () =>
    (await room.receipts('leased', 'scanned')).some((each) => each.source.etag === two && each.state === 'done');
  await until(isDone, 60);
  expect(await room.versions('leased', 'scannedarchive')).toEqual(['one', 'two']);
});

test('I4: an upload waits for a destination that the service is still deleting', async () => {
  proxy.rules.push({
    match: ({ method, path, query }) =>
      method === 'PUT' && path === `/${vault.name}/deletedarchive` && query.get('restype') === 'container',
    times: 2,
    answer: () => refusal(409, 'ContainerBeingDeleted'),
  });
  const etag = await room.upload('early', 'text', 'deleted');
  await room.tell({ container: 'deleted', name: 'early', etag });
  await until(async () => (await room.states('early', 'deleted')).includes('done'), 60);
  expect(await room.archived('deletedarchive')).toEqual({ early: 'text' });
  expect(room.app.host.output()).toMatch(/upload-failed .*container-being-deleted/);
  expect(await room.poison('deleted')).toEqual([]);
});

test('I3: a log that grows is archived once when it is quiet, and again after it has grown again', async () => {
  const began = performance.now();
  const log = await newLog('growing');
  let text = '';
  const grow = async (events: number) => {
    growing.add('growing');
    for (let event = 0; event < events; event++) {
      const line = `line ${text.length}\n`;
      text += line;
      const etag = await append(log, line);
      await room.tell({ container: 'logs', name: 'growing', ...(event % 2 === 0 && { etag }) });
    }
    await room.drained();
  };
  await grow(12);
  expect([copiesOf('growing'), await room.states('growing', 'logs')]).toEqual([0, []]);
  // A growing log costs one check for each event and some of one orchestration, and one request for the receipt of a
  // version that the event names.
  expect(looksAt('growing')).toBeLessThanOrEqual(12 + (performance.now() - began) / LEFT_MS);
  const reads = proxy.requests.filter(ofReceipts('growing'));
  expect([reads.length <= 6, new Set(reads.map(({ method }) => method))]).toEqual([true, new Set(['GET'])]);
  const meanwhile = await room.reconcile({}, 'logs');
  expect(meanwhile).toMatchObject({ status: 'succeeded', counts: { copied: 0, skipped: 1 } });
  expect((await room.app.outcomes(meanwhile.id)).map(({ code }) => code)).toEqual(['changed-recently']);
  const first = text;
  growing.delete('growing');
  await until(() => isArchived('growing', first));
  expect(copiesOf('growing')).toBe(1);

  await grow(5);
  expect(copiesOf('growing')).toBe(1);
  growing.delete('growing');
  await until(() => isArchived('growing', text));
  expect(await room.versions('growing', 'logsarchive')).toEqual([first, text]);
  expect([copiesOf('growing'), await room.states('growing', 'logs')]).toEqual([2, ['done', 'done']]);
  // The events of a quiet log are duplicates.
  await room.tell({ container: 'logs', name: 'growing' });
  await room.drained();
  expect(copiesOf('growing')).toBe(2);
});

test('a log whose growth has no events is archived when it is quiet; by a reconciliation if it has none at all', async () => {
  const announced = await newLog('announced');
  await room.tell({ container: 'logs', name: 'announced' });
  const silent = await newLog('silent');
  for (const line of ['a', 'b', 'c', 'd']) {
    await append(announced, line);
    await append(silent, line);
  }
  await until(async () => looksAt('announced') >= 2);
  growing.clear();
  await until(() => isArchived('announced', 'abcd'));
  expect([copiesOf('announced'), copiesOf('silent')]).toEqual([1, 0]);
  expect(await room.reconcile({}, 'logs')).toMatchObject({ status: 'succeeded', counts: { copied: 1, skipped: 0 } });
  expect(await isArchived('silent', 'abcd')).toBe(true);
});

test('a sealed log is archived at once, by an event and by a reconciliation', async () => {
  for (const name of ['sealed', 'sealed silently']) {
    await append(await newLog(name), 'all');
    sealed.add(name);
  }
  await room.tell({ container: 'logs', name: 'sealed' });
  await until(() => isArchived('sealed', 'all'));
  expect(await room.reconcile({}, 'logs')).toMatchObject({ counts: { copied: 1, skipped: 0 } });
  expect(await isArchived('sealed silently', 'all')).toBe(true);
});

test('a blob trigger archives a growing log once, when it is quiet', async () => {
  const log = await newLog('found', 'found');
  for (let line = 0; line < 10; line++) {
    await append(log, `${line}`);
    await sleep(100);
  }
  await until(async () => looksAt('found') > 2);
  expect(copiesOf('found')).toBe(0);
  growing.clear();
  await until(() => isArchived('found', '0123456789', 'foundarchive'));
  expect([copiesOf('found'), await room.states('found', 'found')]).toEqual([1, ['done']]);
});
