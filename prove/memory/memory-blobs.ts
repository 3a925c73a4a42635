import type { BlobState, ContentHeaders, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import type { Access } from '#domain/restore/restored-properties.ts';
import type { AccessPolicy, ContainerProperties } from '#domain/run/container-properties.ts';
import type {
  BlobAccount,
  BlobPage,
  BlockSource,
  CopyRequest,
  CopyResult,
  ListBlobsOptions,
  PutObjectOptions,
  ReadAccess,
  StartedCopy,
  StoredObject,
} from '#storage/blob-account.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { MemoryAccount } from './memory-account.ts';

const ZEROS = Buffer.alloc(1024 * 1024);

/** One request on its way to an account. */
export interface Call {
  account: string;
  operation: string;
  container?: string;
  name?: string;
  /** Whether it changes storage. */
  writes: boolean;
  signal?: AbortSignal | undefined;
}

/** The path between the app and its storage: decides when, how often and whether a request is carried out. */
export type Network = <T>(call: Call, carryOut: () => T) => Promise<T>;

export const DIRECT: Network = async (_call, carryOut) => carryOut();

/** A `BlobAccount` in memory, as one process sees it over its network. */
export class MemoryBlobs implements BlobAccount {
  readonly alias: string;
  readonly endpoint: string;
  readonly #account: MemoryAccount;
  readonly #network: Network;

  constructor(account: MemoryAccount, network: Network = DIRECT) {
    this.alias = account.alias;
    this.endpoint = account.endpoint;
    this.#account = account;
    this.#network = network;
  }

  listContainers(marker?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }> {
    return this.#ask('ListContainers', false, { signal }, () => this.#account.listContainers(marker));
  }

  createContainer(container: string, metadata?: Record<string, string>): Promise<'created' | 'exists'> {
    return this.#ask('CreateContainer', true, { container }, () => this.#account.createContainer(container, metadata));
  }

  containerProperties(container: string): Promise<ContainerProperties | undefined> {
    return this.#ask('ListContainers', false, { container }, () => {
      const { policies: _, ...properties } = this.#account.properties(container) ?? {};
      return this.#account.properties(container) && properties;
    });
  }

  accessPolicies(container: string): Promise<AccessPolicy[]> {
    return this.#ask('GetContainerACL', false, { container }, () => this.#account.policies(container));
  }

  setAccess(container: string, access: Access): Promise<void> {
    return this.#ask('SetContainerACL', true, { container }, () => this.#account.setAccess(container, access));
  }

  listBlobs(container: string, options: ListBlobsOptions): Promise<BlobPage> {
    return this.#ask('ListBlobs', false, { container, signal: options.signal }, () =>
      this.#account.listBlobs(container, options),
    );
  }

  getProperties(
    container: string,
    name: string,
    snapshotOrVersion?: SnapshotOrVersion,
  ): Promise<BlobState | undefined> {
    return this.#ask('GetBlobProperties', false, { container, name }, () =>
      this.#account.getProperties(container, name, snapshotOrVersion),
    );
  }

  canAddress(_container: string, name: string): boolean {
    return !/(?:^|\/)\.{1,2}(?:\/|$)|\\/.test(name);
  }

  readAccess(container: string, until: Date): Promise<ReadAccess> {
    return this.#ask('GetUserDelegationKey', false, { container }, () => ({
      urlOf: (name: string, snapshotOrVersion?: SnapshotOrVersion, sooner = until) => {
        const [key, id] = snapshotOrVersion ? Object.entries(snapshotOrVersion)[0]! : [];
        const which = key === undefined ? '' : `${key === 'version' ? 'versionid' : key}=${id}&`;
        return `${this.endpoint}/${container}/${encodeURIComponent(name)}?${which}until=${Math.min(sooner.getTime(), until.getTime())}`;
      },
    }));
  }

  snapshot(container: string, name: string, ifMatch: string): Promise<string> {
    return this.#ask('SnapshotBlob', true, { container, name }, () => this.#account.snapshot(container, name, ifMatch));
  }

  copySync(request: CopyRequest): Promise<CopyResult> {
    return this.#ask('CopyBlobFromURL', true, request, () => this.#account.copySync(request));
  }

  startCopy(request: CopyRequest): Promise<StartedCopy> {
    return this.#ask('CopyBlob', true, request, () => this.#account.startCopy(request));
  }

  abortCopy(container: string, name: string, copyId: string): Promise<void> {
    return this.#ask('AbortCopyBlob', true, { container, name }, () =>
      this.#account.abortCopy(container, name, copyId),
    );
  }

  async copyBlocks(request: CopyRequest & { size: number; headers: ContentHeaders }): Promise<CopyResult> {
    if (request.size === 0) return this.copySync(request);
    const staged = await this.#ask('PutBlockFromURL', false, request, () => this.#account.stageBlocks(request));
    return this.#ask('PutBlockList', true, request, () => this.#account.commitBlocks(request, staged));
  }

  isCopiedInBlocks(container: string, name: string, source: BlockSource): Promise<boolean> {
    return this.#ask('GetBlockList', false, { container, name }, () =>
      this.#account.isCopiedInBlocks(container, name, source),
    );
  }

  setMetadata(container: string, name: string, metadata: Record<string, string>, ifMatch: string): Promise<string> {
    return this.#ask('SetBlobMetadata', true, { container, name }, () =>
      this.#account.setMetadata(container, name, metadata, ifMatch),
    );
  }

  setTier(
    container: string,
    name: string,
    tier: string,
    { snapshotOrVersion }: { snapshotOrVersion?: SnapshotOrVersion; priority?: 'Standard' | 'High' } = {},
  ): Promise<void> {
    return this.#ask('SetBlobTier', true, { container, name }, () =>
      this.#account.setTier(container, name, tier, snapshotOrVersion),
    );
  }

  setTags(container: string, name: string, tags: Record<string, string>): Promise<void> {
    return this.#ask('SetBlobTags', true, { container, name }, () => this.#account.setTags(container, name, tags));
  }

  putObject(container: string, name: string, body: Uint8Array, options: PutObjectOptions): Promise<{ etag: string }> {
    return this.#ask('PutBlob', true, { container, name }, () =>
      this.#account.putObject(container, name, body, options),
    );
  }

  appendObject(container: string, name: string, bytes: Uint8Array): Promise<void> {
    return this.#ask('AppendBlock', true, { container, name }, () =>
      this.#account.appendObject(container, name, bytes),
    );
  }

  getObject(container: string, name: string): Promise<StoredObject | undefined> {
    return this.#ask('GetBlob', false, { container, name }, () => this.#account.getObject(container, name));
  }

  async *readContent(
    container: string,
    name: string,
    options: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion; signal?: AbortSignal },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = options;
    const { body, size } = await this.#ask('GetBlob', false, { container, name, signal }, () =>
      this.#account.content(container, name, options),
    );
    if (body.length > 0) yield body;
    // The bytes that large blobs lack.
    for (let left = size - body.length; left > 0; left -= ZEROS.length) {
      if (signal?.aborted) throw new StorageError('aborted', `Could not read ${container}/${name}: it was stopped`);
      yield ZEROS.subarray(0, left);
    }
  }

  deleteBlob(
    container: string,
    name: string,
    options: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion },
  ): Promise<void> {
    return this.#ask('DeleteBlob', true, { container, name }, () => this.#account.deleteBlob(container, name, options));
  }

  deleteContainer(container: string): Promise<void> {
    return this.#ask('DeleteContainer', true, { container }, () => this.#account.deleteContainer(container));
  }

  #ask<T>(
    operation: string,
    writes: boolean,
    { container, name, signal }: { container?: string; name?: string; signal?: AbortSignal | undefined },
    carryOut: () => T,
  ): Promise<T> {
    const where = { ...(container !== undefined && { container }), ...(name !== undefined && { name }) };
    return this.#network({ account: this.alias, operation, ...where, writes, signal }, carryOut);
  }
}
