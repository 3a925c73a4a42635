import { buffer } from 'node:stream/consumers';
import {
  type BlobClient,
  type BlobDownloadResponseParsed,
  type BlobHTTPHeaders,
  BlobServiceClient,
  type BlockBlobClient,
  type ContainerClient,
  type ContainerItem,
} from '@azure/storage-blob';
import pLimit from 'p-limit';
import type { BlobState, ContentHeaders, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { isValidContainerName } from '#domain/blobs/container-pattern.ts';
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
} from '../../blob-account.ts';
import { noteProgress } from '../../requests.ts';
import { isStorageError, StorageError } from '../../storage-error.ts';
import type { AccountAccess } from '../account-access.ts';
import { creationError } from '../creation-error.ts';
import { type RequestContext, storageErrorOf, withContext } from '../errors.ts';
import { blobPipeline } from '../pipeline.ts';
import { type ReadAccessMinter, readAccessMinter } from '../read-access.ts';
import { withExtras } from '../request-extras.ts';
import type { RetryOptions } from '../retry-policy.ts';
import { addresses } from './addressing.ts';
import { blobStateOf } from './blob-properties.ts';
import { type Block, planBlocks } from './block-plan.ts';
import { containerPropertiesOf, policiesOf, signedIdentifier } from './container-properties.ts';
import { bareEtag, quotedEtag } from './etag.ts';
import { type ListingReaderOptions, readListing } from './listing-reader.ts';
import { type RestOfContent, wholeContent } from './whole-content.ts';

const PAGE_SIZE = 5000;
/** The error of an append blob that has as many blocks as the service allows. */
const FULL = 'BlockCountExceedsLimit';
/** Blocks of one blob that are copied at the same time. */
const BLOCKS_AT_ONCE = 8;
/** With more blocks than this, one request to find the blocks of an earlier attempt pays off. */
const WORTH_LISTING_BLOCKS = 8;

/** The blobs of one storage account, through the Azure SDK. */
export class AzureBlobAccount implements BlobAccount {
  readonly alias: string;
  readonly endpoint: string;
  readonly #service: BlobServiceClient;
  readonly #mint: ReadAccessMinter;
  readonly #retries: RetryOptions;
  /** Some accounts refuse a request to list versions. */
  #refusesVersions = false;

  constructor(access: AccountAccess, retries: RetryOptions) {
    this.alias = access.alias;
    this.endpoint = access.blobEndpoint;
    const url = access.by.kind === 'sas' ? `${access.blobEndpoint}?${access.by.sas}` : access.blobEndpoint;
    this.#service = new BlobServiceClient(url, blobPipeline(access, retries));
    this.#mint = readAccessMinter(this.#service, access.by);
    this.#retries = retries;
  }

