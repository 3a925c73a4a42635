import type { BlobState, ContentHeaders, SnapshotOrVersion } from '#domain/blobs/blob.ts';

/**
 * What Strongroom asks of one storage account's blobs. Every method throws `StorageError` and nothing else, retries
 * what is worth a retry itself (the only place that does), and takes an optional signal that ends it early.
 */
export interface BlobAccount {
  /** The alias the configuration knows the account by. */
  readonly alias: string;
  /** The blob service's address without query, such as `https://acct.blob.core.windows.net`. */
  readonly endpoint: string;

  /** One page (at most 5,000) of the account's containers, in the service's order; without system containers. */
  listContainers(marker?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }>;

  /** Makes a private container. `exists` when it was there already. */
  createContainer(container: string): Promise<'created' | 'exists'>;

  /** One page of a container's base blobs (at most 5,000 entries); with `kept`, of what is kept of them too. */
  listBlobs(container: string, options: ListBlobsOptions): Promise<BlobPage>;

  /**
   * The blob as it is now, or undefined when it or its container is not there. One request. With `kept`, one of its
   * snapshots or versions.
   */
  getProperties(container: string, name: string, kept?: SnapshotOrVersion): Promise<BlobState | undefined>;

  /**
   * Whether the SDK, were it asked for this name, would really address this name in this container: it rewrites dot
   * segments and backslashes, and could reach into another container. Costs no request.
   */
  canAddress(container: string, name: string): boolean;

  /**
   * Read access to one container for a copy's source: mints a SAS (user delegation when the account is configured by
   * identity) that is valid from 15 minutes ago until `until`. Kept in memory only: never log or return it.
   */
  readAccess(container: string, until: Date): Promise<ReadAccess>;

  /** Snapshots the base blob, keeping its ETag and metadata. `ifMatch` pins it. Returns the snapshot's time id. */
  snapshot(container: string, name: string, ifMatch: string): Promise<string>;

  /** Copy Blob From URL: atomic, answers when done; block blobs of at most 256 MiB. */
  copySync(request: CopyRequest): Promise<CopyResult>;

  /** Copy Blob: any size and type; may answer while the copy is still pending. */
  startCopy(request: CopyRequest): Promise<StartedCopy>;

  /** Aborts the pending copy with this id. Throws `no-pending-copy` when there is none or it is another one. */
  abortCopy(container: string, name: string, copyId: string): Promise<void>;

  /**
   * Put Block From URL and Put Block List: block blobs of any size, parallel, atomic at the commit. The source
   * condition is sent with every block. Headers and metadata are what is given here; none are copied from the source.
   * A source of no bytes goes by `copySync` instead, since there is no block that could carry the condition.
   */
  copyBlocks(request: CopyRequest & { size: number; headers: ContentHeaders }): Promise<CopyResult>;

  /** Replaces the metadata. Returns the new ETag. */
  setMetadata(container: string, name: string, metadata: Record<string, string>, ifMatch: string): Promise<string>;

  /**
   * Sets the access tier of the base blob, or of what is kept of it. Changes neither ETag nor last-modified time. For an
   * archived blob this asks the service to rehydrate it, which takes hours and shows in `archiveStatus`; `priority` is
   * for that.
   */
  setTier(
    container: string,
    name: string,
    tier: string,
    options?: { snapshotOrVersion?: SnapshotOrVersion; priority?: 'Standard' | 'High' },
  ): Promise<void>;

  /** Replaces all index tags. Changes neither ETag nor last-modified time. */
  setTags(container: string, name: string, tags: Record<string, string>): Promise<void>;

  /** Writes a small object (a part, a lock, a summary) in one request. */
  putObject(container: string, name: string, body: Uint8Array, options: PutObjectOptions): Promise<{ etag: string }>;

  /** Reads a small object, or undefined when it or its container is not there. */
  getObject(container: string, name: string): Promise<StoredObject | undefined>;

  /**
   * The bytes of a blob, or of what is kept of it, in order; memory does not grow with its size. Pinned to `ifMatch`
   * throughout: `precondition` once it is another version. Ends only when every byte has come; anything less throws.
   */
  readContent(
    container: string,
    name: string,
    options: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion; signal?: AbortSignal },
  ): AsyncIterable<Uint8Array>;

  /**
   * Deletes a base blob, or, with `snapshotOrVersion`, one of its snapshots or versions and nothing else. `ifMatch` pins it. Throws
   * `snapshots-present` for a base blob that still has snapshots, `not-found` for what is gone. Needs a right that a backup never uses.
   */
  deleteBlob(
    container: string,
    name: string,
    options: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion },
  ): Promise<void>;

  /** Deletes a whole container with all that is in it. Needs a right that a backup never uses. */
  deleteContainer(container: string): Promise<void>;
}

export interface ListBlobsOptions {
  prefix?: string;
  marker?: string;
  /** Metadata of every blob, at no extra request. */
  metadata?: boolean;
  /** Index tags of every blob; needs the right to read them (`access-denied` otherwise). */
  tags?: boolean;
  /** Copy state of every blob. */
  copy?: boolean;
  /** Content headers other than the MD5; left out unless asked for. */
  contentHeaders?: boolean;
  /**
   * Snapshots and, where the account keeps them, versions as well: entries of the same name, each with its `kept`. Not
   * with a delimiter.
   */
  snapshotsAndVersions?: boolean;
  /** Group names at this delimiter into `prefixes`. */
  delimiter?: string;
  /** At most so many items in the page; 5,000 when not said. */
  limit?: number;
  signal?: AbortSignal;
}

export interface BlobPage {
  blobs: BlobState[];
  /** Only with a delimiter. */
  prefixes: string[];
  /** Where the next page begins; absent after the last one. A page may be short, or empty, and still have one. */
  next?: string;
}

export interface ReadAccess {
  /** A URL by which the service may read the blob, or what is kept of it. Secret. */
  urlOf(name: string, kept?: SnapshotOrVersion): string;
}

export interface CopyRequest {
  sourceUrl: string;
  /** The source ETag that was listed; anything else is `precondition`. */
  sourceIfMatch: string;
  container: string;
  name: string;
  /** What was seen of the destination: its ETag, or `absent`. Anything else is `precondition`. */
  destination: { ifMatch: string } | 'absent';
  /**
   * Replaces all metadata. Absent: the source's own is copied by the service. An empty one counts as absent, except by
   * `copyBlocks`: there is no header that would say so.
   */
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
  tier?: string;
  signal?: AbortSignal;
}

export interface CopyResult {
  etag: string;
}

export interface StartedCopy {
  etag: string;
  copyId: string;
  status: 'pending' | 'success';
}

export interface PutObjectOptions {
  contentType: string;
  contentEncoding?: string;
  metadata?: Record<string, string>;
  /** An ETag the object must still have, or `absent` for create-only. Omitted: whatever is there is replaced. */
  expect?: { ifMatch: string } | 'absent';
}

export interface StoredObject {
  body: Buffer;
  etag: string;
  metadata: Record<string, string>;
}
