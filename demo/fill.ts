import type { BlobHTTPHeaders, BlobServiceClient } from '@azure/storage-blob';
import pLimit from 'p-limit';
import { type BlobSpec, bytesOf, emptyPages, type Headers } from './blob.ts';
import type { Ledger } from './ledger.ts';

const BLOCK = 4 * 2 ** 20;
const AT_ONCE = 24;

/** Writes the blobs, many at once, and records each. Large ones come first, so none delays the end. */
export async function fill(
  account: BlobServiceClient,
  containers: readonly string[],
  specs: readonly BlobSpec[],
  ledger: Ledger,
  written: (spec: BlobSpec) => void = () => {},
): Promise<void> {
  await Promise.all(containers.map((container) => account.getContainerClient(container).createIfNotExists()));
  await atOnce(
    [...specs].sort((a, b) => b.size - a.size),
    async (spec) => {
      await write(account, spec);
      ledger.wrote(spec);
      written(spec);
    },
  );
}

export async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const limit = pLimit(AT_ONCE);
  try {
    await Promise.all(items.map((item) => limit(() => work(item))));
  } finally {
    limit.clearQueue();
  }
}

/** Writes one blob, and replaces any that exists. */
export async function write(account: BlobServiceClient, spec: BlobSpec): Promise<void> {
  const client = account.getContainerClient(spec.container).getBlobClient(spec.name);
  const { metadata, tags, tier, size } = spec;
  const bytes = bytesOf(spec);
  const options = {
    blobHTTPHeaders: httpHeaders(spec.headers),
    metadata,
    ...(Object.keys(tags).length > 0 && { tags }),
  };
  switch (spec.kind) {
    case 'block': {
      const blocks = { blockSize: BLOCK, maxSingleShotSize: BLOCK, concurrency: 4 };
      await client.getBlockBlobClient().uploadData(bytes, { ...options, ...blocks, ...(tier && { tier }) });
      break;
    }
    case 'append': {
      // In at least two blocks, as a log grows.
      const append = client.getAppendBlobClient();
      await append.create(options);
      const step = Math.min(BLOCK, Math.ceil(size / 2));
      for (let at = 0; at < size; at += step) {
        const block = bytes.subarray(at, at + step);
        await append.appendBlock(block, block.length);
      }
      break;
    }
    case 'page': {
      const page = client.getPageBlobClient();
      await page.create(size, options);
      const [from, to] = emptyPages(size);
      for (const [start, end] of [
        [0, from],
        [to, size],
      ] as const) {
        for (let at = start; at < end; at += BLOCK) {
          const part = bytes.subarray(at, Math.min(at + BLOCK, end));
          await page.uploadPages(part, at, part.length);
        }
      }
    }
  }
}

export function httpHeaders(headers: Headers): BlobHTTPHeaders {
  const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, contentMd5 } = headers;
  return {
    blobContentType: contentType,
    ...(contentEncoding && { blobContentEncoding: contentEncoding }),
    ...(contentLanguage && { blobContentLanguage: contentLanguage }),
    ...(contentDisposition && { blobContentDisposition: contentDisposition }),
    ...(cacheControl && { blobCacheControl: cacheControl }),
    ...(contentMd5 && { blobContentMD5: Buffer.from(contentMd5, 'base64') }),
  };
}
