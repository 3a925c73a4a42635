import { buffer } from 'node:stream/consumers';
import type { BlobItem, BlobServiceClient } from '@azure/storage-blob';
import { type BlobKind, type BlobSpec, type Headers, sha256Of } from './blob.ts';
import { DemoError } from './demo-error.ts';
import { atOnce } from './fill.ts';

/** A blob or a snapshot, as the account shows it. */
export interface Seen extends Omit<BlobSpec, 'content' | 'tier' | 'headers'> {
  headers: Partial<Headers>;
  /** Absent unless it was set on the blob itself. */
  tier?: string;
  snapshot?: string;
  /** Of the downloaded bytes; absent if they are archived. */
  sha256?: string;
}

const PAGE = 5_000;
const KINDS: Record<string, BlobKind> = { BlockBlob: 'block', PageBlob: 'page', AppendBlob: 'append' };

export async function containersOf(account: BlobServiceClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of account.listContainers()) names.push(name);
  return names;
}

/** Lists a container with its snapshots, without any bytes. */
export async function listAll(account: BlobServiceClient, container: string): Promise<Seen[]> {
  const pages = account
    .getContainerClient(container)
    .listBlobsFlat({ includeMetadata: true, includeTags: true, includeSnapshots: true })
    .byPage({ maxPageSize: PAGE });
  const { value: page } = await pages.next();
  // The emulator loses entries between two pages with snapshots.
  if (page.continuationToken) throw new DemoError(`Container ${container} has too many blobs to list in one page.`);
  return (page.segment.blobItems as BlobItem[]).map((item) => seenOf(container, item));
}

function seenOf(container: string, item: BlobItem): Seen {
  const { properties, name, snapshot, metadata = {}, tags = {} } = item;
  const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, contentMD5 } = properties;
  return {
    container,
    name,
    kind: KINDS[properties.blobType ?? '']!,
    size: properties.contentLength ?? -1,
    headers: {
      ...(contentType && { contentType }),
      ...(contentEncoding && { contentEncoding }),
      ...(contentLanguage && { contentLanguage }),
      ...(contentDisposition && { contentDisposition }),
      ...(cacheControl && { cacheControl }),
      ...(contentMD5?.length && { contentMd5: Buffer.from(contentMD5).toString('base64') }),
    },
    metadata,
    tags,
    // No account has Archive as its default, but the emulator calls the tier of an archived copy inferred.
    ...(properties.accessTier &&
      (!properties.accessTierInferred || properties.accessTier === 'Archive') && { tier: properties.accessTier }),
    ...(snapshot && { snapshot }),
  };
}

/** Downloads every blob, and records the hash of its bytes. */
export async function readAll(account: BlobServiceClient, blobs: Seen[], read: (blob: Seen) => void): Promise<void> {
  await atOnce(blobs, async (blob) => {
    if (blob.tier !== 'Archive') {
      const client = account.getContainerClient(blob.container).getBlobClient(blob.name);
      const answer = await (blob.snapshot ? client.withSnapshot(blob.snapshot) : client).download();
      blob.sha256 = sha256Of(await buffer(answer.readableStreamBody!));
    }
    read(blob);
  });
}
