import { gunzipSync, gzipSync } from 'node:zlib';
import { TableClient, type TableEntity } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let source: TestAccount;
let vault: TestAccount;
let app: Strongroom;
let proxy: FaultProxy;
let control: ContainerClient;
/** Two runs with a failure each, a run of another job, and a dry run. */
let first: string;
let run: string;
let dry: string;
let foreign: string;

const original = async (path: string) => {
  const client = control.getBlockBlobClient(path);
  const { metadata = {}, contentEncoding, contentType } = await client.getProperties();
  return { path, body: await client.downloadToBuffer(), metadata, contentEncoding, contentType };
};

type Original = Awaited<ReturnType<typeof original>>;

const put = (object: Original, body = object.body) =>
  control.getBlockBlobClient(object.path).upload(body, body.length, {
    metadata: object.metadata,
    blobHTTPHeaders: {
      ...(object.contentType && { blobContentType: object.contentType }),
      ...(object.contentEncoding && { blobContentEncoding: object.contentEncoding }),
    },
  });

async function find(pattern: RegExp): Promise<Original> {
  for await (const { name } of control.listBlobsFlat()) if (pattern.test(name)) return original(name);
  throw new Error(`Nothing matches ${pattern}`);
}

const ndjson = (...lines: unknown[]) => gzipSync(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);

/** 16 MiB, in 16 KiB. */
const BLANKS = gzipSync(Buffer.alloc(16 * 1024 * 1024, 0x20));

/** A part without one of its lines, whose end fits the rest: valid in itself. */
function withoutALine(body: Buffer): Buffer {
  const lines = gunzipSync(body).toString().trimEnd().split('\n');
  const { end } = JSON.parse(lines.at(-1)!) as { end: { items: number } };
  const kept = lines.slice(0, -1).filter((line) => !line.includes('"leased"'));
  return ndjson(...kept.map((line) => JSON.parse(line)), { end: { ...end, items: kept.length } });
}

/** Ways in which stored bytes can be damaged. `other` is an object of the same kind. */
function damages({ body }: Original, other: Original): [string, Buffer][] {
  const flipped = Buffer.from(body);
  flipped[Math.floor(body.length / 2)]! ^= 0xff;
  const common: [string, Buffer][] = [
    ['emptied', Buffer.alloc(0)],
    ['cut after a byte', body.subarray(0, 1)],
    ['cut in the middle', body.subarray(0, body.length / 2)],
    ['without its last two bytes', body.subarray(0, -2)],
    ['garbage', Buffer.from('\u0000\ufffd garbage <html>'.repeat(20))],
    ['zeros', Buffer.alloc(body.length)],
    ['of another', other.body],
  ];
  if (body[0] === 0x1f) {
    return [
      ...common,
      ['with a byte flipped', flipped],
      ['twice in a row', Buffer.concat([body, body])],
      ['without a line', withoutALine(body)],
      ['a list of nothing', ndjson({ end: { items: 0 } })],
      ['a list of null', ndjson(null, { end: { items: 1 } })],
      ['a list of numbers', ndjson(1, 'x', [], { end: { items: 3 } })],
      ['a list with an end of null', ndjson({ end: null })],
      ['a list without an end', ndjson({ name: 'a' })],
      ['another count', ndjson({ name: 'a', status: 'copied' }, { end: { items: 2 } })],
      ['256 MiB of blanks', Buffer.concat(Array.from({ length: 16 }, () => BLANKS))],
    ];
  }
  return [
    ...common,
    ...['null', '5', '"text"', '[]', '{}', '{"format":2}', '{"run":5}'].map((text): [string, Buffer] => [
      text,
      Buffer.from(text),
    ]),
  ];
}

beforeAll(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  for (const container of ['data', 'other']) {
    const client = await makeContainer(source.connectionString, container);
    for (const name of ['a', 'b', 'c', 'leased'])
      await client.getBlockBlobClient(name).upload(container + name, container.length + name.length);
  }
  const backup = await makeContainer(vault.connectionString, 'databackup');
  const leased = backup.getBlockBlobClient('leased');
  await leased.upload('something else', 14);
  await leased.getBlobLeaseClient().acquireLease(-1);
  control = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  const job = (name: string, container: string) => ({
    name,
    source: { account: 'SOURCE', containers: [container] },
    destination: { account: 'VAULT', container: '{container}backup' },
  });
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    jobs: [job('nightly', 'data'), job('weekly', 'other')],
    limits: { retryDelayMs: 10 },
  });
  first = (await app.run()).id;
  run = (await app.run({ mode: 'incremental' })).id;
  dry = (await app.run({ dryRun: true })).id;
  foreign = (await app.run({}, 'weekly')).id;
});

