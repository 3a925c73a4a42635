import { createHash } from 'node:crypto';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';

/** One blob as an independent reader sees it, without the code under test. */
export interface SeenBlob {
  sha256: string;
  size: number;
  type: string;
  headers: Record<string, string | undefined>;
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

export async function makeContainer(connectionString: string, name: string): Promise<ContainerClient> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name);
  await container.createIfNotExists();
  return container;
}

/** All blobs of a container by name, read with the plain SDK. The metadata omits our records. */
export async function lookInto(connectionString: string, name: string): Promise<Record<string, SeenBlob>> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name);
  const seen: Record<string, SeenBlob> = {};
  if (!(await container.exists())) return seen;
  for await (const item of container.listBlobsFlat({ includeMetadata: true, includeTags: true })) {
    const content = await container.getBlobClient(item.name).downloadToBuffer();
    const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, blobType } =
      item.properties;
    seen[item.name] = {
      sha256: createHash('sha256').update(content).digest('hex'),
      size: content.length,
      type: String(blobType),
      headers: { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl },
      metadata: Object.fromEntries(
        Object.entries(item.metadata ?? {}).filter(([key]) => !key.startsWith('strongroom_')),
      ),
      tags: item.tags ?? {},
    };
  }
  return seen;
}

/** The contents of a blob's snapshots, oldest first. */
export async function snapshotsOf(connectionString: string, container: string, name: string): Promise<string[]> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  const contents: string[] = [];
  for await (const item of client.listBlobsFlat({ includeSnapshots: true, prefix: name })) {
    if (item.name !== name || !item.snapshot) continue;
    const snapshot = client.getBlobClient(name).withSnapshot(item.snapshot);
    contents.push((await snapshot.downloadToBuffer()).toString());
  }
  return contents;
}
