import type { Job } from '#config/configuration.ts';
import type { Limits } from '#config/limits.ts';
import type { Random } from '../../test/support/builders/random.ts';
import { type Mishaps, NO_MISHAPS } from '../memory/durable.ts';
import type { NameOrder } from '../memory/name-orders.ts';
import { type FaultRates, NO_FAULTS } from '../memory/network.ts';

/** The constants of one seed. */
export interface LifeWorld {
  /** One job, or two that share their backup containers. */
  jobs: Job[];
  limits: Limits;
  containers: string[];
  names: string[];
  blobs: number;
  /** Rounds of changes and runs, some hours or days apart. */
  rounds: number;
  /** Virtual milliseconds since 1970. */
  beginning: number;
  workers: number;
  pace: number;
  /** The likelihood per step that the owner writes during a run. */
  edits: number;
  /** The number of processes that die, and of orchestrations that are terminated or lost. */
  disasters: number;
  faults: FaultRates;
  mishaps: Mishaps;
  /** The portion of asynchronous copies that stay pending for a while. */
  pending: number;
  sourceClock: number;
  vaultClock: number;
  sourceOrder: NameOrder;
  vaultOrder: NameOrder;
  page: number;
  vaultTiers: string[];
  vaultTags: boolean;
  /** Whether clocks may jump: a year ahead, a month back. */
  leaps: boolean;
  /** Whether there are metadata that cannot be sent with a record. */
  oddities: boolean;
  /** Whether the owner archives blobs. */
  archives: boolean;
  /** The likelihood per round that a hostile writer acts on the source. */
  hostility: number;
}

const HOUR = 3_600_000;
const NAMES = [
  ...['a', 'a-b', 'a/b.txt', 'a/z', 'A.txt', 'ab', 'b/ä', 'b c', 'd/\u{1f600}', 'd/x/y', 'e.txt', 'z&1'],
  'strongroom-types/append/a',
];
const TIERS = ['Hot', 'Cool', 'Cold', 'Archive'];

export function drawLife(random: Random): LifeWorld {
  const [container, prefix] = random.pick([
    ['{container}-vault', ''],
    ['{container}-vault', 'of/'],
    ['backups', '{container}/'],
  ] as const);
  const method = random.pick(['auto', 'auto', 'async', 'sync', 'blocks'] as const);
  const names = random.chance(0.25) ? ['nightly', 'weekly'] : ['nightly'];
  const jobs = names.map((name): Job => {
    const retention = drawRetention(random);
    return {
      name,
      timeZone: random.pick(['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia']),
      mode: 'incremental',
      method,
      source: {
        account: 'SOURCE',
        containers: ['*'],
        prefix: '',
        include: [],
        exclude: [],
        tables: [],
        tableDeletions: false,
      },
      destination: { account: 'VAULT', container, prefix },
      ...(retention && { retention }),
      ...(random.chance(0.15) && {
        verify: { afterRun: random.pick(['quick', 'deep'] as const), kind: 'quick', portion: '100%' },
      }),
    };
  });
  const calm = random.chance(0.4);
  const leaps = random.chance(0.3);
  const weight = random.pick([0.005, 0.02, 0.06]);
  const slice = {
    sliceBlobs: random.between(3, 10),
    sliceChunks: random.between(1, 4),
    scanMs: random.pick([200, 2_000, 60_000]),
  };
  return {
    jobs,
    limits: {
      ...slice,
      tasksMs: slice.scanMs,
      chunkBlobs: random.between(2, 7),
      chunkBytes: 2 ** 40,
      copyMs: random.pick([200, 2_000, 60_000]),
      copiesAtOnce: random.between(2, 8),
      copyDeadlineMs: random.pick([40_000, 120_000]),
      claimMs: 600_000,
      silentMs: 600_000,
      outcomesMs: 3 * 24 * HOUR,
      retryDelayMs: 800,
      sharedMs: 1,
      requestMs: 60_000,
    },
    containers: ['data', 'logs'].slice(0, random.between(1, 2)),
    names: NAMES.slice(0, random.between(2, NAMES.length)),
    blobs: random.between(1, 12),
    rounds: random.between(3, 8),
    // Any time of a year, including the nights on which clocks change.
    beginning: Date.UTC(2026, 0, 1) + random.below(700 * 24) * HOUR,
    workers: random.between(1, 2),
    pace: random.pick([5, 50, 400]),
    edits: random.chance(0.5) ? 0 : random.pick([0.005, 0.02]),
    disasters: calm || random.chance(0.4) ? 0 : random.between(1, 4),
    faults: calm
      ? NO_FAULTS
      : {
          before: weight * random.next() * 0.5,
          lost: weight * random.next(),
          late: random.chance(0.3) ? weight * random.next() * 0.5 : 0,
          denied: random.chance(0.15) ? weight * random.next() * 0.3 : 0,
          slow: random.chance(0.5) ? weight * random.next() * 0.5 : 0,
        },
    mishaps: random.chance(0.4)
      ? NO_MISHAPS
      : {
          twice: random.pick([0.05, 0.3]),
          answerLost: random.pick([0, 0.03]),
          ended: random.pick([0, 0.01, 0.03]),
          endedByDeath: random.pick([0, 0.5, 1]),
        },
    pending: random.pick([0, 0.3, 1]),
    // A restore recognizes its own copies by their time: the target's clock must not be far behind app and vault.
    sourceClock: random.pick([0, 0, random.between(-2, 2) * 60_000]),
    vaultClock: random.pick([0, 0, random.between(-55, -3) * 60_000]),
    sourceOrder: drawOrder(random),
    vaultOrder: drawOrder(random),
    page: random.between(2, 20),
    vaultTiers: random.chance(0.15) ? ['Hot', 'Cool'] : TIERS,
    vaultTags: !random.chance(0.1),
    leaps,
    // Without a record, only times show a change, and a clock that leaps takes that away.
    oddities: !leaps && random.chance(0.2),
    archives: random.chance(0.1),
    hostility: random.chance(0.5) ? 0 : random.pick([0.2, 0.6, 1]),
  };
}

function drawRetention(random: Random): Job['retention'] {
  if (random.chance(0.1)) return undefined;
  const rules = {
    ...(random.chance(0.5) && { keepLast: random.between(1, 4) }),
    ...(random.chance(0.4) && { keepDaily: random.between(1, 4) }),
    ...(random.chance(0.3) && { keepWeekly: random.between(1, 3) }),
    ...(random.chance(0.2) && { keepMonthly: random.between(1, 3) }),
    ...(random.chance(0.1) && { keepYearly: 1 }),
    ...(random.chance(0.2) && { keepWithin: random.pick(['12h', '3d', '10d']) }),
  };
  return {
    ...(Object.keys(rules).length > 0 ? rules : { keepLast: 1 }),
    marginHours: random.pick([0, 0, 1, 24, 48]),
    brake: { percent: random.pick([20, 50, 100]), blobs: random.pick([1, 3, 5]), days: random.pick([1, 30]) },
  };
}

function drawOrder(random: Random): NameOrder {
  return random.pick(['utf16', 'utf16', 'utf16', 'codePoint', 'segment', 'caseless'] as const);
}
