import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostProcess, startHost } from '../support/app/host-process.ts';

/**
 * One test for each fact about the Functions host that an app can notice. The facts were observed with Functions host
 * 4.1037, Node worker 3.9.1 and Durable extension 3.19.0, unless their test says that they were read in its source.
 */
const APP = fileURLToPath(new URL('../support/app/fixture-app', import.meta.url));
const KEY = '0123456789 is long and random';

let directory: string;
let host: HostProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'strongroom-contract-'));
  const env = { NIGHTLY: '0 0 0 1 1 *', STRONGROOM_KEY: KEY };
  host = await startHost({ cwd: directory, dataDir: join(directory, 'data'), args: ['--app', APP], env });
});

afterAll(async () => {
  await host?.kill();
  rmSync(directory, { recursive: true, force: true });
});

interface Reply {
  status: number;
  text: string;
}

/** Sends the path as it is: nothing resolves or encodes anything. */
function ask(method: string, path: string, { headers = { 'x-functions-key': KEY }, body = Buffer.alloc(0) } = {}) {
  return new Promise<Reply>((resolve, reject) => {
    request(host.url, { method, path, headers: { ...headers, 'content-length': body.length } }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
    })
      .once('error', reject)
      .end(body);
  });
}

const NOTHING: Reply = { status: 404, text: '' };
const json = async (path: string) => JSON.parse((await ask('GET', path)).text);
const start = (name: string, id: string, input: object) =>
  ask('POST', `/api/start/${name}?id=${id}`, { body: Buffer.from(JSON.stringify(input)) });
const statusOf = async (id: string) => (await json(`/api/instances/${id}`)).runtimeStatus as string;
const becomes = (id: string, status: string) => expect.poll(() => statusOf(id), { timeout: 15_000 }).toBe(status);

describe('HTTP', () => {
  test('a verb that a route does not have is answered with 404 and nothing', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) expect(await ask(method, '/api/hello/world')).toEqual(NOTHING);
    expect(await ask('GET', '/api/crash')).toEqual(NOTHING);
  });

  test('HEAD and OPTIONS are verbs like others: a route that does not name them does not have them', async () => {
    expect(await ask('HEAD', '/api/hello/world')).toEqual(NOTHING);
    expect(await ask('OPTIONS', '/api/hello/world')).toEqual(NOTHING);
  });

  test('a path that no route has is answered with 404 and nothing', async () => {
    expect(await ask('GET', '/api/nothing')).toEqual(NOTHING);
  });

  test('a call without the key, or with a wrong one, is answered with 401 and nothing', async () => {
    expect(await ask('GET', '/api/hello/world', { headers: {} as never })).toEqual({ status: 401, text: '' });
    const headers = { 'x-functions-key': 'wrong' };
    expect(await ask('GET', '/api/hello/world', { headers })).toEqual({ status: 401, text: '' });
  });

  test('the header with the key reaches the function', async () => {
    expect((await json('/api/hello/x/y')).key).toBe(KEY);
  });

  test('a key in the address reaches the function', async () => {
    const { text: answer } = await ask('GET', `/api/hello/x/y?code=${encodeURIComponent(KEY)}`, {
      headers: {} as never,
    });
    expect(JSON.parse(answer).query).toEqual([['code', KEY]]);
  });

  test('an encoded slash stays encoded in a parameter', async () => {
    expect((await json('/api/hello/a%2Fb/c%2fd')).params).toEqual({ name: 'a%2Fb', rest: 'c%2fd' });
  });

  test('every other encoded character is decoded in a parameter', async () => {
    expect((await json('/api/hello/%C3%B6%20%25/x')).params.name).toBe('ö %');
  });

  test('what is not the encoding of a character reaches the function as it is (read)', async () => {
    expect((await json('/api/hello/%zz%ff/x')).params.name).toBe('%zz%ff');
  });

  test('an empty segment is no parameter, and two slashes are not one', async () => {
    for (const path of ['//api/hello/world', '/api//hello/world', '/api/start//']) {
      expect(await ask('POST', path), path).toEqual(NOTHING);
    }
  });

  test('the case of a path does not matter', async () => {
    expect(await ask('GET', '/API/Hello/World')).toEqual({ status: 200, text: 'the literal route' });
  });

  test('a body of 5 MB reaches the function', async () => {
    const { text: answer } = await ask('POST', '/api/hello/x/y', { body: Buffer.alloc(5 * 1024 * 1024) });
    expect(JSON.parse(answer)).toMatchObject({ length: 5 * 1024 * 1024 });
  });
});

