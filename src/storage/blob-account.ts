import type { BlobState, ContentHeaders, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import type { Access } from '#domain/restore/restored-properties.ts';
import type { AccessPolicy, ContainerProperties } from '#domain/run/container-properties.ts';

/**
 * The blobs of one storage account. Every method throws `StorageError` and nothing else, and retries transient failures
 * itself; no caller does. An optional signal ends a method early.
 */
export interface BlobAccount {
  /** The alias of the account in the configuration. */
  readonly alias: string;
  /** The address of the blob service without query, such as `https://acct.blob.core.windows.net`. */
  readonly endpoint: string;

  /** One page (at most 5,000) of the account's containers in the service's order, without system containers. */
  listContainers(marker?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }>;

  /**
   * Creates a private container. Returns `exists` if there is one of this name. Throws `being-deleted` while the
   * service deletes such a one, and `not-created` if the account refuses.
   */
  createContainer(container: string, metadata?: Record<string, string>): Promise<'created' | 'exists'>;

  /** All properties of a container but its policies; undefined if it does not exist. One request. */
  containerProperties(container: string): Promise<ContainerProperties | undefined>;

  /** The stored access policies of a container. Requires a right of its own. One request. */
  accessPolicies(container: string): Promise<AccessPolicy[]>;

  /** Replaces the public access and all stored access policies of a container. */
  setAccess(container: string, access: Access): Promise<void>;

  /** One page (at most 5,000 entries) of a container's base blobs; on request, with their snapshots and versions. */
  listBlobs(container: string, options: ListBlobsOptions): Promise<BlobPage>;

  /** The current state of a blob, snapshot or version; undefined if it or its container does not exist. One request. */
  getProperties(container: string, name: string, snapshotOrVersion?: SnapshotOrVersion): Promise<BlobState | undefined>;

  /**
   * Whether a request by the SDK for this name would reach this blob. The SDK rewrites dot segments and backslashes,
   * and could reach another container. Sends no request.
   */
  canAddress(container: string, name: string): boolean;

  /**
   * Read access to the blobs of one container as copy sources, until `until` at the latest. Each URL has a SAS of its
   * own (a user delegation SAS if the account is configured by identity), valid from 15 minutes ago. Sends a request
   * only for the key that signs user delegation SAS, and reuses that key. Never log, return or store a URL.
   */
  readAccess(container: string, until: Date): Promise<ReadAccess>;

  /**
   * Creates a snapshot of the base blob with its metadata, pinned to `ifMatch`. Returns the id (time) of the snapshot.
   */
  snapshot(container: string, name: string, ifMatch: string): Promise<string>;

  /** Copy Blob From URL: atomic and synchronous, for block blobs of at most 256 MiB. */
  copySync(request: CopyRequest): Promise<CopyResult>;

  /** Copy Blob: for any size and type. The copy may still be pending when it returns. */
  startCopy(request: CopyRequest): Promise<StartedCopy>;

  /** Aborts the pending copy with this id. Throws `no-pending-copy` if there is none or it has another id. */
  abortCopy(container: string, name: string, copyId: string): Promise<void>;

  /**
   * Put Block From URL and Put Block List: for block blobs of any size; parallel, and atomic at the commit. Sends the
   * source condition with every block. Copies no headers or metadata from the source, only sets the given ones. Copies
   * an empty source with `copySync`, since no block could carry the condition.
   */
  copyBlocks(request: CopyRequest & { size: number; headers: ContentHeaders }): Promise<CopyResult>;

  /**
   * Whether the content of a blob is what `copyBlocks` copied from this version of this source: the blocks that it
   * consists of have ids that name both. False if there is no such blob. One request.
   */
  isCopiedInBlocks(container: string, name: string, source: BlockSource): Promise<boolean>;

  /** Replaces the metadata. Returns the new ETag. */
  setMetadata(container: string, name: string, metadata: Record<string, string>, ifMatch: string): Promise<string>;

  /**
   * Sets the access tier of a base blob, snapshot or version. Changes neither ETag nor last-modified time. For an
   * archived blob, this starts a rehydration, which takes hours and shows in `archiveStatus`; `priority` applies to it.
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

  /**
   * Adds bytes to an append blob, and creates it if it does not exist. Unlike a write, this leaves no version in an
   * account with versioning. A lost answer may add them twice. A blob that is full begins again, empty.
   */
  appendObject(container: string, name: string, bytes: Uint8Array): Promise<void>;

  /** Reads a small object; undefined if it or its container does not exist. */
  getObject(container: string, name: string): Promise<StoredObject | undefined>;

  /**
   * The bytes of a blob, snapshot or version, in order. Memory does not grow with its size. Pinned to `ifMatch`: throws
   * `precondition` once the blob has changed. Ends only after the last byte, and throws otherwise.
   */
  readContent(
    container: string,
    name: string,
    options: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion; signal?: AbortSignal },
  ): AsyncIterable<Uint8Array>;

  /**
   * Deletes a base blob, or only one of its snapshots or versions, pinned to `ifMatch`. Throws `snapshots-present` for
   * a base blob that has snapshots, and `not-found` if there is nothing to delete. Requires a right that a backup never
   * uses.
   */
  deleteBlob(
    container: string,
    name: string,
    options: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion },
  ): Promise<void>;

  /** Deletes a container with everything in it. Requires a right that a backup never uses. */
  deleteContainer(container: string): Promise<void>;
}

