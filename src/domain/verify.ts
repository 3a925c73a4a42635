import type { RunReport } from './run.ts';

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
  share: string;
  /** Of a share in turn: which turn this is. */
  turn: number;
  /** Of `drill`: how many blobs are restored. */
  sample: number;
}

/** What is known of a restore point by verifying it. */
export interface Proof {
  /** The verification. */
  run: string;
  at: string;
  kind: VerifyKind;
  share: string;
  /** Items looked at, by listing; of these, read and compared by hash. */
  items: number;
  read: number;
  /** Items that are missing or not as they were. */
  failed: number;
}

/** What a verification that came to its end tells of its restore point. */
export function proofOf(report: RunReport, task: VerifyTask): Proof | undefined {
  const { id, status, finishedAt, startedAt, counts } = report;
  if (status !== 'succeeded' && status !== 'completed-with-failures') return undefined;
  const { kind, share } = task;
  return { run: id, at: finishedAt ?? startedAt, kind, share, items: counts.listed, read: 0, failed: counts.failed };
}
