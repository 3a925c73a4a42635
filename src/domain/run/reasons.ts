export type CopyReason =
  /** The backup container has nothing under this name. */
  | 'new'
  /** The backup container holds another version of the source. */
  | 'changed'
  /** A full run copies everything. */
  | 'full'
  /** What the backup container holds is not whole: a copy that failed or was aborted, or has the wrong size. */
  | 'incomplete'
  /** Made by another tool, and older than the source or different from it. */
  | 'untracked';

/** Why something in the vault may go. */
export type PruneReason =
  /** A snapshot or version that no restore point needs. */
  | 'not-needed'
  /** A base blob that no restore point needs, and whose source is gone. */
  | 'source-gone';
