import { TableClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';
import { type FaultProxy, type FaultRule, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

interface Item {
  name: string;
  status: string;
  etag: string;
  size: number;
  code?: string;
}

interface Version {
  etag: string;
  restorePoints: { id: string }[];
}

/** What the answers have, each some of it. */
interface Body {
  restorePoints: { id: string }[];
  items: Item[];
  folders: { prefix: string }[];
  versions: Version[];
  absent: number;
  hold: { at: string; reason: string } | null;
  counts: { skipped: number };
  code: string;
  detail: string;
  next: string | null;
}

type Source = Map<string, { etag: string; size: number }>;

let source: TestAccount;
let vault: TestAccount;
let app: Strongroom;
let proxy: FaultProxy;
let data: ContainerClient;
let control: ContainerClient;
/** A run with failures, its retry, and an incremental run after changes; and what the source had when each began. */
let first: string;
let retry: string;
let second: string;
const had = new Map<string, Source>();

const ask = async (path: string, query: Record<string, string> = {}) => {
  const answer = await app.call('GET', `/api/${path}?${new URLSearchParams(query)}`);
  return { ...answer, body: answer.body as unknown as Body };
};

/** Every answer, one after the other, as one. */
async function browse(id: string, query: Record<string, string> = {}) {
  const items: Item[] = [];
  const folders: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more: Record<string, string> = cursor ? { cursor } : {};
    const { status, body } = await ask(`restore-points/${id}/blobs`, { container: 'data', ...query, ...more });
    expect(status, JSON.stringify(body)).toBe(200);
    items.push(...body.items);
    folders.push(...body.folders.map(({ prefix }) => prefix));
    cursor = body.next;
  }
  return { items, folders };
}

/** Lists a container of the source in pages of so many blobs, so that a few blobs make many slices. */
function inPagesOf(count: number, container: string): FaultRule {
  let whole = '';
  const pageFrom = (from: number) => {
    const items = whole.match(BLOB) ?? [];
    const marker = from + count < items.length ? `from-${from + count}` : '';
    const shown = new Set(items.slice(from, from + count));
    return whole
      .replace(BLOB, (item) => (shown.has(item) ? item : ''))
      .replace(/<NextMarker\s*\/>|<NextMarker>[^<]*<\/NextMarker>/, `<NextMarker>${marker}</NextMarker>`);
  };
  return {
    match: ({ path, query }) => path === `/${source.name}/${container}` && query.get('comp') === 'list',
    after: ({ query }, response) => {
      const marker = query.get('marker');
      if (marker === null) whole = response.body.toString();
      return { ...response, body: pageFrom(Number(marker?.slice('from-'.length) ?? 0)) };
    },
  };
}

const BLOB = /<Blob>.*?<\/Blob>/gs;

async function listSource(): Promise<Source> {
  const found: Source = new Map();
  for await (const { name, properties } of data.listBlobsFlat()) {
    found.set(name, { etag: properties.etag.replaceAll('"', ''), size: properties.contentLength! });
  }
  return found;
}

const points = async (query: Record<string, string> = {}) => (await ask('restore-points', query)).body.restorePoints;

const note = async (id: string, notes: object) => {
  const text = JSON.stringify(notes);
  await control
    .getBlockBlobClient(`jobs/nightly/restore-points/${id}.json`)
    .upload(text, text.length, { metadata: { strongroom_notes: text } });
};

beforeAll(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  data = await makeContainer(source.connectionString, 'data');
  const more = await makeContainer(source.connectionString, 'more');
  await more.getBlockBlobClient('only').upload('one', 3);
  const address = await data.generateSasUrl({
    permissions: ContainerSASPermissions.parse('cw'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  const hostile = [...new Set(HOSTILE_NAMES)].filter((_, index) => index % 5 === 0);
  await Promise.all(hostile.map((name) => putRaw(address, name, name)));
  const plain = [
    ...Array.from({ length: 30 }, (_, i) => `photo/2026/${String(i).padStart(2, '0')}.jpg`),
    ...Array.from({ length: 6 }, (_, i) => `photo/2025/${i}/raw.dng`),
    ...Array.from({ length: 9 }, (_, i) => `flaky/${i}`),
    'photo/index',
    'changing',
    'leaving',
  ];
  await Promise.all(plain.map((name) => data.getBlockBlobClient(name).upload(name, name.length)));

  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    limits: { sliceBlobs: 20, chunkBlobs: 4, sliceChunks: 3, copyMs: 1, retryDelayMs: 5 },
  });
  const pages = inPagesOf(20, 'data');
  proxy.rules.push(pages);
  const failing = (pattern: RegExp) =>
    proxy.rules.push({
      match: ({ path, headers }) => 'x-ms-copy-source' in headers && pattern.test(path),
      answer: () => refusal(409, 'LeaseIdMissing'),
    });
  const remember = async (id: string) => {
    had.set(id, await listSource());
    // Ids tell the second in which their runs began, and no less.
    const second = () => Math.floor(Date.now() / 1000);
    const now = second();
    await vi.waitUntil(() => second() > now, 3000);
  };

  failing(/databackup\/flaky\//);
  const report = await app.run();
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { failed: 9 } });
  first = report.id;
  await remember(first);

  proxy.rules.splice(1);
  failing(/databackup\/flaky\/[37]/);
  const { body } = await app.call('POST', `/api/runs/${first}/retry`);
  retry = body.id;
  await app.ended(retry);
  await remember(retry);

  proxy.rules.splice(1);
  await data.getBlockBlobClient('changing').upload('changed', 7);
  await data.getBlockBlobClient('coming').upload('new', 3);
  await data.deleteBlob('leaving');
  second = (await app.run({ mode: 'incremental' })).id;
  await remember(second);
  control = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
});

