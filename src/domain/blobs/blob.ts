/** A blob as a listing or a request for its properties shows it. Times are ISO 8601 (UTC), sizes are bytes. */

export type BlobType = 'block' | 'page' | 'append';

/** The headers that a copy must carry and a restore must give back. */
export interface ContentHeaders {
  contentType?: string;
  contentEncoding?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  cacheControl?: string;
  /** Base64. The property as stored: Azure copies it and never computes it again. */
  contentMd5?: string;
}

const CONTENT_HEADERS = [
  'contentType',
  'contentEncoding',
  'contentLanguage',
  'contentDisposition',
  'cacheControl',
] as const;

/** The first header but the MD5 in which two blobs differ. */
export function otherContentHeader(one: ContentHeaders, other: ContentHeaders): string | undefined {
  return CONTENT_HEADERS.find((header) => one[header] !== other[header]);
}

/** An earlier state of a blob: the time of a snapshot, or the id of a version. */
export type SnapshotOrVersion = { snapshot: string } | { version: string };

export interface BlobState extends ContentHeaders {
  name: string;
  /** Present on a snapshot or an earlier version; absent on the base blob. */
  snapshotOrVersion?: SnapshotOrVersion;
  /** Without quotes, as in listings. Header values are normalized to this form. */
  etag: string;
  lastModified: string;
  size: number;
  type: BlobType;
  /** Present only if the service returns it: page blobs of standard accounts have no tier. */
  tier?: string;
  /** True if the tier is the default of the account and was never set on the blob. */
  tierInferred?: boolean;
  /** `rehydrate-pending-to-hot` and the like, while Azure rehydrates an archived blob. */
  archiveStatus?: string;
  /** True for an append blob that is sealed. Sealing changes no ETag. */
  sealed?: boolean;
  /** The scope whose key encrypts the blob. Listings only. */
  encryptionScope?: string;
  /** Listings keep the case of keys; the properties of one blob have them in lower case. */
  metadata?: Record<string, string>;
  /** How many index tags the blob has; absent means none. */
  tagCount?: number;
  /** Only if the listing was asked for tags and the caller may read them. */
  tags?: Record<string, string>;
  /** True if it has a lease, so that only the holder of the lease may write it. */
  leased?: boolean;
  /** The last copy onto this blob. Another write to its properties removes it. */
  copy?: CopyState;
  /**
   * A directory of an account with a hierarchical namespace, by the service's own word: it has no content to copy. The
   * writer of a blob can set no metadata that makes it one.
   */
  isDirectory?: boolean;
}

export interface CopyState {
  id: string;
  status: 'pending' | 'success' | 'aborted' | 'failed';
  /** The message of the service about a failure. */
  description?: string;
  /** `bytesCopied/bytesTotal` as the service returns it. */
  progress?: string;
  /**
   * The source of the copy: its service, its path and, for a snapshot or a version, `?snapshot=` or `?versionid=`, with
   * nothing else of the query. Only from the properties of one blob, or from a listing with copies.
   */
  source?: string;
}
