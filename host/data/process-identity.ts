import { existsSync, readFileSync } from 'node:fs';

/**
 * The process that owns a file on disk. A pid alone is not enough: systems reuse pids, and in a container, a restarted
 * host often gets the pid of the killed one. On Linux, the identity includes the start time of the process.
 */
export interface ProcessIdentity {
  pid: number;
  started?: string;
}

function startTime(pid: number): string | undefined {
  try {
    // The command name is in parentheses and may contain spaces. The start time is field 22.
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
    // EPERM: the process exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return owner.started === undefined || owner.started === identify(owner.pid).started;
}

/** The owner in a lock file, with what else it says about itself; undefined if there is no file that can be read. */
export function readOwner(path: string): (ProcessIdentity & Record<string, unknown>) | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
      return undefined;
    const { started, ...rest } = value as { pid: number; started?: unknown };
    return typeof started === 'string' ? { ...rest, started } : rest;
  } catch {
    return undefined;
  }
}
