import { existsSync, readFileSync } from 'node:fs';

/**
 * Which process owns a file on disk. A pid alone is not enough: pids are given out again, and in a
 * container the restarted host often has the very pid of the one that was killed. Where the system
 * tells when a process started (Linux), that time is part of the identity.
 */
export interface ProcessIdentity {
  pid: number;
  started?: string;
}

function startTime(pid: number): string | undefined {
  try {
    // Fields after the command name, which is in parentheses and may itself hold spaces; the start time is field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

export function identify(pid: number): ProcessIdentity {
  const started = startTime(pid);
  return started === undefined ? { pid } : { pid, started };
}

export function isAlive(owner: ProcessIdentity): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return owner.started === undefined || owner.started === identify(owner.pid).started;
}

/** The owner written in a lock file, if there is one that can be read. */
export function readOwner(path: string): ProcessIdentity | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
      return undefined;
    const started = 'started' in value && typeof value.started === 'string' ? value.started : undefined;
    return started === undefined ? { pid: value.pid } : { pid: value.pid, started };
  } catch {
    return undefined;
  }
}