afterAll(async () => {
  await app.host.stop();
  await proxy.stop();
});

const steady = ({ status, body }: Answer) => JSON.stringify([status, body]);

/**
 * Damages an object in every way and sends these requests. Each answer is the same as before, or a problem that names
 * the object and says what to do; never an internal error, and never another answer.
 */
async function expectHonest(object: Original, other: Original, asked: [method: string, path: string][]): Promise<void> {
  const before = new Map<string, string>();
  for (const [method, path] of asked) before.set(path, steady(await app.call(method, path)));
  const wrong: string[] = [];
  for (const [what, body] of damages(object, other)) {
    await put(object, body);
    for (const [method, path] of asked) {
      const answer = await app.call(method, path);
      if (steady(answer) === before.get(path)) continue;
      const { code, hint } = answer.body;
      const reported = answer.status >= 400 && answer.status !== 500 && code !== 'internal' && String(hint).length > 10;
      // A list may leave out a damaged item if it says so.
      const named = JSON.stringify(answer.body).includes(object.path);
      if (!named || !(reported || path === '/api/catalog/rebuild'))
        wrong.push(`${what}: ${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`);
    }
  }
  await put(object);
  for (const [method, path] of asked) expect(steady(await app.call(method, path)), path).toBe(before.get(path));
  expect(wrong).toEqual([]);
}

describe('every answer is correct or names the damage', () => {
  test('of a summary', async () => {
    const object = await find(new RegExp(`${run}/run.json`));
    const other = await find(new RegExp(`${first}/run.json`));
    const about = `/api/runs/${run}`;
    await expectHonest(object, other, [
      ['GET', about],
      ['GET', `${about}/outcomes`],
      ['POST', `${about}/cancel`],
      ['POST', '/api/catalog/rebuild'],
      ['GET', '/api/runs'],
    ]);
  });

  test('of a part of a manifest', async () => {
    const object = await find(new RegExp(`${run}/manifest/data/.*chunk`));
    const other = await find(new RegExp(`${first}/manifest/data/.*chunk`));
    await expectHonest(object, other, [
      ['GET', `/api/runs/${run}`],
      ['GET', `/api/runs/${run}/outcomes`],
    ]);
  });

  test('of a plan', async () => {
    const object = await find(new RegExp(`${dry}/plan/`));
    const other = await find(new RegExp(`${foreign}/plan/`));
    await expectHonest(object, other, [['GET', `/api/runs/${dry}/outcomes?status=planned`]]);
  });

  test('of a part of a manifest that is missing or has lost its counts', async () => {
    const object = await find(new RegExp(`${run}/manifest/data/.*chunk`));
    const ask = () => app.call('GET', `/api/runs/${run}/outcomes`);
    const before = steady(await ask());
    const answers: Answer[] = [];
    await control.getBlobClient(object.path).delete();
    answers.push(await ask());
    await put({ ...object, metadata: {} });
    answers.push(await ask());
    await put({ ...object, metadata: { strongroom_tally: 'damaged' } });
    answers.push(await ask());
    await put(object);
    expect(steady(await ask())).toBe(before);
    for (const answer of answers) {
      if (steady(answer) === before) continue;
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).not.toBe(500);
      expect(JSON.stringify(answer.body)).toContain(object.path);
    }
  });

  test('of a lock, and no run starts', async () => {
    const object = await find(/^locks\/nightly/);
    const other = await find(/^locks\/weekly/);
    const wrong: string[] = [];
    for (const [what, body] of damages(object, other)) {
      await put(object, body);
      const answer = await app.call('POST', '/api/jobs/nightly/runs', { mode: 'incremental' });
      if (answer.status === 202) await app.ended(answer.body.id, 20);
      const { code, hint, detail } = answer.body;
      const named = String(detail).includes(object.path) && String(hint).length > 10;
      if (answer.status < 400 || answer.status === 500 || code === 'internal' || !named) {
        wrong.push(`${what}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`);
      }
    }
    await put(object);
    expect(wrong).toEqual([]);
  });

  test('of a lock for a moment during its run, and the run continues or ends with a reason', async () => {
    proxy.rules.push({
      match: ({ headers }) => 'x-ms-copy-source' in headers,
      before: () => new Promise((resolve) => setTimeout(resolve, 1_500)),
    });
    const id = await app.start({}, 'weekly');
    await app.until(id, ({ counts }) => counts.listed > 0);
    const object = await find(/^locks\/weekly/);
    for (const text of ['', 'null', '{', 'garbage']) {
      await put(object, Buffer.from(text));
      const asked = await app.call('POST', '/api/jobs/weekly/runs');
      expect(asked.status).toBeGreaterThanOrEqual(400);
    }
    await put(object);
    proxy.rules.length = 0;
    const report = await app.ended(id);
    if (report.status !== 'succeeded') expect(report.problems).not.toEqual([]);
    expect(await app.run({ mode: 'incremental' }, 'weekly')).toMatchObject({
      status: 'succeeded',
      counts: { listed: 4 },
    });
  });

  test('of a row of the catalog', async () => {
    const table = TableClient.fromConnectionString(vault.connectionString, 'strongroom', {
      allowInsecureConnection: true,
    });
    const rows: TableEntity[] = [];
    for await (const { partitionKey, rowKey, timestamp, etag, ...columns } of table.listEntities()) {
      rows.push({ partitionKey: partitionKey!, rowKey: rowKey!, ...columns });
    }
    const row = rows.find(({ id }) => id === run)!;
    const before = steady(await app.call('GET', '/api/runs'));
    const wrong: string[] = [];
    for (const column of Object.keys(row).filter((name) => !/^(?:partitionKey|rowKey)$/.test(name))) {
      for (const value of ['', 'garbage', '{', 'null', undefined]) {
        const { [column]: _, ...rest } = row;
        await table.upsertEntity((value === undefined ? rest : { ...rest, [column]: value }) as typeof row, 'Replace');
        const listed = await app.call('GET', '/api/runs');
        // The catalog decides nothing: the list shows its rows, or asks for a rebuild.
        const reported =
          listed.status === 200 || (listed.status !== 500 && String(listed.body.hint).includes('rebuild'));
        if (!reported)
          wrong.push(`${column} = ${value}: ${listed.status} ${JSON.stringify(listed.body).slice(0, 200)}`);
      }
    }
    expect((await app.call('POST', '/api/catalog/rebuild')).status).toBe(200);
    expect(steady(await app.call('GET', '/api/runs'))).toBe(before);
    expect(wrong).toEqual([]);
  });
});

