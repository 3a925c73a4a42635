import { setTimeout as sleep } from 'node:timers/promises';
import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { type Azurite, newAccountKey, startAzurite } from '../../host/azurite/azurite.ts';
import { type Strongroom, startStrongroom } from '../../test/support/app/strongroom.ts';
import { type AzureCopies, azureCopies, type CopyFate } from '../../test/support/faults/azure-copies.ts';
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../test/support/faults/fault-proxy.ts';
import type { Sides } from '../../test/support/judge/judge.ts';
import { CONTAINERS, emptyAccount } from './collection.ts';

/** Short enough that a cell takes seconds, and long enough for a busy machine. */
export const REQUEST_MS = 2_000;
const LIMITS = { retryDelayMs: 15, requestMs: REQUEST_MS, copyDeadlineMs: 4_000 };

const AT_REST_MS = 250;

export const METHODS = ['auto', 'async', 'blocks'] as const;
export type Method = (typeof METHODS)[number];

/** One pair of accounts behind a proxy of its own, for one cell after another. */
export class Bench {
  readonly sides: Sides;
  /** The same accounts without faults, and with the copy states that Azure shows. */
  readonly shown: Sides;
  readonly proxy: FaultProxy;
  readonly sourceAccount: string;
  readonly #app: Strongroom;
  readonly #place: Place;
  readonly #control: ContainerClient;

  constructor(place: Place, app: Strongroom) {
    this.#place = place;
    this.#app = app;
    this.sides = place.sides;
    this.shown = { source: place.sides.source, vault: place.shown };
    this.proxy = place.proxy;
    this.sourceAccount = place.sourceAccount;
    this.#control = BlobServiceClient.fromConnectionString(this.sides.vault).getContainerClient('strongroom');
  }

  get app(): Strongroom {
    return this.#app;
  }

  /** The fate of the copies that start from now on. */
  setFate(fateOf: (container: string, blob: string) => CopyFate | undefined): void {
    this.#place.fateOf = fateOf;
  }

  get copies(): AzureCopies {
    return this.#place.copies;
  }

  jobOf(method: Method): string {
    return jobName(this.#place.index, method);
  }

  /** Deletes all data, faults and recorded requests. */
  async clear(): Promise<void> {
    this.proxy.rules.length = 0;
    this.setFate(() => undefined);
    await this.proxy.idle();
    await Promise.all([emptyAccount(this.sides.source), emptyAccount(this.sides.vault)]);
    await this.#atRest();
    const tables = TableServiceClient.fromConnectionString(this.sides.vault, { allowInsecureConnection: true });
    await tables.deleteTable('strongroom');
    this.#place.freshCopies();
    this.proxy.requests.length = 0;
  }

  /**
   * Waits until the app has sent nothing for a moment. An execution that comes late, after a lost answer, makes the
   * catalog again if its table is gone, and fills it from the control container: the next cell would find its runs.
   */
  async #atRest(): Promise<void> {
    for (let seen = -1; seen !== this.proxy.requests.length; await sleep(AT_REST_MS)) {
      seen = this.proxy.requests.length;
      await this.proxy.idle();
    }
  }

  /** Reads an object of the control container, without the proxy. */
  async document(path: string): Promise<Record<string, unknown> | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return JSON.parse((await this.#control.getBlobClient(path).downloadToBuffer()).toString()) as Record<
          string,
          unknown
        >;
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return undefined;
        // If the object is replaced during the read, the emulator may announce one length and send another.
        if (attempt === 5) throw error;
      }
    }
  }

  lock(job: string): Promise<{ run: { id: string } | null } | undefined> {
    return this.document(`locks/${job}.json`) as Promise<{ run: { id: string } | null } | undefined>;
  }

  /** Waits until the recorded requests show a free lock: requesting it would cost time. */
  async free(job: string, seconds: number): Promise<boolean> {
    const path = `/strongroom/locks/${job}.json`;
    const isSet = ({ method, path: at, served }: ProxiedRequest) =>
      method === 'PUT' && at.endsWith(path) && served !== undefined && served.status < 300;
    for (const deadline = Date.now() + seconds * 1000; ; await sleep(50)) {
      const last = this.proxy.requests.findLast(isSet);
      if (!last || JSON.parse(last.body.toString()).run === null) return true;
      if (Date.now() > deadline) return false;
    }
  }

  /** Waits until a request for the vault or the source meets the condition. */
  async until(holds: (request: ProxiedRequest) => boolean, seconds: number): Promise<boolean> {
    for (const deadline = Date.now() + seconds * 1000; ; await sleep(50)) {
      if (this.proxy.requests.some(holds)) return true;
      if (Date.now() > deadline) return false;
    }
  }
}

