import { isDeepStrictEqual } from 'node:util';
import type { BlobState } from '#domain/blobs/blob.ts';
import { heldAs } from '#domain/copying/held.ts';
import {
  readRecord,
  recordOf,
  type SourceRecord,
  tagsAreWithheld,
  UNSETTLED,
  withMarks,
  withRecord,
} from '#domain/copying/record.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { BackupContext } from './copy-context.ts';

/** The fields of a record that are `UNSETTLED`. */
export type Marks = Pick<SourceRecord, 'tier' | 'tags'>;

/**
 * Sets tier or tags in place: the content is there already. The record says so before and after, so that after a crash
 * in between the next run does it again. Notes in `sent` what it sends, also if it throws.
 */
export async function updateProperties(
  context: BackupContext,
  source: BlobState,
  backup: BlobState,
  reason: 'tier' | 'tags',
  sent: Marks,
): Promise<Outcome> {
  const { name } = backup;
  const had = readRecord(backup.metadata)!;
  const record = recordOf(source, context.owner);
  // The backup blob keeps its tags while the app may not read those of the source.
  if (tagsAreWithheld(source)) Object.assign(record, had.tags !== undefined && { tags: had.tags });
  const tier = record.tier !== had.tier ? record.tier : undefined;
  const setsTags = record.tags !== had.tags;

  let etag = backup.etag;
  const write = async (wanted: SourceRecord) => {
    const metadata = withRecord(source.metadata, wanted);
    // The properties of one blob may show metadata otherwise than the listing by which it was copied.
    if (metadata) etag = await context.target.setMetadata(context.destination, name, metadata, etag);
  };
  const before = { ...had, ...(tier && { tier: UNSETTLED }), ...(setsTags && { tags: UNSETTLED }) };
  // Pins the version that tier and tags belong to, and warns the writer that replaces it that they may still arrive.
  // If the vault refuses them in every run, the mark is there already.
  const isMarked = sent.tier === undefined && sent.tags === undefined && isDeepStrictEqual(before, had);
  if (!isMarked) await write(before);
  const lacksTier = tier !== undefined && (await setTier(context, name, tier, sent));
  const tags = setsTags ? await setTags(context, name, source.tags ?? {}, sent) : 'set';
  const lacks: ProblemCode | undefined = tags !== 'set' ? 'tags-not-written' : lacksTier ? 'tier-not-kept' : undefined;
  if (tags === 'denied') {
    if (tier === undefined) return heldAs(source, 'unchanged', { vaultEtag: etag, code: 'tags-not-written' });
    record.tags = UNSETTLED;
  }
  await write(record);
  const about = { method: 'properties', reason, ...(lacks && { code: lacks }) } as const;
  return heldAs(source, 'copied', { vaultEtag: etag, ...about });
}

/**
 * True if the vault does not support the tier. As in a copy, the record then says that it is set: no run tries again.
 */
async function setTier(
  { target, destination }: BackupContext,
  name: string,
  tier: string,
  sent: Marks,
): Promise<boolean> {
  sent.tier = UNSETTLED;
  try {
    await target.setTier(destination, name, tier);
    return false;
  } catch (error) {
    if (!isStorageError(error, 'tier-not-supported')) throw error;
    return true;
  }
}

/**
 * The vault holds the content with or without its tags. `unsupported`: the vault has no tags, so the record says that
 * they are set. `denied`: the app may get the right back, so a later run tries again.
 */
async function setTags(
  { target, destination }: BackupContext,
  name: string,
  tags: Record<string, string>,
  sent: Marks,
): Promise<'set' | 'unsupported' | 'denied'> {
  sent.tags = UNSETTLED;
  try {
    await target.setTags(destination, name, tags);
    return 'set';
  } catch (error) {
    if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
    return error.kind === 'access-denied' ? 'denied' : 'unsupported';
  }
}

/** The backup blob as if its record had these marks. */
export function marked(backup: BlobState, marks: Marks): BlobState {
  const record = readRecord(backup.metadata);
  if (!record || Object.keys(marks).length === 0) return backup;
  return { ...backup, metadata: withMarks(backup.metadata, marks) };
}
