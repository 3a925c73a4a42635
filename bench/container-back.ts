// The usual program to restore a container: list the backup, check whether each blob exists, copy it if not.
// 32 at once.
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import pLimit from 'p-limit';

const vault = BlobServiceClient.fromConnectionString(process.env.SOURCE ?? '');
const target = BlobServiceClient.fromConnectionString(process.env.VAULT ?? '');
const limit = pLimit(32);

for await (const { name } of vault.listContainers()) {
  if (!name.endsWith('backup')) continue;
  const from = vault.getContainerClient(name);
  const to = target.getContainerClient(name.replace(/backup$/, ''));
  await to.createIfNotExists();
  const signature = await from.generateSasUrl({
    permissions: ContainerSASPermissions.parse('r'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  const query = new URL(signature).search;
  const copies: Promise<void>[] = [];
  for await (const blob of from.listBlobsFlat()) {
    copies.push(
      limit(async () => {
        const client = to.getBlobClient(blob.name);
        if (await client.exists()) return;
        await client.syncCopyFromURL(from.getBlobClient(blob.name).url + query);
      }),
    );
  }
  await Promise.all(copies);
}
