import { createHash } from 'node:crypto';
import type { BlobState } from '../blobs/blob.ts';

/**
 * What a copy in the vault says of the source blob it was made from. It travels in the copy's metadata, so that
 * listing the backup container shows it at no extra request, and snapshots carry it along.
 */
export interface SourceRecord {
  /** ETag of the source version that was copied, without quotes. */
  etag: string;
  /** Last-modified time of that version, ISO 8601. */
  modified: string;
  /** The run that made the copy: the owner token by which a lost answer is recognised. */
  run: string;
  /** Tier that was set on the source blob, where one was set; or `UNSETTLED`. */
  tier?: string;
  /** Fingerprint of the source's index tags, where it had any that could be read; or `UNSETTLED`. */
  tags?: string;
}

/**
 * In place of a tier or of tags: they are being set, or may be. The requests that set them take no ETag, so one that is on
 * its way can reach a newer copy; whoever overwrites a blob so marked hands the mark on, and the next run sets them again.
 */
export const UNSETTLED = 'unsettled';

const PREFIX = 'strongroom_';
const FIELDS = ['etag', 'modified', 'run', 'tier', 'tags'] as const;
/** The service's limit for all names and values together. */
const METADATA_LIMIT = 8 * 1024;

export function readRecord(metadata: Record<string, string> | undefined): SourceRecord | undefined {
  if (!metadata) return undefined;
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata)) {
    const lower = key.toLowerCase();
    if (lower.startsWith(PREFIX)) found[lower.slice(PREFIX.length)] = value;
  }
  const { etag, modified, run, tier, tags } = found;
  if (etag === undefined || modified === undefined || run === undefined) return undefined;
  return { etag, modified, run, ...(tier !== undefined && { tier }), ...(tags !== undefined && { tags }) };
}

/**
 * The source's metadata with the record added; undefined where it cannot be sent as headers without loss (too large,
 * or a value that is not plain ASCII). Such a blob is copied without a record; its manifest entry knows it by its vault
 * ETag, and later runs compare it by time and content.
 */
export function withRecord(
  metadata: Record<string, string> | undefined,
  record: SourceRecord,
): Record<string, string> | undefined {
  const merged = withoutRecord(metadata);
  for (const field of FIELDS) {
    const value = record[field];
    if (value !== undefined) merged[PREFIX + field] = value;
  }
  return canBeSent(merged) ? merged : undefined;
}

/** Metadata with these fields of its record replaced. */
export function withMarks(
  metadata: Record<string, string> | undefined,
  marks: Pick<SourceRecord, 'tier' | 'tags'>,
): Record<string, string> {
  const kept = Object.entries(metadata ?? {}).filter(
    ([key]) => !Object.keys(marks).some((field) => key.toLowerCase() === PREFIX + field),
  );
  return Object.fromEntries([...kept, ...Object.entries(marks).map(([field, value]) => [PREFIX + field, value])]);
}

/** Whether metadata can be sent as headers, and arrives as it is. */
export function canBeSent(metadata: Record<string, string>): boolean {
  let size = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return false;
    // Empty values and outer spaces do not survive a header either.
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return false;
    size += key.length + value.length;
  }
  return size <= METADATA_LIMIT;
}

export function withoutRecord(metadata: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !key.toLowerCase().startsWith(PREFIX)));
}

/** The record a copy of this blob, made by this run, must carry. */
export function recordOf(source: BlobState, run: string): SourceRecord {
  const tier = settableTier(source);
  const tags = tagFingerprint(source.tags);
  return {
    etag: source.etag,
    modified: source.lastModified,
    run,
    ...(tier !== undefined && { tier }),
    ...(tags !== undefined && { tags }),
  };
}

/** What is marked as unsettled in a record. */
export function unsettledIn(record: SourceRecord | undefined): Pick<SourceRecord, 'tier' | 'tags'> {
  return {
    ...(record?.tier === UNSETTLED && { tier: UNSETTLED }),
    ...(record?.tags === UNSETTLED && { tags: UNSETTLED }),
  };
}

/** Not Archive: an archived backup blob could be neither read nor overwritten. Nor those that only the service sets. */
const SETTABLE_TIERS = new Set<string | undefined>(['Hot', 'Cool', 'Cold']);

/** The tier a copy should be given: only one that was set on the source itself, so that a default stays a default. */
export function settableTier(source: BlobState): string | undefined {
  if (source.type !== 'block' || source.tierInferred || !SETTABLE_TIERS.has(source.tier)) return undefined;
  return source.tier;
}

/** Whether the blob has tags that the app may not read: then nothing can be said of them, nor copied. */
export function tagsAreWithheld(source: BlobState): boolean {
  return source.tags === undefined && (source.tagCount ?? 0) > 0;
}

/** A short fingerprint of a blob's tags, the same for every order of them; undefined where there are none. */
export function tagFingerprint(tags: Record<string, string> | undefined): string | undefined {
  const entries = Object.entries(tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}
