// The usual program to archive uploads from a queue: take messages, copy each blob, wait for the copy, delete the
// message. 32 at once. It has no receipts: it copies a blob with two events twice, and retries a failed copy for ever.
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';

const source = BlobServiceClient.fromConnectionString(process.env.SOURCE ?? '');
const vault = BlobServiceClient.fromConnectionString(process.env.VAULT ?? '');
const queue = QueueServiceClient.fromConnectionString(process.env.VAULT ?? '').getQueueClient('uploads');
const from = source.getContainerClient('incoming');
const to = vault.getContainerClient('incomingarchive');
await to.createIfNotExists();
const signature = await from.generateSasUrl({
  permissions: ContainerSASPermissions.parse('r'),
  expiresOn: new Date(Date.now() + 3_600_000),
});
const query = new URL(signature).search;

for (;;) {
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 300 });
  if (receivedMessageItems.length === 0) break;
  await Promise.all(
    receivedMessageItems.map(async ({ messageId, popReceipt, messageText }) => {
      const { name } = JSON.parse(messageText) as { name: string };
      const poller = await to.getBlobClient(name).beginCopyFromURL(from.getBlobClient(name).url + query);
      await poller.pollUntilDone();
      await queue.deleteMessage(messageId, popReceipt);
    }),
  );
}
