import { z } from 'zod';
import { type By, bySchema } from './by.ts';
import type { Members } from './members.ts';
import type { Removal } from './removal.ts';
import { isBackup, type RunSummary } from './run.ts';
import type { VerifyKind } from './tasks.ts';

/**
 * Facts about a restore point that are known only after its run. The restore point itself never changes. All notes are
 * in one object next to it, so that a hold and a removal cannot miss each other.
 */
export interface Notes {
  /** An operator holds it, under any policy. */
  hold?: { at: string; reason: string; by?: By };
  /**
   * The safety brake: its run changed or lost so much that prunes remove nothing older until an operator releases it.
   */
  brake?: {
    reason: string;
    /** The containers and tables that engaged it; `*` for all of them. */
    containers: string[];
    released?: string;
    releasedBy?: By;
  };
  /** The last verification of each kind. */
  proofs?: Proof[];
  /**
   * A prune marked it: no restore can use it, and its content is deleted when the margin ends. From `emptied` on,
   * content may be missing, and nothing needs the rest.
   */
  removed?: Removal;
}

const text = z.string();
const count = z.int().nonnegative();
export const proofSchema = z.strictObject({
  run: text,
  at: text,
  kind: z.enum(['quick', 'deep', 'drill']),
  portion: text.optional(),
  items: count,
  read: count,
  failed: count,
} satisfies Members<Proof>);
export const notesSchema = z.strictObject({
  hold: z.strictObject({ at: text, reason: text, by: bySchema.optional() }).optional(),
  brake: z
    .strictObject({
      reason: text,
      containers: z.array(text),
      released: text.optional(),
      releasedBy: bySchema.optional(),
    })
    .optional(),
  proofs: z.array(proofSchema).optional(),
  removed: z
    .strictObject({
      at: text,
      run: text,
      emptied: text.optional(),
      by: z.array(text).optional(),
    } satisfies Members<Removal>)
    .optional(),
} satisfies Members<Notes>);

/** A member that this version does not know may be a protection, so it makes other notes than these. */
export function isNotes(value: unknown): value is Notes {
  return notesSchema.safeParse(value).success;
}

/** Adds a proof. Of each kind, the last one counts, by whatever clock. */
export function withProof(notes: Notes, proof: Proof): Notes {
  return { ...notes, proofs: [...(notes.proofs ?? []).filter(({ kind }) => kind !== proof.kind), proof] };
}

/** When a verification last checked every item and found no failure: ISO 8601. */
export function verifiedAt({ proofs = [] }: Notes): string | undefined {
  const sound = proofs.filter(({ failed, kind }) => failed === 0 && kind !== 'drill').map(({ at }) => at);
  const last = proofs
    .map(({ at }) => at)
    .sort()
    .at(-1);
  // A later verification that found a failure revokes an earlier one.
  return proofs.some(({ at, failed }) => at === last && failed > 0) ? undefined : sound.sort().at(-1);
}

/** Whether the summary of a run is a restore point. */
export function isRestorePoint({ mode, restorePoint }: Pick<RunSummary, 'mode' | 'restorePoint'>): boolean {
  return restorePoint && isBackup(mode);
}

/** The result of a verification. */
export interface Proof {
  /** The run of the verification. */
  run: string;
  at: string;
  kind: VerifyKind;
  /** Of `deep`: the portion that it had to read. */
  portion?: string;
  /** Items checked; of these, items read and compared by hash. */
  items: number;
  read: number;
  /**
   * Items that are missing, that differ, or that could not be checked. A container that could not be checked as a whole
   * counts as one. 0 only if everything is in order.
   */
  failed: number;
}
