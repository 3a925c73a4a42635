import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BlobHTTPHeaders, BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import type { Layer, ProxiedRequest, ProxiedResponse } from './fault-proxy.ts';
import { refusal } from './faults.ts';
import { CONTROL, storageOperation } from './storage-operation.ts';

/** How an asynchronous copy ends: after so many requests for its destination that show it as pending. */
export interface CopyFate {
  looks: number;
  /**
   * `vanishes`: another writer set the blob's properties, which removes its copy state. `replaced`: another writer's
   * copy, with another id and content, has taken its place.
   */
  end: 'success' | 'failed' | 'aborted' | 'vanishes' | 'replaced';
}

export const FOR_EVER: CopyFate = { looks: Number.POSITIVE_INFINITY, end: 'success' };
/** Faults of copies, by name. */
export const FATES: Record<string, CopyFate> = {
  'copy-pending': { looks: 1, end: 'success' },
  'copy-for-ever': FOR_EVER,
  'copy-failed': { looks: 1, end: 'failed' },
  'copy-failed-at-once': { looks: 0, end: 'failed' },
  'copy-aborted': { looks: 1, end: 'aborted' },
  'copy-vanished': { looks: 1, end: 'vanishes' },
  'copy-replaced': { looks: 1, end: 'replaced' },
};

export const FOREIGN_COPY = 'deadbeef-0000-4000-8000-000000000000';

export interface AzureCopies {
  readonly layer: Layer;
  /** Starts another writer's copy that never ends, onto a blob of this name. */
  orphan(container: string, blob: string): Promise<void>;
  /** Pending copies succeed at the next request for them; orphans stay pending. */
  heal(): void;
}

interface CopyState {
  id: string;
  status: 'pending' | 'success' | 'failed' | 'aborted';
  source: string;
  fate: CopyFate;
  looked: number;
  content: Content;
}

/** All of a blob, to write it again as it was. */
interface Content {
  type: 'BlockBlob' | 'PageBlob' | 'AppendBlob';
  bytes: Buffer;
  headers: BlobHTTPHeaders;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  tier?: string;
}

/**
 * Shows the states of asynchronous copies that Azure shows and Azurite never does. Azurite makes the copy, under all
 * its conditions and rights. Then the destination is really emptied, with the new metadata, and filled only when the
 * copy succeeds: a reader past the proxy sees the same. Only the state of the copy, which no client can write, is added
 * to the answers. Every ETag is the emulator's own.
 */
