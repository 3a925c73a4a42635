import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, HostError } from '../host-error.ts';
import { identify, isAlive, readOwner } from './process-identity.ts';

/** Keeps a second host away from a data directory. The lock of a process that is gone is taken over. */
export async function lockDataDirectory(directory: string): Promise<{ release(): void }> {
  const file = join(directory, 'host.lock');
  for (let attempt = 0; attempt < 10; attempt++) {
    if (tryCreate(file)) {
      // Two that found the same stale lock may both have removed it; the one whose lock is left has won.
      if (attempt > 0) await sleep(50);
      if (readOwner(file)?.pid === process.pid) return { release: () => rmSync(file, { force: true }) };
    }
    const owner = readOwner(file);
    if (owner !== undefined && owner.pid !== process.pid && isAlive(owner)) {
      throw new HostError(
        `Another host (process ${owner.pid}) is using ${directory}. Stop it, or use another directory with --data.`,
      );
    }
    // A lock that cannot be read may be one that is just being written.
    if (owner === undefined && attempt < 5) await sleep(100);
    else rmSync(file, { force: true });
  }
  throw new HostError(`Cannot take over ${file}. Are several hosts being started at once? Start one.`);
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