  listContainers(marker?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }> {
    return this.#ask({ action: 'list the containers of' }, async () => {
      const pages = this.#service
        .listContainers({ ...abortable(signal) })
        .byPage({ maxPageSize: PAGE_SIZE, ...continuing(marker) });
      const { value: page } = await pages.next();
      const names = ((page?.containerItems ?? []) as { name: string }[])
        .map(({ name }) => name)
        // Not containers of the service, such as `$logs`. `$root` and `$web` have data of the user.
        .filter(isValidContainerName);
      return { names, ...(page?.continuationToken ? { next: page.continuationToken } : {}) };
    });
  }

  async createContainer(container: string, metadata?: Record<string, string>): Promise<'created' | 'exists'> {
    const options = metadata ? { metadata } : {};
    try {
      await this.#ask({ action: 'create container', container }, () => this.#container(container).create(options));
      return 'created';
    } catch (error) {
      if (!isStorageError(error)) throw error;
      if (error.code === 'ContainerAlreadyExists') return 'exists';
      throw creationError(error);
    }
  }

  containerProperties(container: string): Promise<ContainerProperties | undefined> {
    return this.#ask({ action: 'get the properties of container', container }, async () => {
      // Only a list preserves the case of metadata keys. Names sort first that are a prefix of others.
      const options = { prefix: container, includeMetadata: true };
      const { value: page } = await this.#service.listContainers(options).byPage({ maxPageSize: 1 }).next();
      const found = ((page?.containerItems ?? []) as ContainerItem[]).find(({ name }) => name === container);
      return found && containerPropertiesOf(found);
    });
  }

  accessPolicies(container: string): Promise<AccessPolicy[]> {
    return this.#ask({ action: 'get the access policies of container', container }, async () =>
      policiesOf(await this.#container(container).getAccessPolicy()),
    );
  }

  async setAccess(container: string, { publicAccess, policies }: Access): Promise<void> {
    await this.#ask({ action: 'set the access of container', container }, () =>
      this.#container(container).setAccessPolicy(publicAccess, policies.map(signedIdentifier)),
    );
  }

  async listBlobs(container: string, options: ListBlobsOptions): Promise<BlobPage> {
    if (!options.snapshotsAndVersions) return this.#listBlobs(container, options);
    if (!this.#refusesVersions) {
      try {
        return await this.#listBlobs(container, options, 'snapshots and versions');
      } catch (error) {
        if (!couldMeanVersions(error)) throw error;
      }
    }
    const page = await this.#listBlobs(container, options, 'snapshots');
    this.#refusesVersions = true;
    return page;
  }

  #listBlobs(
    container: string,
    options: ListBlobsOptions,
    include?: ListingReaderOptions['include'],
  ): Promise<BlobPage> {
    return this.#ask({ action: 'list the blobs of', container }, async () => {
      const { prefix, delimiter, marker, limit, signal } = options;
      const client = this.#container(container);
      const wanted = {
        includeMetadata: options.metadata === true,
        includeTags: options.tags === true,
        includeCopy: options.copy === true,
        includeSnapshots: include !== undefined,
        includeVersions: include === 'snapshots and versions',
        ...(prefix ? { prefix } : {}),
        ...abortable(signal),
      };
      const pages = (delimiter ? client.listBlobsByHierarchy(delimiter, wanted) : client.listBlobsFlat(wanted)).byPage({
        maxPageSize: limit ?? PAGE_SIZE,
        ...continuing(marker),
      });
      let page: BlobPage | undefined;
      const readBody = (body: Buffer) => {
        page = readListing(body, { contentHeaders: options.contentHeaders === true, ...(include ? { include } : {}) });
      };
      await withExtras({ readBody }, () => pages.next());
      // Connections keep a reference to this closure, which must not keep the page in memory.
      const read = page;
      page = undefined;
      if (!read) throw new Error('The SDK answered a listing without sending a request.');
      return read;
    });
  }

  getProperties(
    container: string,
    name: string,
    snapshotOrVersion?: SnapshotOrVersion,
  ): Promise<BlobState | undefined> {
    return orAbsent(
      this.#ask({ action: 'get the properties of', container, name }, async () => {
        const properties = await this.#blob(container, name, snapshotOrVersion).getProperties();
        return blobStateOf(name, properties, snapshotOrVersion);
      }),
    );
  }

  canAddress(container: string, name: string): boolean {
    return isValidContainerName(container) && addresses(this.#container(container), name);
  }

  readAccess(container: string, until: Date): Promise<ReadAccess> {
    return this.#ask({ action: 'get read access to', container }, () => this.#mint(this.#container(container), until));
  }

  snapshot(container: string, name: string, ifMatch: string): Promise<string> {
    return this.#ask({ action: 'snapshot', container, name }, async () => {
      const made = await this.#blob(container, name).createSnapshot({ conditions: { ifMatch: quotedEtag(ifMatch) } });
      return made.snapshot!;
    });
  }

  copySync(request: CopyRequest): Promise<CopyResult> {
    return this.#ask(copying(request), async () => {
      const done = await this.#blob(request.container, request.name).syncCopyFromURL(
        request.sourceUrl,
        copyOptions(request),
      );
      return { etag: bareEtag(done.etag) };
    });
  }

  startCopy(request: CopyRequest): Promise<StartedCopy> {
    return this.#ask(copying(request), async () => {
      const started: StartedCopy = { etag: '', copyId: '', status: 'pending' };
      const readHeaders = (get: (name: string) => string | undefined) => {
        started.etag = bareEtag(get('etag'));
        started.copyId = get('x-ms-copy-id') ?? '';
        started.status = get('x-ms-copy-status') === 'success' ? 'success' : 'pending';
      };
      // The SDK starts a copy only together with its poller, which accepts the success of another copy and never ends
      // for an aborted one. So we read the answer to its first request from the headers, and drop the poller.
      await withExtras({ readHeaders }, () =>
        this.#blob(request.container, request.name).beginCopyFromURL(request.sourceUrl, {
          ...copyOptions(request),
          ...(request.sealed === undefined ? {} : { sealBlob: request.sealed }),
        }),
      );
      return started;
    });
  }

  async abortCopy(container: string, name: string, copyId: string): Promise<void> {
    await this.#ask({ action: 'abort the copy onto', container, name }, () =>
      this.#blob(container, name).abortCopyFromURL(copyId),
    );
  }

  copyBlocks(request: CopyRequest & { size: number; headers: ContentHeaders }): Promise<CopyResult> {
    // Without a block, no request could carry the source condition.
    if (request.size === 0) return this.copySync(request);
    return this.#ask(copying(request), async () => {
      const client = this.#blob(request.container, request.name).getBlockBlobClient();
      const blocks = blocksOf(request);
      const stop = new AbortController();
      const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal;
      // The SDK has no source condition here. Every block needs it, since each one reads the source again.
      const headers = { 'x-ms-source-if-match': quotedEtag(request.sourceIfMatch) };
      const staged = await stagedBlocks(client, blocks);
      const limit = pLimit(BLOCKS_AT_ONCE);
      let failure: { error: unknown } | undefined;
      const staging = blocks.map(({ id, offset, count }) =>
        limit(async () => {
          if (failure || staged.has(id)) return;
          try {
            await withExtras({ headers }, () =>
              client.stageBlockFromURL(id, request.sourceUrl, offset, count, { abortSignal: signal }),
            );
          } catch (error) {
            failure ??= { error };
            stop.abort();
          }
        }),
      );
      await Promise.all(staging);
      if (failure) throw failure.error;
      const { metadata, tags, tier, conditions } = copyOptions(request);
      const committed = await client.commitBlockList(
        blocks.map(({ id }) => id),
        {
          conditions,
          blobHTTPHeaders: httpHeaders(request.headers),
          ...(metadata ? { metadata } : {}),
          ...(tags ? { tags } : {}),
          ...(tier ? { tier } : {}),
          ...abortable(request.signal),
        },
      );
      return { etag: bareEtag(committed.etag) };
    });
  }

  isCopiedInBlocks(container: string, name: string, source: BlockSource): Promise<boolean> {
    return this.#ask({ action: 'list the blocks of', container, name }, async () => {
      const client = this.#blob(container, name).getBlockBlobClient();
      const blocks = blocksOf(source);
      try {
        const { committedBlocks = [] } = await client.getBlockList('committed');
        const isSame = committedBlocks.every(({ name }, index) => name === blocks[index]?.id);
        return isSame && committedBlocks.length > 0 && committedBlocks.length === blocks.length;
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return false;
        throw error;
      }
    });
  }

  setMetadata(container: string, name: string, metadata: Record<string, string>, ifMatch: string): Promise<string> {
    return this.#ask({ action: 'set the metadata of', container, name }, async () => {
      const conditions = { ifMatch: quotedEtag(ifMatch) };
      const done = await this.#blob(container, name).setMetadata(metadata, { conditions });
      return bareEtag(done.etag);
    });
  }

  async setTier(
    container: string,
    name: string,
    tier: string,
    { snapshotOrVersion, priority }: { snapshotOrVersion?: SnapshotOrVersion; priority?: 'Standard' | 'High' } = {},
  ): Promise<void> {
    await this.#ask({ action: 'set the tier of', container, name }, () =>
      this.#blob(container, name, snapshotOrVersion).setAccessTier(
        tier,
        priority ? { rehydratePriority: priority } : {},
      ),
    );
  }

  async setTags(container: string, name: string, tags: Record<string, string>): Promise<void> {
    await this.#ask({ action: 'set the tags of', container, name }, () => this.#blob(container, name).setTags(tags));
  }

  putObject(container: string, name: string, body: Uint8Array, options: PutObjectOptions): Promise<{ etag: string }> {
    return this.#ask({ action: 'write', container, name }, async () => {
      const done = await this.#blob(container, name)
        .getBlockBlobClient()
        .upload(body, body.byteLength, {
          blobHTTPHeaders: httpHeaders(options),
          ...(options.metadata ? { metadata: options.metadata } : {}),
          ...(options.expect ? { conditions: expecting(options.expect) } : {}),
        });
      return { etag: bareEtag(done.etag) };
    });
  }

  appendObject(container: string, name: string, bytes: Uint8Array): Promise<void> {
    return this.#ask({ action: 'append to', container, name }, async () => {
      const client = this.#blob(container, name).getAppendBlobClient();
      const append = () => client.appendBlock(bytes, bytes.byteLength);
      try {
        await append();
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== 'BlobNotFound' && code !== FULL) throw error;
        if (code === FULL) await client.create();
        else await client.createIfNotExists();
        await append();
      }
    });
  }

  getObject(container: string, name: string): Promise<StoredObject | undefined> {
    return orAbsent(
      this.#ask({ action: 'read', container, name }, async () => {
        const answer = await this.#blob(container, name).download();
        return {
          body: await buffer(answer.readableStreamBody!),
          etag: bareEtag(answer.etag),
          metadata: answer.metadata ?? {},
          lastModified: answer.lastModified!,
          readAt: answer.date!,
        };
      }),
    );
  }

  async *readContent(
    container: string,
    name: string,
    {
      ifMatch,
      snapshotOrVersion,
      signal,
    }: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion; signal?: AbortSignal },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const conditions = { ifMatch: quotedEtag(ifMatch) };
    try {
      const client = this.#blob(container, name, snapshotOrVersion);
      const open = (from: number) =>
        withExtras({ streamBody: true }, async () =>
          restOf(
            await client.download(from, undefined, { conditions, maxRetryRequests: 0, ...abortable(signal) }),
            from,
          ),
        );
      for await (const bytes of wholeContent(open, this.#retries, signal)) {
        noteProgress();
        yield bytes;
      }
    } catch (error) {
      throw storageErrorOf(error, { action: 'read', container, name, alias: this.alias });
    }
  }

  async deleteBlob(
    container: string,
    name: string,
    { ifMatch, snapshotOrVersion }: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion },
  ): Promise<void> {
    try {
      await this.#ask({ action: 'delete', container, name }, () =>
        this.#blob(container, name, snapshotOrVersion).delete({ conditions: { ifMatch: quotedEtag(ifMatch) } }),
      );
    } catch (error) {
      // For a blob that does not exist, the service reports an unmet condition.
      if (!isStorageError(error, 'precondition')) throw error;
      if (await this.getProperties(container, name, snapshotOrVersion)) throw error;
      throw new StorageError('not-found', error.message, 404, 'BlobNotFound');
    }
  }

  async deleteContainer(container: string): Promise<void> {
    await this.#ask({ action: 'delete container', container }, () => this.#container(container).delete());
  }

  #container(container: string): ContainerClient {
    return this.#service.getContainerClient(container);
  }

  #blob(container: string, name: string, snapshotOrVersion?: SnapshotOrVersion): BlobClient {
    const base = this.#container(container).getBlobClient(name);
    if (!snapshotOrVersion) return base;
    return 'snapshot' in snapshotOrVersion
      ? base.withSnapshot(snapshotOrVersion.snapshot)
      : base.withVersion(snapshotOrVersion.version);
  }

  async #ask<T>(about: Omit<RequestContext, 'alias'>, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      const request = { ...about, alias: this.alias };
      throw error instanceof StorageError ? withContext(request, error) : storageErrorOf(error, request);
    }
  }
}