export function azureCopies(
  account: { name: string; connectionString: string },
  fateOf: (container: string, blob: string) => CopyFate | undefined,
): AzureCopies {
  const service = BlobServiceClient.fromConnectionString(account.connectionString);
  const states = new Map<string, CopyState>();
  const busy = new Map<string, Promise<unknown>>();

  const keyOf = (container: string, blob: string) => `${container}\n${blob}`;

  /** Emulator and overlay change together, so requests for one blob run one after another. */
  const alone = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    while (busy.has(key)) await busy.get(key)?.catch(nextTurn);
    const done = work();
    busy.set(key, done);
    try {
      return await done;
    } finally {
      busy.delete(key);
    }
  };

  const settle = async (container: ContainerClient, blob: string, key: string, state: CopyState): Promise<void> => {
    switch (state.fate.end) {
      case 'success':
        await put(container, blob, state.content);
        state.status = 'success';
        return;
      case 'failed':
      case 'aborted':
        await put(container, blob, emptied(state.content));
        state.status = state.fate.end;
        return;
      case 'vanishes':
        states.delete(key);
        return;
      case 'replaced': {
        const { type, headers } = emptied(state.content);
        const bytes = Buffer.alloc(type === 'PageBlob' ? 512 : 7, 'f');
        await put(container, blob, { type, headers, bytes, metadata: {}, tags: {} });
        Object.assign(state, { id: FOREIGN_COPY, status: 'success', source: `${service.url}/other/blob` });
      }
    }
  };

  const onBlob = async (
    { container, blob, name }: { container: string; blob: string; name: string },
    request: ProxiedRequest,
    pass: () => Promise<ProxiedResponse>,
  ): Promise<ProxiedResponse> => {
    const key = keyOf(container, blob);
    const client = service.getContainerClient(container);
    const state = states.get(key);
    if (name === 'GetBlobProperties' && state?.status === 'pending' && ++state.looked > state.fate.looks) {
      await settle(client, blob, key, state);
    }
    if (name === 'GetBlobProperties' || name === 'GetBlob') return withCopyHeaders(await pass(), states.get(key));
    if (name === 'AbortCopyBlob') {
      if (!state) return pass();
      if (state.status !== 'pending') return refusal(409, 'NoPendingCopyOperation');
      if (request.query.get('copyid') !== state.id) return refusal(409, 'CopyIdMismatch');
      await put(client, blob, emptied(state.content));
      state.status = 'aborted';
      return { status: 204, headers: {}, body: '' };
    }
    if (!CHANGES.has(name)) return pass();
    if (state?.status === 'pending') return refusal(409, 'PendingCopyOperation');
    const response = await pass();
    if (response.status >= 300) return response;
    if (REPLACES.has(name)) states.delete(key);
    const fate = name === 'CopyBlob' ? fateOf(container, blob) : undefined;
    if (!fate) return response;
    const content = await read(client, blob);
    const etag = await put(client, blob, emptied(content));
    const [source = ''] = (request.headers['x-ms-copy-source'] ?? '').split('?');
    const id = response.headers['x-ms-copy-id'] ?? '';
    states.set(key, { id, status: 'pending', source, fate, looked: 0, content });
    return { ...response, headers: { ...response.headers, etag, 'x-ms-copy-status': 'pending' } };
  };

  return {
    async layer(request, pass) {
      if (request.service !== 'blob') return pass();
      const operation = storageOperation(request, '');
      const { container, blob, name } = operation;
      if (!request.path.startsWith(`/${account.name}/`) || container === CONTROL) return pass();
      if (name === 'ListBlobs') {
        const response = await pass();
        return response.status === 200
          ? withCopiesListed(response, (blob) => states.get(keyOf(container, blob)))
          : response;
      }
      return blob === '' ? pass() : alone(keyOf(container, blob), () => onBlob(operation, request, pass));
    },
    async orphan(container, blob) {
      const client = service.getContainerClient(container);
      await client.createIfNotExists();
      const content: Content = { type: 'BlockBlob', bytes: Buffer.alloc(0), headers: {}, metadata: {}, tags: {} };
      await put(client, blob, content);
      const source = `${service.url}/other/blob`;
      states.set(keyOf(container, blob), {
        id: FOREIGN_COPY,
        status: 'pending',
        source,
        fate: FOR_EVER,
        looked: 0,
        content,
      });
    },
    heal() {
      for (const state of states.values()) {
        if (state.id !== FOREIGN_COPY) state.fate = { looks: 0, end: 'success' };
      }
    },
  };
}

/** Requests that a pending copy blocks. */
const CHANGES = new Set([
  ...['PutBlob', 'PutBlockList', 'CopyBlob', 'CopyBlobFromURL', 'DeleteBlob', 'SnapshotBlob'],
  ...['SetBlobMetadata', 'SetBlobProperties', 'SetBlobTier', 'SetBlobTags'],
]);
/** Requests that remove the state of an earlier copy. */
const REPLACES = new Set(['PutBlob', 'PutBlockList', 'CopyBlob', 'CopyBlobFromURL', 'DeleteBlob', 'SetBlobProperties']);

function emptied(content: Content): Content {
  const { blobContentMD5: _, ...headers } = content.headers;
  return { ...content, headers, bytes: Buffer.alloc(0) };
}

