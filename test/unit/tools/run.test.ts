import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const RUN = join(import.meta.dirname, '../../../tools/run.mjs');
const LOCK = '{"lockfileVersion":3}\n';
/** What tools/run.mjs notes in node_modules after an installation. */
const STAMP = createHash('sha256')
  .update(LOCK)
  .update(process.platform + process.arch)
  .digest('hex');
/** A preload that makes any Node claim to be one that is too old. */
const OLD_NODE = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });",
)}`;
/** Stands for npm: says that it ran, and empties node_modules as `npm ci` does. */
const NPM = `
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
writeFileSync('npm-ran', process.argv.slice(2).join(' '));
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules');
`;

/** Stands for a step of a task: says what it would do, and its arguments. */
const says = (what: string) => `console.log([${JSON.stringify(what)}, ...process.argv.slice(2)].join('|'));\n`;

let parent: string;
/** A project with a copy of tools/run.mjs, and beside it a folder that belongs to something else. */
let project: string;
let elsewhere: string;

beforeEach(() => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), 'strongroom-run-')));
  project = join(parent, 'project');
  elsewhere = join(parent, 'elsewhere');
  write(join(project, 'package.json'), '{"type":"module"}\n');
  write(join(project, 'package-lock.json'), LOCK);
  write(join(project, 'npm.js'), NPM);
  cpSync(RUN, join(project, 'tools', 'run.mjs'));
  write(join(project, 'tools', 'schema.ts'), says('schema'));
  write(join(project, 'tools', 'bicep', 'main.ts'), says('bicep'));
  write(join(project, 'tools', 'build.ts'), says('built'));
  write(join(elsewhere, 'typescript/bin/tsc'), says('types checked'));
  write(join(elsewhere, '@biomejs/biome/bin/biome'), says('linted'));
  write(join(elsewhere, 'vitest/vitest.mjs'), says('tested'));
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A junction on Windows, where only administrators may make symbolic links; the same elsewhere. */
function link(name: string): void {
  mkdirSync(dirname(join(project, name)), { recursive: true });
  symlinkSync(elsewhere, join(project, name), 'junction');
}

function run(args: string[], nodeOptions: string[] = []): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, npm_execpath: join(project, 'npm.js'), NODE_OPTIONS: undefined };
  const argv = [...nodeOptions, join(project, 'tools', 'run.mjs'), ...args];
  return spawnSync(process.execPath, argv, { cwd: project, env, encoding: 'utf8' });
}

const npmRan = () => existsSync(join(project, 'npm-ran'));

describe('node_modules that is a symbolic link', () => {
  it('is refused where its packages are not those of the lock file, and its target stays as it is', () => {
    write(join(elsewhere, '.strongroom-lock'), 'another lock');
    link('node_modules');
    const { status, stderr } = run(['check']);
    expect(status).toBe(1);
    expect(stderr).toContain(`${join(project, 'node_modules')} is a symbolic link to ${elsewhere}`);
    expect(stderr).toContain('Remove the link');
    expect(npmRan()).toBe(false);
    expect(readFileSync(join(elsewhere, '.strongroom-lock'), 'utf8')).toBe('another lock');
    expect(existsSync(join(elsewhere, 'typescript/bin/tsc'))).toBe(true);
  });

  it('is refused where its target is missing', () => {
    link('node_modules');
    rmSync(elsewhere, { recursive: true });
    const { status, stderr } = run(['check']);
    expect(status).toBe(1);
    expect(stderr).toContain('is a symbolic link');
    expect(npmRan()).toBe(false);
  });

  it('is used where its packages are those of the lock file', () => {
    write(join(elsewhere, '.strongroom-lock'), STAMP);
    link('node_modules');
    const { status, stdout } = run(['check']);
    expect(stdout).toBe(
      'types checked|--noEmit\ntypes checked|--noEmit|--project|ui\nlinted|check|--error-on-warnings\nbicep|--check\n',
    );
    expect(status).toBe(0);
    expect(npmRan()).toBe(false);
  });
});

describe.runIf(process.platform !== 'win32')('a step that a signal ends', () => {
  it.each([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
    ['SIGABRT', 134],
  ])('has the exit code of %s', (signal, code) => {
    write(join(elsewhere, '.strongroom-lock'), STAMP);
    link('node_modules');
    write(
      join(elsewhere, 'typescript/bin/tsc'),
      `process.kill(process.pid, '${signal}');\nsetInterval(() => {}, 1000);`,
    );
    expect(run(['check'])).toMatchObject({ status: code, stdout: '' });
  });
});

describe('node_modules that is a folder', () => {
  it('is installed into where its packages are not those of the lock file', () => {
    write(join(project, 'node_modules', '.strongroom-lock'), 'another lock');
    run(['check']);
    expect(readFileSync(join(project, 'npm-ran'), 'utf8')).toMatch(/^ci /);
    expect(readFileSync(join(project, 'node_modules', '.strongroom-lock'), 'utf8')).toBe(STAMP);
  });
});

describe('a Node that is too old', () => {
  it.each(['.node', '.node/node_modules'])('is not replaced through %s where that is a symbolic link', (name) => {
    link(name);
    const { status, stderr } = run(['check'], ['--import', OLD_NODE]);
    expect(status).toBe(1);
    expect(stderr).toContain(`${join(project, name)} is a symbolic link to ${elsewhere}`);
    expect(npmRan()).toBe(false);
    expect(existsSync(join(elsewhere, 'package.json'))).toBe(false);
  });

  it('is replaced by one that npm checks against a hash in the repository', () => {
    const { status, stderr } = run(['check'], ['--import', OLD_NODE]);
    // This npm brings no Node.
    expect([status, stderr]).toEqual([1, expect.stringContaining('its content is not what it was')]);
    const ran = readFileSync(join(project, 'npm-ran'), 'utf8');
    expect(ran).toMatch(/^ci --prefix .*\.node /);
    expect(ran).toContain('--ignore-scripts');
    const lock = JSON.parse(readFileSync(join(project, '.node', 'package-lock.json'), 'utf8'));
    const [root, ...packages] = Object.values<{ dependencies?: object; integrity?: string }>(lock.packages);
    expect(Object.values(root!.dependencies!)).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    expect(packages).toEqual([{ version: expect.any(String), integrity: expect.stringMatching(/^sha512-.{86}==$/) }]);
  });
});

describe('the tests', () => {
  /** What each step of a task says. */
  function stepsOf(...args: string[]): string[] {
    write(join(elsewhere, '.strongroom-lock'), STAMP);
    link('node_modules');
    const { status, stdout } = run(args);
    expect(status).toBe(0);
    return stdout.trimEnd().split('\n');
  }

  it('are all that must hold, without arguments', () => {
    const before = [
      'types checked|--noEmit',
      'types checked|--noEmit|--project|ui',
      'linted|check|--error-on-warnings',
      'bicep|--check',
      'schema|--check',
      'built',
    ];
    expect(stepsOf('test')).toEqual([...before, 'tested|run']);
  });

  it('are built for and selected, with arguments', () => {
    const args = ['test/e2e/prune test/unit/domain', 'test/unit/domain', '-t', 'a restore point', '--project', 'unit'];
    expect(stepsOf('test', ...args)).toEqual(['built', `tested|run|${args.join('|')}`]);
  });

  it('are the fast unit tests alone, with a task of their own', () => {
    const [only, ...others] = stepsOf('test:unit', '-t', 'a restore point');
    expect(only).toMatch(/^tested\|run\|--project=unit\|--tags-filter=!slow\|.*\|-t\|a restore point$/);
    expect(others).toEqual([]);
  });
});

describe('--help', () => {
  it('names every task, which package.json has too, and how to select tests', () => {
    const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));
    const { status, stderr } = run(['--help']);
    expect(status).toBe(0);
    expect([...stderr.matchAll(/^ {2}([a-z:]+) +[A-Z]/gm)].map(([, task]) => task).sort()).toEqual(
      Object.keys(scripts).sort(),
    );
    expect(stderr).toContain('npm test -- test/e2e/prune test/unit/domain');
  });
});
