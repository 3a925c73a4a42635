import { isBackup, type RunSummary } from './run.ts';
import type { VerifyKind } from './tasks.ts';

/**
 * What has come to be known of a restore point since it was made. The restore point itself never changes; this lies beside it,
 * in one object, so that a hold and a removal cannot pass each other by.
 */
export interface Notes {
  /** Kept by hand, whatever the policy says. */
  hold?: { at: string; reason: string };
  /** The run changed or lost so much that nothing older is removed until somebody has looked. */
  brake?: { reason: string; released?: string };
  /** The last verifications: the one that looked at every item, and the last that read content. */
  proofs?: Proof[];
  /**
   * Marked by a prune: no longer to be restored; its content goes when the margin is over. From `emptied` on some of it may be
   * gone, and nothing needs what is left.
   */
  removed?: { at: string; run: string; emptied?: string };
}

export function isNotes(value: unknown): value is Notes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { hold, brake, proofs, removed } = value as Notes;
  return (
    [hold, brake, removed].every((each) => each === undefined || (typeof each === 'object' && each !== null)) &&
    (proofs === undefined || Array.isArray(proofs)) &&
    (removed === undefined || typeof removed.at === 'string')
  );
}

/** Adds a proof; of each kind the last counts. */
export function withProof(notes: Notes, proof: Proof): Notes {
  return { ...notes, proofs: [...(notes.proofs ?? []).filter(({ kind }) => kind !== proof.kind), proof] };
}

/** When every item was last found to be there, with nothing wrong: ISO 8601. */
export function verifiedAt({ proofs = [] }: Notes): string | undefined {
  const sound = proofs.filter(({ failed, kind }) => failed === 0 && kind !== 'drill').map(({ at }) => at);
  const last = proofs
    .map(({ at }) => at)
    .sort()
    .at(-1);
  // A later look that found something wrong takes back what an earlier one said.
  return proofs.some(({ at, failed }) => at === last && failed > 0) ? undefined : sound.sort().at(-1);
}

/** Whether a run's summary is that of a restore point. */
export function isRestorePoint({ mode, restorePoint }: Pick<RunSummary, 'mode' | 'restorePoint'>): boolean {
  return restorePoint && isBackup(mode);
}

/** What is known of a restore point by verifying it. */
export interface Proof {
  /** The verification. */
  run: string;
  at: string;
  kind: VerifyKind;
  /** Of `deep`: how much was to be read. */
  portion?: string;
  /** Items looked at; of these, read and compared by hash. */
  items: number;
  read: number;
  /**
   * Items that are missing, not as they were, or that could not be looked at; a container that could not be looked at as a
   * whole counts as one. 0 only when nothing is wrong.
   */
  failed: number;
}
