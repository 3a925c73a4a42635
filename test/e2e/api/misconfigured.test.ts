import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { HostDidNotStart, startHost } from '../../support/app/host-process.ts';
import { copyApp, type ServedApp, serveApp } from '../../support/app/served-app.ts';

const KEY = Buffer.alloc(64, 'secret key of the account').toString('base64');
const account = (name: string) =>
  `DefaultEndpointsProtocol=https;AccountName=${name};AccountKey=${KEY};EndpointSuffix=core.windows.net`;
const ACCOUNTS = { SOURCE: account('shopdata'), VAULT: account('shopvault') };
const JOB = {
  name: 'nightly',
  schedule: '0 30 23 * * *',
  source: { account: 'SOURCE', containers: ['*'] },
  destination: { account: 'VAULT', container: '{container}backup' },
};

interface Case {
  /** The file `strongroom.json`; none if absent. */
  file?: string | object;
  env?: Record<string, string>;
  /** What is wrong, one for each problem. */
  problems: string[];
}

const withJob = (change: object): object => ({ jobs: [{ ...JOB, ...change }] });

const CASES: Record<string, Case> = {
  'no strongroom.json': { problems: ['this file does not exist'] },
  'a name of a file that does not exist': {
    env: { STRONGROOM_CONFIG: 'elsewhere.json' },
    problems: ['STRONGROOM_CONFIG names this file, and it does not exist'],
  },
  'a file that cannot be read': { env: { STRONGROOM_CONFIG: '.' }, problems: ['the file cannot be read'] },
  'broken JSON': { file: '{ "jobs": [', problems: ['line 1, column'] },
  'a file that is no object': { file: '[]', problems: ['the whole file'] },
  'wrong types and unknown options': {
    file: withJob({ mode: 'sometimes', methd: 'sync' }),
    problems: ['jobs[0].mode', 'methd'],
  },
  'nothing to do': { file: { jobs: [] }, problems: ['the configuration has nothing to do'] },
  'an unknown alias': {
    file: withJob({ destination: { account: 'VALUT', container: '{container}backup' } }),
    problems: ['the account "VALUT" has no app setting'],
  },
  'neither SOURCE nor VAULT': {
    file: { jobs: [JOB] },
    env: { SOURCE: '', VAULT: '' },
    problems: ['the account "SOURCE" has no app setting', 'the account "VAULT" has no app setting'],
  },
  'a SOURCE that is garbage': {
    file: { jobs: [JOB] },
    env: { SOURCE: `x${KEY}` },
    problems: ['the app setting "SOURCE"'],
  },
  'a VAULT whose key is cut off': {
    file: { jobs: [JOB] },
    env: { VAULT: ACCOUNTS.VAULT.replace(KEY, KEY.slice(0, 9)) },
    problems: ['the app setting "VAULT"'],
  },
  'a bad schedule and a bad time zone': {
    file: withJob({ schedule: '61 * * * * *', timeZone: 'Mars/Olympus' }),
    problems: ['jobs[0].schedule', 'jobs[0].timeZone'],
  },
  'one account as source and vault': {
    file: { jobs: [JOB] },
    env: { VAULT: ACCOUNTS.SOURCE },
    problems: ['the destination is inside the source'],
  },
  'a placeholder without its app setting': {
    file: withJob({ schedule: '%NIGHTLY%' }),
    problems: ['refers to the app setting "NIGHTLY", which is not set'],
  },
  'a connection string of Application Insights that is none': {
    file: { jobs: [JOB] },
    env: { APPLICATIONINSIGHTS_CONNECTION_STRING: 'x' },
    problems: ['needs InstrumentationKey'],
  },
  'connections and settings that only the host reads': {
    file: {
      jobs: [JOB],
      archives: [
        {
          name: 'uploads',
          source: { account: 'SOURCE', container: 'incoming' },
          destination: { account: 'VAULT', container: '{container}archive' },
          events: { queue: 'uploads', queueAccount: 'UPLOAD' },
        },
      ],
    },
    env: { STRONGROOM_HUB: ' strongroom' },
    problems: ['archives[0].events.queueAccount', '"STRONGROOM_HUB" has blanks around its value'],
  },
  'broken limits': { file: { jobs: [JOB] }, env: { STRONGROOM_LIMITS: '{' }, problems: ['this is not JSON'] },
  'a broken file and broken limits': {
    file: withJob({ mode: 'sometimes' }),
    env: { STRONGROOM_LIMITS: '{"copyMs":0}' },
    problems: ['jobs[0].mode', 'copyMs'],
  },
};

const directories: string[] = [];
let app: string;

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-misconfigured-'));
  directories.push(directory);
  return directory;
}

function directoryOf({ file }: Pick<Case, 'file'>): string {
  const directory = temporary();
  const text = typeof file === 'object' ? JSON.stringify(file) : file;
  if (text !== undefined) writeFileSync(join(directory, 'strongroom.json'), text);
  return directory;
}

