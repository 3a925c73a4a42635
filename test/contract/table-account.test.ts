import { AzureNamedKeyCredential, generateAccountSas } from '@azure/data-tables';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { type StoredEntity, sameEntity, timestampOf } from '#domain/tables/entity-text.ts';
import type { EntityKey, KeyBound } from '#domain/tables/table-key.ts';
import { connectTableAccount } from '#storage/azure/connect.ts';
import { countingRequests } from '#storage/requests.ts';
import type { EntityQuery, EntityWrite, TableAccount } from '#storage/table-account.ts';
import { type TestAccount, takeAccount } from '../support/azurite/accounts.ts';
import { EDGES, entityText, member, properties } from '../support/builders/entity-texts.ts';
import {
  DROP,
  type FaultProxy,
  type FaultRule,
  type ProxiedRequest,
  startFaultProxy,
} from '../support/faults/fault-proxy.ts';

const QUICK = { tries: 4, firstDelay: 5, longestDelay: 50 };

let given: TestAccount;
let account: TableAccount;
let proxy: FaultProxy;
let tables = 0;
let table: string;

beforeAll(async () => {
  given = takeAccount();
  proxy = await startFaultProxy(given.blobEndpoint, { tables: tableEndpointOf(given.connectionString) });
  account = connectTableAccount({ alias: 'a', connectionString: proxy.connectionString(given) }, QUICK);
});

afterAll(() => proxy.stop());

beforeEach(async () => {
  proxy.rules.length = 0;
  table = `table${tables++}`;
  await account.createTable(table);
});

function tableEndpointOf(connectionString: string): string {
  return /TableEndpoint=([^;]+)/.exec(connectionString)![1]!;
}

function entity(partition: string, row: string, members: readonly string[] = []): StoredEntity {
  return { key: { partition, row }, text: entityText(partition, row, members) };
}

async function readAll(from: string, query: EntityQuery = {}): Promise<StoredEntity[]> {
  const all: StoredEntity[] = [];
  let page = await account.readEntities(from, query);
  for (;;) {
    all.push(...page.entities);
    if (page.next === undefined) return all;
    page = await account.readEntities(from, { ...query, from: page.next });
  }
}

const withoutTimestamp = ({ text }: StoredEntity) => text.replace(/,"Timestamp":"[^"]*"/, '');

async function countsOf(work: () => Promise<unknown>): Promise<RequestCounts> {
  const counts: RequestCounts = {};
  await countingRequests(counts, work);
  return counts;
}

