import { setTimeout as sleep } from 'node:timers/promises';
import { TableClient } from '@azure/data-tables';
import {
  AccountSASPermissions,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Check } from '#domain/rights/check.ts';
import type { Right } from '#domain/rights/right.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { containerIn, TestBed } from '../../support/app/test-bed.ts';
import type { TestAccount } from '../../support/azurite/accounts.ts';
import { DROP, type FaultRule, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';
import { nameOf, storageOperation } from '../../support/faults/storage-operation.ts';

const bed = new TestBed({ tables: true });
let app: Strongroom;

const job = {
  name: 'nightly',
  source: { account: 'SOURCE', containers: ['data', 'more-*'], tables: ['orders', 'log*'] },
  destination: { account: 'VAULT', container: '{container}backup' },
};
/** Its account is that of the vault; a prune deletes by it. */
const pruned = { ...job, name: 'pruned', retention: { keepLast: 1, account: 'PRUNE' } };

const rule = {
  name: 'uploads',
  source: { account: 'SOURCE', container: 'incoming' },
  destination: { account: 'VAULT', container: '{container}archive' },
  events: { queue: 'uploads', queueAccount: 'UPLOADS' },
};

/** Of the app that meets silence. The others have the time that a busy machine needs. */
const REQUEST_MS = 400;

const start = (limits: Record<string, number> = {}) =>
  bed.start({
    jobs: [job, pruned],
    more: { archives: [rule] },
    limits: { retryDelayMs: 5, ...limits },
    env: { PRUNE: bed.proxy.connectionString(bed.vault), UPLOADS: bed.vault.connectionString },
  });

beforeAll(async () => {
  await bed.open();
  await bed.fill(2);
  await bed.upload('a', 'a', 'more-of-it');
  await bed.upload('a', 'a', 'incoming');
  await QueueServiceClient.fromConnectionString(bed.vault.connectionString).createQueue('uploads');
  for (const name of ['orders', 'logs']) {
    const table = TableClient.fromConnectionString(bed.source.connectionString, name, {
      allowInsecureConnection: true,
    });
    await table.createTable();
    await table.createEntity({ partitionKey: 'a', rowKey: '1' });
  }
  app = await start();
  await app.run();
});

afterAll(() => bed.close());

async function startAgain(limits?: Record<string, number>): Promise<void> {
  await app.host.kill();
  app = await start(limits);
}

async function check(): Promise<Check[]> {
  const { status, body } = await app.call('POST', '/api/checks');
  expect(status).toBe(200);
  return body as unknown as Check[];
}

const shown = (checks: readonly Check[]) =>
  Object.fromEntries(checks.map(({ alias, id, result }) => [`${alias} ${id}`, result]));

const WELL = {
  ...{ 'SOURCE list-containers': 'ok', 'SOURCE list-blobs': 'ok', 'SOURCE read-blobs': 'ok', 'SOURCE read-tags': 'ok' },
  ...{ 'SOURCE list-tables': 'ok', 'SOURCE read-tables': 'ok' },
  ...{ 'VAULT list-containers': 'ok', 'VAULT list-blobs': 'ok', 'VAULT read-blobs': 'ok', 'VAULT write-tags': 'ok' },
  ...{ 'VAULT create-containers': 'ok', 'VAULT write-blobs': 'ok', 'VAULT write-catalog': 'ok' },
  // An account key may delete, and PRUNE is there for that. The emulator has no soft delete.
  ...{ 'VAULT delete-blobs': 'unneeded', 'VAULT soft-delete': 'missing' },
  'UPLOADS read-queue': 'ok',
  ...{ 'PRUNE list-blobs': 'ok', 'PRUNE read-blobs': 'ok', 'PRUNE delete-blobs': 'ok' },
};

/** Everything in an account: names, ETags and tags of blobs, and the names of containers. */
async function contentOf({ connectionString }: TestAccount): Promise<string[]> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const found: string[] = [];
  for await (const { name: container } of service.listContainers()) {
    found.push(container);
    const blobs = service.getContainerClient(container).listBlobsFlat({ includeTags: true, includeSnapshots: true });
    for await (const { name, snapshot, properties, tags } of blobs) {
      found.push(`${container}/${name} ${snapshot} ${properties.etag} ${JSON.stringify(tags)}`);
    }
  }
  return found;
}

const operationOf = (request: ProxiedRequest) => storageOperation(request, bed.source.name);

