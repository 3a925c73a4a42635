import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BlobClient, BlobServiceClient, RestError } from '@azure/storage-blob';
import type { RunReport } from '#domain/run/run.ts';
import { type Azurite, newAccountKey, startAzurite } from '../../host/azurite/azurite.ts';
import { type HostProcess, startHost } from '../../test/support/app/host-process.ts';
import { Strongroom } from '../../test/support/app/strongroom.ts';
import { type FaultProxy, type FaultRule, type Layer, startFaultProxy } from '../../test/support/faults/fault-proxy.ts';
import type { Sides } from '../../test/support/judge/judge.ts';

export interface LaneOptions {
  /** The number of cases: each has a job and two accounts of its own. */
  cases: number;
  /** The copy method of its jobs. */
  method: 'auto' | 'async';
  /** The directory of the app, unless it is the plain one. */
  app?: string;
  env?: Record<string, string>;
}

/** So small that a few blobs make several slices and chunks, without long waits. */
const LIMITS = { sliceBlobs: 2, chunkBlobs: 1, retryDelayMs: 20, silentMs: 3_000 };

/**
 * One host that is killed and started again, with storage of its own behind a proxy. The cases run one after another on
 * the same data directory, so each costs one start.
 */
export class Lane {
  readonly proxy: FaultProxy;
  readonly places: Place[] = [];
  /** The seconds of each start of the host. */
  readonly starts: number[] = [];
  #azurite: Azurite;
  #options: LaneOptions;
  #folder: string;
  #dataDir: string;
  #env: Record<string, string>;
  #host: HostProcess | undefined;
  #taken = 0;

