import type { Job } from '#config/configuration.ts';
import type { Limits } from '#config/limits.ts';
import type { Random } from '../../test/support/builders/random.ts';
import { type Mishaps, NO_MISHAPS } from '../memory/durable.ts';
import type { NameOrder } from '../memory/name-orders.ts';
import { type FaultRates, NO_FAULTS } from '../memory/network.ts';
import { type Hardships, manyNames } from './hardships.ts';

/** The constants of one seed. */
export interface World {
  job: Job;
  limits: Limits;
  containers: string[];
  /** The number of blobs at the beginning. */
  blobs: number;
  names: string[];
  runs: number;
  workers: number;
  /** Milliseconds that a step takes at most. */
  pace: number;
  /** Likelihoods per step. */
  edits: number;
  strangers: number;
  /** The number of rivals that act during a write that starts, cancels or ends a run. */
  rivals: number;
  /** Whether another host, which knows none of these orchestrations, answers some of the requests. */
  otherHost: boolean;
  /** The number of processes that die, and of orchestrations that are terminated, lost or stuck. */
  disasters: number;
  faults: FaultRates;
  /** If given, faults hit these operations only. */
  faultsOnly: ReadonlySet<string> | undefined;
  mishaps: Mishaps;
  /** The portion of asynchronous copies that stay pending; and of those, the portion that fail or hang. */
  pending: number;
  pendingTroubles: number;
  sourceClock: number;
  vaultClock: number;
  sourceOrder: NameOrder;
  vaultOrder: NameOrder;
  sourcePage: number;
  vaultPage: number;
  vaultTiers: string[];
  sourceTags: boolean;
  vaultTags: boolean;
  unsupported: string[];
  /** Whether there are metadata that cannot be sent, directories, and names that cannot be addressed. */
  oddities: boolean;
  /** The likelihood per step that a hostile writer acts on the source. */
  hostility: number;
  hardships: Hardships;
}

const CONTAINERS = ['data', 'logs', 'tenant-1'];
/** Names that sort differently by order, and names that begin others. */
const NAMES = [
  'a',
  'a-b',
  'a/b.txt',
  'a/z',
  'a0',
  'A.txt',
  'ab',
  'B',
  'b/ä',
  'b c',
  'd/\u{1f600}',
  'd/\uffee',
  'd/x/y',
  'e.txt',
  'strongroom-types/append/a',
  'z&1',
];
const OPERATIONS = [
  'PutBlob',
  'GetBlob',
  'CopyBlob',
  'CopyBlobFromURL',
  'PutBlockList',
  'ListBlobs',
  'SnapshotBlob',
  'SetBlobMetadata',
  'AbortCopyBlob',
  'GetBlobProperties',
];

/** Hardships are drawn apart, so a world without any is the same as if there were none in the proof. */
export function drawWorld(random: Random, hardships: Hardships): World {
  const world = drawPlain(random, hardships);
  if (hardships.denied === 0) return world;
  const limits = { ...world.limits, sliceBlobs: 60, chunkBlobs: 60, chunkBytes: 2 ** 40 };
  return { ...world, limits, names: [...world.names, ...manyNames()], blobs: world.blobs + 80 };
}

