import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prepareDataDirectory } from '../../../host/data/data-directory.ts';
import { EXIT } from '../../../host/exit-codes.ts';
import { HostError } from '../../../host/host-error.ts';
import { Fixture, temporaryDirectory } from './fixture.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

function failureOf(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

function directory(mode: number, files: Record<string, number> = {}): string {
  const path = join(temporaryDirectory(), 'data');
  mkdirSync(path);
  for (const [name, fileMode] of Object.entries(files)) {
    if (name.includes('/')) mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), '');
    chmodSync(join(path, name), fileMode);
  }
  chmodSync(path, mode);
  return path;
}

describe.skipIf(process.platform === 'win32')('a data directory', () => {
  test('that does not exist is created for its owner alone', () => {
    const path = join(temporaryDirectory(), 'a', 'b');
    prepareDataDirectory(path);
    expect(modeOf(path)).toBe('700');
  });

  test.each([
    ['that others can read', () => directory(0o755, { 'timers.json': 0o644, 'azurite/x': 0o644 })],
    ['that is empty, whatever its permissions', () => directory(0o777)],
  ])('%s is closed to them', (_what, make) => {
    const path = make();
    prepareDataDirectory(path);
    expect(modeOf(path)).toBe('700');
  });

  test('behind a link is closed as well', () => {
    const path = directory(0o755);
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(path, link);
    prepareDataDirectory(link);
    expect(modeOf(path)).toBe('700');
  });

  test.each([
    ['others can write to', () => directory(0o770, { journal: 0o600 }), /it is not empty/],
    ['holds a file that others can write to', () => directory(0o755, { 'azurite/x': 0o666 }), /azurite\/x in it/],
  ])('that %s is refused and stays as it is', (_what, make, why) => {
    const path = make();
    const before = modeOf(path);
    expect(() => prepareDataDirectory(path)).toThrow(why);
    expect(modeOf(path)).toBe(before);
  });

  test.each([
    ['is a file', (at: string) => writeFileSync(at, ''), '.', /is not a directory/],
    ['is below a file', (at: string) => writeFileSync(at, ''), 'a/b', /is not a directory/],
    ['is a link to a disk that is not there', (at: string) => symlinkSync('/nowhere/at/all', at), '.', /not mounted/],
    ['is below such a link', (at: string) => symlinkSync('/nowhere/at/all', at), 'a', /not mounted/],
    ['is below links in a circle', (at: string) => symlinkSync(at, at), 'a', /links in a circle/],
    ['has too long a name', (at: string) => mkdirSync(at), 'x'.repeat(300), /too long/],
  ])('that %s is refused with words', (_what, make, below, why) => {
    const path = join(temporaryDirectory(), 'data');
    make(path);
    const failure = failureOf(() => prepareDataDirectory(join(path, below)));
    expect(failure).toBeInstanceOf(HostError);
    expect(failure).toMatchObject({ message: expect.stringMatching(why), exitCode: EXIT.disk });
  });

  // In a process of its own: the failure would be that it never ends.
  test.skipIf(process.platform !== 'linux')('where the system makes none is refused, and not waited for', () => {
    const args = ['host/main.ts', '--data', '/proc/strongroom', '--port', '0'];
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { timeout: 20_000, encoding: 'utf8' });
    expect(stderr + stdout).toContain('Cannot use the data directory /proc/strongroom');
    expect(status).toBe(EXIT.disk);
  });

  test('in a folder where others can replace it is refused', () => {
    const path = directory(0o700);
    const above = join(path, '..');
    chmodSync(above, 0o777);
    expect(() => prepareDataDirectory(path)).toThrow(/can write to .*strongroom-test/);
    chmodSync(above, 0o1777);
    prepareDataDirectory(path);
    chmodSync(above, 0o700);
  });

  test('what others could never reach is not looked at', () => {
    prepareDataDirectory(directory(0o700, { journal: 0o666 }));
  });

  test('has no file that another user can read, also none of the embedded Azurite', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'data'));
    chmodSync(join(cwd, 'data'), 0o755);
    const job = { name: 'j', source: { account: 'SOURCE' }, destination: { account: 'VAULT' } };
    writeFileSync(join(cwd, 'strongroom.json'), JSON.stringify({ jobs: [job] }));
    const fixture = await Fixture.start({}, cwd);
    await fixture.host.stop();
    const entries = readdirSync(join(cwd, 'data'), { recursive: true, encoding: 'utf8' });
    expect(entries).toContain(join('azurite', '__azurite_db_blob__.json'));
    for (const name of ['.', ...entries]) expect(modeOf(join(cwd, 'data', name)), name).toMatch(/^[67]00$/);
  });
});
