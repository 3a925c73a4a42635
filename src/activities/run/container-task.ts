import type { VaultLocation } from '#domain/restore/point-tasks.ts';
import type { Gone } from '#domain/run/comparison.ts';
import type { PatternSearch } from '#domain/run/pattern-search.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';

/**
 * One container or table of a run. A restore reads what was backed up from `container`, and writes to `destination`.
 */
export interface ContainerTask<Run extends RunRef = RunRef> {
  run: Run;
  container: string;
  destination: string;
  /** In a restore or a verification: where in the vault the backup blobs of the container are. */
  vaultLocation?: VaultLocation;
}

export interface ContainerPair extends Omit<ContainerTask, 'run'> {
  /** In a retry: scan this container like any other run, because the earlier run did not list it to its end. */
  scan?: boolean;
  /** The run only compares it with the restore point before, which held it: why the run holds nothing of it. */
  gone?: Gone;
}

/** The containers and tables that a run works on, or a page of them. */
export interface FoundTasks {
  containers: ContainerPair[];
  problems: Problem[];
  /** Remarks on the run, which decide nothing. */
  remarks?: Problem[];
  /** Where the next page begins. */
  next?: string;
  /** The search for patterns that match nothing, for the next page. */
  search?: PatternSearch;
}

export interface ListContainersResult extends FoundTasks {
  requests: Record<string, number>;
}

/** Separates what was found from what keeps a container from being worked on. */
export function foundTasks(found: (ContainerPair | Problem)[]): FoundTasks {
  return {
    containers: found.filter((each): each is ContainerPair => !('code' in each)),
    problems: found.filter((each): each is Problem => 'code' in each),
  };
}