afterAll(async () => {
  await app?.host.stop();
  await proxy?.stop();
});

describe('the API shows restore points', () => {
  test('that were made of many slices and chunks', async () => {
    const { items } = await browse(first);
    const parts: string[] = [];
    for await (const { name } of control.listBlobsFlat({ prefix: `jobs/nightly/runs/${first}/manifest/data/` })) {
      parts.push(name);
    }
    expect(parts.filter((name) => name.includes('slice')).length).toBeGreaterThanOrEqual(Math.floor(items.length / 20));
    expect(parts.filter((name) => name.includes('chunk')).length).toBeGreaterThan(items.length / 10);
  });

  test('newest first, with what each has and lacks', async () => {
    await app.run({ dryRun: true });
    const total = had.get(first)!.size + 1;
    const { body } = await ask(`runs/${first}`);
    const { skipped } = body.counts;
    const held = total - skipped;
    expect(await points()).toMatchObject([
      { id: second, mode: 'incremental', status: 'succeeded', blobs: held, lacks: { failed: 0, skipped } },
      { id: retry, mode: 'retry', blobs: held - 2, bytes: null, lacks: { failed: 2, skipped } },
      { id: first, mode: 'full', blobs: held - 9, containers: 2, lacks: { failed: 9, skipped, containers: [] } },
    ]);
    const paged: object[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await ask('restore-points', { limit: '1', ...(cursor && { cursor }) });
      paged.push(...body.restorePoints);
      cursor = body.next;
    }
    expect(paged).toEqual(await points());
    expect((await ask(`restore-points/${retry}`)).body).toMatchObject({
      id: retry,
      source: proxy.connectionString(source).match(/BlobEndpoint=([^;]+)/)![1],
      containersHeld: [
        { container: 'data', backupContainer: 'databackup', blobs: held - 3, failed: 2, skipped },
        { container: 'more', backupContainer: 'morebackup', blobs: 1, failed: 0, skipped: 0 },
      ],
    });
  });

  test('with every blob as it was in the source, and its last outcome', async () => {
    for (const id of [first, retry, second]) {
      const { items, folders } = await browse(id);
      expect(folders).toEqual([]);
      const seen = Object.fromEntries(items.map(({ name, etag, size }) => [name, { etag, size }]));
      expect(items).toHaveLength(Object.keys(seen).length);
      expect(seen).toEqual(Object.fromEntries(had.get(id)!));
      const failed = items.filter(({ status }) => status === 'failed').map(({ name }) => name);
      const flaky = { [first]: '012345678', [retry]: '37', [second]: '' }[id]!;
      expect(failed).toEqual([...flaky].map((number) => `flaky/${number}`));
      for (const { name, status, code } of items) {
        if (status === 'skipped') expect(code, name).toBe('unsupported-name');
      }
    }
  });

  test('folder by folder with the same blobs', async () => {
    const flat = await browse(retry);
    const found: Item[] = [];
    const walked = new Set<string>();
    const open = async (prefix: string): Promise<void> => {
      expect(walked).not.toContain(prefix);
      walked.add(prefix);
      const { items, folders } = await browse(retry, { prefix, delimiter: '/' });
      for (const { name } of items) expect(name.slice(prefix.length)).not.toContain('/');
      found.push(...items);
      // Names that are slashes for hundreds of levels show no more than the first few.
      for (const folder of folders) {
        if (folder.split('/').length < 8) await open(folder);
        else found.push(...(await browse(retry, { prefix: folder })).items);
      }
    };
    await open('');
    const byName = (a: Item, b: Item) => (a.name < b.name ? -1 : 1);
    expect(found.sort(byName)).toEqual(flat.items.sort(byName));
    expect(await browse(retry, { prefix: 'photo/', delimiter: '/' })).toMatchObject({
      items: [{ name: 'photo/index' }],
      folders: ['photo/2025/', 'photo/2026/'],
    });
  });

  test('in small pages with the same blobs as in one', async () => {
    const queries = [{ delimiter: '/' }, { prefix: 'photo/', delimiter: '/' }, { prefix: 'flaky' }, { prefix: 'a' }];
    for (const query of queries) {
      const atOnce = await browse(retry, query);
      for (const limit of ['1', '2', '3']) expect(await browse(retry, { ...query, limit })).toEqual(atOnce);
    }
    expect(await browse(retry, { limit: '7' })).toEqual(await browse(retry));
  });

  test('by any prefix, also a hostile one', async () => {
    const all = await browse(second);
    for (const { name } of all.items) {
      const { items } = await browse(second, { prefix: name });
      expect(items, JSON.stringify(name)).toEqual(all.items.filter((item) => item.name.startsWith(name)));
    }
  });

  test('by a prefix and reads only parts that may hold it', async () => {
    proxy.requests.length = 0;
    await browse(retry, { prefix: 'photo/2026/07' });
    const parts = proxy.requests.filter(({ path }) => path.includes('/manifest/'));
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.length).toBeLessThanOrEqual(3);
  });
});

