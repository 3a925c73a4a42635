import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import type { Limits } from '#config/limits.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import type { MemoryAccount } from '../memory/memory-account.ts';
import { MemoryBlobs, type Network } from '../memory/memory-blobs.ts';
import { MemoryCatalog } from '../memory/memory-catalog.ts';

/** The names that every proof of archiving uses: one rule, from a container of one account into one of another. */
export const RULE = 'uploads';
export const SOURCE = 'incoming';
export const ARCHIVE = 'incomingarchive';
export const CONTROL = 'strongroom';
export const QUEUE = 'strongroom-uploads';

export type Folders = ArchiveRule['destination']['folders'];

export function ruleWith(given: {
  folders: Folders;
  method: ArchiveRule['method'];
  keepDays?: number;
  exclude?: string[];
  quietMinutes?: number;
}): ArchiveRule {
  const { folders, method, keepDays, exclude = [], quietMinutes } = given;
  return {
    name: RULE,
    source: { account: 'SOURCE', container: SOURCE, prefix: '', include: [], exclude },
    destination: { account: 'VAULT', container: '{container}archive', prefix: '', folders },
    events: { queue: QUEUE, queueAccount: 'AzureWebJobsStorage' },
    reconcile: '0 0 * * * *',
    timeZone: 'UTC',
    method,
    ...(quietMinutes !== undefined && { quietMinutes }),
    ...(keepDays !== undefined && { receipts: { keepDays } }),
  };
}

export const CLAIM_MS = 600_000;

export const LIMITS: Limits = {
  sliceBlobs: 1_000,
  sliceChunks: 8,
  scanMs: 60_000,
  chunkBlobs: 100,
  chunkBytes: 2 ** 40,
  copyMs: 60_000,
  tasksMs: 15_000,
  copiesAtOnce: 8,
  copyDeadlineMs: 60_000,
  retryDelayMs: 800,
  claimMs: CLAIM_MS,
  silentMs: 600_000,
  outcomesMs: 90 * 24 * 3_600_000,
  sharedMs: 1,
  requestMs: 60_000,
};

/** The dependencies of one process, with its own network and clock. */
export function dependenciesOf(process: {
  rule: ArchiveRule;
  source: MemoryAccount;
  vault: MemoryAccount;
  network: Network;
  now: () => number;
  random?: () => string;
}): Dependencies {
  const { rule, source, vault, network, now, random = () => 'abc123' } = process;
  const blobs = { SOURCE: new MemoryBlobs(source, network), VAULT: new MemoryBlobs(vault, network) };
  return {
    configuration: {
      jobs: [],
      archives: [rule],
      accounts: new Map(),
      otherAccounts: [],
      notify: { every: '', timeZone: 'UTC', channels: [], send: [], pings: new Map(), severity: {}, names: true },
    },
    notifier: { send: async () => {}, ping: async () => {} },
    missedStarts: new Map(),
    checkConfiguration: () => ({ problems: [] }),
    limits: LIMITS,
    telemetry: new Telemetry(() => {}),
    copySlots: pLimit(LIMITS.copiesAtOnce),
    blobs: (alias) => blobs[alias as keyof typeof blobs],
    tables: () => {
      throw new Error('This simulation has no tables');
    },
    catalog: (alias) => new MemoryCatalog(alias, new Map(), network),
    probeQueues: () => undefined,
    probe: () => {
      throw new Error('No run checks rights');
    },
    now: () => new Date(now()),
    random,
  };
}
