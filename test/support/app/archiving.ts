import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { TestAccount } from '../azurite/accounts.ts';
import type { FaultProxy } from '../faults/fault-proxy.ts';
import { type Strongroom, type StrongroomOptions, startStrongroom } from './strongroom.ts';
import { until } from './until.ts';

/** A receipt, as `GET …/receipts?name=` shows it. */
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
   * Changes to the rule `uploads`: container `incoming` of SOURCE, archived into `incomingarchive` of VAULT, with
   * events in a queue.
   */
  rule?: object;
  rules?: object[];
  /** The app reaches the blobs of both accounts through it, and the queues directly. */
  proxy?: FaultProxy;
}

/** An upload that failed permanently, as `GET …/poison` shows it. */
export interface ShownPoison {
  id: string;
  name: string;
  etag: string | null;
  code: string;
  message: string;
  times: number;
}

/**
 * An app with archive rules and no jobs, and the steps of its tests: to upload, to send events, and to read the
 * archive.
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

  /** Uploads, and returns the ETag of the version. */
  async upload(name: string, text: string, container = 'incoming'): Promise<string> {
    const client = this.source.getContainerClient(container).getBlockBlobClient(name);
    const { etag } = await client.upload(text, Buffer.byteLength(text));
    return etag!.replaceAll('"', '');
  }

  /** Puts an event into the queue: an object in the short form, or any text. */
  async tell(event: object | string, queue = 'uploads'): Promise<void> {
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    await this.queues.getQueueClient(queue).sendMessage(text);
  }

  async receipts(name: string, rule = 'uploads'): Promise<ShownReceipt[]> {
    const { body } = await this.app.call('GET', `/api/archives/${rule}/receipts?name=${encodeURIComponent(name)}`);
    return body.receipts as unknown as ShownReceipt[];
  }

  /** The content of each blob in the archive, by name. */
  async archived(container = 'incomingarchive'): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const client = this.vault.getContainerClient(container);
    if (!(await client.exists())) return found;
    for await (const { name } of client.listBlobsFlat()) {
      found[name] = (await client.getBlobClient(name).downloadToBuffer()).toString();
    }
    return found;
  }

  /** All contents of a name: snapshots, oldest first, then the base blob. */
  async versions(name: string, container = 'incomingarchive'): Promise<string[]> {
    const client = this.vault.getContainerClient(container);
    const snapshots: string[] = [];
    for await (const blob of client.listBlobsFlat({ prefix: name, includeSnapshots: true })) {
      if (blob.name === name && blob.snapshot) snapshots.push(blob.snapshot);
    }
    const one = client.getBlobClient(name);
    const versions = [...snapshots.sort().map((snapshot) => one.withSnapshot(snapshot)), one];
    const texts: string[] = [];
    for (const each of versions) texts.push((await each.downloadToBuffer()).toString());
    return texts;
  }

  /** The number of versions of each name in the archive, base blobs and snapshots together. */
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

  /** Reprocesses all uploads that failed permanently, or one, and waits for the end. */
  async reprocess(body: object = {}, rule = 'uploads') {
    const { status, body: started } = await this.app.call('POST', `/api/archives/${rule}/reprocess`, body);
    if (status !== 202) throw new Error(`Not started: ${status} ${JSON.stringify(started)}`);
    return this.app.ended(started.id);
  }

  /** Waits until a receipt of each of these names is done. */
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

  /** Waits until the queue has no message, also none that is being processed. */
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

/** The host tries a failed message again at once, not after the 20 seconds of host.json. */
const AT_ONCE = { AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:00' };

export function ruleWith(rule: object = {}): object {
  return {
    name: 'uploads',
    source: { account: 'SOURCE', container: 'incoming' },
    destination: { account: 'VAULT', container: '{container}archive' },
    events: { queue: 'uploads' },
    // Never during a test, unless the test asks for it.
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