export interface ListBlobsOptions {
  prefix?: string;
  marker?: string;
  /** Metadata of every blob, without another request. */
  metadata?: boolean;
  /** Index tags of every blob. Requires the right to read them (otherwise `access-denied`). */
  tags?: boolean;
  /** Copy state of every blob. */
  copy?: boolean;
  /** Content headers other than the MD5. */
  contentHeaders?: boolean;
  /**
   * Also lists snapshots, and versions if the account has versioning: entries of the same name, each with its
   * `snapshotOrVersion`. Not with a delimiter.
   */
  snapshotsAndVersions?: boolean;
  /** Groups names at this delimiter into `prefixes`. */
  delimiter?: string;
  /** The most items in the page; 5,000 by default. */
  limit?: number;
  signal?: AbortSignal;
}

export interface BlobPage {
  blobs: BlobState[];
  /** Only with a delimiter. */
  prefixes: string[];
  /** The marker of the next page; absent after the last one. Even a short or empty page may have one. */
  next?: string;
}

export interface ReadAccess {
  /**
   * A URL with which the service can read this blob, snapshot or version, and nothing else, for as long as the access
   * lasts, or only until `until`. Secret. Sends no request.
   */
  urlOf(name: string, snapshotOrVersion?: SnapshotOrVersion, until?: Date): string;
}

export interface CopyRequest {
  sourceUrl: string;
  /** The ETag of the source in its listing. Any other throws `precondition`. */
  sourceIfMatch: string;
  container: string;
  name: string;
  /** The last known state of the destination: its ETag, or `absent`. Any other throws `precondition`. */
  destination: { ifMatch: string } | 'absent';
  /**
   * Replaces all metadata. Absent: the service copies the metadata of the source. An empty record counts as absent,
   * except for `copyBlocks`, since no header could express it.
   */
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
  tier?: string;
  /** Whether the copy of an append blob is sealed; absent: as the service decides. Only for `startCopy`. */
  sealed?: boolean;
  signal?: AbortSignal;
}

/** What the ids of blocks name. */
export type BlockSource = Pick<CopyRequest, 'sourceUrl' | 'sourceIfMatch'> & { size: number };

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
  /** The ETag that the object must have, or `absent` to only create it. Omitted: replaces any object. */
  expect?: { ifMatch: string } | 'absent';
}

export interface StoredObject {
  body: Buffer;
  etag: string;
  metadata: Record<string, string>;
  lastModified: Date;
  /** When the service answered, by the clock of `lastModified`. */
  readAt: Date;
}
