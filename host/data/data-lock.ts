import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, exitCodeOfSignal } from '../exit-codes.ts';
import { codeOf, HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { diskError } from './disk-error.ts';
import { replaceJsonFile } from './json-file.ts';
import { identify, isAlive, readOwner } from './process-identity.ts';

export interface DataLock {
  /** Lets another process that wants the directory know where this host answers. */
  announce(url: string): void;
  release(): void;
}

export interface Locking {
  /** What this process runs before it ends, if it does not stay: it waits for another process of this kind. */
  once?: string;
  /** Ends the wait. Its reason is the name of the signal. */
  signal?: AbortSignal;
  /** What to do instead if a host that stays is using the directory, and answers at this address. */
  instead?: (url: string | undefined, otherwise: string) => string;
}

/** Milliseconds between two looks at a directory that another process is using. */
const LOOK_EVERY = 250;
const REPORT_EVERY = 600_000;

type Owner = NonNullable<ReturnType<typeof readOwner>>;

/** Locks a data directory against a second host. Takes over the lock of a process that has ended. */
export async function lockDataDirectory(directory: string, locking: Locking = {}): Promise<DataLock> {
  const file = join(directory, 'host.lock');
  const self = { ...identify(process.pid), ...(locking.once === undefined ? {} : { once: locking.once }) };
  let reportedAt = Number.NEGATIVE_INFINITY;
  for (let attempt = 0; attempt < 10; ) {
    if (tryCreate(file, self)) {
      // Two hosts that find the same stale lock may both try to remove it. The host whose lock remains has won.
      if (attempt > 0) await sleep(200);
      if (readOwner(file)?.pid === process.pid) return heldLock(file, self);
    }
    const owner = readOwner(file);
    if (owner === undefined || owner.pid === process.pid || !isAlive(owner)) {
      // Another process may be writing a lock that cannot be read yet.
      if (owner === undefined && attempt < 5) await sleep(100);
      else removeStale(file, owner);
      attempt++;
      continue;
    }
    if (owner.once === undefined || locking.once === undefined) throw inUse(owner, directory, locking);
    if (Date.now() - reportedAt >= REPORT_EVERY) {
      reportedAt = Date.now();
      writeLog('information', `Waiting until ${describe(owner)} ends: it is using ${directory}.`);
    }
    await sleep(LOOK_EVERY, undefined, { signal: locking.signal }).catch(() => {});
    if (locking.signal?.aborted) {
      throw new HostError(
        `Stopped while waiting until ${describe(owner)} ends.`,
        exitCodeOfSignal(locking.signal.reason),
      );
    }
  }
  throw new HostError(
    `Cannot take over ${file}. If you start several hosts at once, start only one of them.`,
    EXIT.busy,
  );
}

/** Another process may have replaced the stale lock by its own since it was read. That one is put back. */
function removeStale(file: string, stale: Owner | undefined): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    const moved = readOwner(aside);
    if (moved !== undefined && (moved.pid !== stale?.pid || moved.started !== stale.started)) linkSync(aside, file);
  } catch (error) {
    // Another process has removed it, or has the lock by now.
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw diskError(`Cannot replace ${file}`, error);
  }
  rmSync(aside, { force: true });
}

function heldLock(file: string, self: object): DataLock {
  return {
    announce: (url) => replaceJsonFile(file, { ...self, url }),
    release: () => rmSync(file, { force: true }),
  };
}

function describe({ pid, once }: Owner): string {
  return once === undefined ? `another host (process ${pid})` : `--once ${once} (process ${pid})`;
}

function inUse(owner: Owner, directory: string, { instead }: Locking): HostError {
  const stays = owner.once === undefined;
  const url = typeof owner.url === 'string' ? owner.url : undefined;
  // Another directory would have an embedded Azurite of its own, with neither the source nor the vault.
  const hasAccounts = existsSync(join(directory, 'azurite.json'));
  const otherwise = hasAccounts ? '' : ', or choose another directory with --data';
  const remedy =
    stays && instead ? instead(url, otherwise) : `${stays ? 'Stop it' : 'Wait until it ends'}${otherwise}.`;
  return new HostError(`Cannot use ${directory}: ${describe(owner)} is using it. ${remedy}`, EXIT.busy);
}

function tryCreate(file: string, self: object): boolean {
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw diskError(`Cannot write ${file}`, error);
  }
  try {
    writeSync(handle, JSON.stringify(self));
    return true;
  } catch (error) {
    rmSync(file, { force: true });
    throw diskError(`Cannot write ${file}`, error);
  } finally {
    closeSync(handle);
  }
}