describe('Durable Functions', () => {
  test('an orchestrator does not see in its history what its activities got, and they get it', async () => {
    expect((await start('fanOut', 'history', { count: 2 })).status).toBe(202);
    await becomes('history', 'Completed');
    const { history } = await json('/api/given/history');
    const scheduled = history.filter(({ EventType }: { EventType: number }) => EventType === 4);
    expect(scheduled).toMatchObject([
      { Name: 'square', EventId: 0, Input: null },
      { Name: 'square', EventId: 1, Input: null },
    ]);
    expect((await json('/api/instances/history')).output).toEqual({ sum: 1, count: 2 });
  });

  test('an orchestrator is given its parent and its source, both null for one that a client starts', async () => {
    await start('nap', 'alone', { ms: 1 });
    await becomes('alone', 'Completed');
    const { instanceId, parentInstanceId, sourceInstanceId, input } = await json('/api/given/alone');
    expect({ instanceId, parentInstanceId, sourceInstanceId, input }).toEqual({
      instanceId: 'alone',
      parentInstanceId: null,
      sourceInstanceId: null,
      input: { ms: 1 },
    });
  });

  test('a generation after continueAsNew has no history of those before', async () => {
    await start('countDown', 'generations', { left: 3, sum: 0 });
    await becomes('generations', 'Completed');
    const { history, input } = await json('/api/given/generations');
    expect(history.map(({ EventType }: { EventType: number }) => EventType)).toEqual([12, 0]);
    expect(input).toEqual({ left: 0, sum: 14 });
  });

  test('the client binding names the connection and the base address', async () => {
    const binding = await json('/api/binding');
    expect(binding).toMatchObject({
      taskHubName: expect.any(String),
      connectionName: expect.any(String),
      httpBaseUrl: expect.stringMatching(/^http:\/\//),
      rpcBaseUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/),
    });
  });

  test('of six starts with one id at the same time, one is accepted', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => start('nap', 'race', { ms: 60_000 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409, 409]);
  });

  test('an id whose instance has ended starts anew, and replaces it', async () => {
    await start('nap', 'again', { ms: 1 });
    await becomes('again', 'Completed');
    expect((await start('nap', 'again', { ms: 60_000 })).status).toBe(202);
    await becomes('again', 'Running');
    expect((await json('/api/instances/again')).input).toEqual({ ms: 60_000 });
  });

  test('a terminated orchestration leaves its sub-orchestrations alone', async () => {
    await start('parentOfNap', 'parent', { ms: 1_500 });
    await becomes('parent', 'Running');
    expect((await ask('POST', '/api/instances/parent/terminate')).status).toBe(202);
    await becomes('parent', 'Terminated');
    await becomes('child-of-parent', 'Completed');
    expect(await statusOf('parent')).toBe('Terminated');
  });
});

/** What our host cannot show, by the words that `docs/design.md` has for it, and where the app is shown it anyway. */
const DIFFERENCES: Record<string, string> = {
  'The worker dies while the host lives: every activity in flight throws': 'test/e2e/backup/interrupted.test.ts',
  'An activity above the time limit of functions ends those beside it': 'test/e2e/backup/interrupted.test.ts',
  'A killed host leaves its work items invisible for a minute': 'test/e2e/backup/crash.test.ts',
  'A timer fires some milliseconds before its time': 'test/unit/functions/run-on-schedule.test.ts',
  'A timer goes by the time zone of its machine': 'test/unit/functions/run-on-schedule.test.ts',
  'Activities are served in their order': 'nothing',
  'Several instances answer, and share the queues': 'test/e2e/backup/signs-of-life.test.ts',
  'The start page is at `/`': 'nothing',
  'A path with `%00` is answered with 400': 'nothing',
  'A body above 100 MB is answered with 500 and nothing': 'nothing',
  'A management API below `/admin` and `/runtime`': 'nothing',
};

describe('what our host does not do', () => {
  const root = new URL('../../', import.meta.url);
  const page = readFileSync(new URL('docs/design.md', root), 'utf8');
  const [, section = ''] = page.split('### Differences from the Functions host');
  const rows = [...section.matchAll(/^\| (.+) \| (.+) \| (.+) \|$/gm)].slice(2);

  test('is documented, with the test that shows it to the app', () => {
    const shownBy = (cell = '') => /\(\.\.\/(.+)\)/.exec(cell)?.[1] ?? cell;
    expect(Object.fromEntries(rows.map(([, what, , shown]) => [what, shownBy(shown)]))).toEqual(DIFFERENCES);
  });

  test('is shown by tests that exist', () => {
    const named = Object.values(DIFFERENCES).filter((file) => file !== 'nothing');
    expect(named.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  });
});
