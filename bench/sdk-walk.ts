// Compares two accounts by walking the listings of the SDK side by side, and counts differences.
import { type BlobItem, BlobServiceClient } from '@azure/storage-blob';

const source = BlobServiceClient.fromConnectionString(process.env.SOURCE ?? '');
const vault = BlobServiceClient.fromConnectionString(process.env.VAULT ?? '');

let different = 0;
for await (const { name } of source.listContainers()) {
  const backup = vault.getContainerClient(`${name}backup`).listBlobsFlat({ includeMetadata: true });
  let next: IteratorResult<BlobItem> = await backup.next();
  for await (const blob of source
    .getContainerClient(name)
    .listBlobsFlat({ includeMetadata: true, includeTags: true })) {
    while (!next.done && next.value.name < blob.name) next = await backup.next();
    const copy: BlobItem | undefined = !next.done && next.value.name === blob.name ? next.value : undefined;
    if (copy?.metadata?.strongroom_etag !== blob.properties.etag) different++;
  }
}
if (different > 0) throw new Error(`${different} blobs differ, expected none.`);
