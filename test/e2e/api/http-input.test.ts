import http from 'node:http';
import { tmpdir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAsContracted } from '../../support/app/contract.ts';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';

interface Asked {
  method: string;
  /** As it goes over the wire: nothing resolves dot segments or encodes anything. */
  path: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
}

interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

let app: Strongroom;
/** Runs that ended well, one of each job. */
let run: string;
let other: string;
let sent = 0;

const agent = new http.Agent({ keepAlive: true, maxSockets: 6 });

function send({ method, path, body, headers }: Asked): Promise<Reply> {
  sent++;
  const { hostname, port } = new URL(app.host.url);
  const chunked = headers !== undefined && 'transfer-encoding' in headers;
  const length = body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const request = http.request(
      { agent, hostname, port, method, path, headers: { ...length, ...headers } },
      (answer) =>
        buffer(answer).then(
          (text) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: text.toString() }),
          reject,
        ),
    );
    request.on('error', reject).end(body);
  });
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** What would tell of this machine or of the code: paths, stack traces, modules. */
const LEAKS = [root, tmpdir(), process.execPath, 'node_modules', 'node:internal', '.cjs', '.ts:'];

async function answersTo(asked: Asked[]): Promise<{ each: Asked; reply: Reply }[]> {
  return Promise.all(asked.map(async (each) => ({ each, reply: await send(each) })));
}

/** As in Azure, the host has no words for a route that the app does not have. */
async function expectNoRoute(asked: Asked[]): Promise<void> {
  for (const { each, reply } of await answersTo(asked)) {
    expect({ ...each, status: reply.status, text: reply.text }).toEqual({ ...each, status: 404, text: '' });
  }
}

