/**
 * Stands for all containers of a job that have too few blobs to engage the brake on their own. Together they have a
 * state, too.
 */
export const SMALL_CONTAINERS = '*';

/** What the safety brake remembers of one container or table. Each restore point has it as it was after its run. */
export interface BrakeState {
  /** Blobs or entities of the restore point, with those that it owes: their backup failed. */
  held: number;
  /** Restore points of the last weeks that losses are counted from, the oldest first. */
  baselines: Baseline[];
  /** How much of the container each of the last runs changed or lost, per mille, the oldest first. */
  recent: number[];
  /** How much per run an operator has accepted, per mille. */
  accepted: number;
  /**
   * Of a container: the baselines (`at`) of all small containers for which it was one of them. It still counts towards
   * these after it has grown.
   */
  smallAt?: string[];
  /** The run that engaged the brake of this container, until its release. */
  engagedBy?: string;
}

/** A restore point, and how much of what it held has been changed or lost since, beyond what is accepted. */
export interface Baseline {
  run: string;
  /** When its run finished, ISO 8601. */
  at: string;
  held: number;
  lost: number;
  /** Runs that were compared since. */
  runs: number;
}
