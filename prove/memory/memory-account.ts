import type { BlobState, BlobType, ContentHeaders, CopyState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { reducedSource } from '#domain/copying/copy-source.ts';
import type { Access } from '#domain/restore/restored-properties.ts';
import type { AccessPolicy, ContainerProperties } from '#domain/run/container-properties.ts';
import type {
  BlobPage,
  BlockSource,
  CopyRequest,
  CopyResult,
  ListBlobsOptions,
  PutObjectOptions,
  StartedCopy,
  StoredObject,
} from '#storage/blob-account.ts';
import { StorageError, type StorageErrorKind } from '#storage/storage-error.ts';

/** One state of a blob. Immutable: each change replaces it. */
export interface MemoryBlob {
  name: string;
  type: BlobType;
  body: Buffer;
  /** May exceed the length of `body`, for large blobs without their bytes. */
  size: number;
  headers: ContentHeaders;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  tier?: string | undefined;
  tierInferred: boolean;
  etag: string;
  modified: number;
  copy?: CopyState | undefined;
  /** What the ids of its blocks name. */
  blocks?: string | undefined;
  leased?: boolean | undefined;
  sealed?: boolean | undefined;
  /** As in an account with a hierarchical namespace. */
  isDirectory?: boolean | undefined;
}

interface Slot {
  base: MemoryBlob | undefined;
  /** By id, oldest first. */
  snapshots: Map<string, MemoryBlob>;
}

/** One change of a blob. */
export interface Change {
  account: MemoryAccount;
  container: string;
  name: string;
  operation: string;
  before: MemoryBlob | undefined;
  after: MemoryBlob | undefined;
  /** The snapshot that was deleted; the base blob is unchanged. */
  snapshot?: MemoryBlob;
}

/** The differences between accounts, and their free choices. */
export interface Traits {
  /** The order of listings. */
  compare(a: string, b: string): number;
  /** The number of items of a page, at most `limit`; 0 for an empty page with a next one. */
  page(limit: number): number;
  now(): number;
  tiers: readonly string[];
  /** Whether the caller may read and write index tags. */
  tags: boolean;
  /** Whether the caller may read and write access policies; true by default. */
  acls?: boolean;
  /** Whether the content of this blob may never be read. */
  denies?(container: string, name: string): boolean;
  /** Whether the service still deletes an earlier container of this name. */
  isDeleting?(container: string): boolean;
  /** Copy methods that this account does not offer. */
  unsupported: readonly string[];
  /** Whether an asynchronous copy stays pending. */
  staysPending(): boolean;
  /** Called with a pending copy; calls `endCopy` later. */
  started(container: string, name: string, copyId: string): void;
  changed(change: Change): void;
}

/** Sorts after every id of a snapshot. */
const BASE = '~';
const SYNC_LIMIT = 256 * 1024 * 1024;

/** Accounts between which blobs can be copied. ETags and ids are unique among them. */
export class MemoryStorage {
  readonly accounts = new Map<string, MemoryAccount>();
  #count = 0x8de000;
  #latest = { ms: -1, ticks: 0 };

  etag(): string {
    this.#count++;
    return `0x${this.#count.toString(16).toUpperCase()}`;
  }

  /** Times to a tenth of a microsecond, each later than the one before. */
  snapshotId(now: number): string {
    const { ms, ticks } = this.#latest;
    this.#latest = now > ms ? { ms: now, ticks: 0 } : { ms, ticks: ticks + 1 };
    const time = new Date(this.#latest.ms).toISOString().slice(0, -1);
    return `${time}${String(this.#latest.ticks).padStart(4, '0')}Z`;
  }

  copyId(): string {
    this.#count++;
    return `00000000-0000-4000-8000-${this.#count.toString(16).padStart(12, '0')}`;
  }

  /** Resolves the address of a copy source. */
  sourceOf(url: string): {
    account: MemoryAccount;
    container: string;
    name: string;
    snapshotOrVersion?: SnapshotOrVersion;
    until: number;
  } {
    const { origin, pathname, searchParams } = new URL(url);
    const account = this.accounts.get(origin);
    if (!account) throw refusal('source-not-found', 404, 'CannotVerifyCopySource');
    const [, container, ...name] = pathname.split('/');
    const snapshot = searchParams.get('snapshot');
    const version = searchParams.get('versionid');
    return {
      account,
      container: container!,
      name: decodeURIComponent(name.join('/')),
      ...(snapshot !== null
        ? { snapshotOrVersion: { snapshot } }
        : version !== null && { snapshotOrVersion: { version } }),
      until: Number(searchParams.get('until')),
    };
  }
}

/**
 * The blobs of one account in memory. Each operation is atomic, with the conditions, refusals and
 * states that Azure documents.
 */
export class MemoryAccount {
  readonly alias: string;
  readonly endpoint: string;
  readonly traits: Traits;
  readonly #storage: MemoryStorage;
  readonly #containers = new Map<string, Map<string, Slot>>();
  readonly #properties = new Map<string, ContainerProperties>();
  /** Sources of pending copies, by copy id. */
  readonly #copies = new Map<string, { read: () => MemoryBlob; request: CopyRequest }>();

  constructor(storage: MemoryStorage, alias: string, traits: Traits) {
    this.alias = alias;
    this.endpoint = `https://${alias.toLowerCase()}.test`;
    this.traits = traits;
    this.#storage = storage;
    storage.accounts.set(this.endpoint, this);
  }

  createContainer(container: string, metadata?: Record<string, string>): 'created' | 'exists' {
    if (!/^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(container)) throw refusal('invalid', 400, 'InvalidResourceName');
    if (this.#containers.has(container)) return 'exists';
    if (this.traits.isDeleting?.(container)) throw refusal('being-deleted', 409, 'ContainerBeingDeleted');
    this.#containers.set(container, new Map());
    this.#properties.set(container, metadata ? { metadata } : {});
    return 'created';
  }

  get containerNames(): string[] {
    return [...this.#containers.keys()];
  }

  /** All properties of a container; undefined if it does not exist. */
  properties(container: string): ContainerProperties | undefined {
    return this.#containers.has(container) ? (this.#properties.get(container) ?? {}) : undefined;
  }

  policies(container: string): AccessPolicy[] {
    this.#container(container);
    if (this.traits.acls === false) throw refusal('access-denied', 403, 'AuthorizationPermissionMismatch');
    return this.properties(container)?.policies ?? [];
  }

  setAccess(container: string, { publicAccess, policies }: Access): void {
    this.#container(container);
    if (this.traits.acls === false) throw refusal('access-denied', 403, 'AuthorizationPermissionMismatch');
    const { publicAccess: _, ...rest } = this.properties(container)!;
    this.#properties.set(container, { ...rest, ...(publicAccess && { publicAccess }), policies });
  }

  /** Replaces all properties, as the owner of the account does. */
  setProperties(container: string, properties: ContainerProperties): void {
    this.#container(container);
    this.#properties.set(container, properties);
  }

  listContainers(marker: string | undefined): { names: string[]; next?: string } {
    const names = [...this.#containers.keys()].filter((name) => marker === undefined || name >= marker).sort();
    const count = this.traits.page(5000);
    const next = names[count];
    return { names: names.slice(0, count), ...(next !== undefined && { next }) };
  }

  listBlobs(container: string, options: ListBlobsOptions): BlobPage {
    if (options.tags && !this.traits.tags) throw refusal('access-denied', 403, 'AuthorizationPermissionMismatch');
    const { prefix = '', marker, delimiter } = options;
    const { compare } = this.traits;
    if (options.snapshotsAndVersions) return this.#listKept(container, options);
    // A marker names the first blob of the next page, which may be gone by then.
    const from = marker === undefined ? undefined : marker.slice(1);
    const names = [...this.#container(container)]
      .filter(([name, { base }]) => base && name.startsWith(prefix) && (from === undefined || compare(name, from) >= 0))
      .map(([name]) => name)
      .sort(compare);
    // Everything below a prefix is one item, whatever the length of a page.
    const items = new Map<string, string>();
    for (const name of names) {
      const cut = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
      const item = cut < 0 ? name : name.slice(0, cut + 1);
      if (!items.has(item)) items.set(item, name);
    }
    const count = this.traits.page(options.limit ?? 5000);
    const page: BlobPage = { blobs: [], prefixes: [] };
    for (const [item, name] of [...items].slice(0, count)) {
      if (item === name) page.blobs.push(stateOf(this.blob(container, name)!, options));
      else page.prefixes.push(item);
    }
    const next = [...items.values()][count];
    if (next !== undefined) page.next = `!${next}`;
    return page;
  }

  /** Snapshots come before their base blob, oldest first, and a page may end between them. */
  #listKept(container: string, options: ListBlobsOptions): BlobPage {
    const { prefix = '', marker = '!' } = options;
    const { compare } = this.traits;
    const [from = '', fromId = ''] = marker.slice(1).split('\n');
    const states: { id: string; state: BlobState }[] = [];
    const slots = [...this.#container(container)].sort(([a], [b]) => compare(a, b));
    for (const [name, { base, snapshots }] of slots) {
      if (!name.startsWith(prefix) || (from !== '' && compare(name, from) < 0)) continue;
      const first = name === from ? fromId : '';
      for (const [id, blob] of snapshots) {
        if (id >= first) states.push({ id, state: { ...stateOf(blob, options), snapshotOrVersion: { snapshot: id } } });
      }
      if (base) states.push({ id: BASE, state: stateOf(base, options) });
    }
    const count = this.traits.page(options.limit ?? 5000);
    const next = states[count];
    return {
      blobs: states.slice(0, count).map(({ state }) => state),
      prefixes: [],
      ...(next && { next: `!${next.state.name}\n${next.id}` }),
    };
  }

  getProperties(container: string, name: string, snapshotOrVersion?: SnapshotOrVersion): BlobState | undefined {
    const blob = this.blob(container, name, snapshotOrVersion);
    if (!blob) return undefined;
    if (this.traits.denies?.(container, name)) throw refusal('access-denied', 403, 'AuthorizationFailure');
    const { tags, ...state } = stateOf(blob, { metadata: true, copy: true, contentHeaders: true });
    // Headers do not preserve case.
    return { ...state, ...(snapshotOrVersion && { snapshotOrVersion }), metadata: lowerCased(blob.metadata) };
  }

  snapshot(container: string, name: string, ifMatch: string): string {
    const blob = this.#mutable(container, name, { ifMatch }, true);
    const slot = this.#container(container).get(name)!;
    const id = this.#storage.snapshotId(this.traits.now());
    slot.snapshots.set(id, blob!);
    this.#report(container, name, 'SnapshotBlob', blob, blob);
    return id;
  }

  copySync(request: CopyRequest): CopyResult {
    this.#offers('sync');
    const found = this.#copyDestination(request);
    const source = this.#read(request);
    if (source.size > SYNC_LIMIT) throw refusal('too-large', 409, 'CannotVerifyCopySource');
    if (source.type !== 'block') throw refusal('type-differs', 409, 'InvalidSourceBlobType');
    const copy = { ...this.#copyStateOf(request), status: 'success' as const };
    return this.#put(request, 'CopyBlobFromURL', found, { ...this.#copyOf(source, request, found), copy });
  }

  startCopy(request: CopyRequest): StartedCopy {
    const found = this.#copyDestination(request);
    const source = this.#read(request);
    if (found && found.type !== source.type) throw refusal('type-differs', 409, 'InvalidBlobType');
    const { id, source: from } = this.#copyStateOf(request);
    const whole = this.#copyOf(source, request, found);
    if (!this.traits.staysPending()) {
      const { etag } = this.#put(request, 'CopyBlob', found, {
        ...whole,
        copy: { id, status: 'success', source: from },
      });
      return { etag, copyId: id, status: 'success' };
    }
    const empty = { ...whole, body: Buffer.alloc(0), size: 0, copy: { id, status: 'pending' as const, source: from } };
    const { etag } = this.#put(request, 'CopyBlob', found, empty);
    this.#copies.set(id, { read: () => this.#read(request), request });
    this.traits.started(request.container, request.name, id);
    return { etag, copyId: id, status: 'pending' };
  }

  /** Ends a pending copy, as the service does later. A copy whose source has changed or is gone fails. */
  endCopy(container: string, name: string, copyId: string, status: 'success' | 'failed'): void {
    const blob = this.blob(container, name);
    const copy = this.#copies.get(copyId);
    if (!blob || !copy || blob.copy?.id !== copyId || blob.copy.status !== 'pending') return;
    this.#copies.delete(copyId);
    const at = { container, name };
    try {
      if (status === 'failed') throw refusal('server', 500, 'OperationCancelled');
      const source = copy.read();
      const whole = { ...this.#copyOf(source, copy.request, blob), metadata: blob.metadata, tags: blob.tags };
      this.#put(at, 'copy ended well', blob, { ...whole, copy: { ...blob.copy, status: 'success' } });
    } catch (error) {
      const description = (error as StorageError).code;
      this.#put(at, 'copy failed', blob, { ...blob, copy: { ...blob.copy, status: 'failed', description } });
    }
  }

  abortCopy(container: string, name: string, copyId: string): void {
    const blob = this.#existing(container, name);
    if (blob.copy?.status !== 'pending') throw refusal('no-pending-copy', 409, 'NoPendingCopyOperation');
    if (blob.copy.id !== copyId) throw refusal('no-pending-copy', 409, 'CopyIdMismatch');
    this.#copies.delete(copyId);
    this.#put({ container, name }, 'AbortCopyBlob', blob, { ...blob, copy: { ...blob.copy, status: 'aborted' } });
  }

  /** Put Block From URL, all blocks of it: the content read is held aside until `commitBlocks`. */
  stageBlocks(request: CopyRequest): MemoryBlob {
    this.#offers('blocks');
    const found = this.#container(request.container).get(request.name)?.base;
    if (found?.copy?.status === 'pending') throw refusal('pending-copy', 409, 'PendingCopyOperation');
    if (found && found.type !== 'block') throw refusal('type-differs', 409, 'InvalidBlobType');
    const source = this.#read(request);
    if (source.type !== 'block') throw refusal('type-differs', 409, 'InvalidSourceBlobType');
    return source;
  }

  commitBlocks(request: BlockSource & CopyRequest & { headers: ContentHeaders }, staged: MemoryBlob): CopyResult {
    const found = this.#copyDestination(request);
    const { headers, metadata = {} } = request;
    const made = { ...this.#copyOf(staged, request, found), headers: ownHeaders(headers), metadata };
    return this.#put(request, 'PutBlockList', found, { ...made, copy: undefined, blocks: blocksOf(request) });
  }

  /** Get Block List. */
  isCopiedInBlocks(container: string, name: string, source: BlockSource): boolean {
    return source.size > 0 && this.blob(container, name)?.blocks === blocksOf(source);
  }

  setMetadata(container: string, name: string, metadata: Record<string, string>, ifMatch: string): string {
    const blob = this.#mutable(container, name, { ifMatch });
    return this.#put({ container, name }, 'SetBlobMetadata', blob, { ...blob!, metadata }).etag;
  }

  setTier(container: string, name: string, tier: string, snapshotOrVersion?: SnapshotOrVersion): void {
    if (snapshotOrVersion) {
      const { id, blob, snapshots } = this.#snapshot(container, name, snapshotOrVersion);
      this.#knows(tier);
      snapshots.set(id, { ...blob, tier, tierInferred: false });
      return;
    }
    const blob = this.#existing(container, name);
    if (blob.copy?.status === 'pending') throw refusal('pending-copy', 409, 'PendingCopyOperation');
    this.#knows(tier);
    this.#keep({ container, name }, 'SetBlobTier', blob, { ...blob, tier, tierInferred: false });
  }

  setTags(container: string, name: string, tags: Record<string, string>): void {
    if (!this.traits.tags) throw refusal('access-denied', 403, 'AuthorizationPermissionMismatch');
    const blob = this.#existing(container, name);
    this.#keep({ container, name }, 'SetBlobTags', blob, { ...blob, tags });
  }

  putObject(container: string, name: string, body: Uint8Array, options: PutObjectOptions): { etag: string } {
    const { contentType, contentEncoding, metadata = {}, expect } = options;
    for (const value of Object.values(metadata)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a header can carry
      if (/[^\x00-\xff]/.test(value)) throw refusal('invalid', 0, 'ERR_INVALID_CHAR');
    }
    const found = this.#mutable(container, name, expect);
    return this.write(
      container,
      {
        name,
        body: Buffer.from(body),
        metadata: trimmed(metadata),
        headers: { contentType, ...(contentEncoding !== undefined && { contentEncoding }) },
        ...(found?.tierInferred === false && { tier: found.tier, tierInferred: false }),
      },
      'PutBlob',
    );
  }

  appendObject(container: string, name: string, bytes: Uint8Array): void {
    const found = this.#mutable(container, name, undefined);
    if (found && found.type !== 'append') throw refusal('type-differs', 409, 'InvalidBlobType');
    const body = Buffer.concat([found?.body ?? Buffer.alloc(0), bytes]);
    this.write(container, { ...found, name, type: 'append', body, size: body.length }, 'AppendBlock');
  }

  getObject(container: string, name: string): StoredObject | undefined {
    const blob = this.blob(container, name);
    if (!blob) return undefined;
    const times = { lastModified: new Date(blob.modified), readAt: new Date(this.traits.now()) };
    return { body: Buffer.from(blob.body), etag: blob.etag, metadata: lowerCased(blob.metadata), ...times };
  }

  /** The bytes that a reader gets. */
  content(
    container: string,
    name: string,
    { ifMatch, snapshotOrVersion }: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion },
  ): MemoryBlob {
    const blob = snapshotOrVersion
      ? this.#snapshot(container, name, snapshotOrVersion).blob
      : this.#existing(container, name);
    if (blob.etag !== ifMatch) throw refusal('precondition', 412, 'ConditionNotMet');
    if (blob.tier === 'Archive') throw refusal('archived', 409, 'BlobArchived');
    return blob;
  }

  deleteBlob(
    container: string,
    name: string,
    { ifMatch, snapshotOrVersion }: { ifMatch: string; snapshotOrVersion?: SnapshotOrVersion },
  ): void {
    if (snapshotOrVersion) {
      const { id, blob, base, snapshots } = this.#snapshot(container, name, snapshotOrVersion);
      if (blob.etag !== ifMatch) throw refusal('precondition', 412, 'ConditionNotMet');
      snapshots.delete(id);
      const what = { account: this, container, name, operation: 'DeleteBlob' };
      this.traits.changed({ ...what, before: base, after: base, snapshot: blob });
      return;
    }
    const blob = this.#existing(container, name);
    const slot = this.#container(container).get(name)!;
    if (blob.etag !== ifMatch) throw refusal('precondition', 412, 'ConditionNotMet');
    if (blob.copy?.status === 'pending') throw refusal('pending-copy', 409, 'PendingCopyOperation');
    if (blob.leased) throw refusal('leased', 412, 'LeaseIdMissing');
    if (slot.snapshots.size > 0) throw refusal('snapshots-present', 409, 'SnapshotsPresent');
    slot.base = undefined;
    this.#report(container, name, 'DeleteBlob', blob, undefined);
  }

  deleteContainer(container: string): void {
    const slots = this.#container(container);
    this.#containers.delete(container);
    for (const [name, { base }] of slots) if (base) this.#report(container, name, 'DeleteContainer', base, undefined);
  }

  /** The state of a blob; undefined if it or its container does not exist. No account here keeps versions. */
  blob(container: string, name: string, snapshotOrVersion?: SnapshotOrVersion): MemoryBlob | undefined {
    const slot = this.#containers.get(container)?.get(name);
    if (!snapshotOrVersion) return slot?.base;
    return 'snapshot' in snapshotOrVersion ? slot?.snapshots.get(snapshotOrVersion.snapshot) : undefined;
  }

  /** The base blob and its snapshots. */
  all(container: string, name: string): MemoryBlob[] {
    const slot = this.#containers.get(container)?.get(name);
    return slot ? [...(slot.base ? [slot.base] : []), ...slot.snapshots.values()] : [];
  }

  *blobs(): Generator<{ container: string; blob: MemoryBlob }> {
    for (const [container, slots] of this.#containers) {
      for (const { base } of slots.values()) if (base) yield { container, blob: base };
    }
  }

  /** Writes a blob unconditionally, as its owner does. */
  write(container: string, given: Partial<MemoryBlob> & { name: string }, operation = 'written'): { etag: string } {
    const before = this.#container(container).get(given.name)?.base;
    const body = given.body ?? Buffer.alloc(0);
    const type = given.type ?? 'block';
    const blob: MemoryBlob = {
      type,
      body,
      size: body.length,
      metadata: {},
      tags: {},
      ...(type === 'block' && { tier: 'Hot' }),
      tierInferred: type === 'block',
      etag: '',
      modified: 0,
      ...given,
      headers: { contentType: 'application/octet-stream', ...given.headers },
    };
    return this.#put({ container, name: given.name }, operation, before, blob);
  }

  /** Changes lease, tier or tags, without a new ETag. */
  alter(container: string, name: string, change: Partial<MemoryBlob>, operation: string): void {
    const blob = this.#existing(container, name);
    this.#keep({ container, name }, operation, blob, { ...blob, ...change });
  }

  /** Damages or deletes content without any trace in ETag or times. */
  spoil(container: string, blob: MemoryBlob, change: Partial<MemoryBlob> | undefined): void {
    const slot = this.#container(container).get(blob.name);
    if (!slot) return;
    const after = change && { ...blob, ...change };
    if (slot.base === blob) slot.base = after;
    for (const [id, snapshot] of slot.snapshots) {
      if (snapshot !== blob) continue;
      if (after) slot.snapshots.set(id, after);
      else slot.snapshots.delete(id);
    }
  }

  remove(container: string, name: string): void {
    const slot = this.#container(container).get(name);
    const before = slot?.base;
    if (!slot || !before) return;
    slot.base = undefined;
    this.#report(container, name, 'deleted', before, undefined);
  }

  #container(container: string): Map<string, Slot> {
    const found = this.#containers.get(container);
    if (!found) throw refusal('container-not-found', 404, 'ContainerNotFound');
    return found;
  }

  #existing(container: string, name: string): MemoryBlob {
    const blob = this.#container(container).get(name)?.base;
    if (!blob) throw refusal('not-found', 404, 'BlobNotFound');
    return blob;
  }

  #snapshot(container: string, name: string, snapshotOrVersion: SnapshotOrVersion) {
    const slot = this.#container(container).get(name);
    const id = 'snapshot' in snapshotOrVersion ? snapshotOrVersion.snapshot : '';
    const blob = slot?.snapshots.get(id);
    if (!slot || !blob) throw refusal('not-found', 404, 'BlobNotFound');
    return { id, blob, ...slot };
  }

  #copyStateOf({ sourceUrl }: CopyRequest): { id: string; source: string } {
    return { id: this.#storage.copyId(), source: reducedSource(sourceUrl) };
  }

  #offers(what: string): void {
    if (this.traits.unsupported.includes(what)) throw refusal('unsupported', 501, 'NotImplemented');
  }

  #knows(tier: string): void {
    if (!this.traits.tiers.includes(tier)) {
      throw refusal('tier-not-supported', 409, 'BlobAccessTierNotSupportedForAccountType');
    }
  }

  /** The blob to overwrite, if the condition holds and no lease or copy forbids it. */
  #mutable(
    container: string,
    name: string,
    expect: { ifMatch: string } | 'absent' | undefined,
    readOnly = false,
  ): MemoryBlob | undefined {
    const found = this.#container(container).get(name)?.base;
    if (expect === 'absent' && found) throw refusal('precondition', 409, 'BlobAlreadyExists');
    if (expect !== undefined && expect !== 'absent' && found?.etag !== expect.ifMatch) {
      throw refusal('precondition', 412, 'ConditionNotMet');
    }
    if (found?.copy?.status === 'pending') throw refusal('pending-copy', 409, 'PendingCopyOperation');
    if (found?.leased && !readOnly) throw refusal('leased', 412, 'LeaseIdMissing');
    if (found?.tier === 'Archive') throw refusal('archived', 409, 'BlobArchived');
    return found;
  }

  #copyDestination(request: CopyRequest): MemoryBlob | undefined {
    const found = this.#mutable(request.container, request.name, request.destination);
    if (request.tier !== undefined) this.#knows(request.tier);
    if (request.tags && !this.traits.tags) throw refusal('access-denied', 403, 'AuthorizationPermissionMismatch');
    return found;
  }

  #read(request: CopyRequest): MemoryBlob {
    const { account, container, name, snapshotOrVersion, until } = this.#storage.sourceOf(request.sourceUrl);
    if (account.traits.now() > until) throw refusal('source-access-denied', 403, 'CannotVerifyCopySource');
    if (account.traits.denies?.(container, name)) throw refusal('source-access-denied', 403, 'AuthorizationFailure');
    const source = account.blob(container, name, snapshotOrVersion);
    if (!source) throw refusal('source-not-found', 404, 'CannotVerifyCopySource');
    if (source.etag !== request.sourceIfMatch) throw refusal('precondition', 412, 'SourceConditionNotMet');
    if (source.tier === 'Archive') throw refusal('archived', 409, 'BlobArchived');
    return source;
  }

  /** Metadata and tier follow the rules of a copy: given ones replace the source's, and an explicit tier stays. */
  #copyOf(source: MemoryBlob, request: CopyRequest, found: MemoryBlob | undefined): MemoryBlob {
    const given = request.metadata;
    const explicitTier = found?.tierInferred === false ? { tier: found.tier, tierInferred: false } : undefined;
    const set = request.tier === undefined ? undefined : { tier: request.tier, tierInferred: false };
    const tier =
      source.type === 'block' ? { tier: 'Hot', tierInferred: true, ...explicitTier, ...set } : { tier: undefined };
    return {
      ...source,
      name: request.name,
      metadata: given && Object.keys(given).length > 0 ? given : source.metadata,
      tags: request.tags ?? {},
      leased: undefined,
      sealed: source.type === 'append' ? (request.sealed ?? source.sealed) : undefined,
      ...tier,
    };
  }

  #put(
    { container, name }: { container: string; name: string },
    operation: string,
    before: MemoryBlob | undefined,
    given: MemoryBlob,
  ): CopyResult {
    const blob = { ...given, etag: this.#storage.etag(), modified: Math.floor(this.traits.now() / 1000) * 1000 };
    this.#keep({ container, name }, operation, before, blob);
    return { etag: blob.etag };
  }

  #keep(
    { container, name }: { container: string; name: string },
    operation: string,
    before: MemoryBlob | undefined,
    after: MemoryBlob,
  ): void {
    const slots = this.#container(container);
    const slot = slots.get(name) ?? { base: undefined, snapshots: new Map() };
    slots.set(name, slot);
    slot.base = after;
    this.#report(container, name, operation, before, after);
  }

  #report(container: string, name: string, operation: string, before?: MemoryBlob, after?: MemoryBlob): void {
    this.traits.changed({ account: this, container, name, operation, before, after });
  }
}