/** Sends them all, and looks at each answer: a problem with a code and something to go by, never a failure of ours. */
async function expectProblems(asked: Asked[], statuses: number[], codes: string[]): Promise<void> {
  for (const { each, reply } of await answersTo(asked)) {
    const about = `${each.method} ${each.path.slice(0, 120)} ${String(each.body ?? '').slice(0, 80)} → ${reply.text.slice(0, 300)}`;
    expect(statuses, about).toContain(reply.status);
    expect(reply.headers['content-type'], about).toBe('application/problem+json');
    const problem = JSON.parse(reply.text);
    expectAsContracted(each.method, each.path, reply.status, problem);
    expect(problem, about).toMatchObject({
      status: reply.status,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(codes, about).toContain(problem.code);
    // What to do: in words of its own, option by option, or in the sentence that says what is wrong.
    expect(`${problem.hint ?? ''}${problem.errors ? 'errors' : ''}${problem.detail}`.length, about).toBeGreaterThan(10);
    for (const leak of LEAKS) expect(reply.text.includes(leak), `${leak} in ${about}`).toBe(false);
    expect(reply.text, about).not.toMatch(/\n\s+at |\bat \S+ \(/);
  }
}

beforeAll(async () => {
  const [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  const container = await makeContainer(source.connectionString, 'data');
  for (const name of ['a', 'b', 'c']) await container.getBlockBlobClient(name).upload(name, 1);
  const job = (name: string) => ({
    name,
    source: { account: 'SOURCE', containers: ['data'] },
    destination: { account: 'VAULT', container: `{container}-${name}` },
  });
  app = await startStrongroom({
    source: source.connectionString,
    vault: vault.connectionString,
    jobs: [job('nightly'), job('weekly')],
  });
  run = (await app.run()).id;
  other = (await app.run({}, 'weekly')).id;
});

afterAll(async () => {
  agent.destroy();
  await app.host.stop();
});

const start = (body: string | Buffer, headers?: Record<string, string>): Asked => ({
  method: 'POST',
  path: '/api/jobs/nightly/runs',
  body,
  ...(headers && { headers }),
});

const cancel = (body: string | Buffer): Asked => ({ method: 'POST', path: `/api/runs/${run}/cancel`, body });

describe('the API refuses', () => {
  test('a body that is not JSON', async () => {
    const bodies = [
      '{',
      '}',
      '[',
      '"',
      "'",
      '{"mode"',
      '{"mode":',
      '{"mode":}',
      '{"mode":"full"',
      '{"mode":"full",}',
      '{mode:1}',
    ];
    bodies.push(
      '{"mode":full}',
      'mode=full',
      '<xml/>',
      'undefined',
      'NaN',
      '-',
      '1e',
      '0x10',
      '"\\u12"',
      '{"a":1}}',
      '[1,]',
    );
    bodies.push(
      '{"a":1} {"b":2}',
      '// none\n{}',
      '/* none */{}',
      '{"mode":"full"}\u0000',
      '\u0000',
      '{"a":"\n"}',
      '\ud83d',
    );
    bodies.push(
      '{'.repeat(100_000),
      '['.repeat(100_000),
      `${'{"a":'.repeat(50_000)}1`,
      `"${'x'.repeat(900_000)}`,
      'x'.repeat(1_000_000),
    );
    const binary = [
      Buffer.from([0xff, 0xfe, 0x7b, 0, 0x7d, 0]),
      Buffer.from([0x1f, 0x8b, 8, 0]),
      Buffer.alloc(1000, 0xc0),
    ];
    const types = [
      'application/json',
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'a',
      'application/json; charset=utf-32',
    ];
    await expectProblems(
      [
        ...[...bodies, ...binary].flatMap((body) => [start(body), cancel(body)]),
        ...types.map((type) => start('{"mode"', { 'content-type': type })),
      ],
      [400],
      ['body-not-json'],
    );
  });

  test('a body that is JSON, but not of the expected form', async () => {
    const values: unknown[] = [null, 0, 1.5, true, '', 'full', [], [{}], [{ mode: 'full' }]];
    for (const mode of [
      null,
      0,
      '',
      'FULL',
      'full ',
      'retry',
      'none',
      [],
      ['full'],
      {},
      { full: true },
      true,
      'x'.repeat(100_000),
    ]) {
      values.push({ mode });
    }
    for (const dryRun of [null, 0, 1, 'true', 'false', '', [], {}, [true]]) values.push({ mode: 'full', dryRun });
    for (const name of [
      '',
      'Mode',
      'mode ',
      'dry_run',
      'job',
      'container',
      'constructor',
      'prototype',
      'toString',
      'x'.repeat(100_000),
    ]) {
      values.push({ mode: 'full', [name]: 1 });
    }
    const forces = [null, 0, 1, 'true', '', [], {}];
    const texts = values.map((value) => JSON.stringify(value));
    texts.push('{"__proto__":{"mode":"full"}}', '{"mode":"full","__proto__":null}', '{"mode":"full","mode":"none"}');
    // A parser would keep the last value.
    texts.push('{"dryRun":true,"dryRun":false}', '{"force":true,"force":false}');
    texts.push(
      `{"mode":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      `{"mode":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
    );
    texts.push(`{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":0`).join(',')}}`);
    await expectProblems(
      [
        ...texts.map((text) => start(text)),
        ...texts.map(cancel),
        ...forces.map((force) => cancel(JSON.stringify({ force }))),
      ],
      [400],
      ['body-invalid'],
    );
  });

  test('a body that is too large', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 0x20);
    const paths = [
      '/api/jobs/nightly/runs',
      '/api/catalog/rebuild',
      `/api/runs/${run}/cancel`,
      `/api/runs/${run}/retry`,
    ];
    const chunked = { 'transfer-encoding': 'chunked' };
    await expectProblems(
      paths.flatMap((path) => [
        { method: 'POST', path, body: large },
        { method: 'POST', path, body: large, headers: chunked },
      ]),
      [413],
      ['body-too-large'],
    );
  });

  test('random bodies', async () => {
    // An option that there is not makes each of them wrong, whatever else is in it.
    const bodies = fc.sample(fc.dictionary(fc.string(), fc.jsonValue()), { numRuns: 60, seed: 3 });
    await expectProblems(
      bodies.map((body) => start(JSON.stringify({ ...body, unheard: true }))),
      [400],
      ['body-invalid'],
    );
  });

  test('jobs and runs that do not exist', async () => {
    const names = ['unknown', 'NIGHTLY', 'nightly%20', '..%2f..%2fetc%2fpasswd', 'nightly%2f..', '%00', 'nightly%00'];
    names.push(
      '%0d%0aSet-Cookie:x',
      '*',
      '%3Cscript%3E',
      'constructor',
      '__proto__',
      'toString',
      "'%20or%201%20eq%201",
      '%F0%9F%98%80',
    );
    names.push(
      'x'.repeat(8_000),
      'nightly-20261121T000000Z-aaaaaa',
      'nightly-99999999T999999Z-aaaaaa',
      'ghost-20261121T000000Z-aaaaaa',
    );
    names.push(
      'nightly-20261121T000000Z-AAAAAA',
      'strongroom',
      '%5c..%5cx',
      '%e2%80%ae',
      'null',
      'undefined',
      '0',
      '-1',
      '{id}',
      '$root',
    );
    names.push(
      `${run.slice(0, -1)}%00`,
      `${run}%2f`,
      `%2e%2e%2f${run}`,
      `${run}x`,
      run.toUpperCase(),
      `a${run}`,
      `${run}%0a`,
    );
    const asked = names.flatMap((name): Asked[] => [
      { method: 'POST', path: `/api/jobs/${name}/runs`, body: '{}' },
      { method: 'GET', path: `/api/runs/${name}` },
      { method: 'GET', path: `/api/runs/${name}/outcomes` },
      { method: 'POST', path: `/api/runs/${name}/cancel` },
      { method: 'POST', path: `/api/runs/${name}/retry` },
    ]);
    await expectProblems(asked, [404], ['job-not-found', 'run-not-found']);
  });

  test('paths without a route', async () => {
    const paths = [
      '/api',
      '/api/',
      '/api/job',
      '/api/jobs/nightly/run',
      '/api/jobs//runs',
      '/api/run',
      '/api/runs/a/b/c',
      '/api/runs/../outcomes/x',
      '/index.html',
    ];
    paths.push(
      '/api/../api/nothing',
      '//api/runs',
      '/api//runs',
      '/api/health/x',
      '/api/openapi',
      '/.env',
      '/local.settings.json',
    );
    paths.push(
      '/strongroom.json',
      '/runtime/webhooks/durabletask/instances',
      '/admin/functions/startRun/keys',
      '/api/catalog',
    );
    await expectNoRoute(
      paths.flatMap((path) => [
        { method: 'GET', path },
        { method: 'POST', path, body: '{}' },
      ]),
    );
  });

  test('names with what looks like the encoding of a character, and is none', async () => {
    await expectProblems(
      ['%', '%zz', '%ff', '%2', 'a%2Fb', '%252f'].flatMap((name) => [
        { method: 'GET', path: `/api/runs/${name}` },
        { method: 'POST', path: `/api/jobs/${name}/runs`, body: '{}' },
      ]),
      [404],
      ['run-not-found', 'job-not-found'],
    );
  });

  test('methods that a path does not have', async () => {
    const known: [string, string][] = [
      ['POST', '/api/jobs/nightly/runs'],
      ['GET', '/api/runs'],
      ['GET', `/api/runs/${run}`],
      ['GET', `/api/runs/${run}/outcomes`],
      ['POST', `/api/runs/${run}/cancel`],
      ['POST', `/api/runs/${run}/retry`],
      ['POST', '/api/catalog/rebuild'],
      ['GET', '/api/health'],
      ['GET', '/api/health/details'],
      ['GET', '/api/live'],
      ['GET', '/api/whoami'],
      ['GET', '/api/openapi.json'],
    ];
    const asked = known.flatMap(([right, path]) =>
      ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE']
        .filter((method) => method !== right)
        .map((method) => ({ method, path })),
    );
    await expectNoRoute(asked);
  });

  test('wrong queries', async () => {
    const limits = [
      '0',
      '-1',
      '1e9',
      'NaN',
      'Infinity',
      '-Infinity',
      '1.5',
      'ten',
      '1,2',
      '999999999999999999999',
      '0x',
      '%00',
      '[]',
      '%7B%7D',
      '1%20000',
    ];
    const queries = [
      'unknown=1',
      'limit=5&limit=6',
      'LIMIT=5',
      '__proto__x=1',
      'constructor=1',
      'cursor=a&unknown=1',
      'limit%00=1',
      '%20=1',
    ];
    queries.push(...limits.map((limit) => `limit=${limit}`));
    await expectProblems(
      [
        ...queries.map((query) => ({ method: 'GET', path: `/api/runs?${query}` })),
        ...queries.map((query) => ({ method: 'GET', path: `/api/runs/${run}/outcomes?${query}` })),
        ...['running', 'COPIED', 'copied,failed', '__proto__', '%00', 'x'.repeat(5_000)].map((status) => ({
          method: 'GET',
          path: `/api/runs/${run}/outcomes?status=${status}`,
        })),
        { method: 'GET', path: `/api/runs/${run}/outcomes?status=copied&status=failed` },
        ...['cancel', 'retry'].map((verb) => ({
          method: 'POST',
          path: `/api/runs/${run}/${verb}?force=true`,
          body: '{}',
        })),
        { method: 'GET', path: '/api/runs?limit=501' },
        { method: 'GET', path: `/api/runs/${run}/outcomes?limit=5001` },
      ],
      [400],
      ['query-invalid'],
    );
  });

  test('cursors that it did not issue', async () => {
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const cursors = [
      'x',
      '0',
      '-1.0',
      '1',
      '1.',
      '.1',
      '1.x',
      '0x1.0',
      '1e3.0',
      '9999999999.0',
      '0.9999999999',
      '%00',
      '..',
      '%F0%9F%98%80',
      'x'.repeat(6_000),
    ];
    const wrong = [
      { VAULT: 1 },
      { VAULT: null },
      { VAULT: 'x' },
      { SOURCE: 'x' },
      { OTHER: 'x' },
      [['VAULT', 'x']],
      'VAULT',
    ];
    const token = (value: unknown) => ({ VAULT: Buffer.from(JSON.stringify(value)).toString('base64url') });
    wrong.push(
      token({}) as never,
      token(null) as never,
      token({ nextPartitionKey: 1 }) as never,
      token({ nextPartitionKey: 'a', nextRowKey: 1 }) as never,
    );
    const list = JSON.parse((await send({ method: 'GET', path: '/api/runs?limit=1' })).text).next as string;
    expect(list).toEqual(expect.any(String));
    await expectProblems(
      [
        ...[...cursors, ...wrong.map(encoded), '0.1'].map((cursor) => ({
          method: 'GET',
          path: `/api/runs?cursor=${cursor}`,
        })),
        ...[...cursors, ...wrong.map(encoded), list].map((cursor) => ({
          method: 'GET',
          path: `/api/runs/${run}/outcomes?cursor=${cursor}`,
        })),
      ],
      [400],
      ['cursor-invalid'],
    );
  });

  test('cursors without content', async () => {
    const cursors = [{}, [], 5, true, { VAULT: '' }].map((value) =>
      Buffer.from(JSON.stringify(value)).toString('base64url'),
    );
    await expectProblems(
      cursors.map((cursor) => ({ method: 'GET', path: `/api/runs?cursor=${cursor}` })),
      [400],
      ['cursor-invalid'],
    );
  });

  test('no odd filter: a valid filter without matches finds nothing', async () => {
    const values = [
      "'",
      "''",
      "'%20or%20'1'%20eq%20'1",
      '%00',
      '%0a',
      '%F0%9F%98%80',
      '%EF%BF%BF',
      'x'.repeat(3_000),
      'a,b',
      '__proto__',
      '%ff',
      '..',
      '*',
      '%25',
    ];
    for (const value of values) {
      const runs = await send({ method: 'GET', path: `/api/runs?job=${value}` });
      expect([runs.status, JSON.parse(runs.text).code], value).toEqual([404, 'job-not-found']);
      const items = await send({ method: 'GET', path: `/api/runs/${run}/outcomes?container=${value}` });
      expect([items.status, items.text], value).toEqual([200, '{"items":[],"next":null,"total":0}']);
    }
  });

  test('requests that the state of a run does not allow', async () => {
    await expectProblems(
      [run, other].flatMap((id) =>
        ['cancel', 'retry'].map((verb) => ({ method: 'POST', path: `/api/runs/${id}/${verb}`, body: '{}' })),
      ),
      [409],
      ['run-ended', 'nothing-to-retry'],
    );
  });

  test('nothing afterwards: the app still works', async () => {
    const { runs } = (await app.call('GET', '/api/runs')).body as unknown as { runs: { id: string; status: string }[] };
    expect(runs.map(({ id, status }) => [id, status]).sort()).toEqual(
      [run, other].map((id) => [id, 'succeeded']).sort(),
    );
    expect((await app.call('GET', '/api/health')).status).toBe(200);
    expect(await app.outcomes(run)).toHaveLength(3);
    expect(await app.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded', counts: { unchanged: 3 } });
    expect(app.host.output()).not.toContain('activity-failed');
    expect(sent).toBeGreaterThanOrEqual(300);
    console.log(`${sent} requests`);
  });
});