describe('tables', () => {
  it('are made, listed, and deleted with all that is in them', async () => {
    const name = `Made${tables}`;
    expect(await account.createTable(name)).toBe('created');
    expect(await account.createTable(name)).toBe('exists');
    expect((await account.listTables()).names).toContain(name);
    await account.writeEntity(name, 'insert', entity('p', 'r'));
    await account.deleteTable(name);
    await account.deleteTable(name);
    expect((await account.listTables()).names).not.toContain(name);
    await expect(account.readEntities(name, {})).rejects.toMatchObject({ kind: 'container-not-found', status: 404 });
  });

  it('show the access policies that were set, to the last character', async () => {
    expect(await account.accessPolicies(table)).toEqual([]);
    const policies = [
      { id: `a & <b> "c"`, start: '2026-01-01T00:00:00.1234567Z', expiry: '2036-01-01', permissions: 'raud' },
      { id: 'another', start: '2026-01-01', expiry: '2036-01-01', permissions: 'r' },
    ];
    await account.setAccessPolicies(table, policies);
    expect(await account.accessPolicies(table)).toEqual(policies);
    await account.setAccessPolicies(table, []);
    expect(await account.accessPolicies(table)).toEqual([]);
    await expect(account.accessPolicies('nowhere')).rejects.toMatchObject({ kind: 'container-not-found' });
  });

  it('access policies that are cut off are asked for again', async () => {
    const policies = [{ id: 'whole', start: '2026-01-01', expiry: '2036-01-01', permissions: 'r' }];
    await account.setAccessPolicies(table, policies);
    proxy.rules.push({
      match: ({ url, method }) => method === 'GET' && url.includes('comp=acl'),
      times: 1,
      after: (_, response) => ({ ...response, body: String(response.body).slice(0, 90) }),
    });
    expect(await account.accessPolicies(table)).toEqual(policies);
  });

  it('are listed page by page', async () => {
    const name = 'cut(off)';
    const list = ({ path }: ProxiedRequest) => path.endsWith('/Tables');
    proxy.rules.push(
      {
        match: (request) => list(request) && request.query.get('NextTableName') === name,
        answer: () => ({ status: 200, headers: {}, body: '{"value":[{"TableName":"b"}]}' }),
      },
      {
        match: list,
        answer: () => ({
          status: 200,
          headers: { 'x-ms-continuation-nexttablename': name },
          body: '{"value":[{"TableName":"a"}]}',
        }),
      },
    );
    const first = await account.listTables();
    expect(first).toEqual({ names: ['a'], next: name });
    expect(await account.listTables(first.next)).toEqual({ names: ['b'] });
  });

  it.each<[string, (how: StoredEntity) => Promise<unknown>]>([
    ['read', () => account.readEntities('nosuch', {})],
    ['insert', (one) => account.writeEntity('nosuch', 'insert', one)],
    ['replace', (one) => account.writeEntity('nosuch', 'replace', one)],
    ['transaction', (one) => account.writeEntities('nosuch', 'insert', [one])],
  ])('that do not exist are reported: %s', async (_what, ask) => {
    await expect(ask(entity('p', 'r'))).rejects.toMatchObject({
      kind: 'container-not-found',
      message: expect.stringMatching(/a\/nosuch.*TableNotFound/),
    });
  });

  it('that are just being deleted, or that the account refuses, are reported as such', async () => {
    const refuses = (status: number, code: string) =>
      proxy.rules.push({
        match: ({ method }) => method === 'POST',
        times: 1,
        answer: () => ({ status, headers: {}, body: odataError(code, 'No.') }),
      });
    refuses(409, 'TableBeingDeleted');
    await expect(account.createTable('later')).rejects.toMatchObject({ kind: 'being-deleted' });
    refuses(403, 'AuthorizationPermissionMismatch');
    await expect(account.createTable('later')).rejects.toMatchObject({ kind: 'not-created', status: 403 });
  });
});

function odataError(code: string, value: string): string {
  return JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value } } });
}

describe('an entity', () => {
  it.each(EDGES)('comes back as it was: %s %s', async (...edge) => {
    const one = entity('p', 'r', ['"before":1', member('x', edge), '"behind":"y"']);
    await account.writeEntity(table, 'insert', one);
    const [read] = await readAll(table);
    expect(read?.key).toEqual(one.key);
    expect(sameEntity(read!.text, one.text) || read!.text).toBe(true);
    expect(timestampOf(read!.text)).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  });

  it('that was read and is written elsewhere has the same text there, whatever it holds', async () => {
    const copy = `${table}copy`;
    await account.createTable(copy);
    let partition = 0;
    const how = fc.constantFrom<EntityWrite>('insert', 'replace', 'merge');
    await fc.assert(
      fc.asyncProperty(fc.array(properties, { minLength: 1, maxLength: 10 }), how, async (all, write) => {
        const name = `p${partition++}`;
        const given = all.map((members, row) => entity(name, `r${row}`, members));
        const range = { after: { partition: name, row: '' }, upTo: { partition: name } };
        await account.writeEntities(table, 'insert', given);
        const read = await readAll(table, range);
        expect(read.map(({ key }) => key)).toEqual(given.map(({ key }) => key));
        for (const [index, { text }] of read.entries()) {
          expect(sameEntity(text, given[index]!.text) || `${text} for ${given[index]!.text}`).toBe(true);
        }
        await account.writeEntities(copy, write, read);
        expect((await readAll(copy, range)).map(withoutTimestamp)).toEqual(read.map(withoutTimestamp));
      }),
      { numRuns: 40 },
    );
  });

  it.each<[EntityWrite, string[], string[]]>([
    ['insert', ['"a":1'], ['"a":1']],
    ['replace', ['"b":2'], ['"b":2']],
    ['merge', ['"b":2'], ['"a":1', '"b":2']],
  ])('%s, alone and in a transaction', async (how, members, expected) => {
    for (const row of ['1', '2']) {
      const write = (method: EntityWrite, one: StoredEntity) =>
        row === '1' ? account.writeEntity(table, method, one) : account.writeEntities(table, method, [one]);
      if (how !== 'insert') await write('insert', entity('p', row, ['"a":1']));
      await write(how, entity('p', row, members));
      const [read] = await readAll(table, { after: { partition: 'p', row: row === '1' ? '' : '1' } });
      expect(sameEntity(read!.text, entityText('p', row, expected)) || read!.text).toBe(true);
      if (how === 'insert') {
        await expect(write('insert', entity('p', row))).rejects.toMatchObject({
          kind: 'precondition',
          code: 'EntityAlreadyExists',
          message: expect.stringContaining(`a/${table}/p/${row}`),
        });
      }
    }
  });

  it('is found by its key, however odd that is', async () => {
    const odd = [
      '',
      ' ',
      "'",
      "''",
      '"',
      '%',
      '%41',
      '+',
      'a b',
      '&=;,:@$!~',
      "')",
      '..',
      'é',
      'e\u0301',
      '日本',
      '\u{1f600}',
    ];
    for (const partition of [...odd, '\u2028', "' or true or '", 'x'.repeat(512), '日'.repeat(512)]) {
      const rows = [partition, partition === 'z' ? 'y' : 'z'].sort();
      await account.writeEntity(table, 'replace', entity(partition, rows[0]!));
      await account.writeEntities(table, 'replace', [entity(partition, rows[1]!)]);
      const range = { after: { partition, row: rows[0]! }, upTo: { partition, row: rows[1]! } };
      expect((await readAll(table, range)).map(({ key }) => key)).toEqual([{ partition, row: rows[1]! }]);
    }
  });
});