describe('a check', () => {
  it('of accounts by their keys finds all that is needed, and what is too much', async () => {
    const checks = await check();
    expect(shown(checks)).toEqual(WELL);
    const of = (alias: string, id: Right) => checks.find((each) => each.alias === alias && each.id === id);
    expect(of('VAULT', 'delete-blobs')).toMatchObject({
      needed: false,
      code: 'too-much',
      for: ['nightly', 'pruned', 'uploads'],
    });
    expect(of('PRUNE', 'delete-blobs')).toMatchObject({ needed: true, code: null, for: ['pruned'] });
    expect(of('VAULT', 'soft-delete')).toMatchObject({ needed: false, code: 'soft-delete-off', command: null });
  });

  it('leaves nothing new', async () => {
    await check();
    const before = [await contentOf(bed.source), await contentOf(bed.vault)];
    const from = bed.proxy.requests.length;
    await check();
    const sent = bed.proxy.requests.slice(from);
    expect([await contentOf(bed.source), await contentOf(bed.vault)]).toEqual(before);
    // The watch of the app writes what it has seen, at times.
    const writes = sent.filter(({ method, url }) => !/^(GET|HEAD)$/.test(method) && !url.includes('/watch/'));
    const mine = writes.filter(({ url }) => /checks\.json|PartitionKey=|restype=container/.test(url));
    expect(writes.filter((each) => !mine.includes(each)).map(({ method, url }) => `${method} ${url}`)).toEqual([]);
    expect(mine.filter((request) => operationOf(request).side === 'source')).toEqual([]);
    // Each of the others has a condition that is not met, or sets what was set.
    expect(mine.map((request) => `${nameOf(operationOf(request))} ${request.status}`).sort()).toEqual([
      'control.CreateContainer 409',
      'control.DeleteBlob 412',
      'control.DeleteBlob 412',
      'control.PutBlob 409',
      'control.PutBlob 412',
      'control.SetBlobTags 204',
      'table.InsertOrReplaceEntity 204',
    ]);
    for (const { headers } of mine.filter(({ method }) => method === 'DELETE'))
      expect(headers['if-match']).toBe('"0x0"');
    expect((await app.call('GET', '/api/runs')).body).toMatchObject({ runs: [{ status: 'succeeded' }] });
  });

  it('asks once for callers who come at the same time', async () => {
    const from = bed.proxy.requests.length;
    const [one, ...others] = await Promise.all(Array.from({ length: 5 }, () => check()));
    for (const other of others) expect(other).toEqual(one);
    const listings = bed.proxy.requests
      .slice(from)
      .filter((request) => nameOf(operationOf(request)) === 'control.PutBlob');
    expect(listings).toHaveLength(2);
  });
});

interface Taken {
  right: string;
  match(request: ProxiedRequest): boolean;
}

/** The requests that each right is for. */
const RIGHTS: Taken[] = (
  [
    ['SOURCE list-containers', 'source.ListContainers'],
    ['SOURCE list-blobs', 'source.ListBlobs', ({ query }) => !/tags/.test(query.get('include') ?? '')],
    ['SOURCE read-tags', 'source.ListBlobs', ({ query }) => /tags/.test(query.get('include') ?? '')],
    ['SOURCE read-blobs', 'source.GetBlobProperties'],
    ['SOURCE list-tables', 'table.QueryTables'],
    ['SOURCE read-tables', 'table.QueryEntities', ({ path }) => /orders/.test(path)],
    ['VAULT list-containers', 'vault.ListContainers'],
    ['VAULT create-containers', 'control.CreateContainer'],
    ['VAULT list-blobs', 'control.ListBlobs'],
    ['VAULT read-blobs', 'control.GetBlobProperties'],
    ['VAULT write-blobs', 'control.PutBlob', ({ path }) => /checks/.test(path)],
    ['VAULT write-tags', 'control.SetBlobTags'],
    ['VAULT write-catalog', 'table.InsertOrReplaceEntity'],
    ['VAULT delete-blobs', 'control.DeleteBlob'],
    ['VAULT soft-delete', 'vault.GetAccountProperties'],
  ] as [string, string, Taken['match']?][]
).map(([right, operation, more = () => true]) => ({
  right,
  match: (request) => nameOf(operationOf(request)) === operation && more(request),
}));

/** What is not known either. */
const FOLLOWS: Record<string, string> = { 'SOURCE list-blobs': 'SOURCE read-blobs' };

const SILENCE = 'no answer comes';

