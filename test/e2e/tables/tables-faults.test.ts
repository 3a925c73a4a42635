import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { TableEntity } from '@azure/data-tables';
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { Random } from '../../support/builders/random.ts';
import { controlNames, rawEntities, seed, tableInPoint, tableOf } from '../../support/builders/tables.ts';
import { DROP, type ProxiedRequest, type ProxiedResponse, startFaultProxy } from '../../support/faults/fault-proxy.ts';

const show = (report: unknown) => JSON.stringify(report, undefined, 1);
const rows = (count: number, partitionKey = 'p'): TableEntity[] =>
  Array.from({ length: count }, (_, n) => ({ partitionKey, rowKey: String(n).padStart(4, '0'), n }));

/** A refusal in the form of the table service. */
const tableRefusal = (status: number, code: string) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ 'odata.error': { code, message: { lang: 'en-us', value: `${code}.` } } }),
});

interface Wanted {
  job?: object;
  /** Which of two executions of each activity answers. */
  twice?: string;
}

async function stage(
  { twice, ...more }: Wanted = {},
  credentials?: (account: TestAccount, connection: string) => string,
) {
  const [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  const part = (name: string) => new RegExp(`${name}=([^;]*)`).exec(source.connectionString)![1]!;
  const proxy = await startFaultProxy(new URL(source.blobEndpoint).origin, {
    tables: new URL(part('TableEndpoint')).origin,
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  const connection = proxy.connectionString(source);
  const accounts = { source: credentials?.(source, connection) ?? connection, vault: proxy.connectionString(vault) };
  const job = {
    source: { account: 'SOURCE', tables: ['orders', 'logs'] },
    destination: { account: 'VAULT' },
    ...more.job,
  };
  const limits = { sliceBlobs: 50, retryDelayMs: 5 };
  const start = () => startStrongroom({ ...accounts, job, limits, ...(twice === undefined ? { dataDir } : { twice }) });
  /** A query for entities of this table of the source. */
  const reads =
    (table: string) =>
    ({ service, method, path }: ProxiedRequest) =>
      service === 'table' && method === 'GET' && path.startsWith(`/${source.name}/${table}(`);
  const held = async (run: { id: string; job: string }, table: string) =>
    (await tableInPoint(vault.connectionString, run, table)).entities;
  const live = (table: string) => rawEntities(source.connectionString, table);
  const fill = (name: string, entities: TableEntity[]) => seed(source.connectionString, name, entities);
  return { source, vault, proxy, app: await start(), start, dataDir, reads, held, live, fill };
}

describe.concurrent('backing up tables under faults', () => {
  it('a backup repeats requests whose answers are busy, failed, lost or cut off, and misses no entity', async () => {
    const at = await stage();
    await at.fill('orders', rows(300));
    await at.fill('logs', rows(30, 'q'));
    const half = (body: Buffer) => body.subarray(0, Math.floor(body.length / 2));
    const ways: ((response: ProxiedResponse) => ProxiedResponse | typeof DROP)[] = [
      () => tableRefusal(503, 'ServerBusy'),
      () => tableRefusal(500, 'InternalError'),
      () => DROP,
      (response) => ({
        ...response,
        body: half(Buffer.from(response.body)),
        announced: Buffer.byteLength(response.body),
      }),
      // The announced length is that of the half.
      (response) => ({ ...response, body: half(Buffer.from(response.body)) }),
    ];
    let seen = 0;
    let struck = 0;
    at.proxy.rules.push({
      match: (request) => (at.reads('orders')(request) || at.reads('logs')(request)) && ++seen % 3 === 0,
      after: (_, response) => ways[struck++ % ways.length]!(response),
    });
    const report = await at.app.run({ mode: 'full' });
    expect(report, show(report)).toMatchObject({
      status: 'succeeded',
      counts: { listed: 330, copied: 330, failed: 0 },
    });
    expect(struck).toBeGreaterThan(2 * ways.length);
    for (const table of ['orders', 'logs']) expect(await at.held(report, table)).toEqual(await at.live(table));
    await tableOf(at.source.connectionString, 'orders').deleteEntity('p', '0007');
    await tableOf(at.source.connectionString, 'orders').createEntity({ partitionKey: 'p', rowKey: 'new' });
    expect(await at.app.run({ mode: 'incremental' })).toMatchObject({
      status: 'succeeded',
      counts: { listed: 331, copied: 1, unchanged: 330 },
    });
    await at.app.host.stop();
    await at.proxy.stop();
  });

  it('I1: a table that the app may not read is named with the role it needs, and the others are complete', async () => {
    const at = await stage();
    await at.fill('orders', rows(120));
    await at.fill('logs', rows(3, 'q'));
    at.proxy.rules.push({
      match: at.reads('logs'),
      answer: () => tableRefusal(403, 'AuthorizationPermissionMismatch'),
    });
    const report = await at.app.run({ mode: 'full' });
    expect(report, show(report)).toMatchObject({
      status: 'completed-with-failures',
      counts: { listed: 120, copied: 120 },
      problems: [{ code: 'access-denied-source', container: 'table.logs', count: 0 }],
    });
    expect(report.problems[0]!.hint).toContain('Storage Table Data Reader');
    expect(await at.held(report, 'orders')).toEqual(await at.live('orders'));
    at.proxy.rules.length = 0;
    const retry = await at.app.retry(report.id);
    expect(retry, show(retry)).toMatchObject({ status: 'succeeded', counts: { listed: 3, copied: 3 } });
    for (const table of ['orders', 'logs']) expect(await at.held(retry, table)).toEqual(await at.live(table));
    await at.app.host.stop();
    await at.proxy.stop();
  });

  it('a table that is deleted during the backup is named, and other tables are complete', async () => {
    const at = await stage();
    await at.fill('orders', rows(300));
    await at.fill('logs', rows(30, 'q'));
    let reads = 0;
    at.proxy.rules.push({
      match: (request) => at.reads('orders')(request) && ++reads === 4,
      before: async () => {
        await tableOf(at.source.connectionString, 'orders').deleteTable();
      },
    });
    const report = await at.app.run({ mode: 'full' });
    expect(report, show(report)).toMatchObject({
      status: 'completed-with-failures',
      problems: [{ code: 'table-not-found', container: 'table.orders', count: 0 }],
    });
    expect(await at.held(report, 'logs')).toEqual(await at.live('logs'));
    const point = (await at.app.call('GET', `/api/restore-points/${report.id}`)).body;
    expect(point.lacks).toMatchObject({ tables: ['orders'] });
    await at.app.host.stop();
    await at.proxy.stop();
  });

  it('I1: a key range that cannot be read is named after three attempts, and a retry reads it alone', async () => {
    const at = await stage({
      job: { source: { account: 'SOURCE', tables: ['orders'] }, destination: { account: 'VAULT' } },
    });
    await at.fill('orders', [...rows(120, 'a'), ...rows(40, 'z')]);
    const full = await at.app.run({ mode: 'full' });
    expect(full.status).toBe('succeeded');
    await tableOf(at.source.connectionString, 'orders').updateEntity(
      { partitionKey: 'a', rowKey: '0000', n: -1 },
      'Replace',
    );
    // The service is busy for every answer with entities of one partition.
    at.proxy.rules.push({
      match: at.reads('orders'),
      after: (_, response) =>
        String(response.body).includes('"PartitionKey":"z"') ? tableRefusal(503, 'ServerBusy') : response,
    });
    const report = await at.app.ended(await at.app.start({ mode: 'full' }), 110);
    expect(report, show(report)).toMatchObject({ status: 'completed-with-failures' });
    expect(report.problems.map(({ code, container }) => [code, container])).toEqual([['throttled', 'table.orders']]);
    const point = await tableInPoint(at.vault.connectionString, report, 'orders');
    const lost = point.segments.filter(({ status }) => status === 'failed');
    expect(lost.length).toBe(report.counts.failed);
    expect(lost.length).toBeGreaterThan(0);
    expect(point.entities.get('a/0000')).toMatchObject({ n: [undefined, '-1'] });
    at.proxy.rules.length = 0;
    at.proxy.requests.length = 0;
    const retry = await at.app.retry(report.id);
    expect(retry, show(retry)).toMatchObject({ status: 'succeeded', counts: { failed: 0, listed: 160 } });
    expect(retry.counts.copied).toBe(160 - point.entities.size);
    expect(await at.held(retry, 'orders')).toEqual(await at.live('orders'));
    // The retry reads only what was lost.
    for (const request of at.proxy.requests.filter(at.reads('orders'))) {
      expect(request.query.get('$filter'), request.url).toMatch(/PartitionKey (?:gt|eq) '/);
    }
    await at.app.host.stop();
    await at.proxy.stop();
  });

  it('F28: a backup that is killed at any moment continues and holds every entity once', async () => {
    const at = await stage();
    await at.fill('orders', [...rows(150, 'a'), ...rows(600, 'b')]);
    await at.fill('logs', []);
    at.proxy.rules.push({
      match: ({ service, method }) => service === 'table' && method === 'GET',
      before: () => sleep(60),
    });
    const random = new Random('kills');
    let room = at.app;
    for (const mode of ['full', 'incremental']) {
      const id = await room.start({ mode });
      for (let kill = 0; kill < 3; kill++) {
        await sleep(random.between(50, 500));
        await room.host.kill();
        room = await at.start();
      }
      const report = await room.ended(id);
      expect(report, show(report)).toMatchObject({ id, status: 'succeeded', counts: { listed: 750, failed: 0 } });
      for (const table of ['orders', 'logs']) expect(await at.held(report, table)).toEqual(await at.live(table));
    }
    await room.host.stop();
    await at.proxy.stop();
  });

  it.each(['first', 'second', 'soonest', 'in-turn'])(
    'F28: a backup whose activities all execute twice (%s answers) is the same as in order',
    async (answers) => {
      const at = await stage({ twice: answers });
      await at.fill('orders', [...rows(20, 'a'), ...rows(160, 'b')]);
      await at.fill('logs', rows(3, 'q'));
      const orders = tableOf(at.source.connectionString, 'orders');
      // Another writer adds an entity before each page: no two executions see the same.
      let written = 0;
      at.proxy.rules.push({
        match: at.reads('orders'),
        times: 40,
        before: async () => {
          await orders.createEntity({ partitionKey: 'a', rowKey: `0000-${++written}` });
        },
      });
      const busy = await at.app.run({ mode: 'full' });
      expect(busy, show(busy)).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
      expect((await at.held(busy, 'orders')).size).toBe(
        busy.containers.find(({ container }) => container === 'table.orders')!.counts.listed,
      );
      at.proxy.rules.length = 0;
      const next = await at.app.run({ mode: 'incremental' });
      expect(next, show(next)).toMatchObject({ status: 'succeeded', counts: { listed: 183 + written } });
      for (const table of ['orders', 'logs']) expect(await at.held(next, table)).toEqual(await at.live(table));
      for (const rowKey of ['0001', '0100']) await orders.updateEntity({ partitionKey: 'b', rowKey, n: -1 }, 'Replace');
      await orders.createEntity({ partitionKey: 'c', rowKey: '1' });
      const report = await at.app.run({ mode: 'incremental' });
      expect(report, show(report)).toMatchObject({
        status: 'succeeded',
        counts: { listed: 184 + written, copied: 3, unchanged: 181 + written },
      });
      for (const table of ['orders', 'logs']) expect(await at.held(report, table)).toEqual(await at.live(table));
      await at.app.host.stop();
      await at.proxy.stop();
    },
  );

  it('I9: no key or signature is left in files, parts, journal or logs when the service echoes requests', async () => {
    const at = await stage({}, ({ name, key }, connection) => {
      const sas = generateAccountSASQueryParameters(
        {
          expiresOn: new Date(Date.now() + 3_600_000),
          permissions: AccountSASPermissions.parse('rl'),
          resourceTypes: AccountSASResourceTypes.parse('sco').toString(),
          services: AccountSASServices.parse('bt').toString(),
          protocol: SASProtocol.HttpsAndHttp,
        },
        new StorageSharedKeyCredential(name, key),
      );
      const part = (each: string) => new RegExp(`${each}=([^;]*)`).exec(connection)![0];
      return `${part('BlobEndpoint')};${part('TableEndpoint')};SharedAccessSignature=${sas}`;
    });
    await at.fill('orders', rows(60));
    await at.fill('logs', rows(3, 'q'));
    let signature = '';
    at.proxy.rules.push({
      match: at.reads('logs'),
      answer: (request) => {
        signature = request.query.get('sig') ?? '';
        const { status, headers } = tableRefusal(400, 'InvalidInput');
        const value = `Refused: http://127.0.0.1${request.url} (sig=${signature})`;
        return {
          status,
          headers,
          body: JSON.stringify({ 'odata.error': { code: 'InvalidInput', message: { value } } }),
        };
      },
    });
    const report = await at.app.run({ mode: 'full' });
    expect(report, show(report)).toMatchObject({ status: 'completed-with-failures', counts: { copied: 60 } });
    expect(signature.length).toBeGreaterThan(20);
    // Otherwise the report would contain nothing of the answer.
    expect(report.problems[0]!.message).toContain('Refused: http');
    const texts = [
      at.app.host.output(),
      JSON.stringify(report),
      JSON.stringify((await at.app.call('GET', '/api/runs')).body),
    ];
    for (const file of readdirSync(at.dataDir, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) texts.push(readFileSync(join(file.parentPath, file.name), 'latin1'));
    }
    const control = BlobServiceClient.fromConnectionString(at.vault.connectionString).getContainerClient('strongroom');
    for (const name of await controlNames(at.vault.connectionString)) {
      const body = await control.getBlobClient(name).downloadToBuffer();
      texts.push(name, (name.endsWith('.gz') ? gunzipSync(body) : body).toString());
    }
    expect(texts.length).toBeGreaterThan(10);
    const secrets = [at.source.key, at.vault.key, signature].flatMap((each) => [
      each,
      encodeURIComponent(each),
      each.slice(0, 20),
    ]);
    for (const secret of secrets) expect(texts.some((text) => text.includes(secret))).toBe(false);
    await at.app.host.stop();
    await at.proxy.stop();
  });
});