describe('a range', () => {
  it('holds what lies behind one end and up to the other, whatever the ends', async () => {
    const names = ['', "'", 'b', 'bb'];
    const keys = names.flatMap((partition) => names.map((row): EntityKey => ({ partition, row })));
    for (const { partition, row } of keys) await account.writeEntity(table, 'insert', entity(partition, row));
    const bounds = ['', 'a', 'b', 'c'].flatMap((partition): KeyBound[] => [
      { partition },
      ...['', 'a', 'bb'].map((row) => ({ partition, row })),
    ]);
    for (const after of [undefined, ...bounds]) {
      for (const upTo of [undefined, ...bounds]) {
        if (after && upTo && compare(after, upTo) > 0) continue;
        const range = { ...(after && { after }), ...(upTo && { upTo }) };
        const inside = keys.filter((key) => (!after || compare(key, after) > 0) && (!upTo || compare(key, upTo) <= 0));
        expect([range, (await readAll(table, range)).map(({ key }) => key)]).toEqual([range, inside]);
      }
    }
  });

  function compare(a: KeyBound, b: KeyBound): number {
    if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
    if (a.row === b.row) return 0;
    if (a.row === undefined || b.row === undefined) return a.row === undefined ? 1 : -1;
    return a.row < b.row ? -1 : 1;
  }

  it('is read a thousand at a time, each entity once', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => ({
      partition: index < 1100 ? 'p' : "q'é",
      row: String(index).padStart(4, '0'),
    }));
    for (let from = 0; from < keys.length; from += 100) {
      const some = keys.slice(from, from + 100);
      await account.writeEntities(
        table,
        'insert',
        some.map(({ partition, row }) => entity(partition, row)),
      );
    }
    let read: StoredEntity[] = [];
    const counts = await countsOf(async () => {
      read = await readAll(table);
    });
    expect(read.map(({ key }) => key)).toEqual(keys);
    expect(counts).toEqual({ QueryEntities: 3 });
    const range = { after: keys[10]!, upTo: keys[2400]! };
    expect((await readAll(table, range)).map(({ key }) => key)).toEqual(keys.slice(11, 2401));
    const page = await account.readEntities(table, { ...range, limit: 7 });
    expect(page.entities.map(({ key }) => key)).toEqual(keys.slice(11, 18));
    const next = await account.readEntities(table, { ...range, limit: 7, from: page.next! });
    expect(next.entities.map(({ key }) => key)).toEqual(keys.slice(18, 25));
  });

  it('F10: continues where the next key is the empty string, in either of its halves', async () => {
    const keys = [
      ...Array.from({ length: 1200 }, (_, index) => ({ partition: '', row: String(index).padStart(4, '0') })),
      ...Array.from({ length: 300 }, (_, index) => ({ partition: 'z', row: index === 0 ? '' : String(999 + index) })),
    ];
    for (let from = 0; from < keys.length; from += 100) {
      const some = keys.slice(from, from + 100).map(({ partition, row }) => entity(partition, row));
      await account.writeEntities(table, 'insert', some);
    }
    const read = (query: EntityQuery) => readAll(table, query).then((all) => all.map(({ key }) => key));
    expect(await read({})).toEqual(keys);
    expect(await read({ keysOnly: true, limit: 400 })).toEqual(keys);
    expect(await read({ since: '2026-01-01T00:00:00Z' })).toEqual(keys);
    expect(await read({ after: { partition: '', row: '0099' }, upTo: { partition: 'z', row: '1100' } })).toEqual(
      keys.slice(100, 1302),
    );
  });

  it('F10: continues where the service names only the next row', async () => {
    await account.writeEntities(table, 'insert', [entity('', '1'), entity('', '2')]);
    const isFirst = ({ method, query }: ProxiedRequest) => method === 'GET' && query.get('NextRowKey') === null;
    const headers = { 'x-ms-continuation-nextrowkey': 'MQ==', date: 'Sun, 01 Nov 2026 00:00:07 GMT' };
    proxy.rules.push({ match: isFirst, times: 1, answer: () => ({ status: 200, headers, body: '{"value":[]}' }) });
    expect((await readAll(table)).map(({ key }) => key.row)).toEqual(['1', '2']);
  });

  it('continues over pages that are empty, and over queries that find nothing', async () => {
    await account.writeEntities(table, 'insert', [entity('p', '1'), entity('p', '2')]);
    const queries = ({ method, query }: ProxiedRequest) => method === 'GET' && query.get('NextPartitionKey') === null;
    const headers = { 'x-ms-continuation-nextpartitionkey': '1!8!cA--', date: 'Sun, 01 Nov 2026 00:00:07 GMT' };
    proxy.rules.push(
      { match: queries, times: 1, answer: () => ({ status: 200, headers, body: '{"value":[]}' }) },
      {
        match: ({ query }) => query.get('NextPartitionKey') === '1!8!cA--' && query.get('NextRowKey') === null,
        before: (request) => {
          // What is signed is the path alone.
          request.url = request.url.replace(/&NextPartitionKey=[^&]*/, '');
        },
      },
    );
    const counts = await countsOf(async () => {
      const page = await account.readEntities(table, { after: { partition: 'o', row: '9' }, upTo: { partition: 'p' } });
      expect(page.entities.map(({ key }) => key.row)).toEqual(['1', '2']);
      expect(page.answeredAt).toBe('2026-11-01T00:00:07.000Z');
      expect(page.next).toBeUndefined();
    });
    expect(counts).toEqual({ QueryEntities: 3 });
  });

  it('returns only what was written since, to the tick', async () => {
    for (const row of ['1', '2', '3', '4']) await account.writeEntity(table, 'insert', entity('p', row));
    const all = await readAll(table);
    const times = all.map(({ text }) => timestampOf(text)!);
    for (const since of [...times, '2026-01-01T00:00:00Z', '2126-01-01T00:00:00.0000000Z']) {
      const later = all.filter((_, index) => times[index]! >= since);
      expect([since, await readAll(table, { since })]).toEqual([since, later]);
    }
    const range = { after: { partition: 'p', row: '1' }, upTo: { partition: 'p', row: '3' } };
    expect(await readAll(table, { ...range, since: times[2]! })).toEqual([all[2]]);
  });

  it('returns only keys and times if the request says so', async () => {
    await account.writeEntity(table, 'insert', entity("p'", 'r', ['"n":1']));
    const [whole] = await readAll(table);
    const [only] = await readAll(table, { keysOnly: true });
    expect(only?.key).toEqual({ partition: "p'", row: 'r' });
    expect(JSON.parse(only!.text)).toEqual({ PartitionKey: "p'", RowKey: 'r', Timestamp: timestampOf(whole!.text) });
  });

  it('says when the service answered, by the service’s clock', async () => {
    const headers = { date: 'Sun, 01 Nov 2026 00:00:07 GMT' };
    proxy.rules.push({
      match: any,
      after: (_, response) => ({ ...response, headers: { ...response.headers, ...headers } }),
    });
    expect((await account.readEntities(table, {})).answeredAt).toBe('2026-11-01T00:00:07.000Z');
  });

  it('refuses a cursor that is not its own', async () => {
    await expect(account.readEntities(table, { from: 'x' })).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('a transaction', () => {
  const hundred = () => Array.from({ length: 100 }, (_, index) => entity('p', String(index).padStart(3, '0')));

  it('writes a hundred in one request', async () => {
    const counts = await countsOf(() => account.writeEntities(table, 'insert', hundred()));
    expect(counts).toEqual({ ExecuteTransaction: 1 });
    expect((await readAll(table)).map(({ key }) => key)).toEqual(hundred().map(({ key }) => key));
  });

  it('that fails names the entity at fault', async () => {
    await account.writeEntity(table, 'insert', entity('p', '042'));
    const written = account.writeEntities(table, 'insert', hundred());
    await expect(written).rejects.toMatchObject({
      kind: 'precondition',
      code: 'EntityAlreadyExists',
      status: 409,
      at: 42,
    });
    await expect(written).rejects.toThrow(`a/${table}/p/042`);
  });

  it('that is larger than the service accepts is reported', async () => {
    const large = hundred().map(({ key: { partition, row } }) => {
      return entity(
        partition,
        row,
        ['a', 'b'].map((name) => `"${name}":"${'x'.repeat(25_000)}"`),
      );
    });
    await expect(account.writeEntities(table, 'insert', large)).rejects.toMatchObject({
      kind: 'too-large',
      status: 413,
    });
  });
});

const any = () => true;

describe('what comes in the way', () => {
  type Fault = Omit<FaultRule, 'match'>;
  const answering = (status: number, code = '', headers: Record<string, string> = {}) => {
    return () => ({ status, headers, body: code && odataError(code, 'Words.') });
  };

  beforeEach(() => account.writeEntities(table, 'insert', [entity('p', '1'), entity('p', '2')]));

  async function readWhile(fault: Fault) {
    proxy.rules.push({ match: any, ...fault });
    let end: unknown;
    const counts = await countsOf(async () => {
      end = await account.readEntities(table, {}).catch((error: unknown) => error);
    });
    return { end, counts };
  }

  const half = (body: Buffer | string) => Buffer.from(body).subarray(0, 60);
  const cut: FaultRule['after'] = (_, response) => ({ ...response, body: half(response.body), announced: 4000 });
  const shortened: FaultRule['after'] = (_, response) => ({ ...response, body: half(response.body) });

  it.each<[string, Fault]>([
    ['503 ServerBusy', { answer: answering(503, 'ServerBusy', { 'retry-after': '0' }) }],
    ['429', { answer: answering(429) }],
    ['500 OperationTimedOut', { answer: answering(500, 'OperationTimedOut') }],
    ['a connection that ends without an answer', { answer: () => DROP }],
    ['an answer that is lost', { after: () => DROP }],
    ['a connection that ends in the middle of an answer', { after: cut }],
    ['an answer that is not whole', { after: shortened }],
    ['an answer that is no JSON', { answer: () => ({ status: 200, headers: {}, body: '<p>Welcome' }) }],
  ])('%s is got over', async (_what, fault) => {
    const { end, counts } = await readWhile({ ...fault, times: 2 });
    expect(end).toMatchObject({ entities: [{ key: { row: '1' } }, { key: { row: '2' } }] });
    expect(counts).toEqual({ QueryEntities: 3 });
  });

  it.each<[string, Fault, number]>([
    ['throttled', { answer: answering(503, 'ServerBusy') }, 4],
    ['server', { answer: answering(500, 'InternalError') }, 4],
    ['unreachable', { answer: () => DROP }, 4],
    ['server', { after: cut }, 4],
    ['server', { after: shortened }, 4],
    ['access-denied', { answer: answering(403, 'AuthorizationFailure') }, 1],
    ['invalid', { answer: answering(400, 'InvalidInput') }, 1],
    ['unsupported', { answer: answering(501, 'NotImplemented') }, 1],
  ])('%s is the end when it stays', async (kind, fault, requests) => {
    const { end, counts } = await readWhile(fault);
    expect(end).toMatchObject({
      name: 'StorageError',
      kind,
      message: expect.stringContaining(`read entities of a/${table}`),
    });
    expect(counts).toEqual({ QueryEntities: requests });
  });

  it('waits as long as the service asks for', async () => {
    proxy.rules.push({ match: any, times: 1, answer: answering(503, 'ServerBusy', { 'retry-after-ms': '300' }) });
    const patient = connectTableAccount(
      { alias: 'a', connectionString: proxy.connectionString(given) },
      { firstDelay: 1 },
    );
    proxy.requests.length = 0;
    await patient.readEntities(table, {});
    const [first, second] = proxy.requests.map(({ at }) => at);
    expect(second! - first!).toBeGreaterThan(290);
  });

  it('an answer that does not come is not waited for', async () => {
    proxy.rules.push({ match: any, answer: () => new Promise(() => {}) });
    const hurried = connectTableAccount(
      { alias: 'a', connectionString: proxy.connectionString(given) },
      { tries: 2, firstDelay: 1, timeout: 100 },
    );
    const counts = await countsOf(async () => {
      await expect(hurried.readEntities(table, {})).rejects.toMatchObject({ kind: 'unreachable', code: 'ETIMEDOUT' });
    });
    expect(counts).toEqual({ QueryEntities: 2 });
  });

  it.each<[string, FaultRule['answer']]>([
    ['while it waits', answering(503, 'ServerBusy', { 'retry-after': '600' })],
    ['while no answer comes', () => new Promise(() => {})],
  ])('a signal ends it %s', async (_what, answer) => {
    const stop = new AbortController();
    proxy.rules.push({
      match: any,
      answer: (request) => {
        setTimeout(() => stop.abort(), 20);
        return answer!(request);
      },
    });
    const patient = connectTableAccount(
      { alias: 'a', connectionString: proxy.connectionString(given) },
      { longestDelay: 600_000 },
    );
    await expect(patient.readEntities(table, {}, stop.signal)).rejects.toMatchObject({ kind: 'aborted' });
    await expect(patient.writeEntities(table, 'insert', [entity('p', 'x')], stop.signal)).rejects.toMatchObject({
      kind: 'aborted',
    });
  });

  it('a transaction whose answer is lost or cut is sent again, and what it wrote may be there', async () => {
    const faults: FaultRule['after'][] = [() => DROP, shortened];
    for (const [index, after] of faults.entries()) {
      proxy.rules.length = 0;
      proxy.rules.push({ match: any, times: 1, after: after! });
      const counts = await countsOf(() => account.writeEntities(table, 'replace', [entity('p', '1', ['"n":1'])]));
      expect(counts).toEqual({ ExecuteTransaction: 2 });
      proxy.rules.length = 0;
      proxy.rules.push({ match: any, times: 1, after: after! });
      const again = account.writeEntities(table, 'insert', [entity('q', String(index))]);
      await expect(again).rejects.toMatchObject({ kind: 'precondition', at: 0 });
    }
  });

  it('a transaction that is refused for the moment, within an answer that says 202, is sent again', async () => {
    const inner = `HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\n\r\n${odataError('ServerBusy', '0:Busy.')}`;
    const answer = () => ({
      status: 202,
      headers: { 'content-type': 'multipart/mixed; boundary=b' },
      body:
        '--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n' +
        `--c\r\nContent-Type: application/http\r\n\r\n${inner}\r\n--c--\r\n--b--\r\n`,
    });
    proxy.rules.push({ match: any, times: 2, answer });
    const counts = await countsOf(() => account.writeEntities(table, 'insert', [entity('p', '3')]));
    expect(counts).toEqual({ ExecuteTransaction: 3 });
  });

  it('each attempt is signed again', async () => {
    proxy.rules.push({ match: any, times: 1, answer: answering(503, '', { 'retry-after-ms': '1100' }) });
    const patient = connectTableAccount(
      { alias: 'a', connectionString: proxy.connectionString(given) },
      { firstDelay: 1 },
    );
    proxy.requests.length = 0;
    await patient.readEntities(table, {});
    const [first, second] = proxy.requests.map(({ headers }) => headers);
    expect(second?.['x-ms-date']).not.toBe(first?.['x-ms-date']);
    expect(second?.authorization).not.toBe(first?.authorization);
  });
});

describe('a shared access signature', () => {
  const sasOf = (permissions: string) => {
    const names = { r: 'query', w: 'write', d: 'delete', l: 'list', a: 'add', u: 'update' } as const;
    const granted = Object.fromEntries([...permissions].map((letter) => [names[letter as keyof typeof names], true]));
    return generateAccountSas(new AzureNamedKeyCredential(given.name, given.key), {
      permissions: granted,
      resourceTypes: 'sco',
      services: { table: true },
      expiresOn: new Date(Date.now() + 3_600_000),
    });
  };
  const connect = (sas: string) => {
    const endpoint = tableEndpointOf(proxy.connectionString(given));
    const endpoints = `BlobEndpoint=${given.blobEndpoint};TableEndpoint=${endpoint}`;
    const connectionString = `${endpoints};SharedAccessSignature=${sas}`;
    return connectTableAccount({ alias: 's', connectionString }, QUICK);
  };

  it('lets in as a key does', async () => {
    const signed = connect(sasOf('rwdlau'));
    const name = `signed${tables}`;
    expect(await signed.createTable(name)).toBe('created');
    await signed.writeEntity(name, 'insert', entity("p'+%", 'é &', ['"n":1']));
    await signed.writeEntities(name, 'merge', [entity("p'+%", 'é &', ['"m":2.0'])]);
    const page = await signed.readEntities(name, {
      after: { partition: "p'+%", row: 'é' },
      upTo: { partition: "p'+%" },
    });
    expect(page.entities.map(({ key }) => key)).toEqual([{ partition: "p'+%", row: 'é &' }]);
    expect(sameEntity(page.entities[0]!.text, entityText("p'+%", 'é &', ['"n":1', '"m":2.0']))).toBe(true);
    expect((await signed.listTables()).names).toContain(name);
    await signed.deleteTable(name);
  });

  it('is never shown in an error', async () => {
    const weak = sasOf('rl');
    const signed = connect(weak);
    const signature = decodeURIComponent(/sig=([^&]+)/.exec(weak)![1]!);
    const errors: unknown[] = [];
    const note = (asked: Promise<unknown>) =>
      asked.then(
        () => undefined,
        (error) => errors.push(error),
      );
    const fail = async () => {
      await note(signed.writeEntity(table, 'replace', entity('p', 'r')));
      await note(signed.writeEntities(table, 'insert', [entity('p', 'r')]));
      await note(signed.deleteTable(table));
      await note(signed.createTable('another'));
    };
    await fail();
    const faults: FaultRule['answer'][] = [() => DROP, echo(400), echo(503)];
    for (const answer of faults) {
      proxy.rules.length = 0;
      proxy.rules.push({ match: any, answer: answer! });
      await fail();
      await note(signed.readEntities(table, { since: '2026-01-01T00:00:00Z' }));
      await note(signed.listTables());
    }
    // The emulator asks no permission for a transaction.
    expect(errors.length).toBe(3 + 3 * 6);
    for (const error of errors) {
      const { message, stack, ...rest } = error as Error;
      const all = decodeURIComponent(`${message} ${stack} ${JSON.stringify(rest)} ${(error as Error).cause ?? ''}`);
      expect(all).not.toContain(signature);
      expect(all).not.toContain('sig=');
    }
  });

  /** Services repeat what they were asked. */
  function echo(status: number) {
    return ({ url }: ProxiedRequest) => ({
      status,
      headers: {},
      body: odataError('Echo', `Asked http://x${url} for it.`),
    });
  }

  it('nor is a key', async () => {
    proxy.rules.push({
      match: any,
      answer: ({ headers }) => ({
        status: 400,
        headers: {},
        body: odataError('Echo', `Got ${headers.authorization}.`),
      }),
    });
    const error = await account.readEntities(table, {}).catch((thrown: Error) => thrown);
    expect(String(error)).toContain('Echo');
    expect(String(error)).not.toMatch(/SharedKeyLite \S+:[\w+/]{20}/);
  });
});