/** What an account answers, and what a check says then of a right that is needed. */
const ANSWERS: [name: string, answer: FaultRule['answer'], result: Check['result'], code: RegExp][] = [
  ['a right is missing', () => refusal(403, 'AuthorizationPermissionMismatch'), 'missing', /^access-denied-/],
  ['a firewall refuses', () => refusal(403, 'AuthorizationFailure'), 'unknown', /^access-denied-/],
  ['the sign-in is refused', () => refusal(403, 'AuthenticationFailed'), 'unknown', /^authentication-failed$/],
  [
    'the account is not there',
    () => refusal(404, 'ResourceNotFound'),
    'unknown',
    /^(account|container|table)-not-found$|^nothing-to-ask$|^catalog-unavailable$|^container-not-created$/,
  ],
  [
    SILENCE,
    async (): Promise<typeof DROP> => {
      await sleep(3 * REQUEST_MS);
      return DROP;
    },
    'unknown',
    /^unreachable$/,
  ],
];

describe.each(ANSWERS)('if %s', (name, answer, result, code) => {
  it('each right is named that this concerns, and every answer is 200', { timeout: 60_000 }, async () => {
    if (name === SILENCE) await startAgain({ requestMs: REQUEST_MS });
    for (const { right, match } of RIGHTS) {
      const rule: FaultRule = { match, answer: answer! };
      bed.proxy.rules.push(rule);
      const checks = await check();
      bed.proxy.rules.splice(bed.proxy.rules.indexOf(rule), 1);
      const found = checks.find(({ alias, id }) => `${alias} ${id}` === right)!;
      // Of what no run needs, a refusal is as it should be, or not known.
      const expected =
        result === 'missing' ? { 'VAULT delete-blobs': 'ok', 'VAULT soft-delete': 'unknown' }[right] : undefined;
      const isAbsent = code.test('account-not-found') && /read-blobs|delete-blobs|write-blobs|write-tags/.test(right);
      if (isAbsent) continue;
      expect([right, found.result]).toEqual([right, expected ?? result]);
      if (found.result !== 'ok') expect(found.code, right).toMatch(code);
      if (found.result !== 'ok') expect(found.hint, right).toBeTruthy();
      if (result === 'missing') {
        // No other right is blamed, but those of PRUNE, which has the same account.
        const isOther = (each: string) => each !== right && !each.startsWith('PRUNE') && FOLLOWS[right] !== each;
        const others = Object.entries(shown(checks)).filter(([each]) => isOther(each));
        expect(
          others.filter(([each, is]) => is !== WELL[each as keyof typeof WELL]),
          right,
        ).toEqual([]);
      }
    }
    if (name === SILENCE) await startAgain();
  });
});

describe('the list of names', () => {
  const names = async (query: string) => {
    const { status, body } = await app.call('GET', `/api/accounts/${query}`);
    return { status, ...body } as { status: number; containers?: string[]; tables?: string[]; next?: string | null };
  };

  it('has the containers and tables of an account, by prefix', async () => {
    expect(await names('SOURCE/containers')).toMatchObject({ containers: ['data', 'incoming', 'more-of-it'] });
    expect(await names('SOURCE/containers?prefix=mo')).toMatchObject({ containers: ['more-of-it'] });
    expect(await names('SOURCE/tables')).toMatchObject({ account: 'SOURCE', tables: ['logs', 'orders'], next: null });
    expect(await names('SOURCE/tables?prefix=OR')).toMatchObject({ tables: ['orders'] });
    expect((await names('VAULT/containers?prefix=strong')).containers).toEqual(['strongroom']);
  });

  it('continues where a page ends, also a page without a name of the prefix', async () => {
    const whole = bed.source.name;
    bed.proxy.rules.push(
      {
        match: ({ path, query }) =>
          path === `/${whole}/` && query.get('marker') === null && query.get('comp') === 'list',
        answer: () => ({ status: 200, headers: { 'content-type': 'application/xml' }, body: listing('data', 'here') }),
      },
      {
        match: ({ query }) => query.get('marker') === 'here',
        answer: () => ({ status: 200, headers: { 'content-type': 'application/xml' }, body: listing('more-of-it') }),
      },
    );
    const first = await names('SOURCE/containers');
    expect(first).toMatchObject({ containers: ['data'], next: expect.any(String) });
    expect(await names(`SOURCE/containers?cursor=${first.next}`)).toMatchObject({
      containers: ['more-of-it'],
      next: null,
    });
    expect(await names('SOURCE/containers?prefix=more')).toMatchObject({ containers: ['more-of-it'], next: null });
    expect(await names(`VAULT/containers?cursor=${first.next}`)).toMatchObject({ status: 400, code: 'cursor-invalid' });
    bed.proxy.rules.splice(0);
  });

  it.each(['NONE', '..%2F..', '%00', `${'x'.repeat(300)}`])('of the account %s does not exist', async (alias) => {
    expect(await names(`${alias}/containers`)).toMatchObject({ status: 404, code: 'account-unknown' });
    expect(await names(`${alias}/tables`)).toMatchObject({ status: 404, code: 'account-unknown' });
  });

  it('finds nothing by a prefix that no name can have', async () => {
    for (const prefix of ['../', "' or 1 eq 1", '<script>', '\u202e']) {
      const query = `?prefix=${encodeURIComponent(prefix)}`;
      expect(await names(`SOURCE/containers${query}`)).toMatchObject({ containers: [], next: null });
      expect(await names(`SOURCE/tables${query}`)).toMatchObject({ tables: [], next: null });
    }
    expect(await names(`SOURCE/containers?prefix=${'a'.repeat(64)}`)).toMatchObject({ status: 400 });
  });
});

