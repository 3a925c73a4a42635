import type { Problem } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';

/** Names a container's share of a run: for a restore, the container that was backed up and the one to write to. */
export interface ContainerTask {
  run: RunRef;
  container: string;
  destination: string;
  /** In a restore: the mirror in the vault. */
  vaultLocation?: VaultLocation;
}

/** Where in the vault a container's blobs lie. */
export interface VaultLocation {
  container: string;
  prefix: string;
}

export interface ContainerPair extends Omit<ContainerTask, 'run'> {
  /** A retry of a run in which this container was not listed to its end: it is scanned like in any run. */
  scan?: boolean;
}

export interface ListContainersResult {
  containers: ContainerPair[];
  problems: Problem[];
  next?: string;
  requests: Record<string, number>;
}
