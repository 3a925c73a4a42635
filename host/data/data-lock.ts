import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, HostError } from '../host-error.ts';
import { identify, isAlive, readOwner } from './process-identity.ts';

/** Locks a data directory against a second host. Takes over the lock of a process that has ended. */
export async function lockDataDirectory(directory: string): Promise<{ release(): void }> {
  const file = join(directory, 'host.lock');
  for (let attempt = 0; attempt < 10; attempt++) {
    if (tryCreate(file)) {
      // Two hosts that find the same stale lock may both remove it. The host whose lock remains has won.
      if (attempt > 0) await sleep(50);
      if (readOwner(file)?.pid === process.pid) return { release: () => rmSync(file, { force: true }) };
    }
    await removeStaleLock(file, directory, attempt);
  }
  throw new HostError(`Cannot take over ${file}. If you start several hosts at once, start only one of them.`);
}

async function removeStaleLock(file: string, directory: string, attempt: number): Promise<void> {
  const owner = readOwner(file);
  if (owner !== undefined && owner.pid !== process.pid && isAlive(owner)) {
    throw new HostError(
      `Another host (process ${owner.pid}) is using ${directory}. Stop it, or choose another directory with --data.`,
    );
  }
  // Another process may be writing a lock that cannot be read yet.
  if (owner === undefined && attempt < 5) await sleep(100);
  else rmSync(file, { force: true });
}

function tryCreate(file: string): boolean {
  try {
    const handle = openSync(file, 'wx', 0o600);
    writeSync(handle, JSON.stringify(identify(process.pid)));
    closeSync(handle);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}
