/**
 * Selects entities of a table by their keys. With a partition, `from` and `to` are row keys of it; without one they are
 * partition keys. Both belong to the selection. Keys are ordered by UTF-16 code units. An absent field sets no bound.
 */
export interface KeySelection {
  partition?: string;
  from?: string;
  to?: string;
}

/** What a restore does if the target already has a blob of that name, or an entity of that key. */
export type Existing =
  /** Leave it, and report a failure. A table that is not empty is left as a whole. */
  | 'fail'
  /** Leave it, and report it as skipped. */
  | 'skip'
  /** Replace it. A snapshot keeps the content of a blob; nothing keeps that of an entity. */
  | 'overwrite'
  /** Replace it, unless it is still the version that was backed up. Entities are always replaced. */
  | 'if-different'
  /** The word of tables for `overwrite`. */
  | 'replace'
  /** Tables only: set the properties of the backup, and leave the others. */
  | 'merge';

/** A single file of entities to restore. */
export interface NamedFile {
  /** Alias of its account. */
  account: string;
  container: string;
  name: string;
}

/** The task of a restore. Small, without secrets: histories store it. */
export interface RestoreTask {
  /** The run that made the restore point. */
  point: string;
  /** Alias of the account to restore to. */
  account: string;
  /** Template of the container to restore to; `{container}` stands for the one that was backed up. */
  container: string;
  /** Template of the prefix of each name. */
  prefix: string;
  existing: Existing;
  /**
   * Patterns of the containers and of the tables to restore. If there are none of either, the run restores everything.
   * Restores that earlier versions began have no `tables`.
   */
  containers: string[];
  tables: string[];
  /** Template of the table to restore to; `{table}` stands for the one that was backed up. */
  table: string;
  /** Tables: restore only entities with these keys. */
  keys?: KeySelection;
  /** Replaces the restore point: `point` is then empty, and `tables` has the name of the one table. */
  file?: NamedFile;
  /** Only the blobs of these names, of the one container; absent if the request names none. */
  names?: string[];
  /** Only blobs whose names start with this. */
  startsWith: string;
  /** Only blobs that match one of these globs; none means all. */
  include: string[];
  exclude: string[];
  /** Whether to restore public access and stored access policies, which opens data to others. */
  restoreAccess?: true;
  /** How fast the service rehydrates archived content; without it, archived content is a failure. */
  rehydrate?: 'standard' | 'high';
  /** Whether each target is the container or table that was backed up: then equal ETags mean the same version. */
  original: boolean;
}

/**
 * How a run verifies a restore point. `quick`: listings show every item in the vault, with its ETag or record, its type
 * and its length. `deep`: the run also reads and hashes a portion of the items. `drill`: the run restores a random
 * sample into a scratch container, compares it byte by byte, and removes it again.
 */
export type VerifyKind = 'quick' | 'deep' | 'drill';

/** The task of a verification. Small, without secrets: histories store it. */
export interface VerifyTask {
  /** The run that made the restore point. */
  point: string;
  kind: VerifyKind;
  /** `deep`: how much the run reads, such as `5%` (a random twentieth) or `1/7` (one seventh after another). */
  portion: string;
  /** The number of this portion, if one comes after another. */
  turn: number;
  /** `drill`: how many blobs the run restores. */
  sample: number;
}

/** The run that made a plan, and the hash of the plan. */
export interface PlanName {
  run: string;
  hash: string;
}

/** The task of a prune. Without a plan the run makes one. Small, without secrets: histories store it. */
export interface PruneTask {
  /** Present when the run deletes: the plan to carry out. */
  plan?: PlanName;
  /** When a schedule started the run: another run carries out the plan as soon as it is made. */
  carryOut?: boolean;
}