describe('the API shows the history of a blob', () => {
  const history = async (name: string, query: Record<string, string> = {}) =>
    (await ask('blobs/history', { container: 'data', name, ...query })).body;
  const ids = (version: Version) => version.restorePoints.map(({ id }) => id);

  test('with a change, a deletion, an addition and a retry', async () => {
    const versions = async (name: string) => {
      const { versions, absent } = await history(name);
      const reported = versions.map((version) => ({
        etag: version.etag,
        in: ids(version),
      }));
      return { reported, absent };
    };
    const etag = (name: string, id: string) => had.get(id)!.get(name)!.etag;
    expect(await versions('changing')).toEqual({
      reported: [
        { etag: etag('changing', second), in: [second] },
        { etag: etag('changing', first), in: [retry, first] },
      ],
      absent: 0,
    });
    expect(await versions('leaving')).toEqual({
      reported: [{ etag: etag('leaving', first), in: [retry, first] }],
      absent: 1,
    });
    expect(await versions('coming')).toEqual({ reported: [{ etag: etag('coming', second), in: [second] }], absent: 2 });
    expect(await versions('flaky/1')).toEqual({
      reported: [{ etag: etag('flaky/1', first), in: [second, retry] }],
      absent: 1,
    });
    expect(await versions('flaky/3')).toEqual({
      reported: [{ etag: etag('flaky/3', first), in: [second] }],
      absent: 2,
    });
    expect(await versions('nowhere')).toEqual({ reported: [], absent: 3 });
  });

  test('page by page, for every name', async () => {
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const body: Body = await history('changing', { limit: '1', ...(cursor && { cursor }) });
      seen.push(body.versions.map(ids));
      cursor = body.next;
    }
    expect(seen.flat(2)).toEqual([second, retry, first]);
    for (const { name, status, etag } of (await browse(second)).items) {
      const { versions } = await history(name, { limit: '1' });
      expect(versions, JSON.stringify(name)).toMatchObject(status === 'held' ? [{ etag }] : []);
    }
  });
});