beforeAll(() => {
  app = copyApp();
  directories.push(app);
});

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** The routes of an app, as the host sees them. */
function routesOf({ functions }: ServedApp): { route: string; methods: string[]; authLevel: string; name: string }[] {
  return functions.flatMap(({ name, bindings }) => {
    const trigger = Object.values(bindings).find(({ type }) => type === 'httpTrigger');
    if (!trigger) return [];
    const { route, methods, authLevel } = trigger as unknown as { route: string; methods: string[]; authLevel: string };
    return [{ name, route, methods, authLevel }];
  });
}

interface Problem {
  status: number;
  code: string;
  detail: string;
  problems: number;
  errors: { path: string; message: string }[];
}

/** Calls every route, and checks that all answer with all problems, or with their number where no key is needed. */
async function expectAnswers(served: ServedApp, problems: string[]): Promise<void> {
  const routes = routesOf(served).filter(({ route }) => route.startsWith('api/'));
  expect(routes.length).toBeGreaterThan(20);
  for (const { route, methods, authLevel } of routes) {
    const address = `${served.url}/${route.replaceAll(/\{\w+\}/g, 'any')}`;
    const answer = await fetch(address, { method: methods[0]! });
    const text = await answer.text();
    const body = JSON.parse(text) as Problem;
    expect([answer.status, body.code, body.problems], address).toEqual([503, 'misconfigured', problems.length]);
    if (authLevel === 'anonymous') {
      for (const problem of problems) expect(text).not.toContain(problem);
      continue;
    }
    expect(body.errors).toHaveLength(problems.length);
    for (const problem of problems) {
      expect(body.detail).toContain(problem);
      expect(body.errors.map(({ path, message }) => `${path}: ${message}`).join('\n')).toContain(problem);
    }
    expect(text).not.toMatch(/\n +at |c2VjcmV0/);
  }
}

describe.each(Object.entries(CASES))('%s', (_, { file, env = {}, problems }) => {
  it('is answered by every route and logged as an error', async () => {
    const served = await serveApp(app, { ...ACCOUNTS, ...env }, () =>
      directoryOf({ ...(file !== undefined && { file }) }),
    );
    try {
      await expectAnswers(served, problems);
      const lines = served
        .log()
        .split('\n')
        .filter((line) => line.includes(' misconfigured '));
      // More than one if the minute of the timer has just come.
      expect(lines.length).toBeGreaterThan(0);
      expect(lines[0]).toMatch(/^\S+ error misconfigured \{/);
      const { message, problems: count } = JSON.parse(lines[0]!.slice(lines[0]!.indexOf('{')));
      expect(count).toBe(problems.length);
      for (const problem of problems) expect(message).toContain(problem);
    } finally {
      await served.stop();
    }
  });
});

test('a misconfigured app has the routes of a valid one, under their names, and a timer', async () => {
  const valid = await serveApp(app, ACCOUNTS, () => directoryOf({ file: { jobs: [JOB] } }));
  await valid.stop();
  const broken = await serveApp(app, ACCOUNTS, () => directoryOf({}));
  await broken.stop();
  expect(routesOf(broken)).toEqual(routesOf(valid));
  expect(valid.functions.map(({ name }) => name)).not.toContain('misconfigured');
  const [timer, ...others] = broken.functions.filter(
    ({ name }) => !routesOf(broken).some((each) => each.name === name),
  );
  expect([timer!.name, others]).toEqual(['misconfigured', []]);
  const [trigger] = Object.values(timer!.bindings);
  expect(trigger).toMatchObject({ type: 'timerTrigger', schedule: '0 */5 * * * *', runOnStartup: true });
});

test('a start that fails for another reason is answered and logged in the same way', async () => {
  const gone = () => {
    const directory = temporary();
    process.chdir(directory);
    rmdirSync(directory);
    return '.';
  };
  const served = await serveApp(app, ACCOUNTS, gone);
  await expectAnswers(served, ['uv_cwd']);
  expect(served.log()).toMatch(/ error misconfigured .*uv_cwd/);
  await served.stop();
});

test('an app without one of its files is answered and logged in the same way', async () => {
  const half = copyApp({ without: ['dist/applicationinsights.cjs'] });
  directories.push(half);
  const env = {
    ...ACCOUNTS,
    APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=00000000-0000-0000-0000-000000000001',
  };
  const served = await serveApp(half, env, () => directoryOf({ file: { jobs: [JOB] } }));
  await expectAnswers(served, ['applicationinsights.cjs']);
  await served.stop();
});

test.each([[[]], [['--once', 'nightly']]])('on one machine, the start ends with every problem: %j', async (args) => {
  const directory = directoryOf({ file: withJob({ mode: 'sometimes', schedule: 'never' }) });
  const ended = await startHost({ cwd: directory, args: ['--app', app, ...args], env: ACCOUNTS }).catch(
    (error: unknown) => error,
  );
  expect(ended).toBeInstanceOf(HostDidNotStart);
  const { exitCode, output } = ended as HostDidNotStart;
  expect(exitCode).toBe(2);
  for (const place of ['jobs[0].mode', 'jobs[0].schedule']) expect(output).toContain(place);
  expect(output).not.toMatch(/\n +at /);
});