export interface Hall {
  readonly benches: readonly Bench[];
  stop(): Promise<void>;
}

interface Place {
  index: number;
  sides: Sides;
  shown: string;
  sourceAccount: string;
  proxy: FaultProxy;
  copies: AzureCopies;
  fateOf: (container: string, blob: string) => CopyFate | undefined;
  freshCopies(): void;
  stop(): Promise<void>;
}

/** One Azurite and one real host for several benches. */
export async function openHall(count: number): Promise<Hall> {
  const accounts = Array.from({ length: count }, (_, index) => [`source${index}`, `vault${index}`])
    .flat()
    .map((name) => ({ name, key: newAccountKey() }));
  const azurite = await startAzurite({ accounts });
  const places: Place[] = [];
  let app: Strongroom | undefined;
  const stop = async () => {
    await app?.host.stop();
    for (const place of places) await place.stop();
    await azurite.stop();
  };
  try {
    for (let index = 0; index < count; index++) places.push(await placeOf(azurite, index));
    app = await startStrongroom({
      // Every job names accounts of its own; no job uses these two.
      source: azurite.connectionString('source0'),
      vault: azurite.connectionString('vault0'),
      limits: LIMITS,
      jobs: places.flatMap(({ index }) => METHODS.map((method) => jobFor(index, method))),
      env: Object.fromEntries(
        places.flatMap(({ index, sides, proxy, sourceAccount }) => [
          [`SOURCE${index}`, proxy.connectionString({ name: sourceAccount, connectionString: sides.source })],
          [`VAULT${index}`, proxy.connectionString({ name: `vault${index}`, connectionString: sides.vault })],
        ]),
      ),
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const started = app;
  return { benches: places.map((place) => new Bench(place, started)), stop };
}

function jobName(index: number, method: Method): string {
  return `bench${index}-${method}`;
}

function jobFor(index: number, method: Method): object {
  return {
    name: jobName(index, method),
    source: { account: `SOURCE${index}`, containers: CONTAINERS.map((name) => `${name}*`) },
    destination: { account: `VAULT${index}`, container: '{container}backup' },
    method,
  };
}

async function placeOf(azurite: Azurite, index: number): Promise<Place> {
  const blobs = `http://127.0.0.1:${azurite.blobPort}`;
  const proxy = await startFaultProxy(blobs, { tables: `http://127.0.0.1:${azurite.tablePort}` });
  const window = await startFaultProxy(blobs);
  const vault = { name: `vault${index}`, connectionString: azurite.connectionString(`vault${index}`) };
  const sourceAccount = `source${index}`;
  const place: Place = {
    index,
    sides: { source: azurite.connectionString(sourceAccount), vault: vault.connectionString },
    shown: window.connectionString(vault),
    sourceAccount,
    proxy,
    fateOf: () => undefined,
    copies: azureCopies(vault, () => undefined),
    freshCopies() {
      place.copies = azureCopies(vault, (container, blob) => place.fateOf(container, blob));
      for (const { layers } of [proxy, window]) layers.splice(0, layers.length, place.copies.layer);
      window.requests.length = 0;
    },
    async stop() {
      await proxy.stop();
      await window.stop();
    },
  };
  place.freshCopies();
  return place;
}
