/** What a listing, or a look at a single blob, tells of it. Times are ISO 8601 (UTC), sizes are bytes. */

export type BlobType = 'block' | 'page' | 'append';

/** The part of a blob that a copy must carry and a restore must give back. */
export interface ContentHeaders {
  contentType?: string;
  contentEncoding?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  cacheControl?: string;
  /** Base64. The property as stored: Azure copies it, it never computes it anew. */
  contentMd5?: string;
}

const CONTENT_HEADERS = [
  'contentType',
  'contentEncoding',
  'contentLanguage',
  'contentDisposition',
  'cacheControl',
] as const;

/** The first header but the MD5 that two blobs do not share. */
export function otherContentHeader(one: ContentHeaders, other: ContentHeaders): string | undefined {
  return CONTENT_HEADERS.find((header) => one[header] !== other[header]);
}

/** Names an earlier state of a blob: the time id of a snapshot, or the id of a version. */
export type SnapshotOrVersion = { snapshot: string } | { version: string };

export interface BlobState extends ContentHeaders {
  name: string;
  /** Present on what is not the base blob but a snapshot or an earlier version of it. */
  snapshotOrVersion?: SnapshotOrVersion;
  /** Without the surrounding quotes, as listings give it; header values are normalised to this form. */
  etag: string;
  lastModified: string;
  size: number;
  type: BlobType;
  /** Present only where the service says so: page blobs of standard accounts have none. */
  tier?: string;
  /** True when the tier is the account's default and was never set on the blob itself. */
  tierInferred?: boolean;
  /** `rehydrate-pending-to-hot` and the like, while an archived blob comes back. */
  archiveStatus?: string;
  /** Keys in the case they were written in when listed; lower-cased when looked at singly. */
  metadata?: Record<string, string>;
  /** How many index tags the blob has; absent means none. */
  tagCount?: number;
  /** Only where the listing was asked for tags and the caller may read them. */
  tags?: Record<string, string>;
  /** The last copy onto this blob; gone once something else wrote its properties. */
  copy?: CopyState;
  /** A directory of an account with a hierarchical namespace: it has no content to copy. */
  isDirectory?: boolean;
}

export interface CopyState {
  id: string;
  status: 'pending' | 'success' | 'aborted' | 'failed';
  /** The service's own words about a failure. */
  description?: string;
  /** `bytesCopied/bytesTotal` as the service gives it. */
  progress?: string;
  /**
   * What was copied: path and, for a snapshot or a version, `snapshot=` or `versionid=` behind a question mark, with
   * nothing else of the query. Only where a blob was looked at singly, or a listing with copies says so.
   */
  source?: string;
}
