import { kindOfPath } from './control-paths.ts';
import type { RunSummary } from './run.ts';
import { tableOfShare } from './table-name.ts';

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
  /** Of `deep`: how much was to be read. */
  share?: string;
  /** Items looked at; of these, read and compared by hash. */
  items: number;
  read: number;
  /**
   * Items that are missing, not as they were, or that could not be looked at; a container that could not be looked at as a
   * whole counts as one. 0 only when nothing is wrong.
   */
  failed: number;
}

/** What a verification says of its restore point; undefined when it did not come to its end. */
export function proofOf(
  { id, status, startedAt, finishedAt, counts, containers, parts }: RunSummary,
  { kind, share }: VerifyTask,
): Proof | undefined {
  if (status !== 'succeeded' && status !== 'completed-with-failures') return undefined;
  const lost = containers.filter((each) => each.status === 'failed').length;
  // What the listings settled stands in the parts of the scan, what was read in those of the work that it planned. Of tables all is read.
  const worked = parts.filter(
    ({ path, container }) => kindOfPath(path)?.kind === 'copy' || tableOfShare(container) !== undefined,
  );
  return {
    run: id,
    at: finishedAt ?? startedAt,
    kind,
    ...(kind === 'deep' && { share }),
    items: counts.listed,
    read: worked.reduce((sum, { unchanged, failed }) => sum + unchanged + failed, 0),
    failed: counts.failed + lost,
  };
}
