import { expand } from '../blobs/container-template.ts';
import type { RunSummary } from '../run/run.ts';
import { tableOfTask } from '../run/task-name.ts';

/** Where in the vault the blobs of a container are. */
export interface VaultLocation {
  container: string;
  prefix: string;
}

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
