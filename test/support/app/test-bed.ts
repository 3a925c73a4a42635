import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient, type BlockBlobUploadOptions, type ContainerClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect } from 'vitest';
import { type TestAccount, takeAccounts } from '../azurite/accounts.ts';
import { lookInto, makeContainer } from '../builders/collection.ts';
import { type FaultProxy, type FaultRule, isCopy, startFaultProxy } from '../faults/fault-proxy.ts';
import { type Strongroom, type StrongroomOptions, startStrongroom } from './strongroom.ts';

export interface TestBedOptions {
  /** Options of every host. */
  app?: Partial<StrongroomOptions>;
  /** Whether the proxy serves the tables of the source, too. */
  tables?: boolean;
}

/**
 * Accounts that no other test uses, a proxy in front of their blobs, and hosts of the app that reach storage through
 * it. All hosts of a test use one data directory, so that the next host continues the runs of the last.
 */
export class TestBed {
  source!: TestAccount;
  vault!: TestAccount;
  /** A third account, which the hosts know as ELSEWHERE. */
  elsewhere!: TestAccount;
  proxy!: FaultProxy;
  dataDir!: string;
  /** Every host of the test, also those that were killed. */
  readonly apps: Strongroom[] = [];
  readonly #options: TestBedOptions;

  constructor(options: TestBedOptions = {}) {
    this.#options = options;
  }

  async open(): Promise<void> {
    [this.source, this.vault, this.elsewhere] = takeAccounts(3) as [TestAccount, TestAccount, TestAccount];
    const tables = /TableEndpoint=([^;]+)\//.exec(this.source.connectionString)![1]!;
    this.proxy = await startFaultProxy(
      new URL(this.vault.blobEndpoint).origin,
      this.#options.tables ? { tables: new URL(tables).origin } : {},
    );
    this.loseData();
  }

  async close(): Promise<void> {
    await Promise.all(this.apps.splice(0).map((app) => app.host.kill()));
    await this.proxy?.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Starts a host. Give a data directory to start it beside another one. */
  async start(options: Partial<StrongroomOptions> = {}): Promise<Strongroom> {
    const { app = {} } = this.#options;
    const started = await startStrongroom({
      source: this.proxy.connectionString(this.source),
      vault: this.proxy.connectionString(this.vault),
      dataDir: this.dataDir,
      ...app,
      ...options,
      limits: { ...app.limits, ...options.limits },
      env: { ELSEWHERE: this.proxy.connectionString(this.elsewhere), ...app.env, ...options.env },
    });
    this.apps.push(started);
    return started;
  }

  /** Replaces the data directory by an empty one: the next host knows nothing of the hosts before it. */
  loseData(): void {
    if (this.dataDir) rmSync(this.dataDir, { recursive: true, force: true });
    this.dataDir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  }

  /** Uploads a block blob to the source, into a container that need not exist. */
  async upload(name: string, text: string, container = 'data', options: BlockBlobUploadOptions = {}): Promise<void> {
    const client = await makeContainer(this.source.connectionString, container);
    await client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), options);
  }

  /** Uploads `blob-000`, `blob-001` and so on, each with its own content. */
  async fill(count: number, container = 'data'): Promise<void> {
    const client = await makeContainer(this.source.connectionString, container);
    const names = Array.from({ length: count }, (_, index) => `blob-${String(index).padStart(3, '0')}`);
    await Promise.all(names.map((name) => client.getBlockBlobClient(name).upload(`text of ${name}`, 8 + name.length)));
  }

  /** Delays every copy by this time, until the test calls the returned function. */
  slowCopies(milliseconds: number): () => void {
    const rule: FaultRule = { match: isCopy, before: () => sleep(milliseconds) };
    this.proxy.rules.push(rule);
    return () => void this.proxy.rules.splice(this.proxy.rules.indexOf(rule), 1);
  }

  /** Containers of the source and of the vault. */
  original(name = 'data'): ContainerClient {
    return containerIn(this.source, name);
  }

  backup(name = 'databackup'): ContainerClient {
    return containerIn(this.vault, name);
  }

  get control(): ContainerClient {
    return this.backup('strongroom');
  }

  /** The lock of a job in the vault. */
  async lock(job = 'nightly'): Promise<Lock> {
    return JSON.parse(String(await this.control.getBlobClient(`locks/${job}.json`).downloadToBuffer()));
  }

  async rewriteLock(change: (lock: Lock) => object, job = 'nightly'): Promise<void> {
    const text = JSON.stringify(change(await this.lock(job)));
    await this.control.getBlockBlobClient(`locks/${job}.json`).upload(text, text.length);
  }

  async expectBackedUp(container = 'data'): Promise<void> {
    expect(await lookInto(this.vault.connectionString, `${container}backup`), container).toEqual(
      await lookInto(this.source.connectionString, container),
    );
  }
}

export interface Lock {
  epoch: number;
  since: string;
  run: { id: string } | null;
  served?: { backup: object };
}

export function containerIn(account: TestAccount, name: string): ContainerClient {
  return BlobServiceClient.fromConnectionString(account.connectionString).getContainerClient(name);
}

/** A test bed, which is new for each test of the file. */
export function useTestBed(options?: TestBedOptions): TestBed {
  const bed = new TestBed(options);
  beforeEach(() => bed.open());
  afterEach(() => bed.close());
  return bed;
}