async function read(container: ContainerClient, name: string): Promise<Content> {
  // From a listing: only there does the emulator show the case of metadata keys, and the tags.
  for await (const item of container.listBlobsFlat({ prefix: name, includeMetadata: true, includeTags: true })) {
    if (item.name !== name) continue;
    const { properties, metadata = {}, tags = {} } = item;
    const bytes = properties.contentLength ? await container.getBlobClient(name).downloadToBuffer() : Buffer.alloc(0);
    return {
      type: properties.blobType ?? 'BlockBlob',
      bytes,
      metadata,
      tags,
      headers: {
        ...(properties.contentType && { blobContentType: properties.contentType }),
        ...(properties.contentEncoding && { blobContentEncoding: properties.contentEncoding }),
        ...(properties.contentLanguage && { blobContentLanguage: properties.contentLanguage }),
        ...(properties.contentDisposition && { blobContentDisposition: properties.contentDisposition }),
        ...(properties.cacheControl && { blobCacheControl: properties.cacheControl }),
        ...(properties.contentMD5 && { blobContentMD5: properties.contentMD5 }),
      },
      ...(properties.accessTier && !properties.accessTierInferred && { tier: properties.accessTier }),
    };
  }
  throw new Error(`${name} was copied and is not there.`);
}

/** Writes the whole blob and returns its ETag. */
async function put(container: ContainerClient, name: string, content: Content): Promise<string> {
  const { type, bytes, headers: blobHTTPHeaders, metadata, tags, tier } = content;
  const about = { blobHTTPHeaders, metadata };
  if (type === 'BlockBlob') {
    const done = await container
      .getBlockBlobClient(name)
      .upload(bytes, bytes.length, { ...about, tags, ...(tier !== undefined && { tier }) });
    return done.etag ?? '';
  }
  if (type === 'PageBlob') {
    const client = container.getPageBlobClient(name);
    const made = await client.create(bytes.length, about);
    return (bytes.length > 0 ? await client.uploadPages(bytes, 0, bytes.length) : made).etag ?? '';
  }
  const client = container.getAppendBlobClient(name);
  const made = await client.create(about);
  return (bytes.length > 0 ? await client.appendBlock(bytes, bytes.length) : made).etag ?? '';
}

function withCopyHeaders(response: ProxiedResponse, state: CopyState | undefined): ProxiedResponse {
  if (response.status !== 200) return response;
  const others = Object.entries(response.headers).filter(([name]) => !name.startsWith('x-ms-copy-'));
  // Without a state here, a copy that the emulator made at once is shown unchanged.
  if (!state) return response;
  const { id, status, source } = state;
  const description = status === 'failed' ? { 'x-ms-copy-status-description': '500 InternalError "Copy failed."' } : {};
  return {
    ...response,
    headers: {
      ...Object.fromEntries(others),
      'x-ms-copy-id': id,
      'x-ms-copy-status': status,
      'x-ms-copy-source': source,
      'x-ms-copy-progress': progressOf(state),
      ...description,
    },
  };
}

function withCopiesListed(
  response: ProxiedResponse,
  stateOf: (blob: string) => CopyState | undefined,
): ProxiedResponse {
  const body = response.body.toString().replace(/<Blob>.*?<\/Blob>/gs, (item) => {
    const name = /<Name>([^<]*)<\/Name>/.exec(item)?.[1] ?? '';
    const state = item.includes('<Snapshot>') ? undefined : stateOf(unescaped(name));
    if (!state) return item;
    const { id, status, source } = state;
    const shown = `<CopyId>${id}</CopyId><CopyStatus>${status}</CopyStatus><CopySource>${source}</CopySource><CopyProgress>${progressOf(state)}</CopyProgress>`;
    return item.replace(/<Copy(\w+)>[^<]*<\/Copy\1>/g, '').replace('</Properties>', `${shown}</Properties>`);
  });
  return { ...response, body };
}

function progressOf({ status, content: { bytes } }: CopyState): string {
  return `${status === 'success' ? bytes.length : 0}/${bytes.length}`;
}

function unescaped(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(\w+);/g, (_, name) => entities[name] ?? '');
}
