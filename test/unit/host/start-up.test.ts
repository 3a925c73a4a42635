import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { HostDidNotStart, type HostOptions } from '../../support/app/host-process.ts';
import { Fixture, temporaryDirectory, until } from './fixture.ts';

const MAIN = fileURLToPath(new URL('../../../host/main.ts', import.meta.url));

async function refused(options: HostOptions, directory = temporaryDirectory()): Promise<HostDidNotStart> {
  const outcome = await Fixture.start(options, directory).catch((error: unknown) => error);
  if (!(outcome instanceof HostDidNotStart)) throw new Error(`It started, or failed otherwise: ${outcome}`);
  return outcome;
}

test('--help lists the options; an unknown option is an error that names it', () => {
  const help = spawnSync(process.execPath, [MAIN, '--help'], { encoding: 'utf8' });
  expect(help.status).toBe(0);
  for (const option of ['--port', '--data', '--once', 'STRONGROOM_KEY']) expect(help.stdout).toContain(option);
  const unknown = spawnSync(process.execPath, [MAIN, '--prot', '1'], { encoding: 'utf8' });
  expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining("'--prot'")]);
  expect(spawnSync(process.execPath, [MAIN, '--port', '70000'], { encoding: 'utf8' })).toMatchObject({ status: 2 });
});

test("prints the app's report of an invalid configuration, without a stack trace", async () => {
  const { exitCode, output } = await refused({ env: { FIXTURE_CONFIGURATION_ERROR: '1' } });
  expect(exitCode).toBe(2);
  expect(output).toBe('strongroom.json has 2 problems:\n  jobs[0].name: missing\n  jobs[1].schedule: not a schedule\n');
});

test('does not listen beyond this machine without a key', async () => {
  const { exitCode, output } = await refused({ args: ['--address', '0.0.0.0'] });
  expect([exitCode, output]).toEqual([2, expect.stringContaining('STRONGROOM_KEY')]);
  const env = { STRONGROOM_KEY: ' 0123456789abcdef ' };
  const fixture = await Fixture.start({ args: ['--address', '0.0.0.0'], env });
  expect((await fetch(`${fixture.host.url}/api/hello/world?code=0123456789abcdef`)).status).toBe(200);
});

test.each([
  'x',
  ' ',
  '               x               ',
  '0123456789abcde',
  'xyxyxyxyxyxyxyxyxyxyxy',
  'ключ-из-многих-букв',
])('does not start with the key "%s", on loopback either', async (key) => {
  const { exitCode, output } = await refused({ env: { STRONGROOM_KEY: key } });
  expect([exitCode, output]).toEqual([2, expect.stringContaining('openssl rand')]);
  if (key.trim().length > 1) expect(output).not.toContain(key.trim());
});

test('names a port that is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const { exitCode, output } = await refused({ args: ['--port', String(port)] });
  other.close();
  expect([exitCode, output]).toEqual([2, expect.stringContaining(`Port ${port} of 127.0.0.1 is in use`)]);
});

test('one host per data directory; a new host takes over the lock of a killed one', async () => {
  const fixture = await Fixture.start();
  const { exitCode, output } = await refused({}, fixture.directory);
  expect([exitCode, output]).toEqual([11, expect.stringContaining(`process ${fixture.host.pid}`)]);
  await fixture.host.kill('SIGKILL');
  await fixture.restart();
  // On Linux, the host distinguishes a process that has reused the pid of the dead one.
  if (process.platform !== 'linux') return;
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'data', 'host.lock'), JSON.stringify({ pid: process.ppid, started: '1' }));
  await Fixture.start({}, directory);
});

test('reads app settings from local.settings.json; the environment has precedence', async () => {
  const directory = temporaryDirectory();
  const settings = { IsEncrypted: false, Values: { STRONGROOM_KEY: 'a key from the file', NIGHTLY: 'never read' } };
  writeFileSync(join(directory, 'local.settings.json'), JSON.stringify(settings));
  const fixture = await Fixture.start({}, directory);
  expect((await fixture.fetch('/api/hello/world')).status).toBe(401);
  expect((await fixture.fetch('/api/hello/world?code=a%20key%20from%20the%20file')).status).toBe(200);
  await fixture.host.stop();
  writeFileSync(join(directory, 'local.settings.json'), '{ "Values": { "A": 1 } }');
  expect(await refused({}, directory)).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining('"A" must be a string'),
  });
  writeFileSync(join(directory, 'local.settings.json'), '{');
  expect(await refused({}, directory)).toMatchObject({
    exitCode: 2,
    output: expect.stringContaining('not valid JSON'),
  });
});

