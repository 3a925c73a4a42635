import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUNS } from '../../support/app/canned-answers.ts';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

const KEY = 'a-key-that-nobody-may-see';
const WHO = {
  ...{ name: 'ci', via: 'key', roles: ['operator'], may: ['status', 'read'], signOut: null },
  ...{ instance: 'production', version: '0.1.0' },
};

let app: CannedApp;
let folder: string;
beforeAll(async () => {
  app = await cannedApp(() => ({ body: WHO }));
  folder = mkdtempSync(join(tmpdir(), 'strongroom-sign-in-'));
  writeFileSync(join(folder, 'key'), `${KEY}\n`);
});
afterAll(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

/** What the app got in its last request. */
const sent = () => app.asked.at(-1)!.headers;

describe('the key', () => {
  it.each([
    ['of STRONGROOM_KEY', [], { STRONGROOM_KEY: KEY }, ''],
    ['of a file', ['--key-file', 'key'], {}, ''],
    ['of standard input', ['--key', '-'], {}, `${KEY}\n`],
    ['of a file, before STRONGROOM_KEY', ['--key-file', 'key'], { STRONGROOM_KEY: 'another-key' }, ''],
  ])('%s is sent, and never printed', async (_, more, env, stdin) => {
    const { code, stdout, stderr } = await commandLine(['context', ...more], {
      ...{ env: { STRONGROOM_URL: app.url, ...env }, stdin, cwd: folder },
    });
    expect(code).toBe(0);
    expect(sent()['x-functions-key']).toBe(KEY);
    expect(stdout + stderr).not.toContain(KEY);
    expect(stdout).toContain('production 0.1.0: you are ci');
  });

  it.each([
    ['a file that is not there', ['--key-file', 'none'], {}, 'The file of the key cannot be read'],
    ['an empty file', ['--key', '-'], {}, 'There is no key in standard input'],
    [
      'more than a line',
      [],
      { STRONGROOM_KEY: `${KEY}\nx` },
      'There is no key in the environment variable STRONGROOM_KEY',
    ],
  ])('of %s is an error that does not repeat it', async (_, more, env, words) => {
    const before = app.asked.length;
    const options = { env: { STRONGROOM_URL: app.url, ...env }, cwd: folder };
    const { code, stdout, stderr } = await commandLine(['context', ...more], options);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stdout + stderr).not.toContain(KEY);
    expect(app.asked).toHaveLength(before);
  });

  it.each([
    '//other.example/api/runs',
    '/\\other.example/api',
    'http://other.example/api/runs',
    '@other.example',
    'C:/Program Files/Git/api/runs',
  ])('is not sent to %s', async (path) => {
    const before = app.asked.length;
    const { code, stderr } = await commandLine(['api', 'GET', path], {
      env: { STRONGROOM_URL: app.url, STRONGROOM_KEY: KEY },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('is not a path of the app');
    expect(app.asked).toHaveLength(before);
  });

  it('is sent to a path without its slash, which some shells would take for a file', async () => {
    await commandLine(['api', 'GET', 'api/runs?limit=1'], { env: { STRONGROOM_URL: app.url } });
    expect(app.asked.at(-1)!.url).toBe('/api/runs?limit=1');
  });

  it('on standard input is not waited for after Ctrl-C', async () => {
    const options = { env: { STRONGROOM_URL: app.url }, interrupted: AbortSignal.timeout(20), isStdinOpen: true };
    expect((await commandLine(['context', '--key', '-'], options)).code).toBe(130);
  });

  it('does not follow a redirect', async () => {
    const other = await cannedApp(() => ({ body: WHO }));
    const redirecting = await cannedApp(() => ({
      status: 307,
      headers: { location: `${other.url}/api/whoami?x=${KEY}` },
    }));
    try {
      const env = { STRONGROOM_URL: redirecting.url, STRONGROOM_KEY: KEY };
      const { code, stdout, stderr } = await commandLine(['context'], { env });
      expect(code).toBe(69);
      expect(stderr).toContain(`answers HTTP 307 and points to ${other.url}.`);
      expect(stdout + stderr).not.toContain(KEY);
      expect(other.asked).toEqual([]);
    } finally {
      await Promise.all([other.stop(), redirecting.stop()]);
    }
  });

  it('does not go over a network without TLS', async () => {
    const { code, stderr } = await commandLine(['context', '--url', 'http://192.0.2.1'], {
      env: { STRONGROOM_KEY: KEY },
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('192.0.2.1 has no TLS')]);
  });
});

describe('contexts', () => {
  it('keep addresses and ways to sign in, are used, and removed', async () => {
    const env = { XDG_CONFIG_HOME: folder, MY_KEY: KEY };
    const line = (...argv: string[]) => commandLine(argv, { env });
    const file = join(folder, 'strongroom/config.json');
    expect(await line('context', 'add', 'here', '--url', `${app.url}/`, '--key-env', 'MY_KEY')).toMatchObject({
      ...{ code: 0, stdout: `here  ${app.url}  the key in the environment variable MY_KEY  (current)\n` },
    });
    await line('context', 'add', 'prod', '--url', 'https://p.example', '--resource', 'api://1');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      current: 'here',
      contexts: {
        here: { url: app.url, signIn: { way: 'key-env', name: 'MY_KEY' } },
        prod: { url: 'https://p.example', signIn: { way: 'entra', resource: 'api://1' } },
      },
    });
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o077).toBe(0);
    const shown = await line('context');
    expect(shown.stdout).toContain(`${app.url}  from the current context "here"`);
    expect(sent()['x-functions-key']).toBe(KEY);
    expect((await line('context', 'list', '--quiet')).stdout).toBe('here\nprod\n');
    expect((await line('context', 'use', 'prod')).code).toBe(0);
    expect((await line('context', 'list')).stdout).toMatch(/^\* +prod /m);
    expect((await line('context', 'remove', 'prod')).code).toBe(0);
    expect((await line('context', 'use', 'prod')).stderr).toContain('it has here');
    rmSync(join(folder, 'strongroom'), { recursive: true });
  });

  it.each([
    [['--url', 'https://a.example?code=x'], 'has a user, a query'],
    [['--url', 'http://a.example'], 'has no TLS'],
    [[], '--url is required'],
    [['--url', 'https://a.example', '--app', 'func'], '--group is required'],
    [['--url', 'https://a.example', '--app', 'f', '--group', 'g', '--resource', 'r'], 'Choose one'],
    [['--url', 'https://a.example', '--key-file', '-'], 'needs a file of its own'],
  ])('with %j are refused', async (more, words) => {
    const { code, stderr } = await commandLine(['context', 'add', 'x', ...more], { env: { XDG_CONFIG_HOME: folder } });
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  it('in a file that is none are an error, unless an address is given', async () => {
    const home = mkdtempSync(join(folder, 'home-'));
    mkdirSync(join(home, 'strongroom'));
    writeFileSync(join(home, 'strongroom/config.json'), '{"contexts": {"a": {"url": 7}}}');
    const env = { XDG_CONFIG_HOME: home };
    const broken = await commandLine(['context'], { env });
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('is not a file of contexts')]);
    expect((await commandLine(['context', '--url', app.url], { env })).code).toBe(0);
  });
});

