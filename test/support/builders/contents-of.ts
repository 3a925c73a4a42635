import { BlobServiceClient } from '@azure/storage-blob';

/** What a container has, counted one by one. */
export async function contentsOf(
  connectionString: string,
  container: string,
): Promise<{ blobs: number; kept: number; bytes: number }> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  const found = { blobs: 0, kept: 0, bytes: 0 };
  for await (const { snapshot, properties } of client.listBlobsFlat({ includeSnapshots: true })) {
    if (snapshot) found.kept++;
    else found.blobs++;
    found.bytes += properties.contentLength ?? 0;
  }
  return found;
}
