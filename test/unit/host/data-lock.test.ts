import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lockDataDirectory } from '../../../host/data/data-lock.ts';
import { identify } from '../../../host/data/process-identity.ts';
import { temporaryDirectory } from './fixture.ts';

const TAKER = fileURLToPath(new URL('../../support/app/lock-taker.ts', import.meta.url));

test('several processes that find the lock of a dead one have the directory one after another', async () => {
  const directory = temporaryDirectory();
  const lines = join(directory, 'lines');
  for (let round = 1; round <= 2; round++) {
    writeFileSync(join(directory, 'host.lock'), JSON.stringify({ pid: process.pid, started: 'long ago' }));
    const takers = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [TAKER, directory, lines], {
        env: { ...process.env, NODE_OPTIONS: '' },
        stdio: 'inherit',
      }),
    );
    await Promise.all(takers.map((taker) => once(taker, 'close')));
    const seen = readFileSync(lines, 'utf8').trim().split('\n');
    expect(seen).toHaveLength(8 * round);
    for (let at = 0; at < seen.length; at += 2) {
      expect([seen[at], seen[at + 1]]).toEqual([expect.stringMatching(/begins$/), seen[at]?.replace('begins', 'ends')]);
    }
  }
  expect(readdirSync(directory)).toEqual(['lines']);
});

test('a process that stays waits for none, and is not waited for', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'host.lock');
  // The process that started this one: it is alive.
  const other = identify(process.ppid);
  writeFileSync(file, JSON.stringify({ ...other, once: 'nightly' }));
  await expect(lockDataDirectory(directory)).rejects.toMatchObject({
    exitCode: 11,
    message: expect.stringMatching(/--once nightly \(process \d+\) is using it\. Wait until it ends/),
  });
  writeFileSync(file, JSON.stringify({ ...other, url: 'http://127.0.0.1:1' }));
  await expect(
    lockDataDirectory(directory, { once: 'nightly', instead: (url) => `Ask ${url}.` }),
  ).rejects.toMatchObject({ exitCode: 11, message: expect.stringContaining('Ask http://127.0.0.1:1.') });
});

test('another directory is no remedy where the accounts of the embedded emulator are in this one', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'host.lock'), JSON.stringify(identify(process.ppid)));
  const asked = () => lockDataDirectory(directory).catch(({ message }: Error) => message);
  expect(await asked()).toMatch(/Stop it, or choose another directory with --data\.$/);
  writeFileSync(join(directory, 'azurite.json'), '{}');
  expect(await asked()).toMatch(/Stop it\.$/);
});

test('a signal ends the wait for another process', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'host.lock'), JSON.stringify({ ...identify(process.ppid), once: 'other' }));
  const signal = new AbortController();
  const waiting = lockDataDirectory(directory, { once: 'nightly', signal: signal.signal });
  setTimeout(() => signal.abort('SIGINT'), 20);
  await expect(waiting).rejects.toMatchObject({ exitCode: 130 });
  expect(existsSync(join(directory, 'host.lock'))).toBe(true);
});
