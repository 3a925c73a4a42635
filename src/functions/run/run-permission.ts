import type { Permission } from '#domain/access/permission.ts';
import type { FoundRun } from './find-run.ts';

/** What a caller needs to cancel or retry a run: what it takes to start one that does as much. */
export function permissionOf(found: FoundRun): Permission {
  const { mode } = found.state === 'ended' ? found.summary : found.run;
  return mode === 'restore' || mode === 'prune' ? mode : 'run';
}