/** A listing of one container. */
function listing(name: string, next = ''): string {
  const item = `<Container><Name>${name}</Name><Properties><Last-Modified>Mon, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>x</Etag></Properties></Container>`;
  return `<?xml version="1.0"?><EnumerationResults><Containers>${item}</Containers><NextMarker>${next}</NextMarker></EnumerationResults>`;
}

test('of a signature that lacks a permission, the permission is named, and nothing of the signature', async () => {
  const { name, key, connectionString } = bed.vault;
  const signature = (services: string, permissions: string) =>
    generateAccountSASQueryParameters(
      {
        ...{ services, resourceTypes: 'sco', permissions: AccountSASPermissions.parse(permissions) },
        expiresOn: new Date(Date.now() + 3_600_000),
      },
      new StorageSharedKeyCredential(name, key),
    );
  const [ofPrune, ofQueue] = [signature('bt', 'rwlat'), signature('q', 'w')];
  const endpoints = (from: string, pattern: RegExp) => from.match(pattern)!.join(';');
  const prune = endpoints(bed.proxy.connectionString(bed.vault), /(?:Blob|Table)Endpoint=[^;]*/g);
  const queues = endpoints(connectionString, /QueueEndpoint=[^;]*/g);
  await app.host.kill();
  // The start refuses a vault whose signature lacks what it needs, and nothing looks at these.
  app = await bed.start({
    jobs: [
      { ...pruned, name: 'nightly' },
      { ...job, name: 'elsewhere', destination: { account: 'ELSEWHERE', container: '{container}copy' } },
    ],
    more: { archives: [rule] },
    env: { PRUNE: `${prune};SharedAccessSignature=${ofPrune}`, UPLOADS: `${queues};SharedAccessSignature=${ofQueue}` },
  });
  const checks = await check();
  for (const [alias, id, lacks] of [
    ['PRUNE', 'delete-blobs', 'The SAS lacks sp=d'],
    ['UPLOADS', 'read-queue', 'The SAS lacks sp=rp'],
  ]) {
    const found = checks.find((each) => each.alias === alias && each.id === id);
    expect(found, alias).toMatchObject({ result: 'missing', command: null, hint: expect.stringContaining(lacks!) });
  }
  for (const { signature: secret } of [ofPrune, ofQueue]) {
    expect(JSON.stringify(checks)).not.toContain(secret);
    expect(JSON.stringify(checks)).not.toContain(encodeURIComponent(secret));
  }
});

test('a new vault gets its control container, and a vault that has lost it does not', async () => {
  const control = containerIn(bed.elsewhere, 'strongroom');
  const rightsOf = async (alias: string) =>
    Object.fromEntries((await check()).filter((each) => each.alias === alias).map(({ id, result }) => [id, result]));
  // The test before has checked it first.
  const names: string[] = [];
  for await (const { name } of control.listBlobsFlat()) names.push(name);
  expect(names).toEqual(['checks.json']);
  // The first run makes the table.
  expect(await rightsOf('ELSEWHERE')).toMatchObject({ 'create-containers': 'ok', 'write-catalog': 'unknown' });
  await bed.control.delete();
  expect(await rightsOf('VAULT')).toMatchObject({
    ...{ 'list-containers': 'ok', 'write-catalog': 'ok' },
    ...{ 'create-containers': 'unknown', 'write-blobs': 'unknown', 'delete-blobs': 'unknown' },
  });
  expect(await bed.control.exists()).toBe(false);
});
