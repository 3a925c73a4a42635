import type { BlobState } from '../blobs/blob.ts';
import { canBeSent, withoutRecord } from '../copying/record.ts';
import type { BlobEntry } from '../run/outcome.ts';
import type { ProblemCode } from '../run/problems.ts';

/** The metadata that a restored blob gets. */
export interface RestoredMetadata {
  metadata: Record<string, string>;
  /**
   * `sent` with the copy; `carried` by the service, where headers cannot carry it; or `cleared`: the service copies our
   * record, which must then be removed, because no header can name an empty set.
   */
  how: 'sent' | 'carried' | 'cleared';
  /** Keys of the source that do not come back: no header can carry their values. */
  lost: string[];
}

/**
 * The metadata of an entry of a restore point, whose content is in `holder`: all that the source had if the entry has
 * it, because then the copy in the vault lacks some of it; otherwise that of the copy, without our record.
 */
export function restoredMetadata(entry: BlobEntry, holder: BlobState): RestoredMetadata {
  const kept = withoutRecord(holder.metadata);
  const wanted = entry.metadata ?? kept;
  if (!canBeSent(wanted) && entry.metadata === undefined && !hasRecord(holder)) {
    return { metadata: wanted, how: 'carried', lost: [] };
  }
  const sendable = Object.entries(wanted).filter(([key, value]) => canBeSent({ [key]: value }));
  const metadata = Object.fromEntries(sendable);
  const how = sendable.length > 0 ? 'sent' : hasRecord(holder) || Object.keys(kept).length > 0 ? 'cleared' : 'carried';
  return { metadata, how, lost: Object.keys(wanted).filter((key) => !Object.hasOwn(metadata, key)) };
}

/** Whether a blob carries our record, or a part of it. */
export function hasRecord({ metadata = {} }: BlobState): boolean {
  return Object.keys(withoutRecord(metadata)).length < Object.keys(metadata).length;
}

/** How many keys the message names. */
const NAMED = 10;

/** What a restored blob lacks, as its outcome names it: an outcome has one code, so the message names the other one. */
export function lacksOf({ lost }: RestoredMetadata, other?: ProblemCode): { code?: ProblemCode; message?: string } {
  if (lost.length === 0) return other === undefined ? {} : { code: other };
  const named = lost.slice(0, NAMED).map((key) => JSON.stringify(key));
  const others = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : '';
  const also = other === undefined ? '' : `; also: ${other}`;
  return {
    code: 'metadata-not-kept',
    message: `It was restored without the metadata ${named.join(', ')}${others}${also}`,
  };
}
