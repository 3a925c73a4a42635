import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Archiving, ruleWith, type ShownReceipt, startArchiving } from '../../support/app/archiving.ts';
import { until } from '../../support/app/until.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { getRaw, HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let room: Archiving;

const from = (container: string, more: object = {}) => ({ account: 'SOURCE', container, ...more });
const to = (more: object = {}, container = '{container}archive') => ({ account: 'VAULT', container, ...more });

const RULES = [
  ruleWith({ source: from('incoming', { exclude: ['**/*.tmp'] }), receipts: { keepDays: 30, account: 'PRUNER' } }),
  ruleWith({ name: 'cool', source: from('cool'), destination: to({ tier: 'Cool' }) }),
  ruleWith({ name: 'daily', source: from('daily'), destination: to({ folders: 'day', prefix: '{container}/' }) }),
  ruleWith({ name: 'versions', source: from('versions'), destination: to({ folders: 'version', tier: 'Archive' }) }),
  ruleWith({ name: 'scoped', source: from('scoped', { prefix: 'mine/' }) }),
  ruleWith({ name: 'left', source: from('twin'), destination: to({}, '{container}left') }),
  ruleWith({ name: 'right', source: from('twin'), destination: to({}, '{container}right') }),
];

beforeAll(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  for (const name of ['cool', 'daily', 'versions', 'scoped', 'twin', 'other']) {
    await makeContainer(source.connectionString, name);
  }
  room = await startArchiving(source, vault, {
    proxy,
    rules: RULES,
    limits: { retryDelayMs: 10 },
    env: { PRUNER: proxy.connectionString(vault) },
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

const isDone = async (name: string, etag: string, rule = 'uploads') =>
  (await room.receipts(name, rule)).some((each) => each.source.etag === etag && each.state === 'done');

const urlOf = (name: string, container = 'incoming') =>
  `${proxy.url}/${source.name}/${container}/${name.split('/').map(encodeURIComponent).join('/')}`;

const gridEvent = (url: string, eTag?: string, eventType = 'Microsoft.Storage.BlobCreated') => ({
  topic: '/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/a',
  subject: '/blobServices/default/containers/c/blobs/b',
  id: '831e1650-001e-001b-66ab-eeb76e000000',
  eventType,
  data: { api: 'PutBlob', contentLength: 1, blobType: 'BlockBlob', url, ...(eTag && { eTag }) },
  eventTime: '2026-11-21T15:00:00Z',
  dataVersion: '',
  metadataVersion: '1',
});

const cloudEvent = (url: string, eTag: string) => ({
  specversion: '1.0',
  type: 'Microsoft.Storage.BlobCreated',
  source: '/subscriptions/s',
  id: '1',
  data: { api: 'PutBlockList', url, eTag },
});

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

describe('events', () => {
  test('of Event Grid, CloudEvents and by hand archive their uploads, plain and in Base64, one and many', async () => {
    const forms: Record<string, (name: string, etag: string) => object | string> = {
      grid: (name, etag) => gridEvent(urlOf(name), etag),
      'grid, quoted': (name, etag) => gridEvent(urlOf(name), `"${etag}"`),
      'grid in Base64': (name, etag) => base64(gridEvent(urlOf(name), etag)),
      'grid, without ETag': (name) => base64(gridEvent(urlOf(name))),
      cloud: (name, etag) => cloudEvent(urlOf(name), etag),
      'cloud in Base64/ü+%': (name, etag) => base64(cloudEvent(urlOf(name), etag)),
      'by hand': (name) => ({ container: 'incoming', name }),
      'by hand, named': (name, etag) => base64({ account: source.name, container: 'incoming', name, etag }),
      'by hand, addressed': (name) => ({ account: `${proxy.url}/${source.name}`, container: 'incoming', name }),
      list: (name, etag) => [gridEvent(urlOf(name), etag), cloudEvent(urlOf(name), etag)],
    };
    const etags = new Map<string, string>();
    for (const [name, form] of Object.entries(forms)) {
      const full = `told/${name}`;
      etags.set(full, await room.upload(full, `of ${full}`));
      await room.tell(form(full, etags.get(full)!));
    }
    for (const [name, etag] of etags) {
      await until(() => isDone(name, etag)).catch((error) => Promise.reject(new Error(name, { cause: error })));
    }
    const archived = await room.archived();
    const counted = await room.counted();
    for (const name of etags.keys()) expect([name, archived[name], counted[name]]).toEqual([name, `of ${name}`, 1]);
  });

  test('that are garbage are dropped with a log line, and stop nothing', async () => {
    const garbage = [
      ...['x', '{', '[]', '[[]]', 'null', 'true', '5', '-1e999', '"text"', '{}', '[{}]', ' ', '====', 'AAAA', '/w=='],
      ...[
        '{"container":5,"name":{}}',
        '{"container":"incoming"}',
        '{"container":"incoming","name":""}',
        '{"__proto__":1}',
      ],
      ...['{"container":"IN..","name":"x"}', '{"eventType":"Microsoft.Storage.BlobCreated"}', '{"type":7}'],
      `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
      JSON.stringify({ container: 'incoming', name: 'n'.repeat(30_000) }),
      JSON.stringify(gridEvent(urlOf('gone'), undefined, 'Microsoft.Storage.BlobDeleted')),
      base64(gridEvent('not an address')),
      JSON.stringify(gridEvent(`${proxy.url}/${source.name}/incoming`)),
      JSON.stringify({ container: 'incoming', name: 'never uploaded', etag: '0x1' }),
    ];
    for (const text of garbage) await room.tell(text);
    const etag = await room.upload('after garbage', 'fine');
    await room.tell({ container: 'incoming', name: 'after garbage', etag });
    await until(() => isDone('after garbage', etag));
    await room.drained();
    expect(await room.poison()).toEqual([]);
    expect(await room.queues.getQueueClient('uploads-poison').exists()).toBe(false);
    const ignored = room.app.host.output().match(/event-ignored/g) ?? [];
    expect(ignored.length).toBeGreaterThan(garbage.length / 2);
  });

  test('that are forged cause no request to the hosts they name, and copy nothing outside the rules', async () => {
    let asked = 0;
    const internal = createServer((_, answer) => {
      asked++;
      answer.end('secret');
    });
    await new Promise<void>((resolve) => internal.listen(0, '127.0.0.1', resolve));
    const { port } = internal.address() as AddressInfo;
    const host = new URL(proxy.url).host;
    const account = `${proxy.url}/${source.name}`;
    try {
      for (const container of ['scoped', 'other']) {
        for (const name of ['x', 'yours/x', 'x.tmp']) await room.upload(name, 'not told of by a rule', container);
      }
      await room.upload('forged.tmp', 'excluded');
      await room.upload('x', 'there, and told of as if it lay elsewhere');
      const urls = [
        `http://127.0.0.1:${port}/incoming/x`,
        `http://127.0.0.1:${port}/${source.name}/incoming/x`,
        `http://${host}@127.0.0.1:${port}/incoming/x`,
        `http://2130706433:${port}/${source.name}/incoming/x`,
        `http://0x7f.1:${port}/${source.name}/incoming/x`,
        `http://[::ffff:127.0.0.1]:${port}/${source.name}/incoming/x`,
        `http://%31%32%37.0.0.1:${port}/${source.name}/incoming/x`,
        `http://127.0.0.1:${port}#@${host}/${source.name}/incoming/x`,
        `http://127.0.0.1:${port}\\@${host}/${source.name}/incoming/x`,
        'http://169.254.169.254/metadata/instance',
        'https://other.blob.core.windows.net/incoming/x',
        `${proxy.url}/nobody/incoming/x`,
        `${proxy.url}/${vault.name}/incoming/x`,
        `${proxy.url}/${vault.name}/strongroom/locks/uploads.json`,
        `${account}/incoming%2F..%2Fother/x`,
        `${account}/other/x`,
        `${account}/scoped/yours/x`,
        `${account}/scoped/mine%2F..%2Fyours%2Fx`,
        `${account}/incoming/forged.tmp`,
        `${account}/incoming/../other/x`,
        `${account}/%2e%2e/other/x`,
        'file:///etc/passwd',
      ];
      const before = await Promise.all(['incomingarchive', 'scopedarchive'].map((name) => room.archived(name)));
      for (const url of urls) {
        await room.tell(gridEvent(url, '0x1'));
        await room.tell(base64(cloudEvent(url, '0x1')));
      }
      for (const named of ['nobody', vault.name, `http://127.0.0.1:${port}`, 'http://169.254.169.254/', '../x', 7]) {
        await room.tell({ account: named, container: 'incoming', name: 'x' });
      }
      for (const container of ['other', 'strongroom', 'incomingarchive', '$logs'])
        await room.tell({ container, name: 'x' });
      await room.drained();
      expect(asked).toBe(0);
      expect(proxy.requests.filter(({ headers }) => 'x-ms-copy-source' in headers)).toEqual([]);
      const touched = new Set(proxy.requests.map(({ path }) => path.split('/').slice(0, 3).join('/')));
      // `a/../b` is looked at as little as anything that no rule is for.
      for (const path of touched) {
        expect([`/${source.name}/incoming`, `/${source.name}/scoped`, `/${vault.name}/strongroom`]).toContain(path);
      }
      expect(await Promise.all(['incomingarchive', 'scopedarchive'].map((name) => room.archived(name)))).toEqual(
        before,
      );
      expect(await room.poison()).toEqual([]);
    } finally {
      internal.close();
    }
  });

  test('F1, I8: with hostile names archive uploads under exactly these names, or skip them', async () => {
    const sas = async (account: TestAccount, name: string) =>
      (await makeContainer(account.connectionString, name)).generateSasUrl({
        permissions: ContainerSASPermissions.parse('rcwl'),
        expiresOn: new Date(Date.now() + 3_600_000),
      });
    for (const account of [source, vault]) {
      const canary = await makeContainer(account.connectionString, 'canary');
      await canary.getBlockBlobClient('x').upload('untouched', 9);
    }
    const incoming = await sas(source, 'incoming');
    const archive = await sas(vault, 'incomingarchive');
    const outside = async () => {
      const found: unknown[] = [];
      for (const { connectionString } of [source, vault]) {
        const names: string[] = [];
        for await (const { name } of BlobServiceClient.fromConnectionString(connectionString).listContainers())
          names.push(name);
        found.push(names.sort(), await lookInto(connectionString, 'canary'), await lookInto(connectionString, 'other'));
      }
      return found;
    };
    const before = await outside();
    // Every third: the rest are the adapter's to know, and are tried elsewhere.
    const names = [...new Set(HOSTILE_NAMES)].filter(
      (name, index) => index % 3 === 0 || /canary|strongroom|\.\./.test(name),
    );
    await Promise.all(names.map((name, index) => putRaw(incoming, name, `hostile ${index}`)));
    for (const [index, name] of names.entries()) {
      await room.tell(index % 2 === 0 ? { container: 'incoming', name } : base64(gridEvent(urlOf(name))));
    }
    await room.drained();
    const report = await room.reconcile();
    expect(report).toMatchObject({ counts: { failed: 0 } });
    const listed: string[] = [];
    for await (const { name } of room.source.getContainerClient('incoming').listBlobsFlat()) listed.push(name);
    const skipped = new Set((await room.app.outcomes(report.id, 'status=skipped')).map(({ name }) => name));
    for (const name of names) {
      if (!listed.includes(name) || skipped.has(name) || name.endsWith('.tmp')) continue;
      // Some names are one to the service: it keeps what came last.
      const there = await getRaw(incoming, name);
      expect(there).toMatch(/^hostile /);
      expect([name, await getRaw(archive, name)]).toEqual([name, there]);
    }
    expect(Object.keys(await room.archived()).filter((name) => !listed.includes(name))).toEqual([]);
    expect(await outside()).toEqual(before);
    const odd = names.filter((name) => listed.includes(name) && !skipped.has(name) && /[?#&%+ü€/<]/.test(name));
    expect(odd.length).toBeGreaterThan(10);
    for (const name of odd)
      expect([name, (await room.receipts(name)).map((each) => each.source.name)]).toEqual([name, [name]]);
  });
});

describe('an archive rule', () => {
  test('sets the tier and the folder, and keeps overwritten versions as snapshots or under other names', async () => {
    const uploads: Record<string, string[]> = {};
    for (const container of ['cool', 'daily', 'versions']) {
      uploads[container] = [];
      for (const text of ['one', 'two', 'three']) {
        const etag = await room.upload('a/b', text, container);
        uploads[container].push(etag);
        await room.tell({ container, name: 'a/b', etag });
        await until(() => isDone('a/b', etag, container));
      }
    }
    const tierOf = async (container: string, name: string) =>
      (await room.vault.getContainerClient(container).getBlobClient(name).getProperties()).accessTier;
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
    expect(await room.versions('a/b', 'coolarchive')).toEqual(['one', 'two', 'three']);
    expect(await tierOf('coolarchive', 'a/b')).toBe('Cool');
    expect(await room.versions(`daily/${day}/a/b`, 'dailyarchive')).toEqual(['one', 'two', 'three']);
    const receipts = await room.receipts('a/b', 'versions');
    const names = receipts.map(({ archived }) => archived!.name);
    expect(new Set(names).size).toBe(3);
    for (const [index, etag] of uploads.versions!.entries()) {
      const { archived } = receipts.find((each) => each.source.etag === etag)!;
      expect(archived!.name).toMatch(new RegExp(`^${day}/\\d{6}Z-${etag}/a/b$`));
      expect(await tierOf('versionsarchive', archived!.name)).toBe('Archive');
      const { contentLength } = await room.vault
        .getContainerClient('versionsarchive')
        .getBlobClient(archived!.name)
        .getProperties();
      expect(contentLength).toBe(['one', 'two', 'three'][index]!.length);
    }
    expect(Object.values(await room.counted('versionsarchive'))).toEqual([1, 1, 1]);
    for (const rule of ['cool', 'daily', 'versions']) {
      expect(await room.reconcile({}, rule)).toMatchObject({
        status: 'succeeded',
        counts: { copied: 0, unchanged: 1 },
      });
    }
  });

  test('archives once beside a second rule for the same container, and only the rule that fails reports it', async () => {
    proxy.rules.push({
      match: ({ path, headers }) => path.includes('/twinright/') && 'x-ms-copy-source' in headers,
      answer: () => refusal(403, 'AuthorizationFailure'),
    });
    for (const name of ['known', 'unknown']) {
      const etag = await room.upload(name, `of ${name}`, 'twin');
      await room.tell({ container: 'twin', name, ...(name === 'known' && { etag }) });
    }
    await until(async () => (await room.poison('right')).length === 2);
    await room.drained();
    expect((await room.poison('right')).map(({ code }) => code)).toEqual(Array(2).fill('access-denied-destination'));
    await room.drained('uploads-poison');
    expect(await room.poison('left')).toEqual([]);
    expect([await room.archived('twinleft'), await room.counted('twinleft')]).toEqual([
      { known: 'of known', unknown: 'of unknown' },
      { known: 1, unknown: 1 },
    ]);
    proxy.rules.length = 0;
    expect(await room.reprocess({}, 'right')).toMatchObject({ status: 'succeeded', counts: { copied: 2 } });
    expect(await room.archived('twinright')).toEqual({ known: 'of known', unknown: 'of unknown' });
  });
});

describe('receipts', () => {
  test('are listed by name, by prefix and page by page, and wrong queries are refused with a hint', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `page/${index}`);
    for (const name of [...names, 'page', 'pages']) await room.upload(name, name);
    await room.reconcile();
    const ask = (query: string, rule = 'uploads') => room.app.call('GET', `/api/archives/${rule}/receipts${query}`);
    const found: string[] = [];
    let pages = 0;
    for (let cursor: unknown = ''; cursor !== null; pages++) {
      const { body } = await ask(
        `?prefix=page/&limit=3${cursor ? `&cursor=${encodeURIComponent(String(cursor))}` : ''}`,
      );
      const receipts = body.receipts as unknown as { name: string; state: string }[];
      expect(receipts.length).toBeLessThanOrEqual(3);
      expect(new Set(receipts.map(({ state }) => state))).toEqual(new Set(['done']));
      found.push(...receipts.map(({ name }) => name));
      cursor = body.next;
    }
    expect([found, pages > 2]).toEqual([names, true]);
    expect((await ask('?name=page')).body.receipts).toMatchObject([{ source: { name: 'page' }, state: 'done' }]);
    expect((await ask('?name=none')).body).toMatchObject({ receipts: [], next: null });
    const refused: [string, number, string][] = [
      ['?name=a&prefix=b', 400, 'query-invalid'],
      ['?limit=0', 400, 'query-invalid'],
      ['?limit=many', 400, 'query-invalid'],
      ['?limit=5001', 400, 'query-invalid'],
      ['?nonsense=1', 400, 'query-invalid'],
      [`?name=${'x'.repeat(1025)}`, 400, 'query-invalid'],
    ];
    for (const [query, status, code] of refused) {
      const { status: is, body } = await ask(query);
      expect([query, is, body.code, typeof body.detail]).toEqual([query, status, code, 'string']);
    }
    for (const [method, path] of [
      ['GET', 'receipts'],
      ['GET', 'poison'],
      ['POST', 'reprocess'],
      ['POST', 'reconcile'],
    ] as const) {
      for (const rule of ['none', '..%2f..', '__proto__', '%00']) {
        const { status, body } = await room.app.call(method, `/api/archives/${rule}/${path}`);
        expect([rule, path, status, body.code]).toEqual([rule, path, 404, 'rule-not-found']);
      }
    }
    for (const body of ['{', '[]', '{"dryRun":"yes"}', '{"mode":"full"}']) {
      const answer = await room.app.call('POST', '/api/archives/uploads/reconcile', body);
      expect([body, answer.status]).toEqual([body, 400]);
    }
  });

  test('are removed after their time when their version was deleted, and never earlier', async () => {
    const control = room.vault.getContainerClient('strongroom');
    const folder = (name: string) => `/${Buffer.from(name).toString('hex')}/`;
    const pathsOf = async (name: string) => {
      const paths: string[] = [];
      for await (const blob of control.listBlobsFlat({ prefix: 'archives/uploads/receipts/' })) {
        if (blob.name.includes(folder(name))) paths.push(blob.name);
      }
      return paths;
    };
    /** As if everything in it had happened so many days earlier. */
    const age = async (name: string, days: number) => {
      for (const path of await pathsOf(name)) {
        const client = control.getBlockBlobClient(path);
        const receipt = JSON.parse((await client.downloadToBuffer()).toString());
        const { metadata = {} } = await client.getProperties();
        const line = JSON.parse(metadata.strongroom_receipt!);
        const then = new Date(Date.now() - days * 86_400_000).toISOString();
        const text = JSON.stringify({ ...receipt, ...(receipt.finishedAt && { finishedAt: then }), expiresAt: then });
        await client.upload(text, Buffer.byteLength(text), {
          metadata: { ...metadata, strongroom_receipt: JSON.stringify({ ...line, at: then }) },
        });
      }
    };
    const names = ['old/gone', 'old/there', 'old/young', 'old/over', 'old/hidden'];
    for (const name of names) await room.upload(name, 'one');
    await room.reconcile();
    for (const name of names) if (name !== 'old/young') await age(name, 31);
    await age('old/young', 29);
    const incoming = room.source.getContainerClient('incoming');
    for (const name of ['old/gone', 'old/young']) await incoming.deleteBlob(name);
    await room.upload('old/over', 'two');
    // A listing that leaves one out is no proof that it is gone.
    proxy.rules.push({
      match: ({ path, query }) =>
        path === `/${source.name}/incoming` && query.get('comp') === 'list' && !query.get('prefix'),
      after: (_, response) => ({
        ...response,
        body: response.body.toString().replace(/<Blob><Name>old\/hidden<\/Name>.*?<\/Blob>/s, ''),
      }),
    });
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded' });
    const left = Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await pathsOf(name)).length])));
    expect(left).toEqual({ 'old/gone': 0, 'old/there': 1, 'old/young': 1, 'old/over': 1, 'old/hidden': 1 });
    expect(await room.versions('old/over')).toEqual(['one', 'two']);
    expect(await room.archived()).toMatchObject({ 'old/gone': 'one', 'old/young': 'one' });
    const deleted = proxy.requests
      .filter(({ method }) => method === 'DELETE')
      .map(({ path }) => decodeURIComponent(path));
    expect(deleted.filter((path) => !path.includes('/strongroom/archives/uploads/receipts/'))).toEqual([]);
  });
});

