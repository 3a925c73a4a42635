import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import pLimit from 'p-limit';
import { ArchivingApp } from '../contenders/archiving.ts';
import { nodeScript } from '../contenders/node-script.ts';
import { type Measurement, measurement, medians } from '../measurement.ts';
import { startCountedAzurite } from '../servers/azurite.ts';
import type { CountedServer } from '../servers/counted-server.ts';
import type { RequestCounts } from '../servers/request-counter.ts';
import type { PartOptions, PartResult } from './part.ts';

const ACCOUNTS = { source: 'source', vault: 'vault' };
const SAMPLE = 'vaultsample';
const AT_MOST = 1.3;
const PATIENCE_MS = 1_800_000;
/** The time limit of a large backlog: the emulator's queue gets slow with its length, and memory shows before. */
const BACKLOG_MS = 90_000;
/** Reads of receipt and source, claim, copy, done. The requests for messages come on top. */
const REQUESTS_AN_UPLOAD = 5;

/** Measures the cost of archiving uploads from a queue, its delay, and the memory of a backlog. */
export async function measureArchiving({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const few = quick ? 500 : 2_000;
  const many = quick ? 2_000 : 20_000;
  const singles = quick ? 5 : 20;
  const measured: Measurement[] = [];
  const latencies: Record<'queue' | 'scan', number[]> = { queue: [], scan: [] };
  const backlog = (events: number) => `backlog of ${events} events`;
  /** For each backlog, the number of events processed within the time limit. */
  const processed = new Map<string, number>();
  const duplicates = `${few} events for archived uploads`;
  for (let round = 1; round <= repeat; round++) {
    progress(backlog(few));
    measured.push(...(await processItems(few, backlog(few), { duplicates, processed })));
    progress(backlog(many));
    measured.push(...(await processItems(many, backlog(many), { processed, forMs: BACKLOG_MS })));
    for (const by of ['queue', 'scan'] as const) {
      progress(`seconds until an upload is archived, by ${by}`);
      latencies[by].push(...(await untilArchived(singles, by)));
    }
  }
  const measurements = medians(measured);
  const ours = (what: string) => measurements.find((each) => each.what === what && each.contender === 'Strongroom')!;
  const requests = ({ requests, operations }: Measurement) => requests - messagesIn(operations);
  const [small, large] = [ours(backlog(few)).peakMiB, ours(backlog(many)).peakMiB];
  return {
    title: 'Uploads as they arrive',
    notes: [
      'On Azurite, with small blobs. The events wait in a queue when the worker starts. The sample program takes 32',
      'messages at a time, copies, and deletes them. It has no receipts and no records, and copies an upload with two',
      'events twice.',
      `Events per second, one process: ${perSecond(ours(backlog(few)), processed)} (${few} waiting),`,
      `${perSecond(ours(backlog(many)), processed)} (${many} waiting, where the emulator reads`,
      ' its whole queue for each batch, so not all events are processed).',
      `Seconds from an upload until it is archived, one at a time: by queue ${spread(latencies.queue)};`,
      `by scanning ${spread(latencies.scan)}.`,
    ],
    measurements,
    targets: [
      {
        what: 'an archived upload, without the requests for its message',
        atMost: REQUESTS_AN_UPLOAD * 1.01,
        measured: requests(ours(backlog(few))) / few,
        unit: 'requests',
      },
      {
        what: 'an event for an archived upload',
        atMost: 1.01,
        measured: requests(ours(duplicates)) / few,
        unit: 'requests',
      },
      {
        what: `memory with a ${backlog(many)}`,
        atMost: AT_MOST,
        measured: small && large && large / small,
        unit: `times that with ${few}`,
      },
    ],
  };
}

interface Backlog {
  processed: Map<string, number>;
  /** The name of a second round of events for the archived uploads, and whether to measure the sample program. */
  duplicates?: string;
  /** The time limit in milliseconds. */
  forMs?: number;
}

async function processItems(
  events: number,
  what: string,
  { processed, duplicates, forMs }: Backlog,
): Promise<Measurement[]> {
  const server = await startCountedAzurite([ACCOUNTS.source, ACCOUNTS.vault, SAMPLE]);
  try {
    const etags = await upload(server, events);
    const queue = await queueOf(server, ACCOUNTS.vault);
    await announce(queue, etags);
    await server.takeCounts();
    const app = await ArchivingApp.start(server, ACCOUNTS, { queue: 'uploads' });
    const found: Measurement[] = [];
    try {
      const left = await drained(queue, forMs);
      processed.set(what, events - left);
      found.push(measurement(what, 'Strongroom', withoutOurOwn(await server.takeCounts()), app.usage()));
      if (duplicates !== undefined) {
        const before = app.usage();
        await announce(queue, etags);
        await drained(queue);
        const { seconds, cpuSeconds = 0 } = app.usage();
        const usage = { seconds: seconds - before.seconds, cpuSeconds: cpuSeconds - (before.cpuSeconds ?? 0) };
        found.push(measurement(duplicates, 'Strongroom', withoutOurOwn(await server.takeCounts()), usage));
      }
    } finally {
      await app.stop();
    }
    if (duplicates !== undefined) {
      const sample = nodeScript('a queue worker that copies', SAMPLE, 'queue-sample.ts');
      await announce(await queueOf(server, SAMPLE), etags);
      await server.takeCounts();
      const usage = await sample.run({ server, source: ACCOUNTS.source, step: 'first' });
      found.push(measurement(what, sample.name, await server.takeCounts(), usage));
    }
    return found;
  } finally {
    await server.stop();
  }
}

/** The seconds of each of several uploads, one after another, in an idle app. */
async function untilArchived(uploads: number, by: 'queue' | 'scan'): Promise<number[]> {
  const server = await startCountedAzurite([ACCOUNTS.source, ACCOUNTS.vault, SAMPLE]);
  try {
    await upload(server, 0);
    const queue = await queueOf(server, ACCOUNTS.vault);
    const events = by === 'queue' ? { queue: 'uploads' } : { blobTrigger: 'scan' };
    const app = await ArchivingApp.start(server, ACCOUNTS, events);
    try {
      const archive = BlobServiceClient.fromConnectionString(
        server.connectionString(ACCOUNTS.vault),
      ).getContainerClient('incomingarchive');
      await archive.createIfNotExists();
      const seconds: number[] = [];
      for (let index = 0; index < uploads; index++) {
        const name = `single/${index}.bin`;
        const begun = performance.now();
        const etag = await put(server, name);
        if (by === 'queue') await queue.sendMessage(JSON.stringify({ container: 'incoming', name, etag }));
        await until(() => archive.getBlobClient(name).exists());
        seconds.push((performance.now() - begun) / 1000);
        // Out of step with the polling.
        await sleep(((index * 7919) % 1000) + 50);
      }
      return seconds;
    } finally {
      await app.stop();
    }
  } finally {
    await server.stop();
  }
}

async function upload(server: CountedServer, count: number): Promise<Map<string, string>> {
  const source = BlobServiceClient.fromConnectionString(server.connectionString(ACCOUNTS.source));
  await source.getContainerClient('incoming').createIfNotExists();
  const limit = pLimit(32);
  const etags = new Map<string, string>();
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      limit(async () => {
        const name = `2026/${String(Math.floor(index / 100)).padStart(5, '0')}/file ${index}.bin`;
        etags.set(name, await put(server, name));
      }),
    ),
  );
  return etags;
}