describe('after damage', () => {
  const whats = [
    'emptied',
    'cut in the middle',
    'of another',
    'without a line',
    'a list of nothing',
    'a list of numbers',
  ];

  test('a retry does not succeed with a part of a manifest that was replaced', async () => {
    const wrong: string[] = [];
    for (const what of whats) {
      const failing = await app.run({ mode: 'full' });
      expect(failing.counts.failed).toBe(1);
      const part = await find(new RegExp(`${failing.id}/manifest/data/.*chunk`));
      const other = await find(new RegExp(`${foreign}/manifest/other/.*chunk`));
      await put(part, damages(part, other).find(([name]) => name === what)![1]);
      const retry = await app.call('POST', `/api/runs/${failing.id}/retry`);
      const reported = retry.status === 202 ? await app.ended(retry.body.id) : retry.body;
      const refused = retry.status !== 202 || reported.status === 'failed';
      if (!refused || !JSON.stringify(reported).includes(part.path))
        wrong.push(`${what}: ${retry.status} ${JSON.stringify(reported).slice(0, 300)}`);
      await put(part);
    }
    expect(wrong).toEqual([]);
  });

  test('the next runs bring the vault to the state of the source and release every lock', async () => {
    const lease = BlobServiceClient.fromConnectionString(vault.connectionString)
      .getContainerClient('databackup')
      .getBlobClient('leased')
      .getBlobLeaseClient();
    await lease.breakLease(0);
    for (const job of ['nightly', 'weekly']) {
      expect(await app.run({ mode: 'incremental' }, job)).toMatchObject({
        status: 'succeeded',
        counts: { listed: 4, failed: 0 },
      });
      const lock = control.getBlobClient(`locks/${job}.json`);
      await expect.poll(async () => JSON.parse(String(await lock.downloadToBuffer().catch(() => '{}'))).run).toBe(null);
    }
    for (const container of ['data', 'other']) {
      expect(await lookInto(vault.connectionString, `${container}backup`)).toEqual(
        await lookInto(source.connectionString, container),
      );
    }
  });
});
