export type CopyReason =
  /** The destination has no blob of this name. */
  | 'new'
  /** The vault has another version of the source. */
  | 'changed'
  /** A full run copies everything. */
  | 'full'
  /** The blob in the vault is incomplete: a copy that failed or was aborted, or has the wrong size. */
  | 'incomplete'
  /** It has no record: another tool made it, or the service copied its metadata. It may be of an older version. */
  | 'untracked'
  | 'unrecorded';

/** Why a prune may delete an item. */
export type PruneReason =
  /** A snapshot or version that no restore point needs. */
  | 'not-needed'
  /** A base blob that no restore point needs and whose source is gone. */
  | 'source-gone';
