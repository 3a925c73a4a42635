import type { BlobState } from '#domain/blobs/blob.ts';
import { canBeSent } from '#domain/copying/record.ts';
import type { CopyMethod } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { CopyRequest } from '#storage/blob-account.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { type CopyContext, sourceUrl } from './copy-context.ts';

/** The URL of the source is signed for the method that is tried. */
export type UnsignedRequest = Omit<CopyRequest, 'sourceUrl'>;

/** One copy, by the first method that succeeds. */
export interface Transfer {
  request: UnsignedRequest;
  /** Best first. */
  methods: CopyMethod[];
  /** Replaces the metadata if the app may not write tags to the target. */
  metadataWithoutTags?: Record<string, string> | undefined;
  /** What the copy is known to lack already. */
  lacks?: ProblemCode;
  /** Called before each method is tried, to keep what the method would destroy. */
  before(method: CopyMethod): Promise<void>;
}

export interface Transferred {
  method: CopyMethod;
  etag: string;
  /** Only if the copy is still pending. */
  copyId?: string;
  lacks?: ProblemCode;
}

/**
 * Makes a copy by the first method that succeeds, without what the target does not take: the content matters most, and
 * the answer says what the copy lacks. Throws `StorageError` if no method succeeds.
 */
export async function transfer(context: CopyContext, source: BlobState, work: Transfer): Promise<Transferred> {
  let { request, lacks } = work;
  const possible = work.methods.filter((method) => method !== 'blocks' || canCopyInBlocks(source, work.request));
  const methods: CopyMethod[] = possible.length > 0 ? possible : ['async'];
  const last = methods.at(-1);
  for (let next = 0; next < methods.length; ) {
    const method = methods[next]!;
    await work.before(method);
    try {
      return { ...(await send(context, source, request, method)), ...(lacks && { lacks }) };
    } catch (error) {
      if (!isStorageError(error)) throw error;
      const less = withoutRefused(request, error, work.metadataWithoutTags);
      if (less) ({ request, lacks } = less);
      else if (method !== last && mayOtherMethodDo(error)) next++;
      else if (isEmptySourceRefused(method, source, error)) next++;
      else throw error;
    }
  }
  throw new Error('unreachable: every method either returned or threw');
}

async function send(
  context: CopyContext,
  source: BlobState,
  unsigned: UnsignedRequest,
  method: CopyMethod,
): Promise<Transferred> {
  const { target, signal } = context;
  const request: CopyRequest = { ...unsigned, sourceUrl: sourceUrl(context, source, method) };
  if (method === 'sync') return { method, etag: (await target.copySync(request)).etag };
  if (method === 'blocks') {
    // A commit of blocks takes no metadata from the source. The service itself must copy metadata that cannot be sent.
    const own = request.metadata ?? source.metadata;
    const about = { size: source.size, headers: source, ...(own && { metadata: own }), ...(signal && { signal }) };
    return { method, etag: (await target.copyBlocks({ ...request, ...about })).etag };
  }
  const started = await target.startCopy(request);
  return { method, etag: started.etag, ...(started.status === 'pending' && { copyId: started.copyId }) };
}

/** Answers of accounts without index tags that are no `invalid`. */
const TAGLESS = new Set([
  'FeatureNotYetSupportedForHierarchicalNamespaceAccounts',
  'BlobTagsNotSupportedForAccountType',
]);

/** The request without what the target refused: tier, seal or tags; and the code of what the copy then lacks. */
function withoutRefused(
  { tier, tags, sealed, ...bare }: UnsignedRequest,
  error: StorageError,
  metadataWithoutTags: Record<string, string> | undefined,
): { request: UnsignedRequest; lacks: ProblemCode } | undefined {
  const sealing = sealed === undefined ? {} : { sealed };
  if (tier !== undefined && (isStorageError(error, 'tier-not-supported') || isHeaderRefused(error))) {
    return { request: { ...bare, ...sealing, ...(tags && { tags }) }, lacks: 'tier-not-kept' };
  }
  if (sealed !== undefined && isHeaderRefused(error)) {
    return { request: { ...bare, ...(tags && { tags }) }, lacks: 'seal-not-kept' };
  }
  if (tags !== undefined && (TAGLESS.has(error.code) || isStorageError(error, 'access-denied', 'invalid'))) {
    if (error.kind === 'access-denied' && metadataWithoutTags) bare.metadata = metadataWithoutTags;
    return { request: { ...bare, ...sealing, ...(tier !== undefined && { tier }) }, lacks: 'tags-not-written' };
  }
  return undefined;
}

/** The service does not always say that the value of the header is a tier or a seal. */
function isHeaderRefused({ kind, code }: StorageError): boolean {
  return kind === 'invalid' && (code === 'InvalidHeaderValue' || code === 'UnsupportedHeader');
}

function mayOtherMethodDo(error: StorageError): boolean {
  return isStorageError(error, 'too-large', 'unsupported');
}

/**
 * Users report that the service refuses empty blobs as the source of a synchronous copy (azure-sdk-for-js issue 6577).
 */
function isEmptySourceRefused(method: CopyMethod, source: BlobState, error: StorageError): boolean {
  return method === 'sync' && source.size === 0 && isStorageError(error, 'source-not-found', 'source-access-denied');
}

/** Blocks take no metadata from the source, so all that the copy is to have must be sent. */
function canCopyInBlocks(source: BlobState, { metadata = source.metadata ?? {} }: UnsignedRequest): boolean {
  return source.type === 'block' && canBeSent(metadata);
}
