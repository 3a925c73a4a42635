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
import type { BackupContext } from './copy-context.ts';

/** The fields of a record that are `UNSETTLED`. */
export type Marks = Pick<SourceRecord, 'tier' | 'tags'>;

/**
 * Sets tier or tags in place: the content is there already. The record says so before and after, so that after a crash in
 * between the next run does it again. Notes in `sent` what it sends, also if it throws.
 */
export async function updateProperties(
  context: BackupContext,
  source: BlobState,
  backup: BlobState,
  reason: 'tier' | 'tags',
  sent: Marks,
): Promise<Outcome> {
  const name = context.targetPrefix + source.name;
  const had = readRecord(backup.metadata)!;
  const record = recordOf(source, context.owner);
  // The backup blob keeps its tags while the app may not read those of the source.
  if (tagsAreWithheld(source)) Object.assign(record, had.tags !== undefined && { tags: had.tags });
  const tier = record.tier !== had.tier ? record.tier : undefined;
  const setsTags = record.tags !== had.tags;

  let etag = backup.etag;
  const write = async (wanted: SourceRecord) => {
    const metadata = withRecord(source.metadata, wanted);
    // No room for the note beside the user's metadata. That, and the record that identifies the copy, matter more.
    if (metadata) etag = await context.target.setMetadata(context.destination, name, metadata, etag);
  };
  const before = { ...had, ...(tier && { tier: UNSETTLED }), ...(setsTags && { tags: UNSETTLED }) };
  // Pins the version that tier and tags belong to, and warns the writer that replaces it that they may still arrive.
  // If the vault refuses them in every run, the mark is there already.
  const isMarked = sent.tier === undefined && sent.tags === undefined && isDeepStrictEqual(before, had);
  if (!isMarked) await write(before);
  let lacks: ProblemCode | undefined;
  if (tier !== undefined) {
    sent.tier = UNSETTLED;
    try {
      await context.target.setTier(context.destination, name, tier);
    } catch (error) {
      // As in a copy, the record then says that it is done: otherwise every run would try it again.
      if (!isStorageError(error, 'tier-not-supported')) throw error;
      lacks = 'tier-not-kept';
    }
  }
  if (setsTags) {
    sent.tags = UNSETTLED;
    try {
      await context.target.setTags(context.destination, name, source.tags ?? {});
    } catch (error) {
      // The vault holds the content all the same. Done, if the vault has no tags; but the app may get the right back.
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

/** The backup blob as if its record had these marks. */
export function marked(backup: BlobState, marks: Marks): BlobState {
  const record = readRecord(backup.metadata);
  if (!record || Object.keys(marks).length === 0) return backup;
  return { ...backup, metadata: withMarks(backup.metadata, marks) };
}