describe('notes of a restore point', () => {
  const change = (id: string, what: string, body?: object) =>
    app.call('POST', `/api/restore-points/${id}/${what}`, body);

  test('set and lift a hold, and release the safety brake', async () => {
    const reason = 'kept for the court – №5 日本';
    expect(await change(first, 'hold', { reason })).toMatchObject({ status: 200, body: { hold: { reason } } });
    expect(await points()).toMatchObject([{ hold: null }, { hold: null }, { hold: { reason } }]);
    expect(await change(first, 'release')).toMatchObject({ status: 409, body: { code: 'no-brake' } });
    const { hold } = (await ask(`restore-points/${first}`)).body;
    const brake = { reason: 'half is gone', containers: ['data'] };
    await note(first, { brake, hold: { at: '2026-11-20T00:00:00.000Z', reason: 'r' } });
    expect(hold).toMatchObject({ at: expect.any(String) });
    expect(await change(first, 'release')).toMatchObject({
      status: 200,
      body: { brake: { reason: 'half is gone', released: expect.any(String) }, hold: { reason: 'r' } },
    });
    expect(await change(first, 'unhold')).toMatchObject({ status: 200, body: { hold: null, brake: {} } });
    expect(await points()).toMatchObject([{}, {}, { hold: null, brake: { reason: 'half is gone' } }]);
  });

  test('keep one of several holds that are set at the same time, and each request is answered', async () => {
    const reasons = Array.from({ length: 5 }, (_, i) => `reason ${i}`);
    const answers = await Promise.all(reasons.map((reason) => change(second, 'hold', { reason })));
    for (const { status, body } of answers) {
      if (status !== 200) expect([status, body.code]).toEqual([409, 'notes-contended']);
    }
    const { hold } = (await ask(`restore-points/${second}`)).body;
    expect(reasons).toContain(hold?.reason);
    await change(second, 'unhold');
  });

  test('hide a restore point that is marked for removal, and refuse further notes', async () => {
    const removed = { at: '2026-11-20T00:00:00.000Z', run: 'nightly-20261120T000000Z-aaaaaa' };
    await note(first, { removed });
    expect((await points()).map(({ id }) => id)).toEqual([second, retry]);
    expect(await points({ removed: 'true' })).toMatchObject([{ id: second }, { id: retry }, { id: first, removed }]);
    for (const path of [`restore-points/${first}`, `restore-points/${first}/blobs`]) {
      expect(await ask(path)).toMatchObject({ status: 404, body: { code: 'point-removed' } });
    }
    expect(await change(first, 'hold', { reason: 'too late' })).toMatchObject({
      status: 409,
      body: { code: 'point-removed' },
    });
    // The retry has the parts of the run that it completes.
    expect((await browse(retry)).items).toHaveLength(had.get(retry)!.size);
    const { body } = await ask('blobs/history', { container: 'data', name: 'leaving' });
    expect(body).toMatchObject({ versions: [{ restorePoints: [{ id: retry }] }], absent: 1 });
    await note(first, {});
  });
});

describe('the API answers correctly when storage has lost', () => {
  test('the catalog: a rebuild restores the list, and everything else works without it', async () => {
    const before = await points();
    expect(before).toHaveLength(3);
    const table = TableClient.fromConnectionString(vault.connectionString, 'strongroom', {
      allowInsecureConnection: true,
    });
    await table.deleteTable();
    expect(await points()).toEqual(before);
    const { body } = await ask('blobs/history', { container: 'data', name: 'changing' });
    expect(body.versions).toHaveLength(2);
    expect((await browse(second)).items).toHaveLength(had.get(second)!.size);
    expect((await app.call('POST', '/api/catalog/rebuild')).status).toBe(200);
    expect(await points()).toEqual(before);
  });

  test('a part of a manifest: the answer names the part and is never incomplete', async () => {
    const before = await browse(second);
    for await (const { name: path } of control.listBlobsFlat({
      prefix: `jobs/nightly/runs/${second}/manifest/data/`,
    })) {
      const client = control.getBlockBlobClient(path);
      const { metadata = {}, contentEncoding = '' } = await client.getProperties();
      const body = await client.downloadToBuffer();
      await client.delete();
      const { status, body: answer } = await ask(`restore-points/${second}/blobs`, { container: 'data' });
      await client.upload(body, body.length, { metadata, blobHTTPHeaders: { blobContentEncoding: contentEncoding } });
      const { items } = await browse(second);
      expect(items).toEqual(before.items);
      // A part that nothing was settled in has nothing to miss.
      const { copied, unchanged, skipped, failed } = JSON.parse(metadata.strongroom_tally!);
      if (copied + unchanged + skipped + failed === 0) continue;
      expect([status, answer.code], path).toEqual([502, 'damaged']);
      expect(answer.detail).toContain(path);
    }
  });
});