test('uploads are archived without a write to the source or a deletion in the vault', async () => {
  const refused: string[] = [];
  proxy.rules.push({
    match: ({ method, path }) =>
      method === 'DELETE' || (path.startsWith(`/${source.name}/`) && method !== 'GET' && method !== 'HEAD'),
    answer: ({ method, path }) => {
      refused.push(`${method} ${path}`);
      return refusal(403, 'AuthorizationPermissionMismatch');
    },
  });
  const texts = ['one', 'two'];
  for (const text of texts) {
    const etag = await room.upload('rights', text);
    await room.tell({ container: 'incoming', name: 'rights', etag });
    await until(() => isDone('rights', etag));
  }
  await room.upload('rights by reconcile', 'three');
  expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 1, failed: 0 } });
  expect(await room.reprocess()).toMatchObject({ status: 'succeeded' });
  expect(await room.versions('rights')).toEqual(texts);
  expect(refused).toEqual([]);
});

test('I9: receipts, poison, queues and log hold no key or signature when a service echoes requests', async () => {
  const echo = (request: { headers: Record<string, string>; url: string }) =>
    `${request.headers['x-ms-copy-source'] ?? request.url} ${request.headers.authorization} AccountKey=${source.key}`;
  const refusing = (status: number, code: string) => (request: { headers: Record<string, string>; url: string }) => ({
    status,
    headers: { 'content-type': 'application/xml', ...(code && { 'x-ms-error-code': code }) },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${echo(request).replace(/[&<>]/g, (each) => `&#${each.charCodeAt(0)};`)}</Message></Error>`,
  });
  const kinds: Record<string, [number, string]> = {
    forbidden: [403, 'AuthenticationFailed'],
    unreadable: [403, 'CannotVerifyCopySource'],
    conflict: [409, 'SomethingNew'],
    malformed: [400, 'InvalidHeaderValue'],
    nameless: [418, ''],
  };
  for (const [name, [status, code]] of Object.entries(kinds)) {
    proxy.rules.push({
      match: ({ path, headers }) => path.endsWith(`/secret/${name}`) && 'x-ms-copy-source' in headers,
      answer: refusing(status, code),
    });
  }
  proxy.rules.push({
    match: ({ path, query }) => path === `/${source.name}/incoming` && query.get('prefix') === 'secret/look',
    answer: refusing(403, 'AuthenticationFailed'),
  });
  const names = [...Object.keys(kinds), 'look'].map((name) => `secret/${name}`);
  for (const name of names) {
    const etag = await room.upload(name, name);
    await room.tell({ container: 'incoming', name, etag });
  }
  await until(
    async () => (await room.poison()).filter(({ name }) => name.startsWith('secret/')).length === names.length,
  );
  const found: [string, string][] = [['log', room.app.host.output()]];
  for (const path of ['receipts', 'poison', 'receipts?prefix=secret/']) {
    found.push([path, JSON.stringify((await room.app.call('GET', `/api/archives/uploads/${path}`)).body)]);
  }
  const receipts: ShownReceipt[] = (await Promise.all(names.map((name) => room.receipts(name)))).flat();
  expect(receipts.length).toBe(Object.keys(kinds).length);
  found.push(['receipts', JSON.stringify(receipts)]);
  const control = room.vault.getContainerClient('strongroom');
  for await (const { name } of control.listBlobsFlat({ prefix: 'archives/' })) {
    found.push([name, (await control.getBlobClient(name).downloadToBuffer()).toString()]);
  }
  for (const queue of ['uploads', 'uploads-poison']) {
    const { peekedMessageItems } = await room.queues.getQueueClient(queue).peekMessages({ numberOfMessages: 32 });
    found.push([queue, JSON.stringify(peekedMessageItems)]);
  }
  const wire = proxy.requests.flatMap(({ headers, url }) => [
    ...[...`${headers['x-ms-copy-source'] ?? ''} ${url}`.matchAll(/[?&]sig=([^&\s"]+)/g)].map(
      ([, signature]) => signature!,
    ),
    ...(headers.authorization ? [headers.authorization.replace(/^SharedKey [^:]*:/, '')] : []),
  ]);
  const secrets = [...new Set([...wire, source.key, vault.key])].flatMap((secret) => [
    secret,
    decodeURIComponent(secret),
  ]);
  expect(secrets.length).toBeGreaterThan(10);
  const leaks = found.flatMap(([place, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => [place, secret]),
  );
  expect(leaks).toEqual([]);
});

test('F20: a blob trigger beside the queue, and again under another host id, archives each upload once', async () => {
  await room.app.host.kill();
  const scanning = ruleWith({
    name: 'scanned',
    source: from('scanned'),
    events: { blobTrigger: 'scan', queue: 'uploads' },
  });
  const scanned = await makeContainer(source.connectionString, 'scanned');
  const begin = async (hostId: string) => {
    room = await startArchiving(source, vault, {
      proxy,
      rules: [scanning],
      limits: { retryDelayMs: 10 },
      env: {
        AzureFunctionsJobHost__extensions__blobs__scanInterval: '00:00:00.2',
        AzureFunctionsWebHost__hostid: hostId,
        // The host keeps its queue of blobs there, too.
        SOURCE: `${proxy.connectionString(source)};QueueEndpoint=${/QueueEndpoint=([^;]*)/.exec(source.connectionString)?.[1]}`,
      },
    });
  };
  const isCopy = ({ headers }: { headers: Record<string, string> }) => 'x-ms-copy-source' in headers;
  const carriedOut = () =>
    proxy.requests.filter((request) => isCopy(request) && (request.served?.status ?? 500) < 300).length;
  await scanned.getBlockBlobClient('before').upload('before', 6);
  await begin('one');
  const names = ['a', 'ü b', 'folder/c#d', 'e%20f'];
  const etags = new Map<string, string>();
  for (const name of names) etags.set(name, await room.upload(name, `of ${name}`, 'scanned'));
  for (const name of names) await room.tell({ container: 'scanned', name, etag: etags.get(name) });
  for (const name of names) await until(() => isDone(name, etags.get(name)!, 'scanned'));
  await until(async () => (await room.receipts('before', 'scanned')).length > 0);
  const two = await room.upload('a', 'two', 'scanned');
  await until(() => isDone('a', two, 'scanned'));
  expect(await room.versions('a', 'scannedarchive')).toEqual(['of a', 'two']);
  // What fails for good is put into a queue of the source's account, and listed like the rest.
  proxy.rules.push({
    match: (request) => isCopy(request) && request.path.endsWith('/refused'),
    answer: () => refusal(403, 'AuthorizationFailure'),
  });
  const refused = await room.upload('refused', 'refused', 'scanned');
  await until(async () => (await room.poison('scanned')).length > 0);
  expect(await room.poison('scanned')).toMatchObject([
    { name: 'refused', etag: refused, code: 'access-denied-destination', times: 1 },
  ]);
  proxy.rules.length = 0;
  expect(await room.reprocess({}, 'scanned')).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(carriedOut()).toBe(names.length + 3);

  await room.app.host.stop();
  proxy.requests.length = 0;
  await begin('two');
  // It is called for each of them again: the receipts that count are our own.
  const reads = (name: string) =>
    proxy.requests.some(
      ({ method, path }) =>
        method === 'GET' && path.includes(`/receipts/`) && path.includes(`/${Buffer.from(name).toString('hex')}/`),
    );
  await until(() => ['before', 'refused', ...names].every(reads));
  expect(await room.reconcile({}, 'scanned')).toMatchObject({ counts: { copied: 0, unchanged: names.length + 2 } });
  expect(carriedOut()).toBe(0);
  expect(Object.values(await room.counted('scannedarchive')).sort()).toEqual([1, 1, 1, 1, 1, 2]);
});
