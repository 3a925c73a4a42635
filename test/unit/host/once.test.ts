import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readInstances } from '../../../host/durable/compaction.ts';
import { Fixture, temporaryDirectory, until } from './fixture.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function start(directory: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const command = [
    join(root, 'host/main.ts'),
    '--port',
    '0',
    '--app',
    join(root, 'test/support/app/fixture-app'),
    ...args,
  ];
  return spawn(process.execPath, command, {
    cwd: directory,
    env: { ...process.env, NODE_OPTIONS: '', NIGHTLY: '0 0 0 1 1 *', EFFECTS_FILE: join(directory, 'effects'), ...env },
  });
}

async function outcome(child: ChildProcess): Promise<{ code: number; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

test('runs one job to its end, with an exit code for the result', async () => {
  const directory = temporaryDirectory();
  const [good, partly, unknown] = await Promise.all([
    outcome(start(directory, ['--data', 'a', '--once', 'nightly'], { STRONGROOM_KEY: '0123456789abcdef' })),
    outcome(start(directory, ['--data', 'b', '--once', 'partly', '--mode', 'incremental'])),
    outcome(start(directory, ['--data', 'c', '--once', 'unknown'])),
  ]);
  expect(good).toEqual({
    code: 0,
    output: expect.stringMatching(/^nightly: succeeded · nightly · 3 copied \(12 bytes\), 0 failed$/m),
  });
  expect(partly).toEqual({ code: 3, output: expect.stringMatching(/^partly: completed-with-failures .*1 failed$/m) });
  expect(unknown).toEqual({
    code: 2,
    output: expect.stringMatching(/^There is no job or archive rule "unknown"\./m),
  });
  const effects = readFileSync(join(directory, 'effects'), 'utf8');
  expect(effects).toContain('run nightly configured');
  expect(effects).toContain('run partly incremental');
});

test('reconciles an archive rule of the given name', async () => {
  const directory = temporaryDirectory();
  const { code, output } = await outcome(start(directory, ['--once', 'uploads']));
  expect(output).toMatch(/^uploads: succeeded · uploads · 3 copied \(12 bytes\), 0 failed$/m);
  expect(code).toBe(0);
  expect(read(directory)).toContain('reconcile uploads');
});

test('starts no timer, and leaves what is known of the timers as it is', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'data', 'timers.json');
  const timers = { nightly: { Schedule: '0 0 0 1 1 *', Last: '2020-01-01T00:00:00Z', Next: '', LastUpdated: '' } };
  mkdirSync(join(directory, 'data'), { mode: 0o700 });
  writeFileSync(file, JSON.stringify(timers));
  const { code } = await outcome(start(directory, ['--data', 'data', '--once', 'nightly']));
  expect(code).toBe(0);
  expect(read(directory)).not.toContain('nightly begins');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(timers);
});

test('resumes the run of its own job, and no orchestration of another', async () => {
  const fixture = await Fixture.start();
  const own = 'nightly-20261121T233000Z-k3f9q2';
  const other = 'nightly-2-20261121T233000Z-k3f9q2';
  for (const id of [own, other]) await fixture.begin('fanOut', { count: 30, ms: 200 }, id);
  await fixture.host.kill('SIGKILL');
  const data = join(fixture.directory, 'data');
  const { code, output } = await outcome(start(fixture.directory, ['--data', data, '--once', 'nightly']));
  expect(output).toMatch(/Resuming 1 orchestration\./);
  expect(output).toContain(`nightly: run ${own} of an earlier start continues first.`);
  expect(code).toBe(0);
  const instances = await readInstances(join(data, 'durable.journal'));
  expect([own, other].map((id) => instances.get(id)?.status)).toEqual([
    'Completed',
    expect.not.stringMatching('Completed'),
  ]);
});

test('SIGTERM cancels the run and ends with 143', async () => {
  const directory = temporaryDirectory();
  const child = start(directory, ['--once', 'endless']);
  const ended = outcome(child);
  await until('the run', () => (read(directory).includes('run endless') ? true : undefined));
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 143, output: expect.stringMatching(/^endless: cancelled/m) });
  expect(read(directory)).toContain('cancel endless');
});

function read(directory: string): string {
  try {
    return readFileSync(join(directory, 'effects'), 'utf8');
  } catch {
    return '';
  }
}