const clients = new WeakMap<CountedServer, BlobServiceClient>();

async function put(server: CountedServer, name: string): Promise<string> {
  const client =
    clients.get(server) ?? BlobServiceClient.fromConnectionString(server.connectionString(ACCOUNTS.source));
  clients.set(server, client);
  const { etag } = await client.getContainerClient('incoming').getBlockBlobClient(name).upload(name, name.length);
  return etag!.replaceAll('"', '');
}

async function queueOf(server: CountedServer, account: string): Promise<QueueClient> {
  const queue = QueueServiceClient.fromConnectionString(server.connectionString(account)).getQueueClient('uploads');
  await queue.createIfNotExists();
  return queue;
}

async function announce(queue: QueueClient, etags: Map<string, string>): Promise<void> {
  const limit = pLimit(32);
  await Promise.all(
    [...etags].map(([name, etag]) =>
      limit(() => queue.sendMessage(JSON.stringify({ container: 'incoming', name, etag }))),
    ),
  );
}

/** Waits until the queue is empty or the time is over. Returns the number of events left. */
async function drained(queue: QueueClient, forMs = PATIENCE_MS): Promise<number> {
  for (const deadline = Date.now() + forMs; ; await sleep(100)) {
    const { approximateMessagesCount: left = 0 } = await queue.getProperties();
    if (left === 0 || Date.now() > deadline) return left;
  }
}

async function until(holds: () => Promise<boolean>, every = 10): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); await sleep(every)) {
    if (Date.now() > deadline) throw new Error(`The queue is not empty after ${PATIENCE_MS / 1000} s`);
  }
}

/** The benchmark's own requests are not work of the contender. */
function withoutOurOwn(counts: RequestCounts): RequestCounts {
  return Object.fromEntries(
    Object.entries(counts).filter(([operation]) => !/metadata|^POST messages/i.test(operation)),
  );
}

function messagesIn(operations: RequestCounts): number {
  return Object.entries(operations)
    .filter(([operation]) => operation.endsWith(' messages'))
    .reduce((sum, [, count]) => sum + count, 0);
}

function perSecond({ what, seconds }: Measurement, processed: Map<string, number>): string {
  return String(Math.round(processed.get(what)! / seconds));
}

function spread(seconds: number[]): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]!.toFixed(2);
  return `${at(0.5)} in the middle, ${at(0)} to ${at(1)}`;
}