  private constructor(azurite: Azurite, proxy: FaultProxy, options: LaneOptions) {
    this.#azurite = azurite;
    this.proxy = proxy;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'strongroom-crash-'));
    this.#dataDir = mkdtempSync(join(this.#folder, 'data-'));
    const env: Record<string, string> = {};
    const jobs = [];
    for (let index = 0; index < options.cases; index++) {
      const place = new Place(this, index);
      this.places.push(place);
      jobs.push({
        name: place.job,
        source: { account: `SOURCE_${index}`, containers: ['*'] },
        destination: { account: `VAULT_${index}`, container: '{container}backup' },
        method: options.method,
      });
      env[`SOURCE_${index}`] = this.proxied(place.sourceAccount.name);
      env[`VAULT_${index}`] = this.proxied(place.vaultAccount.name);
    }
    const file = join(this.#folder, 'strongroom.json');
    writeFileSync(file, JSON.stringify({ jobs }));
    this.#env = { ...env, STRONGROOM_CONFIG: file, STRONGROOM_LIMITS: JSON.stringify(LIMITS), ...options.env };
  }

  static async open(options: LaneOptions): Promise<Lane> {
    const accounts = Array.from({ length: options.cases }, (_, index) =>
      ['src', 'vlt'].map((side) => ({ name: `${side}${index}`, key: newAccountKey() })),
    );
    const azurite = await startAzurite({ accounts: accounts.flat() });
    const origin = (port: number) => `http://127.0.0.1:${port}`;
    const proxy = await startFaultProxy(origin(azurite.blobPort), { tables: origin(azurite.tablePort) });
    const lane = new Lane(azurite, proxy, options);
    await lane.start();
    return lane;
  }

  /** A place that no case has used; undefined if none is left. */
  next(): Place | undefined {
    this.proxy.rules.length = 0;
    this.proxy.layers.length = 0;
    this.proxy.requests.length = 0;
    return this.places[this.#taken++];
  }

  direct(account: string): string {
    return this.#azurite.connectionString(account);
  }

  proxied(account: string): string {
    return this.proxy.connectionString({ name: account, connectionString: this.direct(account) });
  }

  get app(): Strongroom {
    return new Strongroom(this.#host!);
  }

  async start(): Promise<void> {
    const began = performance.now();
    this.#host = await startHost({
      dataDir: this.#dataDir,
      env: this.#env,
      ...(this.#options.app !== undefined && { args: ['--app', this.#options.app] }),
    });
    this.starts.push((performance.now() - began) / 1000);
  }

  /** Kills the process, and waits for requests that have reached storage. */
  async kill(): Promise<void> {
    await this.#host?.kill();
  }

  /** Deletes the data of the host: it forgets everything before. */
  loseData(): void {
    this.#dataDir = mkdtempSync(join(this.#folder, 'data-'));
  }

  async close(): Promise<void> {
    await this.#host?.kill();
    await this.proxy.stop();
    await this.#azurite.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Cases per lane; then a new one starts, with empty memory. */
const ROOM = 16;

/** Distributes cases to parallel lanes. Returns the average seconds of a start of the host. */
export async function inLanes<Case extends { scene: { method: LaneOptions['method'] } }>(
  cases: readonly Case[],
  lanes: number,
  options: Pick<LaneOptions, 'app' | 'env'>,
  work: (place: Place, given: Case) => Promise<void>,
): Promise<number> {
  const waiting = [...cases];
  const starts: number[] = [];
  const oneLane = async () => {
    while (waiting.length > 0) {
      const { method } = waiting[0]!.scene;
      const more = () => waiting.findIndex(({ scene }) => scene.method === method);
      const lane = await Lane.open({ cases: ROOM, method, ...options });
      try {
        for (let next = more(); next >= 0; next = more()) {
          const place = lane.next();
          if (place === undefined) break;
          await work(place, waiting.splice(next, 1)[0]!);
        }
      } finally {
        starts.push(...lane.starts);
        await lane.close();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, cases.length) }, oneLane));
  return starts.reduce((total, each) => total + each, 0) / Math.max(starts.length, 1);
}

/** The place of one case: a job and two accounts of its own. */
export class Place {
  readonly lane: Lane;
  readonly job: string;
  readonly sourceAccount: { name: string; connectionString: string };
  readonly vaultAccount: { name: string; connectionString: string };

  constructor(lane: Lane, index: number) {
    this.lane = lane;
    this.job = `case-${index}`;
    const account = (name: string) => ({ name, connectionString: lane.direct(name) });
    this.sourceAccount = account(`src${index}`);
    this.vaultAccount = account(`vlt${index}`);
  }

  get sides(): Sides {
    return { source: this.sourceAccount.connectionString, vault: this.vaultAccount.connectionString };
  }

  addRule(rule: FaultRule): void {
    this.lane.proxy.rules.push(rule);
  }

  addLayer(layer: Layer): void {
    this.lane.proxy.layers.push(layer);
  }

  /** Plays an undisturbed run, until its lock is free. */
  async run(body: object): Promise<RunReport> {
    const id = await this.lane.app.start(body, this.job);
    const report = await this.lane.app.ended(id);
    await this.released();
    return report;
  }

  /** The lock in storage. */
  async lock(): Promise<Lock | undefined> {
    return readJson<Lock>(this.#control().getBlockBlobClient(`locks/${this.job}.json`));
  }

  /** Waits until no run holds the lock. */
  async released(seconds = 10): Promise<void> {
    for (const deadline = Date.now() + seconds * 1000; (await this.lock())?.run; await sleep(20)) {
      if (Date.now() > deadline) throw new Error('The lock was not released');
    }
  }

  async lastRun(): Promise<string> {
    return (await this.lock())?.last ?? '';
  }

  /** Every run with objects in the vault, by id, with its summary if it has one. */
  async runs(): Promise<Map<string, RunSeen | undefined>> {
    const control = this.#control();
    const runs = new Map<string, RunSeen | undefined>();
    if (!(await control.exists())) return runs;
    const prefix = `jobs/${this.job}/runs/`;
    for await (const item of control.listBlobsByHierarchy('/', { prefix })) {
      if (item.kind !== 'prefix') continue;
      const summary = await readJson<RunSeen>(control.getBlockBlobClient(`${item.name}run.json`));
      runs.set(item.name.slice(prefix.length, -1), summary);
    }
    return runs;
  }

  #control() {
    return BlobServiceClient.fromConnectionString(this.sides.vault).getContainerClient('strongroom');
  }
}

export interface Lock {
  epoch: number;
  run: { id: string } | null;
  since: string;
  last?: string;
}

/** The part of a summary that the cases read. */
export interface RunSeen {
  id: string;
  status: string;
  restorePoint: boolean;
  counts: Record<string, number>;
  problems: { code: string; message: string }[];
}

/** Reads an object in one request, as it may be replaced at any moment. */
async function readJson<T>(client: BlobClient): Promise<T | undefined> {
  try {
    const { readableStreamBody } = await client.download();
    return JSON.parse(await text(readableStreamBody!)) as T;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return undefined;
    throw error;
  }
}
