import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobClient, BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import type { QueueClient } from '@azure/storage-queue';
import type { Api } from './api.ts';
import { DemoError } from './demo-error.ts';
import { ARCHIVE, ARRIVALS, RULE } from './job.ts';
import { count, fact } from './screen.ts';

interface Place {
  source: BlobServiceClient;
  vault: BlobServiceClient;
  queue: QueueClient;
}

const NAME = '2026/scan 0001.txt';
const SILENT = '2026/no event.txt';
const TIMES = 20;
const PATIENCE_MS = 60_000;

/**
 * Uploads a blob with many events at once, overwrites it with one more event, and uploads another blob without one.
 * Then it compares the archive with the uploads, and returns every difference.
 */
export async function archiveArrivals({ source, vault, queue }: Place, api: Api): Promise<string[]> {
  const arrivals = source.getContainerClient(ARRIVALS);
  const archive = vault.getContainerClient(ARCHIVE);
  await arrivals.create();

  const first = await upload(arrivals, NAME, 'the first scan');
  const uploadedAt = Date.now();
  await Promise.all(Array.from({ length: TIMES }, () => announce(queue, arrivals.getBlobClient(NAME), first)));
  await archived(api, NAME, first);
  fact('Uploaded', `${NAME}, with ${TIMES} events at once: archived ${seconds(Date.now() - uploadedAt)} later`);

  const second = await upload(arrivals, NAME, 'the corrected scan');
  const overwrittenAt = Date.now();
  await announce(queue, arrivals.getBlobClient(NAME), second);
  await archived(api, NAME, second);
  fact('Overwritten', `archived ${seconds(Date.now() - overwrittenAt)} later; the version before is now a snapshot`);

  await upload(arrivals, SILENT, 'a blob without an event');
  const found = await api.follow(await api.reconcile(RULE));
  const { listed, copied, unchanged } = found.counts;
  fact(
    'Reconciled',
    `${count(listed)} listed = ${count(copied)} copied without an event + ${count(unchanged)} archived before`,
  );

  const differences: string[] = found.problems.map(
    ({ code, message }) => `reconciliation ${found.id}: ${code}: ${message}`,
  );
  if (copied !== 1) differences.push(`reconciliation ${found.id}: ${copied} uploads copied, expected 1`);
  const expected = { [NAME]: ['the first scan', 'the corrected scan'], [SILENT]: ['a blob without an event'] };
  for (const [name, texts] of Object.entries(expected)) {
    const there = await versions(archive, name);
    if (JSON.stringify(there) !== JSON.stringify(texts)) {
      differences.push(`${ARCHIVE}/${name}: holds ${JSON.stringify(there)}, not ${JSON.stringify(texts)}`);
    }
  }
  fact('Compared', `3 versions of 2 blobs, each archived once: ${count(differences.length)} differences`);
  await arrivals.delete();
  await archive.delete();
  return differences;
}

async function upload(container: ContainerClient, name: string, text: string): Promise<string> {
  const { etag } = await container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
  return etag!.replaceAll('"', '');
}

/** An event as Event Grid puts it into a queue, without the fields that Strongroom ignores. */
async function announce(queue: QueueClient, { url }: BlobClient, eTag: string): Promise<void> {
  const event = { eventType: 'Microsoft.Storage.BlobCreated', data: { api: 'PutBlob', url, eTag } };
  await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));
}

async function archived(api: Api, name: string, etag: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(50)) {
    const receipts = await api.receipts(RULE, name);
    if (receipts.some(({ source, state }) => source.etag === etag && state === 'done')) return;
  }
  throw new DemoError(`${name} was uploaded with an event, and is not archived after ${PATIENCE_MS / 1000} s.`);
}

/** The contents in the archive under one name: snapshots, oldest first, then the blob itself. */
async function versions(container: ContainerClient, name: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const blob of container.listBlobsFlat({ prefix: name, includeSnapshots: true })) {
    const base = container.getBlobClient(blob.name);
    texts.push((await (blob.snapshot ? base.withSnapshot(blob.snapshot) : base).downloadToBuffer()).toString());
  }
  return texts;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
