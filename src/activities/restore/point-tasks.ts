import { expand } from '#domain/blobs/container-template.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { VaultLocation } from '../run/container-task.ts';

/** What a restore point holds. */
export interface PointTasks {
  /** Its containers, by name, each with the location of its backup blobs. */
  containers: Map<string, VaultLocation>;
  tables: string[];
}

export function pointTasks({ parts, destination: { prefix } }: RunSummary): PointTasks {
  const held = new Map(parts.map(({ container, destination }) => [container, destination]));
  const containers = [...held].filter(([name]) => tableOfTask(name) === undefined);
  return {
    containers: new Map(containers.map(([name, container]) => [name, { container, prefix: expand(prefix, name) }])),
    tables: [...held.keys()].flatMap((name) => tableOfTask(name) ?? []),
  };
}
