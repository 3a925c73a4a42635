import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { putRaw } from '../../support/builders/hostile-names.ts';

const CLI = join(import.meta.dirname, '../../../dist/cli.mjs');
const HOSTILE = ['--help', '-rf', '\u202egnp.exe', 'a\u2028b', '\u3164', '日本語', '<script>', '%2e%2e', 'a?x=y&z'];
const KEY = 'a-key-that-nobody-may-see';

const bed = new TestBed();
let url: string;
let home: string;
/** The first restore point. */
let point: string;

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(argv: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [CLI, ...argv], {
    env: { ...process.env, STRONGROOM_URL: url, STRONGROOM_KEY: KEY, HOME: home, XDG_CACHE_HOME: home, ...env },
    cwd: home,
  });
}

async function ended(child: ChildProcess): Promise<Result> {
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (chunk) => (stdout += chunk));
  child.stderr!.on('data', (chunk) => (stderr += chunk));
  child.stdin!.end();
  const [code] = await once(child, 'close');
  expect(stdout + stderr).not.toContain(KEY);
  return { code, stdout, stderr };
}

const cli = (...argv: string[]) => ended(start(argv));

/** Fails with what was printed. */
async function expectCode(code: number, ...argv: string[]): Promise<Result> {
  const result = await cli(...argv);
  expect(result, `${argv.join(' ')}\n${result.stdout}${result.stderr}`).toMatchObject({ code });
  return result;
}
const done = (...argv: string[]) => expectCode(0, ...argv);
const refused = (...argv: string[]) => expectCode(8, ...argv);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'strongroom-cli-'));
  await bed.open();
  await bed.fill(3);
  await bed.upload('kept', 'the first version');
  await bed.upload('upload', 'text', 'incoming');
  const app = await bed.start({
    job: { source: { account: 'SOURCE', containers: ['data', 'hostile'] }, retention: { keepLast: 1 } },
    more: {
      archives: [
        {
          ...{ name: 'uploads', reconcile: '0 0 0 1 1 *', source: { account: 'SOURCE', container: 'incoming' } },
          destination: { account: 'VAULT', container: '{container}archive' },
        },
      ],
    },
    env: { STRONGROOM_KEY: KEY, STRONGROOM_NAME: 'testing' },
  });
  url = app.host.url;
});
afterAll(async () => {
  await bed.close();
  rmSync(home, { recursive: true, force: true });
});