export function refusal(kind: StorageErrorKind, status: number, code: string): StorageError {
  return new StorageError(kind, `The request was refused: ${status} ${code}`, status, code);
}

function blocksOf({ sourceUrl, sourceIfMatch, size }: BlockSource): string {
  return `${sourceUrl.split('?')[0]} ${sourceIfMatch} ${size}`;
}

function stateOf(blob: MemoryBlob, asked: ListBlobsOptions): BlobState {
  const { contentMd5, ...headers } = blob.headers;
  const tagCount = Object.keys(blob.tags).length;
  return {
    name: blob.name,
    etag: blob.etag,
    lastModified: new Date(blob.modified).toISOString(),
    size: blob.size,
    type: blob.type,
    ...(contentMd5 !== undefined && { contentMd5 }),
    ...(asked.contentHeaders && headers),
    ...(blob.tier !== undefined && { tier: blob.tier }),
    ...(blob.tierInferred && { tierInferred: true }),
    ...(asked.metadata && { metadata: { ...blob.metadata } }),
    ...(blob.leased && { leased: true }),
    ...(blob.isDirectory && { isDirectory: true }),
    ...(blob.sealed && { sealed: true }),
    ...(tagCount > 0 && { tagCount }),
    ...(asked.tags && tagCount > 0 && { tags: { ...blob.tags } }),
    ...(asked.copy && blob.copy && { copy: { ...blob.copy } }),
  };
}

/** Only the headers of an object that may have more. */
function ownHeaders(given: ContentHeaders): ContentHeaders {
  const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, contentMd5 } = given;
  return {
    contentType: contentType ?? 'application/octet-stream',
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(contentLanguage !== undefined && { contentLanguage }),
    ...(contentDisposition !== undefined && { contentDisposition }),
    ...(cacheControl !== undefined && { cacheControl }),
    ...(contentMd5 !== undefined && { contentMd5 }),
  };
}

function lowerCased(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value]));
}

function trimmed(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, value.trim()]));
}
