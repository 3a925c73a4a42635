import { randomFillSync } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import pLimit from 'p-limit';

/** The blobs to copy: many small ones and a few large ones, spread evenly over the containers. */
export interface Collection {
  containers: number;
  small: number;
  large: number;
  /** Whether blobs have metadata of their own. */
  metadata?: boolean;
}

const KIB = 1024;
const SMALL = 4 * KIB;
const LARGE = 8 * KIB * KIB;
const PER_FOLDER = 50;

export function blobsIn({ small, large }: Collection): number {
  return small + large;
}

export async function fill(connectionString: string, collection: Collection): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  for (let index = 0; index < collection.containers; index++)
    await service.getContainerClient(containerName(index)).create();
  await upload(service, collection, collection.small, SMALL, 'small');
  await upload(service, collection, collection.large, LARGE, 'large');
}

/** Overwrites the first small blobs. */
export async function overwrite(connectionString: string, collection: Collection, count: number): Promise<void> {
  await upload(BlobServiceClient.fromConnectionString(connectionString), collection, count, SMALL, 'small');
}

async function upload(
  service: BlobServiceClient,
  { containers, metadata }: Collection,
  count: number,
  size: number,
  kind: string,
) {
  const limit = pLimit(size > SMALL ? 4 : 32);
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      limit(async () => {
        const number = Math.floor(index / containers);
        const name = `${kind}/${pad(Math.floor(number / PER_FOLDER))}/file ${pad(number)}.bin`;
        const blob = service.getContainerClient(containerName(index % containers)).getBlockBlobClient(name);
        const own = metadata && { metadata: { number: String(number) } };
        await blob.upload(randomFillSync(Buffer.alloc(size)), size, { ...own });
      }),
    ),
  );
}

function containerName(index: number): string {
  return `collection${index}`;
}

function pad(number: number): string {
  return String(number).padStart(5, '0');
}