it('a file of contexts that cannot be written is named', async () => {
  const env = { XDG_CONFIG_HOME: join(folder, 'key') };
  const { code, stderr } = await commandLine(['context', 'add', 'x', '--url', 'https://x.example'], { env });
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(join(folder, 'key'))]);
  expect([2, 74]).toContain(code);
});

describe.runIf(process.platform !== 'win32')('the Azure CLI', () => {
  /** A program in its place, which keeps its arguments. */
  function azure(script: string) {
    const bin = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(bin, 'az'), `#!/bin/sh\necho "$@" > "${bin}/args"\n${script}\n`);
    chmodSync(join(bin, 'az'), 0o755);
    return { PATH: `${bin}:/usr/bin:/bin`, BIN: bin };
  }
  const context = (signIn: object, url = app.url) => {
    const home = mkdtempSync(join(folder, 'home-'));
    const config = { current: 'a', contexts: { a: { url, signIn } } };
    mkdirSync(join(home, 'strongroom'));
    writeFileSync(join(home, 'strongroom/config.json'), JSON.stringify(config));
    return { XDG_CONFIG_HOME: home };
  };

  it('gives the function key', async () => {
    const env = { ...azure(`echo ${KEY}`), ...context({ way: 'function-key', app: 'func-x', group: 'rg-x' }) };
    const { code, stdout, stderr } = await commandLine(['context'], { env });
    expect(code).toBe(0);
    expect(sent()['x-functions-key']).toBe(KEY);
    expect(stdout + stderr).not.toContain(KEY);
    expect(readFileSync(join(env.BIN, 'args'), 'utf8').trim()).toBe(
      'functionapp keys list --name func-x --resource-group rg-x --query functionKeys.default --output tsv',
    );
  });

  it('gives a token', async () => {
    const env = { ...azure('echo abc.def'), ...context({ way: 'entra', resource: 'api://1' }) };
    expect((await commandLine(['context'], { env })).code).toBe(0);
    expect(sent().authorization).toBe('Bearer abc.def');
  });

  it.each([
    ['is not signed in', 'echo "ERROR: Please run az login" >&2; exit 1', 'Please run az login'],
    ['answers nothing', 'exit 0', 'its answer is empty'],
  ])('that %s is an error with what to do', async (_, script, words) => {
    const env = { ...azure(script), ...context({ way: 'entra', resource: 'api://1' }) };
    const { code, stderr } = await commandLine(['context'], { env });
    expect([code, stderr]).toEqual([12, expect.stringContaining(words)]);
  });

  it('that is not there is an error with what to do', async () => {
    const env = { PATH: folder, ...context({ way: 'entra', resource: 'api://1' }) };
    const { code, stderr } = await commandLine(['context'], { env });
    expect([code, stderr]).toEqual([12, expect.stringContaining('the Azure CLI (az) is not installed')]);
  });

  it('that hangs ends with Ctrl-C', async () => {
    const env = { ...azure('sleep 60'), ...context({ way: 'entra', resource: 'api://1' }) };
    const { code, stderr } = await commandLine(['context'], { env, interrupted: AbortSignal.timeout(150) });
    expect([code, stderr]).toEqual([130, expect.stringContaining('Interrupted')]);
  });

  it.each([
    ['of this app', '127.0.0.1', 0],
    ['of another one', 'func-x.azurewebsites.net', 12],
  ])('gives a key for the address of a folder, if it is %s', async (_, host, code) => {
    const cwd = mkdtempSync(join(folder, 'cloned-'));
    mkdirSync(join(cwd, '.azure/dev'), { recursive: true });
    writeFileSync(join(cwd, '.azure/config.json'), '{"defaultEnvironment": "dev"}');
    const values = `STRONGROOM_URL="${app.url}"\nSTRONGROOM_FUNCTION_APP="func-x"\nAZURE_RESOURCE_GROUP="rg-x"\n`;
    writeFileSync(join(cwd, '.azure/dev/.env'), values);
    const env = azure(`case "$2" in show) echo ${host};; *) echo ${KEY};; esac`);
    const before = app.asked.length;
    const found = await commandLine(['context'], { env, cwd });
    expect(found.code).toBe(code);
    expect(app.asked).toHaveLength(before + (code === 0 ? 1 : 0));
    if (code === 0) expect(sent()['x-functions-key']).toBe(KEY);
    else expect(found.stderr).toContain(`names ${app.url}, but func-x is at https://${host}. Its key was not sent.`);
  });

  it('is asked again for a token that has ended meanwhile, once', async () => {
    const answers = [200, 401, 200, 401, 401];
    const expiring = await cannedApp(() => {
      const status = answers.shift()!;
      return status === 200 ? { body: { ...RUNS, next: 'more' } } : { status, body: '' };
    });
    try {
      const env = {
        ...azure('echo "$(date +%N)"'),
        ...context({ way: 'entra', resource: 'api://1' }, expiring.url),
      };
      expect((await commandLine(['runs', 'list', '--all'], { env })).code).toBe(12);
      const tokens = expiring.asked.map(({ headers }) => headers.authorization);
      expect(tokens).toHaveLength(5);
      expect(new Set(tokens).size).toBe(3);
    } finally {
      await expiring.stop();
    }
  });

  it.each(['api://1; rm -rf /', '--debug'])(
    'gets no argument %s that a shell or itself would read',
    async (resource) => {
      const env = { ...azure('echo x'), ...context({ way: 'entra', resource }) };
      const { code, stderr } = await commandLine(['context'], { env });
      expect([code, stderr]).toEqual([2, expect.stringContaining('is no name that the Azure CLI can be given')]);
    },
  );
});
