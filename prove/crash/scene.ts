import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { makeContainer } from '../../test/support/builders/collection.ts';
import { azureCopies } from '../../test/support/faults/azure-copies.ts';
import { type Remembered, remember } from '../../test/support/judge/judge.ts';
import type { Place } from './lane.ts';

/** The state before a run, and the request that starts it. */
export interface Scene {
  name: string;
  /** The settings of the jobs of its lane. */
  method: 'auto' | 'async';
  /** Prepares source and vault. Returns every state of the source that a restore point may hold. */
  prepare(place: Place): Promise<Remembered[]>;
  /** The path and body of the call that starts the run. */
  start(place: Place): Promise<{ path: string; body?: object }>;
}

const CONTAINERS = ['alpha', 'beta'];

/** Into an empty vault. */
const full: Scene = {
  name: 'full',
  method: 'auto',
  async prepare(place) {
    await fill(place);
    return [await remember(place.sides.source)];
  },
  start: async ({ job }) => ({ path: `/api/jobs/${job}/runs`, body: { mode: 'full' } }),
};

/** After a full run: a blob overwritten, one new, another tier and other tags. */
const incremental: Scene = {
  name: 'incremental',
  method: 'auto',
  async prepare(place) {
    await fill(place);
    const before = await remember(place.sides.source);
    await place.run({ mode: 'full' });
    const [alpha, beta] = containersOf(place);
    await put(alpha, 'edited', 'the second version');
    await put(beta, 'added', 'new');
    await alpha.getBlobClient('tiered').setAccessTier('Cool');
    await beta.getBlobClient('tagged').setTags({ state: 'filed', year: '2026' });
    return [before, await remember(place.sides.source)];
  },
  start: async ({ job }) => ({ path: `/api/jobs/${job}/runs`, body: { mode: 'incremental' } }),
};

/** After an incremental run in which some blobs failed, as their copies were leased. */
const retry: Scene = {
  name: 'retry',
  method: 'auto',
  async prepare(place) {
    await fill(place);
    const before = await remember(place.sides.source);
    await place.run({ mode: 'full' });
    const [alpha, beta] = containersOf(place);
    await put(alpha, 'edited', 'the second version');
    await put(beta, 'tagged', 'another version', { tags: { state: 'open' } });
    const leases = [];
    for (const [container, name] of [
      ['alpha', 'edited'],
      ['beta', 'tagged'],
    ] as const) {
      const lease = backupOf(place, container).getBlobClient(name).getBlobLeaseClient();
      await lease.acquireLease(-1);
      leases.push(lease);
    }
    const report = await place.run({ mode: 'incremental' });
    if (report.counts.failed !== 2) throw new Error(`Two blobs were to fail, and ${report.counts.failed} did`);
    for (const lease of leases) await lease.releaseLease();
    return [before, await remember(place.sides.source)];
  },
  start: async (place) => ({ path: `/api/runs/${await place.lastRun()}/retry` }),
};

/** An incremental run with asynchronous copies that stay pending for a while. */
const pending: Scene = {
  name: 'pending',
  method: 'async',
  async prepare(place) {
    const moments = await incremental.prepare(place);
    const copies = azureCopies(place.vaultAccount, () => ({ looks: 1, end: 'success' }));
    place.addLayer(copies.layer);
    return moments;
  },
  start: incremental.start,
};

export const SCENES = { full, incremental, retry, pending };
export type SceneName = keyof typeof SCENES;

async function fill(place: Place): Promise<void> {
  for (const name of CONTAINERS) await makeContainer(place.sides.source, name);
  const [alpha, beta] = containersOf(place);
  await put(alpha, 'edited', 'the first version');
  await put(alpha, 'tiered', 'in some tier');
  await put(alpha, 'empty', '');
  await put(beta, 'tagged', 'with tags', { tags: { state: 'open' }, metadata: { Author: 'someone' } });
  await put(beta, 'deep/er', 'in a folder');
  // The service copies these types asynchronously.
  const disk = beta.getPageBlobClient('disk');
  await disk.create(512);
  await disk.uploadPages(Buffer.alloc(512, 1), 0, 512);
}

function containersOf({ sides }: Place): [ContainerClient, ContainerClient] {
  const service = BlobServiceClient.fromConnectionString(sides.source);
  return CONTAINERS.map((name) => service.getContainerClient(name)) as [ContainerClient, ContainerClient];
}

function backupOf({ sides }: Place, container: string): ContainerClient {
  return BlobServiceClient.fromConnectionString(sides.vault).getContainerClient(`${container}backup`);
}

async function put(container: ContainerClient, name: string, text: string, more: object = {}): Promise<void> {
  await container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), more);
}
