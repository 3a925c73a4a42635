import type { BlobState } from '#domain/blobs/blob.ts';
import { canBeSent } from '#domain/copying/record.ts';
import type { CopyMethod } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { CopyRequest } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { CopyContext } from './copy-context.ts';

/** One copy, by whichever method manages it. */
export interface Transfer {
  request: CopyRequest;
  /** Best first. */
  methods: CopyMethod[];
  /** What goes in place of the metadata where the target refuses the tags for want of a right. */
  metadataWithoutTags?: Record<string, string> | undefined;
  /** What is known to be missing from the copy already. */
  lacks?: ProblemCode;
  /** Called before each method is tried: what it would destroy can be kept. */
  before(method: CopyMethod): Promise<void>;
}

export interface Transferred {
  method: CopyMethod;
  etag: string;
  /** Only where the copy is still pending. */
  copyId?: string;
  lacks?: ProblemCode;
}

/**
 * Makes a copy by the first method that manages it, without what the target does not take: the content is what matters most,
 * and the answer says what it lacks. Throws `StorageError` where no method does.
 */
export async function transfer(place: CopyContext, source: BlobState, work: Transfer): Promise<Transferred> {
  let { request, lacks } = work;
  const possible = work.methods.filter((method) => method !== 'blocks' || canCopyInBlocks(source));
  const methods: CopyMethod[] = possible.length > 0 ? possible : ['async'];
  const last = methods.at(-1);
  for (let next = 0; next < methods.length; next++) {
    const method = methods[next]!;
    await work.before(method);
    try {
      const about = { method, ...(lacks && { lacks }) };
      if (method === 'sync') return { ...about, etag: (await place.target.copySync(request)).etag };
      if (method === 'blocks') {
        const signal = place.signal && { signal: place.signal };
        // A commit of blocks takes no metadata from the source: what cannot be sent must be copied by the service itself.
        const own = request.metadata ?? source.metadata;
        const blocks = { ...request, ...(own && { metadata: own }), size: source.size, headers: source, ...signal };
        return { ...about, etag: (await place.target.copyBlocks(blocks)).etag };
      }
      const started = await place.target.startCopy(request);
      return { ...about, etag: started.etag, ...(started.status === 'pending' && { copyId: started.copyId }) };
    } catch (error) {
      const { tier, tags, ...bare } = request;
      if (tier !== undefined && isStorageError(error, 'tier-not-supported')) {
        request = { ...bare, ...(tags && { tags }) };
        lacks = 'tier-not-kept';
        next--;
        continue;
      }
      if (tags !== undefined && isStorageError(error, 'access-denied', 'invalid')) {
        if (error.kind === 'access-denied' && work.metadataWithoutTags) bare.metadata = work.metadataWithoutTags;
        request = { ...bare, ...(tier !== undefined && { tier }) };
        lacks = 'tags-not-written';
        next--;
        continue;
      }
      // The next method may manage what this one does not offer.
      if (method !== last && isStorageError(error, 'too-large', 'unsupported')) continue;
      // Empty blobs have been reported to be refused as a synchronous copy's source (azure-sdk-for-js issue 6577).
      if (method === 'sync' && source.size === 0 && isStorageError(error, 'source-not-found', 'source-access-denied')) {
        continue;
      }
      throw error;
    }
  }
  throw new Error('unreachable: every method either returned or threw');
}

export function canCopyInBlocks(source: BlobState): boolean {
  return source.type === 'block' && canBeSent(source.metadata ?? {});
}
