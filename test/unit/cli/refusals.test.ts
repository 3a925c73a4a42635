import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { errorsOf } from '#api/error.ts';
import type { Operation } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { parseCommandLine } from '../../../cli/command/parse.ts';
import { COMMANDS } from '../../../cli/commands/index.ts';
import { asCommands } from '../../../cli/connect/hints.ts';
import { exitCodeOfAnswer } from '../../../host/exit-codes.ts';
import { RUNNING } from '../../support/app/canned-answers.ts';
import { type CannedAnswer, type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

const SRC = join(import.meta.dirname, '../../../src');

let app: CannedApp;
let answer: CannedAnswer;
const env = () => ({ STRONGROOM_URL: app.url });

beforeAll(async () => {
  app = await cannedApp((call) => (call.startsWith('GET /api/runs/') ? { body: RUNNING } : answer));
});
afterAll(() => app.stop());

const codes = [
  ...new Set(
    Object.values<Operation>(OPERATIONS).flatMap((operation) =>
      Object.entries(errorsOf(operation)).flatMap(([status, of]) => of.map((code) => `${status} ${code}`)),
    ),
  ),
  ...[
    '502 access-denied-destination',
    '502 authentication-failed',
    '502 server-error',
    '503 unreachable',
    '503 throttled',
  ],
  '503 misconfigured',
];

describe('a refusal of the API', () => {
  it.each(codes)('%s is explained, and has its exit code', async (text) => {
    const [status = '', code = ''] = text.split(' ');
    const problem = { type: `urn:strongroom:problem:${code}`, title: 'A title', status: Number(status), code };
    const body = {
      ...problem,
      detail: 'What happened',
      hint: 'What to do',
      ...(code === 'run-in-progress' && { run: 'x' }),
    };
    answer = { status: Number(status), body };
    const people = await commandLine(['jobs', 'list'], { env: env() });
    expect(people).toMatchObject({ code: exitCodeOfAnswer(Number(status), code), stdout: '' });
    expect(people.stderr).toContain('A title: What happened\n');
    expect(people.stderr).toContain('What to do\n');
    const script = await commandLine(['jobs', 'list', '--json'], { env: env() });
    expect(script).toMatchObject({ code: people.code, stdout: JSON.stringify(body) });
  });

  it('has the codes of the table', () => {
    const of = (text: string) => exitCodeOfAnswer(Number(text.slice(0, 3)), text.slice(4));
    expect(new Set(codes.map(of))).toEqual(new Set([1, 8, 11, 12, 14, 65, 69]));
  });

  it('names each wrong field', async () => {
    const errors = [{ path: 'query.limit', message: 'this must be a whole number from 1 to 500' }];
    answer = { status: 400, body: { title: 'Wrong query', status: 400, code: 'query-invalid', detail: 'x', errors } };
    const { stderr } = await commandLine(['runs', 'list'], { env: env() });
    expect(stderr).toContain('  query.limit: this must be a whole number');
  });

  it('because of a run in progress says how far that is', async () => {
    const detail = `Run ${RUNNING.id} is in progress`;
    answer = {
      status: 409,
      body: { title: 'Conflict', status: 409, code: 'run-in-progress', detail, run: RUNNING.id },
    };
    const { code, stderr } = await commandLine(['runs', 'start', 'nightly', '--mode', 'incremental'], { env: env() });
    expect(code).toBe(11);
    expect(stderr).toContain(`In progress: ${RUNNING.id}  backup  ████████████░░░░░░░░  62 %  copying  3,101 of about`);
    expect(stderr).toContain(`strongroom runs watch ${RUNNING.id}`);
  });

  it('without a sign-in says what was sent where, and which ways there are', async () => {
    answer = {
      status: 401,
      body: { title: 'Sign-in needed', status: 401, code: 'sign-in-needed', detail: 'x', ways: ['entra', 'key'] },
    };
    const { code, stderr } = await commandLine(['runs', 'list'], { env: env() });
    expect(code).toBe(12);
    expect(stderr).toContain(`No key was sent to ${app.url}. The app takes a sign-in with Microsoft Entra or a key.`);
    const key = 'secret-secret-secret';
    const withKey = await commandLine(['runs', 'list'], { env: { ...env(), STRONGROOM_KEY: key } });
    expect(withKey.stderr).toContain('Sent was the key in the environment variable STRONGROOM_KEY');
    expect(withKey.stderr + withKey.stdout).not.toContain(key);
  });

  it.each([
    ['a platform, without a body', 401, '', 12, 'HTTP 401, without a body'],
    [
      'a proxy, with a page',
      502,
      '<html>Bad gateway\x1b[31m</html>',
      69,
      'HTTP 502: <html>Bad gateway\\u001b[31m</html>',
    ],
    ['an app without the call', 404, '', 8, 'This app does not have this call'],
  ])('may come from %s', async (_, status, body, code, words) => {
    answer = { status, body };
    const found = await commandLine(['runs', 'list'], { env: env() });
    expect(found.code).toBe(code);
    expect(found.stderr).toContain(words);
  });

  it.each([
    { errors: 7, ways: 'key', hint: 7, run: [] },
    { errors: [null, { path: 1 }], ways: ['constructor', 7], containers: [{}] },
  ])('with fields of another kind is one, too: %j', async (more) => {
    for (const status of [401, 409]) {
      answer = { status, body: { title: 'A title', code: 'run-in-progress', ...more } };
      const { code, stderr } = await commandLine(['runs', 'list'], { env: env() });
      expect([code, stderr]).toEqual([status === 401 ? 12 : 11, expect.stringContaining('A title\n')]);
      expect(stderr).not.toMatch(/undefined|Unexpected/);
    }
  });

  it('is on one line, whatever it has', async () => {
    answer = { status: 409, body: { title: 'A title', code: 'x', detail: 'no\nsucceeded', hint: 'a\u001b[2Jb' } };
    const { stderr } = await commandLine(['runs', 'list'], { env: env() });
    expect(stderr).toBe('A title: no\\u000asucceeded\na\\u001b[2Jb\n');
  });

  it('lists what there is to choose from', async () => {
    const containers = ['images', 'a\nb'];
    answer = { status: 400, body: { title: 'Which one?', code: 'container-missing', containers } };
    expect((await commandLine(['runs', 'list'], { env: env() })).stderr).toContain('\n  images, a\\u000ab\n');
  });

  it('of a page that is no answer of an app is one, too', async () => {
    answer = { body: '<html>Welcome</html>' };
    const { code, stderr } = await commandLine(['runs', 'list'], { env: env() });
    expect(code).toBe(69);
    expect(stderr).toContain('something else than Strongroom has answered');
  });
});

describe('an app that does not answer', () => {
  it('is named, with why it was called and what to do', async () => {
    const gone = await cannedApp(() => undefined);
    await gone.stop();
    const { code, stdout, stderr } = await commandLine(['runs', 'list', '--url', gone.url]);
    expect([code, stdout]).toEqual([69, '']);
    expect(stderr).toContain(`Cannot reach ${gone.url}: nothing listens at this address`);
    expect(stderr).toContain('The address is from the option --url');
    expect(stderr).toContain('STRONGROOM_URL');
  });
});

/** Calls of hints that no command makes. */
const WITHOUT_COMMAND = /^(?:GET \/api\/health\/details|POST \/api\/catalog\/rebuild)\b/;

describe('hints', () => {
  // Those of all problems, and every other text of the app that names a call, with ids in the place of its values.
  const inSource = ['functions', 'domain', 'activities', 'app'].flatMap((layer) =>
    readdirSync(join(SRC, layer), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => readFileSync(join(SRC, layer, file), 'utf8').split('\n'))
      .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line) && !line.includes('written:'))
      .flatMap((line) => line.match(/\b(?:GET|POST) \/api\/[^`']*/g) ?? [])
      .map((call) => call.replace(/\$?\{\w[\w.]*\}/g, 'x-1')),
  );
  const hints = [
    ...new Set([...Object.values(PROBLEMS).map(({ hint }) => hint.replace(/\{(?:id|job)\}/g, 'x-1')), ...inSource]),
  ];
  expect(inSource.length).toBeGreaterThan(30);

  test.each(hints.map((hint) => [hint] as const))('%s names commands, and each can be parsed', (hint) => {
    const text = asCommands(hint);
    for (const [, call] of text.matchAll(/\b((?:GET|POST) \/api\/\S+)/g)) expect(call).toMatch(WITHOUT_COMMAND);
    const lines = text.matchAll(
      /strongroom ((?!api )[a-z](?:[^.,;:)]|(?<=…)\.)*?)(?=[.,;:)"]|$| and | with | names | lists | says )/g,
    );
    for (const [, line] of lines) expect(() => parseCommandLine(line!.trim().split(' '), COMMANDS), line).not.toThrow();
    expect(text).not.toMatch(/"(?:existing|restorePoint|target\.\w+)"|[Ss]pecify "/);
  });

  it.each([
    ['Retry: POST /api/runs/x-1/retry.', 'Retry: strongroom runs retry x-1.'],
    ['Look into GET /api/runs?job=nightly, or', 'Look into strongroom runs list --job nightly, or'],
    [
      'List them: GET /api/runs/x/outcomes?status=no-longer-held.',
      'List them: strongroom runs outcomes x --status no-longer-held.',
    ],
    ['or start a full run: POST /api/jobs/a/runs.', 'or start a full run: strongroom runs start a --mode full.'],
    ['or start it: POST /api/jobs/a/runs.', 'or start it: strongroom runs start a.'],
    ['end the run: POST /api/runs/x/cancel with {"force": true}.', 'end the run: strongroom runs cancel x --force.'],
    ['POST /api/catalog/rebuild writes it', 'strongroom api POST /api/catalog/rebuild writes it'],
    ['GET /api/restore-points.', 'strongroom points list.'],
    ['POST /api/restore-points/x/hold', 'strongroom points hold x --reason TEXT'],
    ['POST /api/runs/x/cancel ends it', 'strongroom runs cancel x ends it'],
    ['See GET /api/blobs/history.', 'See strongroom history CONTAINER NAME.'],
    ['Several; specify "job"', 'Several; specify --job'],
    ['Specify x as "restorePoint"; or', 'Specify x with --point; or'],
    ['Choose "existing": "skip", or "target.container"', 'Choose --existing "skip", or --to'],
    ['No call here.', 'No call here.'],
  ])('%s is %s', (hint, expected) => expect(asCommands(hint)).toBe(expected));
});

it('a restore point without a brake has none to stay: the app says so, and nothing is asked', async () => {
  const points = await cannedApp((call) =>
    call.startsWith('GET')
      ? { body: { brake: null } }
      : { status: 409, body: { code: 'no-brake', title: 'No brake', detail: 'Restore point x has no safety brake' } },
  );
  const { code, stderr } = await commandLine(['points', 'release', 'x'], { env: { STRONGROOM_URL: points.url } });
  await points.stop();
  expect([code, stderr]).toEqual([8, expect.stringContaining('has no safety brake')]);
  expect(stderr).not.toContain('stays');
});
