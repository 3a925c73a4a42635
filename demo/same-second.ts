import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobServiceClient } from '@azure/storage-blob';
import { type BlobSpec, bytesOf, md5Of } from './blob.ts';
import { write } from './fill.ts';
import { backupContainerOf } from './job.ts';
import type { Ledger, Version } from './ledger.ts';

const TRIES = 5;

/**
 * Writes a blob, backs it up, and writes it again with the same size within the same second, so neither size nor
 * last-modified time shows the change. Tries several times; returns false if the machine is too slow for all of them.
 */
export async function editWithinOneSecond(
  source: BlobServiceClient,
  vault: BlobServiceClient,
  ledger: Ledger,
  blob: Version,
  /** Backs up the blob's container, and resolves when the backup has ended. */
  backUp: () => Promise<void>,
): Promise<boolean> {
  const here = source.getContainerClient(blob.container).getBlobClient(blob.name);
  const there = vault.getContainerClient(backupContainerOf(blob.container)).getBlobClient(blob.name);
  const isCopied = async ({ headers }: BlobSpec) => {
    const { contentMD5 } = await there.getProperties();
    return contentMD5 !== undefined && Buffer.from(contentMD5).toString('base64') === headers.contentMd5;
  };
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const [first, second] = [edited(blob, `morning ${attempt}`), edited(blob, `evening ${attempt}`)];
    await sleep(1000 - (Date.now() % 1000) + 5);
    await write(source, first);
    ledger.wrote(first);
    const before = await here.getProperties();
    const backup = backUp();
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    backup.then(over, over);
    let isDone = await isCopied(first);
    while (!isDone && !isOver) {
      await sleep(10);
      isDone = await isCopied(first);
    }
    if (isDone) ledger.backedUp(({ container, name }) => container === blob.container && name === blob.name);
    await write(source, second);
    ledger.wrote(second);
    const after = await here.getProperties();
    await backup;
    if (before.lastModified?.getTime() === after.lastModified?.getTime()) return true;
  }
  return false;
}

function edited(blob: BlobSpec, content: string): BlobSpec {
  const next = { ...blob, content: `${blob.content}, ${content}` };
  return { ...next, headers: { ...blob.headers, contentMd5: md5Of(bytesOf(next)) } };
}
