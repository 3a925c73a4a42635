/**
 * Which entities of a table are wanted, by their keys. With a partition, `from` and `to` are row keys of it; without one they are
 * partition keys. Both are meant to be among them, in the order of UTF-16 code units. What is absent sets no bound.
 */
export interface KeySelection {
  partition?: string;
  from?: string;
  to?: string;
}

/** What to do where the target has a blob of that name, or an entity of that key, already. */
export type Existing =
  /** Leave it, and name it as a failure. A table that is not empty is left as a whole. */
  | 'fail'
  /** Leave it, and say so. */
  | 'skip'
  /** Replace it; a blob's content is kept as a snapshot, an entity's is not kept. */
  | 'overwrite'
  /** Replace it, unless it is the same. Entities are replaced in any case. */
  | 'if-different'
  /** The same as `overwrite`, in the word that tables have for it. */
  | 'replace'
  /** Tables only: set the properties that were backed up, and leave the others. */
  | 'merge';

/** A file of entities that is restored by itself. */
export interface NamedFile {
  /** Alias of the account it lies in. */
  account: string;
  container: string;
  name: string;
}

/** What a restore is to do. Small, without secrets: it is stored in histories. */
export interface RestoreTask {
  /** The run that left the restore point. */
  point: string;
  /** Alias of the account to restore to. */
  account: string;
  /** Template of the container to restore to; `{container}` stands for the one that was backed up. */
  container: string;
  /** Template of what is put before each name. */
  prefix: string;
  existing: Existing;
  /**
   * Patterns of the containers that were backed up, and of the tables. Where there are none of either, all that the restore point
   * holds is meant; else nothing but what is named. Restores begun by earlier versions have no `tables`.
   */
  containers: string[];
  tables: string[];
  /** Template of the table to restore to; `{table}` stands for the one that was backed up. */
  table: string;
  /** Of the tables: only entities with these keys. */
  keys?: KeySelection;
  /** In place of a restore point: `point` is then empty, and `tables` has the name of the one table. */
  file?: NamedFile;
  /** Only blobs whose names begin so. */
  startsWith: string;
  /** Only blobs that match one of these globs; none means all. */
  include: string[];
  exclude: string[];
  /** How fast content in the archive tier is asked back; without it such content is a failure. */
  rehydrate?: 'standard' | 'high';
  /** Whether the target is the very place that was backed up: then equal ETags are the same version. */
  original: boolean;
}

/**
 * How a restore point is proved. `quick`: every item is in the vault, by its record, its length and its hash property, as
 * listings tell. `deep`: a share of the items is read and hashed as well. `drill`: a random sample is restored into a scratch
 * container, compared byte by byte, and removed again.
 */
export type VerifyKind = 'quick' | 'deep' | 'drill';

/** What a verification is to do. Small, without secrets: it is stored in histories. */
export interface VerifyTask {
  /** The run that left the restore point. */
  point: string;
  kind: VerifyKind;
  /** Of `deep`: how much is read, such as `5%` (a random twentieth) or `1/7` (a seventh in turn). */
  portion: string;
  /** Of a share in turn: which turn this is. */
  turn: number;
  /** Of `drill`: how many blobs are restored. */
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