async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isStorageError(error, 'not-found', 'container-not-found')) return undefined;
    throw error;
  }
}

/** Accounts without versioning refuse to list versions, with various errors. */
function couldMeanVersions(error: unknown): boolean {
  return (
    isStorageError(error) && [400, 409, 501].includes(error.status) && !isStorageError(error, 'container-not-found')
  );
}

function restOf(answer: BlobDownloadResponseParsed, from: number): RestOfContent {
  const body = answer.readableStreamBody as AsyncIterable<Buffer>;
  if (from === 0) return { size: answer.contentLength ?? 0, body };
  const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.contentRange ?? '') ?? [];
  if (Number(first) !== from) {
    throw new StorageError('server', 'The service sent another range of the blob than requested.');
  }
  return { size: Number(size), body };
}

function copying({ container, name }: CopyRequest): Omit<RequestContext, 'alias'> {
  return { action: 'copy onto', container, name };
}

function copyOptions(request: CopyRequest) {
  const { metadata, tags, tier } = request;
  return {
    conditions: expecting(request.destination),
    sourceConditions: { ifMatch: quotedEtag(request.sourceIfMatch) },
    ...(metadata ? { metadata } : {}),
    ...(tags && Object.keys(tags).length > 0 ? { tags } : {}),
    ...(tier ? { tier } : {}),
    ...abortable(request.signal),
  };
}

