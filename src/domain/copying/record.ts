import { createHash } from 'node:crypto';
import type { BlobState } from '../blobs/blob.ts';
import { isCopier } from '../run/run-id.ts';

/**
 * What a copy in the vault says about its source blob. It is in the metadata of the copy, so a listing of the backup
 * container shows it without further requests, and snapshots keep it.
 */
export interface SourceRecord {
  /** ETag of the copied source version, without quotes. */
  etag: string;
  /** Last-modified time of that version, ISO 8601. */
  modified: string;
  /** The run that made the copy: by this, a run recognizes its own copy if the answer was lost. */
  run: string;
  /** The tier that was set on the source blob, if any; or `UNSETTLED`. */
  tier?: string;
  /** Fingerprint of the source's index tags, if it had any that the app could read; or `UNSETTLED`. */
  tags?: string;
}

/**
 * Instead of a tier or of tags: a request that sets them may be on its way. Such requests take no ETag, so one can
 * reach a newer copy. A run that overwrites a blob with this mark passes the mark on, and the next run sets tier or
 * tags again.
 */
export const UNSETTLED = 'unsettled';

const PREFIX = 'strongroom_';
const FIELDS = ['etag', 'modified', 'run', 'tier', 'tags'] as const;
/** In an account with a hierarchical namespace, this key makes a blob a directory, which has no content. */
const DIRECTORY_MARK = 'hdi_isfolder';
/** The service's limit for all names and values together. */
const METADATA_LIMIT = 8 * 1024;
/** Every copy keeps this room for its record, so that no later record takes room of what an earlier copy carried. */
const RECORD_ROOM = 512;

/**
 * The record that we wrote into metadata. Every copy of ours has metadata of our choice, so no writer to the source can
 * put a record there.
 */
export function readRecord(metadata: Record<string, string> | undefined): SourceRecord | undefined {
  if (!metadata) return undefined;
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata)) {
    const lower = key.toLowerCase();
    if (lower.startsWith(PREFIX)) found[lower.slice(PREFIX.length)] = value;
  }
  const { etag, modified, run, tier, tags } = found;
  if (etag === undefined || modified === undefined || run === undefined || !isCopier(run)) return undefined;
  return { etag, modified, run, ...(tier !== undefined && { tier }), ...(tags !== undefined && { tags }) };
}

/** The metadata of a copy: the record, and what it carries of the source. Undefined if the service must copy it. */
export function withRecord(
  metadata: Record<string, string> | undefined,
  record: SourceRecord,
): Record<string, string> | undefined {
  if (isCopiedByService(metadata)) return undefined;
  const merged = carried(metadata);
  for (const field of FIELDS) {
    const value = record[field];
    if (value !== undefined) merged[PREFIX + field] = value;
  }
  return merged;
}

/**
 * Whether the service itself must copy the metadata of the source, because headers cannot carry it without loss. Such a
 * copy has no record. Never with a key that has a meaning in the vault: the writer of the source would decide it.
 */
export function isCopiedByService(metadata: Record<string, string> | undefined): boolean {
  const entries = Object.entries(metadata ?? {});
  return !entries.some(([key]) => isReserved(key)) && entries.some(([key, value]) => !canBeSent({ [key]: value }));
}

/** All metadata of the source if its copy lacks some of it; otherwise undefined. */
export function beyondCopy(metadata: Record<string, string> | undefined): Record<string, string> | undefined {
  if (metadata === undefined || isCopiedByService(metadata)) return undefined;
  return Object.keys(carried(metadata)).length < Object.keys(metadata).length ? metadata : undefined;
}

/**
 * The entries that a copy carries in addition to its record: the first that have room, without those of a reserved key.
 */
function carried(metadata: Record<string, string> | undefined): Record<string, string> {
  const kept: [string, string][] = [];
  let room = METADATA_LIMIT - RECORD_ROOM;
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (isReserved(key) || !canBeSent({ [key]: value })) continue;
    room -= key.length + value.length;
    if (room < 0) break;
    kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}

/** Whether a key has a meaning in the vault. */
function isReserved(key: string): boolean {
  const lower = key.toLowerCase();
  return lower.startsWith(PREFIX) || lower === DIRECTORY_MARK;
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

/** Whether headers can carry the metadata without change. */
export function canBeSent(metadata: Record<string, string>): boolean {
  let size = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return false;
    // Headers also lose empty values and outer spaces.
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return false;
    size += key.length + value.length;
  }
  return size <= METADATA_LIMIT;
}

export function withoutRecord(metadata: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !key.toLowerCase().startsWith(PREFIX)));
}

/** The record of a copy of this blob by this run. */
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

/** The fields of a record that are marked as unsettled. */
export function unsettledIn(record: SourceRecord | undefined): Pick<SourceRecord, 'tier' | 'tags'> {
  return {
    ...(record?.tier === UNSETTLED && { tier: UNSETTLED }),
    ...(record?.tags === UNSETTLED && { tags: UNSETTLED }),
  };
}

/** Not Archive: an archived copy can be neither read nor overwritten. Not the tiers that only the service sets. */
const SETTABLE_TIERS = new Set<string | undefined>(['Hot', 'Cool', 'Cold']);

/** The tier to give to a copy: only a tier that was set on the source itself, so that a default stays a default. */
export function settableTier(source: BlobState): string | undefined {
  if (source.type !== 'block' || source.tierInferred || !SETTABLE_TIERS.has(source.tier)) return undefined;
  return source.tier;
}

/** Whether the blob has tags that the app may not read. Then they can be neither compared nor copied. */
export function tagsAreWithheld(source: BlobState): boolean {
  return source.tags === undefined && (source.tagCount ?? 0) > 0;
}

/** A short fingerprint of the tags of a blob, the same for any order of them; undefined if it has none. */
export function tagFingerprint(tags: Record<string, string> | undefined): string | undefined {
  const entries = Object.entries(tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 32);
}