test('an invalid schedule, or one with a missing setting, is an error that names its function', async () => {
  // What a setting holds is not shown: it may be a secret that was named by mistake.
  expect(await refused({ env: { NIGHTLY: 'Hunter2 every night' } })).toMatchObject({
    exitCode: 2,
    output: expect.toSatisfy((text) => /"nightly" has "%NIGHTLY%"/.test(text) && !/Hunter2|night"/.test(text)),
  });
  expect(await refused({ env: { NIGHTLY: undefined } })).toMatchObject({
    exitCode: 2,
    output: expect.stringMatching(/"nightly" refers to the app setting "NIGHTLY"/),
  });
});

test('no error shows what an app setting holds', async () => {
  const directory = temporaryDirectory();
  writeFileSync(
    join(directory, 'local.settings.json'),
    '{ "Values": { "VAULT": "AccountKey=aGlkZGVu" "B": "cGFzc3dvcmQ=" } }',
  );
  const { output } = await refused({}, directory);
  expect(output).toMatch(/local\.settings\.json is not valid JSON: /);
  expect(output).not.toMatch(/aGlk|cGFz/);
  for (const name of [
    'AzureFunctionsWebHost__hostid',
    'AzureFunctionsJobHost__extensions__queues__batchSize',
    'AzureFunctionsJobHost__extensions__queues__visibilityTimeout',
    'AzureFunctionsJobHost__extensions__queues__messageEncoding',
  ]) {
    const wrong = await refused({ env: { [name]: 'Hunter2-Pass!word', FIXTURE_STORAGE: 'own', OWN_QUEUE: 'q' } });
    expect([wrong.exitCode, wrong.output], name).toEqual([2, expect.stringContaining(name)]);
    expect(wrong.output).not.toMatch(/Hunter2/i);
  }
});

test('an error outside any function ends the host with one line', async () => {
  const fixture = await Fixture.start();
  await fixture.post('/api/crash');
  await until('its end', () => (fixture.host.output().includes('outside of any function') ? true : undefined));
  expect(fixture.host.output()).toMatch(/^Unexpected error: outside of any function$/m);
  expect(fixture.host.output()).not.toMatch(/\n\s+at /);
});

test('a missed occurrence fires once at the start, past due; without one, the timer does not fire', async () => {
  const env = { NIGHTLY: '0 0 0 1 1 *' };
  const fixture = await Fixture.start({ env });
  const file = join(fixture.directory, 'data', 'timers.json');
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>;
  expect(stored.nightly).toMatchObject({
    Last: '0001-01-01T00:00:00+00:00',
    Next: expect.stringMatching(/-01-01T00:00:00.000Z$/),
  });
  await fixture.host.stop();
  const again = await fixture.restart({ env });
  await again.host.stop();
  expect(again.effects('nightly')).toEqual([]);

  const [Last, Next] = ['2020-06-01T00:00:00.000Z', '2021-01-01T00:00:00.000Z'];
  writeFileSync(file, JSON.stringify({ nightly: { Last, Next, LastUpdated: Last } }));
  const late = await fixture.restart({ env });
  await until('the timer', () => (late.effects('nightly ends').length > 0 ? true : undefined));
  await late.host.stop();
  expect(late.effects('nightly')).toEqual([
    'nightly begins pastDue=true last=2020-06-01T00:00:00.000Z',
    'nightly ends',
  ]);
  const after = await fixture.restart({ env });
  await after.host.stop();
  expect(after.effects('nightly')).toHaveLength(2);
});

test.each(['', '{"nightly":', '[]', '7', 'null', '{"nightly":{"Schedule":1}}', '{"nightly":null}'])(
  'damaged times of timers (%j) keep no host from starting: it says so, and goes on without',
  async (content) => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'data'), { mode: 0o700 });
    const file = join(directory, 'data', 'timers.json');
    writeFileSync(file, content);
    const fixture = await Fixture.start({}, directory);
    expect(fixture.host.output()).toContain(`${file} is damaged`);
    await fixture.host.stop();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ nightly: { LastUpdated: expect.any(String) } });
  },
);

test('a timer that recurs within a minute fires at its times, without a status', async () => {
  const fixture = await Fixture.start({ env: { NIGHTLY: '* * * * * *' } });
  await until('two firings', () => (fixture.effects('nightly ends').length >= 2 ? true : undefined));
  expect(fixture.effects('nightly begins')[1]).toBe('nightly begins pastDue=false last=never');
});

test.each(['', '{"keys":', '[7]', 'null', '{"keys":{"a":1}}', '{"keys":{},"ports":{"blob":"x"}}'])(
  'damaged keys of the embedded emulator (%j) end the start with what to do',
  async (content) => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'data'), { mode: 0o700 });
    writeFileSync(join(directory, 'data', 'azurite.json'), content);
    const jobs = [{ source: { account: 'SOURCE' }, destination: { account: 'VAULT' } }];
    writeFileSync(join(directory, 'strongroom.json'), JSON.stringify({ jobs }));
    const env = { SOURCE: undefined, VAULT: undefined, STRONGROOM_CONFIG: undefined };
    const { exitCode, output } = await refused({ env }, directory);
    expect([exitCode, output]).toEqual([65, expect.stringMatching(/azurite\.json is damaged.*delete it/)]);
  },
);