function expecting(expected: { ifMatch: string } | 'absent'): { ifNoneMatch: string } | { ifMatch: string } {
  return expected === 'absent' ? { ifNoneMatch: '*' } : { ifMatch: quotedEtag(expected.ifMatch) };
}

function httpHeaders(headers: ContentHeaders): BlobHTTPHeaders {
  const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, contentMd5 } = headers;
  return {
    ...(contentType ? { blobContentType: contentType } : {}),
    ...(contentEncoding ? { blobContentEncoding: contentEncoding } : {}),
    ...(contentLanguage ? { blobContentLanguage: contentLanguage } : {}),
    ...(contentDisposition ? { blobContentDisposition: contentDisposition } : {}),
    ...(cacheControl ? { blobCacheControl: cacheControl } : {}),
    ...(contentMd5 ? { blobContentMD5: Buffer.from(contentMd5, 'base64') } : {}),
  };
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}

function continuing(marker: string | undefined): { continuationToken?: string } {
  return marker ? { continuationToken: marker } : {};
}

/** The ids name the address of the source, without its signature, and its version. */
function blocksOf({ sourceUrl, sourceIfMatch, size }: BlockSource): Block[] {
  const { origin, pathname } = new URL(sourceUrl);
  return planBlocks(size, `${origin}${pathname}\n${sourceIfMatch}`);
}

/** The blocks that an earlier attempt has staged. Their ids include the version of the source. */
async function stagedBlocks(client: BlockBlobClient, blocks: Block[]): Promise<Set<string>> {
  if (blocks.length <= WORTH_LISTING_BLOCKS) return new Set();
  try {
    const { uncommittedBlocks = [] } = await client.getBlockList('uncommitted');
    const sizes = new Map(blocks.map(({ id, count }) => [id, count]));
    return new Set(uncommittedBlocks.filter(({ name, size }) => sizes.get(name) === size).map(({ name }) => name));
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return new Set();
    throw error;
  }
}
