// The usual program to back up blob containers: list the source, check each destination, copy blobs that are missing or
// older. 32 at once, which most samples leave out, and which is to its advantage.
import { type BlobItem, BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import pLimit from 'p-limit';

const source = BlobServiceClient.fromConnectionString(process.env.SOURCE ?? '');
const vault = BlobServiceClient.fromConnectionString(process.env.VAULT ?? '');
const limit = pLimit(32);

for await (const { name } of source.listContainers()) {
  const from = source.getContainerClient(name);
  const to = vault.getContainerClient(`${name}backup`);
  await to.createIfNotExists();
  const signature = await from.generateSasUrl({
    permissions: ContainerSASPermissions.parse('r'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  const query = new URL(signature).search;

  const backUp = async (blob: BlobItem) => {
    const target = to.getBlobClient(blob.name);
    const existing = await target.getProperties().catch((error) => {
      if (error.statusCode === 404) return undefined;
      throw error;
    });
    if (existing?.lastModified && existing.lastModified >= blob.properties.lastModified) return;
    const copy = await target.beginCopyFromURL(from.getBlobClient(blob.name).url + query);
    await copy.pollUntilDone();
  };

  const copies: Promise<void>[] = [];
  for await (const blob of from.listBlobsFlat()) copies.push(limit(() => backUp(blob)));
  await Promise.all(copies);
}
