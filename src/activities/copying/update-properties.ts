import { isDeepStrictEqual } from 'node:util';
import type { BlobState } from '#domain/blobs/blob.ts';
import {
  readRecord,
  recordOf,
  type SourceRecord,
  tagsAreWithheld,
  UNSETTLED,
  withMarks,
  withRecord,
} from '#domain/copying/record.ts';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { CopyContext } from './copy-context.ts';

/** What of a record is `UNSETTLED`. */
export type Marks = Pick<SourceRecord, 'tier' | 'tags'>;

/**
 * Sets tier or tags in place: the content is there already. The record says so before and after, so that a crash in
 * between only means that it is done again. What is sent is noted in `sent`, also where this throws.
 */
export async function updateProperties(
  place: CopyContext,
  source: BlobState,
  mirror: BlobState,
  reason: 'tier' | 'tags',
  sent: Marks,
): Promise<Outcome> {
  const name = place.targetPrefix + source.name;
  const had = readRecord(mirror.metadata)!;
  const record = recordOf(source, place.run.id);
  // The mirror keeps the tags it has while the source's may not be read.
  if (tagsAreWithheld(source)) Object.assign(record, had.tags !== undefined && { tags: had.tags });
  const tier = record.tier !== had.tier ? record.tier : undefined;
  const setsTags = record.tags !== had.tags;

  let etag = mirror.etag;
  const write = async (wanted: SourceRecord) => {
    const metadata = withRecord(source.metadata, wanted);
    // No room to note it beside the user's metadata: that, and the record by which the copy is found, weigh more.
    if (metadata) etag = await place.target.setMetadata(place.destination, name, metadata, etag);
  };
  const before = { ...had, ...(tier && { tier: UNSETTLED }), ...(setsTags && { tags: UNSETTLED }) };
  // Pins the version these belong to: whoever replaces it from now on knows that they may still arrive. Where the vault
  // refuses them in every run, the mark is there already.
  const isMarked = sent.tier === undefined && sent.tags === undefined && isDeepStrictEqual(before, had);
  if (!isMarked) await write(before);
  let lacks: ProblemCode | undefined;
  if (tier !== undefined) {
    sent.tier = UNSETTLED;
    try {
      await place.target.setTier(place.destination, name, tier);
    } catch (error) {
      // As when copying: noted as done in the record, or it would be tried again in every run.
      if (!isStorageError(error, 'tier-not-supported')) throw error;
      lacks = 'tier-not-kept';
    }
  }
  if (setsTags) {
    sent.tags = UNSETTLED;
    try {
      await place.target.setTags(place.destination, name, source.tags ?? {});
    } catch (error) {
      // The content is held all the same. Noted as done where the vault has no tags; rights may come back.
      if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
      lacks = 'tags-not-written';
      if (error.kind === 'access-denied') {
        if (tier === undefined) return outcomeOf(source, 'unchanged', { vaultEtag: etag, code: lacks });
        record.tags = UNSETTLED;
      }
    }
  }
  await write(record);
  const about = { method: 'properties', reason, ...(lacks && { code: lacks }) } as const;
  return outcomeOf(source, 'copied', { vaultEtag: etag, ...about });
}

/** The mirror's blob as if its record said so. */
export function marked(mirror: BlobState, marks: Marks): BlobState {
  const record = readRecord(mirror.metadata);
  if (!record || Object.keys(marks).length === 0) return mirror;
  return { ...mirror, metadata: withMarks(mirror.metadata, marks) };
}
