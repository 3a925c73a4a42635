import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { TestAccount } from '../azurite/accounts.ts';
import type { FaultProxy } from '../faults/fault-proxy.ts';
import { type Strongroom, type StrongroomOptions, startStrongroom } from './strongroom.ts';
import { until } from './until.ts';

/** What a receipt says, as `GET …/receipts?name=` gives it. */
export interface ShownReceipt {
  source: { name: string; etag: string };
  state: string;
  owner: string;
  tries: number;
  archived?: { container: string; name: string; etag: string; method?: string };
  problem?: { code: string; message?: string };
}

export interface ArchivingOptions extends Partial<StrongroomOptions> {
  /**
   * Laid over the rule `uploads`: container `incoming` of SOURCE, archived into `incomingarchive` of VAULT, told by a
   * queue.
   */
  rule?: object;
  rules?: object[];
  /** The app's way to the blobs of both accounts; the queues are reached directly. */
  proxy?: FaultProxy;
}

/** An upload that was given up, as `GET …/poison` shows it. */
export interface ShownPoison {
  id: string;
  name: string;
  etag: string | null;
  code: string;
  message: string;
  times: number;
}

/**
 * An app with one archive rule and no jobs, and what it takes to upload, tell of uploads, and look at what came of it.
 */
export class Archiving {
  readonly app: Strongroom;
  readonly source: BlobServiceClient;
  readonly vault: BlobServiceClient;
  readonly queues: QueueServiceClient;

  constructor(app: Strongroom, source: TestAccount, vault: TestAccount) {
    this.app = app;
    this.source = BlobServiceClient.fromConnectionString(source.connectionString);
    this.vault = BlobServiceClient.fromConnectionString(vault.connectionString);
    this.queues = QueueServiceClient.fromConnectionString(vault.connectionString);
  }

  /** Uploads, and returns the version's ETag. */
  async upload(name: string, text: string, container = 'incoming'): Promise<string> {
    const client = this.source.getContainerClient(container).getBlockBlobClient(name);
    const { etag } = await client.upload(text, Buffer.byteLength(text));
    return etag!.replaceAll('"', '');
  }

  /** Puts an event into the queue, in the short form or whatever is given. */
  async tell(event: object | string, queue = 'uploads'): Promise<void> {
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    await this.queues.getQueueClient(queue).sendMessage(text);
  }

  async receipts(name: string, rule = 'uploads'): Promise<ShownReceipt[]> {
    const { body } = await this.app.call('GET', `/api/archives/${rule}/receipts?name=${encodeURIComponent(name)}`);
    return body.receipts as unknown as ShownReceipt[];
  }

  /** What lies in the archive under each name, as its bytes say. */
  async archived(container = 'incomingarchive'): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const client = this.vault.getContainerClient(container);
    if (!(await client.exists())) return found;
    for await (const { name } of client.listBlobsFlat()) {
      found[name] = (await client.getBlobClient(name).downloadToBuffer()).toString();
    }
    return found;
  }

  /** The contents that are kept of a name: snapshots, oldest first, then the base blob. */
  async versions(name: string, container = 'incomingarchive'): Promise<string[]> {
    const client = this.vault.getContainerClient(container);
    const snapshots: string[] = [];
    for await (const blob of client.listBlobsFlat({ prefix: name, includeSnapshots: true })) {
      if (blob.name === name && blob.snapshot) snapshots.push(blob.snapshot);
    }
    const one = client.getBlobClient(name);
    const kept = [...snapshots.sort().map((snapshot) => one.withSnapshot(snapshot)), one];
    const texts: string[] = [];
    for (const each of kept) texts.push((await each.downloadToBuffer()).toString());
    return texts;
  }

  /** How many versions of each name there are in the archive, base blobs and snapshots together. */
  async counted(container = 'incomingarchive'): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const listed = this.vault.getContainerClient(container).listBlobsFlat({ includeSnapshots: true });
    for await (const { name } of listed) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  async states(name: string, rule = 'uploads'): Promise<string[]> {
    return (await this.receipts(name, rule)).map(({ state }) => state);
  }

  async poison(rule = 'uploads'): Promise<ShownPoison[]> {
    const { body } = await this.app.call('GET', `/api/archives/${rule}/poison`);
    return body.uploads as unknown as ShownPoison[];
  }

  /** Tries all that was given up again, or one, and waits until that is over. */
  async reprocess(body: object = {}, rule = 'uploads') {
    const { status, body: started } = await this.app.call('POST', `/api/archives/${rule}/reprocess`, body);
    if (status !== 202) throw new Error(`Not started: ${status} ${JSON.stringify(started)}`);
    return this.app.ended(started.id);
  }

  /** Waits until the newest version of each of these names has been archived, by its receipt. */
  async done(...names: string[]): Promise<void> {
    for (const name of names) {
      await until(async () => (await this.states(name)).includes('done'), 60).catch(async (error) => {
        throw new Error(`${name}: ${JSON.stringify(await this.receipts(name), undefined, 1)}`, { cause: error });
      });
    }
  }

  until(holds: () => Promise<boolean>, seconds = 30): Promise<void> {
    return until(holds, seconds);
  }

  /** Waits until nothing waits in the queue, nor is being worked on. */
  async drained(queue = 'uploads'): Promise<void> {
    await until(
      async () => (await this.queues.getQueueClient(queue).getProperties()).approximateMessagesCount === 0,
      60,
    );
  }

  async reconcile(body: object = {}, rule = 'uploads') {
    const { status, body: started } = await this.app.call('POST', `/api/archives/${rule}/reconcile`, body);
    if (status !== 202) throw new Error(`Not started: ${status} ${JSON.stringify(started)}`);
    return this.app.ended(started.id);
  }
}

/** What failed is tried again at once, not after the 20 seconds of host.json. */
const AT_ONCE = { AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:00' };

export function ruleWith(rule: object = {}): object {
  return {
    name: 'uploads',
    source: { account: 'SOURCE', container: 'incoming' },
    destination: { account: 'VAULT', container: '{container}archive' },
    events: { queue: 'uploads' },
    // Not while a test is at work, unless it asks for it.
    reconcile: '0 0 0 1 1 *',
    ...rule,
  };
}

export async function startArchiving(
  source: TestAccount,
  vault: TestAccount,
  { rule, rules, more, env, proxy, ...options }: ArchivingOptions = {},
): Promise<Archiving> {
  const blobs = BlobServiceClient.fromConnectionString(source.connectionString);
  await blobs.getContainerClient('incoming').createIfNotExists();
  await QueueServiceClient.fromConnectionString(vault.connectionString).getQueueClient('uploads').createIfNotExists();
  const app = await startStrongroom({
    source: proxy?.connectionString(source) ?? source.connectionString,
    vault: proxy?.connectionString(vault) ?? vault.connectionString,
    jobs: [],
    more: { ...more, archives: rules ?? [ruleWith(rule)] },
    env: { AzureWebJobsStorage: vault.connectionString, ...AT_ONCE, ...env },
    ...options,
  });
  return new Archiving(app, source, vault);
}
