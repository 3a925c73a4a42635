import { gzipSync } from 'node:zlib';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';

/** The small source of every cell: one blob for each way of copying. */
export const CONTAINERS = ['data', 'more'] as const;

export async function fillSource(connectionString: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const [data, more] = await Promise.all(CONTAINERS.map((name) => made(service, name)));
  const packed = gzipSync('{"a":1}');
  await Promise.all([
    text(data!, 'changing.txt', 'first'),
    data!.getBlockBlobClient('dir/packed.json').upload(packed, packed.length, {
      blobHTTPHeaders: { blobContentType: 'application/json', blobContentEncoding: 'gzip' },
    }),
    data!.getBlockBlobClient('labeled').upload('labeled', 8, { metadata: { Owner: 'me' }, tags: { a: '1' } }),
    text(data!, 'nothing', ''),
    page(data!, 'disk', 1),
    text(more!, 'hot', 'hot', 'Hot'),
    text(more!, 'resting', 'the same for ever'),
    text(more!, 'ünder/way', 'a name to encode'),
  ]);
}

/** Changes the source before an incremental run, in every way. */
export async function changeSource(connectionString: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const [data, more] = CONTAINERS.map((name) => service.getContainerClient(name));
  // Deleted and created again, as the emulator shares pages between a blob and its copies.
  await data!.deleteBlob('disk');
  await Promise.all([
    text(data!, 'changing.txt', 'other'),
    text(data!, 'new', 'new'),
    page(data!, 'disk', 2),
    data!.getBlobClient('labeled').setTags({ a: '2' }),
    more!.getBlobClient('hot').setAccessTier('Cool'),
  ]);
}

/** The blob that faults may change at any moment, with new content each time. */
export async function overwriteOne(connectionString: string, version: number): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('data');
  await text(container, 'changing.txt', `version ${version}`);
}

export async function deleteOne(connectionString: string): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('data');
  await container.getBlobClient('changing.txt').deleteIfExists();
}

export async function emptyAccount(connectionString: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  for await (const { name } of service.listContainers()) await service.deleteContainer(name);
}

async function made(service: BlobServiceClient, name: string): Promise<ContainerClient> {
  const container = service.getContainerClient(name);
  await container.createIfNotExists();
  return container;
}

async function text(container: ContainerClient, name: string, content: string, tier?: string): Promise<void> {
  await container
    .getBlockBlobClient(name)
    .upload(content, Buffer.byteLength(content), { ...(tier !== undefined && { tier }) });
}

async function page(container: ContainerClient, name: string, fill: number): Promise<void> {
  const client = container.getPageBlobClient(name);
  await client.create(512);
  await client.uploadPages(Buffer.alloc(512, fill), 0, 512);
}
