import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../cli/commands/index.ts';
import { completionOf } from '../../../cli/completion/complete.ts';
import { SCRIPTS } from '../../../cli/completion/scripts.ts';
import { POINTS, RUNS } from '../../support/app/canned-answers.ts';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

const main = join(import.meta.dirname, '../../../cli/main.ts');

let app: CannedApp;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strongroom-completion-'));
  app = await cannedApp((call) => {
    if (call === 'GET /api/jobs')
      return { body: { jobs: [{ name: 'nightly' }, { name: 'media' }, { name: '$(rm -rf x)' }] } };
    if (call.startsWith('GET /api/runs')) return { body: RUNS };
    return call.startsWith('GET /api/restore-points') ? { body: POINTS } : undefined;
  });
});
afterAll(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

const valuesOf = (...words: string[]) => {
  const found = completionOf(words, COMMANDS);
  return 'names' in found ? `names: ${found.names}` : found.candidates.map(({ value }) => value);
};

describe('what fits', () => {
  it('first is every noun', () => {
    expect(valuesOf('')).toEqual([...new Set(COMMANDS.map(({ path }) => path[0]))]);
  });

  it.each([
    [
      ['runs', ''],
      ['list', 'show', 'watch', 'start', 'cancel', 'retry', 'outcomes'],
    ],
    [
      ['--json', 'prune', ''],
      ['plan', 'show', 'apply'],
    ],
    [
      ['context', ''],
      ['list', 'use', 'add', 'remove'],
    ],
    [['runs', 'show', ''], 'names: run'],
    [['runs', 'start', 'ni'], 'names: job'],
    [['runs', 'start', 'nightly', ''], []],
    [
      ['runs', 'start', 'nightly', '--mode', ''],
      ['incremental', 'full', 'configured'],
    ],
    [
      ['runs', 'start', 'nightly', '--mode=in'],
      ['incremental', 'full', 'configured'],
    ],
    // As bash takes the line apart.
    [
      ['runs', 'start', 'nightly', '--mode', '='],
      ['incremental', 'full', 'configured'],
    ],
    [
      ['runs', 'start', 'nightly', '--mode', '=', 'in'],
      ['incremental', 'full', 'configured'],
    ],
    [['--context', ''], 'names: context'],
    [['points', 'hold', 'x', '--reason', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'pwsh'],
    ],
    [['archive', 'reconcile', ''], 'names: rule'],
    [['config', 'check', ''], 'names: file'],
    [['runs', 'start', '--watch', ''], 'names: job'],
    [['nothing', ''], expect.arrayContaining(['runs'])],
  ])('after %j', (words, expected) => expect(valuesOf(...words)).toEqual(expected));

  it('after a hyphen are the options of the command and of all commands', () => {
    const options = valuesOf('runs', 'start', 'nightly', '-') as string[];
    expect(options).toEqual(expect.arrayContaining(['--mode', '--watch', '--json', '--url']));
    expect(options).not.toContain('--hash');
  });
});

describe('names', () => {
  const env = () => ({ STRONGROOM_URL: app.url, XDG_CACHE_HOME: join(folder, 'cache') });
  const complete = async (words: string[], more = {}) =>
    (await commandLine(['__complete', '--', ...words], { env: { ...env(), ...more } })).stdout;

  it('come from the app, without those that a shell would run', async () => {
    expect(await complete(['runs', 'start', ''])).toBe('nightly\tjob\nmedia\tjob\n');
    expect(await complete(['runs', 'start', 'n'])).toBe('nightly\tjob\n');
    expect(await complete(['points', 'show', ''])).toBe(`${POINTS.restorePoints[0]!.id}\tpoint\n`);
  });

  it('are kept for a minute', async () => {
    const before = app.asked.length;
    const at = (time: string) =>
      commandLine(['__complete', '--', 'runs', 'show', ''], { env: env(), now: () => new Date(time) });
    expect((await at('2026-01-01T00:00:00Z')).stdout.split('\n')).toHaveLength(3);
    await at('2026-01-01T00:00:59Z');
    expect(app.asked).toHaveLength(before + 1);
    await at('2026-01-01T00:01:01Z');
    expect(app.asked).toHaveLength(before + 2);
    expect(readdirSync(join(folder, 'cache/strongroom/names')).length).toBeGreaterThan(0);
  });

  it('are none, within a second, if the app does not answer', async () => {
    const silent = await cannedApp(() => new Promise<undefined>(() => undefined));
    try {
      const begin = Date.now();
      const options = { env: { STRONGROOM_URL: silent.url } };
      const { code, stdout, stderr } = await commandLine(['__complete', '--', 'runs', 'start', ''], options);
      expect([code, stdout, stderr]).toEqual([0, '', '']);
      expect(Date.now() - begin).toBeLessThan(2_000);
    } finally {
      await silent.stop();
    }
  });

  it('are none if it refuses, and nothing is printed', async () => {
    expect(await complete(['archive', 'show', ''], { XDG_CACHE_HOME: join(folder, 'other') })).toBe('');
  });
});

const hasZsh = spawnSync('zsh', ['-c', 'true']).status === 0;
const hasFish = spawnSync('fish', ['-c', 'true']).status === 0;

describe.runIf(process.platform !== 'win32')('the script', () => {
  /** The command by its name, as a package installs it. */
  function environment() {
    const command = join(folder, 'strongroom');
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
    chmodSync(command, 0o755);
    const cache = join(folder, 'scripts');
    return { ...process.env, PATH: `${folder}:${process.env.PATH}`, STRONGROOM_URL: app.url, XDG_CACHE_HOME: cache };
  }

  const bash = (line: string) => `${SCRIPTS.bash}
COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _strongroom
printf '%s\\n' "\${COMPREPLY[@]}"`;

  // The server of this test is in this process, so the shell must not block it.
  const run = (shell: string, args: string[]) => {
    return new Promise<string>((resolve, reject) =>
      execFile(shell, args, { env: environment() }, (error, stdout, stderr) =>
        error ? reject(new Error(stderr)) : resolve(stdout),
      ),
    );
  };

  it.each([
    ['strongroom runs sta', ['start']],
    ["strongroom runs start ''", ['nightly', 'media']],
    ['strongroom runs start nightly --mode = f', ['full']],
    ['strongroom compl', ['completion']],
  ])('of bash completes %j', async (line, expected) => {
    expect((await run('bash', ['-c', bash(line)])).trim().split('\n')).toEqual(expected);
  });

  it.runIf(hasZsh)('of zsh completes', async () => {
    // Without a line editor: it prints what it would offer.
    const offers = `_describe() { shift 2; print -rl -- "\${(@P)1}" }`;
    const words = 'words=(strongroom runs sta); CURRENT=3; _strongroom';
    const found = await run('zsh', [
      '-fc',
      `autoload -U compinit; compinit -D -u; ${SCRIPTS.zsh}; ${offers}; ${words}`,
    ]);
    expect(found).toBe('start:Start a backup\n');
  });

  it.runIf(hasFish)('of fish completes', async () => {
    const found = await run('fish', ['-c', `${SCRIPTS.fish}\ncomplete -C 'strongroom runs sta'`]);
    expect(found).toContain('start');
  });

  it('is the same that the command prints', async () => {
    for (const [shell, script] of Object.entries(SCRIPTS)) {
      expect((await commandLine(['completion', shell])).stdout).toBe(script);
    }
  });
});
