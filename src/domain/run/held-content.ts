import { z } from 'zod';
import type { Members } from './members.ts';

/**
 * What the backups of a job occupy in the vault, as the plan of a prune lists it: blobs and files of entities, what is
 * kept of earlier ones as snapshots and versions, and the bytes of both.
 */
export interface HeldContent {
  blobs: number;
  kept: number;
  bytes: number;
}

const count = z.int().nonnegative();
export const heldContentSchema = z.strictObject({
  blobs: count,
  kept: count,
  bytes: count,
} satisfies Members<HeldContent>);

export const NO_CONTENT: HeldContent = { blobs: 0, kept: 0, bytes: 0 };

/** The content with one more object. */
export function withObject(held: HeldContent, size: number, isKept: boolean): HeldContent {
  return {
    blobs: held.blobs + (isKept ? 0 : 1),
    kept: held.kept + (isKept ? 1 : 0),
    bytes: held.bytes + size,
  };
}

/** The sum; undefined if one of them is not known. */
export function sumOfHeld(each: readonly (HeldContent | undefined)[]): HeldContent | undefined {
  return each.reduce<HeldContent | undefined>(
    (sum, one) =>
      sum && one && { blobs: sum.blobs + one.blobs, kept: sum.kept + one.kept, bytes: sum.bytes + one.bytes },
    NO_CONTENT,
  );
}