describe('the command line on a real app', () => {
  it('backs up, and shows what there is', async () => {
    const hostile = await makeContainer(bed.source.connectionString, 'hostile');
    const address = await hostile.generateSasUrl({
      permissions: ContainerSASPermissions.parse('cw'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    for (const name of HOSTILE) expect(await putRaw(address, name, 'text'), name).toBe(201);
    const { stdout } = await done('runs', 'start', 'nightly', '--mode', 'full', '--watch', '--jsonl');
    const [first, last] = [stdout.trim().split('\n').at(0)!, stdout.trim().split('\n').at(-1)!].map((line) =>
      JSON.parse(line),
    );
    expect([first.type, last.type, last.run.status]).toEqual(['start', 'end', 'succeeded']);
    point = first.run.id;
    expect((await done('points', 'list', '--quiet')).stdout).toBe(`${point}\n`);
    expect((await done('status')).stdout).toContain('Everything is all right');
    expect((await done('runs', 'list')).stdout).toMatch(new RegExp(`^succeeded +${point} +backup full`, 'm'));
    expect((await done('runs', 'show', point)).stdout).toContain('succeeded');
    expect((await done('runs', 'watch', point)).stdout).toContain('0 failed');
    expect((await done('runs', 'outcomes', point, '--container', 'data', '--quiet')).stdout.split('\n')).toHaveLength(
      5,
    );
    expect((await done('points', 'show', point)).stdout).toContain('databackup');
    expect((await done('points', 'ls', point, '--container', 'data')).stdout).toContain('blob-000');
    expect((await done('points', 'proof', point)).stdout).toContain(`Proof of restore point ${point}`);
    expect((await done('find', 'EPT')).stdout).toMatch(/^data +kept +17 B /m);
  });

  it('has the answer of the API, byte for byte', async () => {
    const bytes = await (await fetch(`${url}/api/jobs`, { headers: { 'x-functions-key': KEY } })).text();
    for (const argv of [
      ['jobs', 'list', '--json'],
      ['api', 'GET', '/api/jobs'],
    ]) {
      expect((await done(...argv)).stdout).toBe(bytes);
    }
    const problem = await refused('runs', 'show', 'none', '--json');
    expect(JSON.parse(problem.stdout)).toMatchObject({ code: 'run-not-found', status: 404 });
  });

  it('shows hostile names as text, and exactly in JSON', async () => {
    const list = ['points', 'ls', point, '--container', 'hostile', '--recursive'];
    const { stdout } = await done(...list);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    const names = (await done(...list, '--jsonl')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).name as string);
    expect(names.toSorted()).toEqual(HOSTILE.toSorted());
    for (const name of names) {
      expect((await cli('history', 'hostile', '--quiet', '--', name)).stdout, JSON.stringify(name)).toBe(`${point}\n`);
    }
  });

  it('restores the version from before', async () => {
    await bed.upload('kept', 'the second version');
    await done('runs', 'start', 'nightly', '--watch');
    const { stdout } = await done('history', 'data', 'kept', '--jsonl');
    expect(stdout.trim().split('\n')).toHaveLength(2);
    const restore = ['restore', 'kept', '--container', 'data', '--point', point];
    const shown = await expectCode(7, ...restore);
    expect(shown.stdout).toContain('--existing if-different replaces it');
    expect(await textOf('kept')).toBe('the second version');
    await done(...restore, '--existing', 'if-different', '--yes', '--watch');
    expect(await textOf('kept')).toBe('the first version');
  });

  it('verifies, holds and prunes', async () => {
    expect((await done('points', 'verify', '--watch')).stdout).toMatch(/by listing only, none wrong/);
    await done('points', 'hold', point, '--reason', 'a test');
    expect((await done('points', 'list')).stdout).toContain('hold: a test');
    await done('points', 'unhold', point);
    expect((await done('jobs', 'what-if', 'nightly')).stderr).toContain('keeps 1 restore point and removes 1');
    const { stdout } = await done('prune', 'plan', 'nightly', '--json');
    const { id, plan } = JSON.parse(stdout);
    expect((await done('prune', 'show', id)).stdout).toMatch(new RegExp(`^mark +${point} +no rule keeps it`, 'm'));
    expect((await expectCode(7, 'prune', 'apply', id)).stderr).toContain(`--hash ${plan.hash} --yes`);
    await done('prune', 'apply', id, '--hash', plan.hash, '--yes', '--watch');
    await done('points', 'unmark', point);
    await refused('points', 'unmark', point);
    await refused('points', 'release', point, '--yes');
    await refused('points', 'forget', point, '--yes');
  });

  it('does everything else', async () => {
    expect((await done('jobs', 'show', 'nightly')).stdout).toContain('keepLast 1');
    expect((await done('jobs', 'chain', 'nightly')).stdout).toMatch(/^\d+:[0-9a-f]{64}\n$/);
    await done('jobs', 'pause', 'nightly', '--reason', 'a test');
    await done('jobs', 'resume', 'nightly');
    expect((await done('archive', 'list', '--quiet')).stdout).toBe('uploads\n');
    await done('archive', 'reconcile', 'uploads', '--watch');
    expect((await done('archive', 'receipts', 'uploads', '--quiet')).stdout).toBe('upload\n');
    expect((await done('archive', 'receipts', 'uploads', '--name', 'upload')).stdout).toContain('done');
    expect((await done('archive', 'show', 'uploads')).stdout).toContain('1 archived');
    expect((await done('archive', 'poison', 'uploads')).stderr).toContain('No upload has failed permanently');
    await done('archive', 'reprocess', 'uploads', '--watch');
    await refused('runs', 'retry', point);
    await refused('runs', 'cancel', point);
    await refused('notify', 'test', 'nothing');
    expect((await done('metrics')).stdout).toContain('# TYPE strongroom_');
    expect((await done('context')).stdout).toContain('testing 0.1.0: you are');
    expect((await done('--version')).stdout).toBe('0.1.0\n');
    writeFileSync(join(home, 'strongroom.json'), '{"jobs": []}');
    await expectCode(2, 'config', 'check');
  });

  it('says who may not', async () => {
    const { code, stderr } = await ended(start(['runs', 'list'], { STRONGROOM_KEY: 'a-wrong-key-of-some-length' }));
    expect([code, stderr]).toEqual([12, expect.stringContaining('the key in the environment variable STRONGROOM_KEY')]);
  });

  it.runIf(process.platform !== 'win32')(
    'leaves a run in progress after Ctrl-C, and says how to watch it',
    async () => {
      await bed.upload('late', 'text');
      const quicken = bed.slowCopies(60_000);
      const child = start(['runs', 'start', 'nightly', '--watch']);
      const result = ended(child);
      const [line] = await once(child.stdout!, 'data');
      const [id] = String(line).split(' ');
      expect((await expectCode(11, 'runs', 'start', 'nightly')).stderr).toContain(`In progress: ${id}  backup`);
      child.kill('SIGINT');
      expect(await result).toMatchObject({ code: 130, stderr: expect.stringContaining(`strongroom runs watch ${id}`) });
      expect((await expectCode(75, 'runs', 'watch', id!, '--timeout', '1s')).stderr).toContain('The run continues');
      quicken();
      expect((await done('runs', 'cancel', id!, '--force')).stdout).toContain('cancelled');
      await expectCode(5, 'runs', 'watch', id!);
    },
  );
});

async function textOf(name: string): Promise<string> {
  return (await bed.original().getBlockBlobClient(name).downloadToBuffer()).toString();
}