function drawPlain(random: Random, hardships: Hardships): World {
  const method = random.pick(['auto', 'auto', 'async', 'async', 'sync', 'blocks'] as const);
  const [container, prefix] = random.pick([
    ['{container}-vault', ''],
    ['{container}-vault', ''],
    ['backups', '{container}/'],
    ['{container}', 'kept/'],
  ] as const);
  const containers = CONTAINERS.slice(0, random.between(1, 3));
  const job: Job = {
    name: 'nightly',
    timeZone: 'UTC',
    mode: 'incremental',
    method,
    source: {
      account: 'SOURCE',
      containers: random.chance(0.7) ? ['*'] : containers,
      prefix: random.chance(0.15) ? 'a' : '',
      include: random.chance(0.1) ? ['**/*.txt', '**/*b*'] : [],
      exclude: random.chance(0.1) ? ['**/z*'] : [],
      tables: [],
      tableDeletions: false,
    },
    destination: { account: 'VAULT', container, prefix },
  };
  const slice = {
    sliceBlobs: random.between(3, 10),
    sliceChunks: random.between(1, 4),
    scanMs: random.pick([200, 2_000, 60_000]),
  };
  const limits = {
    ...slice,
    tasksMs: slice.scanMs,
    chunkBlobs: random.between(2, 7),
    chunkBytes: random.pick([40, 2 ** 40]),
    copyMs: random.pick([20, 200, 2_000, 60_000]),
    copiesAtOnce: random.between(2, 8),
    copyDeadlineMs: random.pick([15_000, 40_000, 120_000]),
    claimMs: 600_000,
    silentMs: 600_000,
    outcomesMs: 90 * 24 * 3_600_000,
    retryDelayMs: 800,
    sharedMs: 1,
    requestMs: 60_000,
  };
  const calm = random.chance(0.25);
  const sharp = random.chance(0.3);
  const weight = random.pick([0.01, 0.03, 0.1, 0.25]);
  const faults = (): FaultRates => ({
    before: weight * random.next() * 0.5,
    lost: weight * random.next(),
    late: random.chance(0.3) ? weight * random.next() * 0.5 : 0,
    denied: random.chance(0.2) ? weight * random.next() * 0.3 : 0,
    slow: random.chance(0.5) ? weight * random.next() * 0.5 : 0,
  });
  return {
    job,
    limits,
    containers,
    names: NAMES.slice(0, random.between(2, NAMES.length)),
    blobs: random.between(0, 25),
    runs: random.between(1, 4),
    workers: random.between(1, 2),
    pace: random.pick([5, 50, 400]),
    edits: random.chance(0.3) ? 0 : random.pick([0.005, 0.02, 0.08, 0.4]),
    strangers: calm || random.chance(0.6) ? 0 : random.pick([0.002, 0.01, 0.03]),
    disasters: calm || random.chance(0.4) ? 0 : random.between(1, 4),
    faults: calm ? NO_FAULTS : faults(),
    faultsOnly: sharp ? new Set([random.pick(OPERATIONS), random.pick(OPERATIONS)]) : undefined,
    // A second execution is not a fault: it must do no harm in the calmest of worlds.
    mishaps: random.chance(0.3)
      ? NO_MISHAPS
      : {
          twice: random.pick([0.05, 0.3, 0.8]),
          answerLost: random.pick([0, 0.03, 0.1]),
          ended: random.pick([0, 0.01, 0.05]),
          endedByDeath: random.pick([0, 0.5, 1]),
        },
    pending: random.pick([0, 0.3, 1]),
    pendingTroubles: calm ? 0 : random.pick([0, 0.1, 0.4]),
    // Signatures fail where the clocks of the app and of the source differ by more.
    sourceClock: random.pick([0, 0, random.between(-12, 12) * 60_000]),
    vaultClock: random.pick([0, 0, random.between(-55, 55) * 60_000]),
    sourceOrder: drawOrder(random),
    vaultOrder: drawOrder(random),
    sourcePage: random.between(1, 8),
    vaultPage: random.between(3, 20),
    vaultTiers: random.chance(0.2) ? ['Hot', 'Cool'] : ['Hot', 'Cool', 'Cold', 'Archive'],
    sourceTags: !random.chance(0.1),
    vaultTags: !random.chance(0.1),
    unsupported:
      (method === 'auto' || method === 'async') && random.chance(0.15) ? [random.pick(['sync', 'blocks'])] : [],
    oddities: random.chance(0.3),
    rivals: random.chance(0.5) ? 0 : random.between(1, 6),
    otherHost: random.chance(0.3),
    hostility: random.chance(0.6) ? 0 : random.pick([0.005, 0.02, 0.08]),
    hardships,
  };
}

function drawOrder(random: Random): NameOrder {
  return random.pick(['utf16', 'utf16', 'utf16', 'codePoint', 'segment', 'caseless'] as const);
}
