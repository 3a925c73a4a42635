import type { PartEntry } from '#domain/run/run.ts';
import { taskKey } from '#domain/run/task-name.ts';
import type { PointInVault } from './vault-picture.ts';

/**
 * The destinations of the containers and tables on which a safety brake is engaged. A prune deletes nothing there, even
 * if no restore point needs it: what engaged the brake may have kept the restore points from naming it.
 */
export function brakedContainers(points: readonly PointInVault[]): string[] {
  const braked = new Set<string>();
  for (const { job, notes } of points) {
    const { brake, removed } = notes;
    if (!brake || brake.released || removed) continue;
    const keys = new Set(brake.containers.map(taskKey));
    const isOn = ({ container }: PartEntry) => keys.has('*') || keys.has(taskKey(container));
    // The restore point itself may hold nothing of it any more.
    const parts = points.filter((point) => point.job === job).flatMap((point) => point.parts);
    for (const part of parts) if (isOn(part)) braked.add(part.destination);
  }
  return [...braked].sort();
}

/** Whether a brake is engaged on one of these destinations. The service ignores the case of names of tables. */
export function isBraked(braked: readonly string[], destination: string): boolean {
  return braked.some((each) => each.toLowerCase() === destination.toLowerCase());
}
