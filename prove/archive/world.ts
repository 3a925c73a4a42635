import type { ArchiveRule } from '#config/configuration.ts';
import type { Limits } from '#config/limits.ts';
import type { Random } from '../../test/support/builders/random.ts';
import { type Mishaps, NO_MISHAPS } from '../memory/durable.ts';
import { type FaultRates, NO_FAULTS } from '../memory/network.ts';
import { LIMITS, ruleWith } from './stage.ts';

/** The constants of one seed. */
export interface ArchiveWorld {
  rule: ArchiveRule;
  limits: Limits;
  names: string[];
  /** The number of changes to the source. */
  edits: number;
  /** The portion of changes that are the beginning of growth: many changes of one blob, soon after each other. */
  growing: number;
  /** Milliseconds between two changes, at most. */
  pause: number;
  workers: number;
  /** Milliseconds that a step takes at most. */
  pace: number;
  /** The portions of messages that are lost, doubled, late, or without a version. */
  dropped: number;
  doubled: number;
  late: number;
  vague: number;
  /** The portion of deliveries that are repeated during processing. */
  redelivered: number;
  reconciles: number;
  crashes: number;
  leaps: number;
  faults: FaultRates;
  mishaps: Mishaps;
  /** The portion of asynchronous copies that stay pending; and of those, the portion that fail or hang. */
  pending: number;
  pendingTroubles: number;
  sourceClock: number;
  vaultClock: number;
  page: number;
  /** No faults, crashes or clock jumps. */
  calm: boolean;
}

/** Some names begin others. */
const NAMES = ['a', 'a/b', 'a b', 'a0', 'A', 'b/ä', 'd/\u{1f600}', 'e.txt'];

export function drawArchiveWorld(random: Random): ArchiveWorld {
  const calm = random.chance(0.25);
  const weight = random.pick([0.01, 0.05, 0.15, 0.3]);
  const faults = (): FaultRates => ({
    before: weight * random.next() * 0.7,
    lost: weight * random.next(),
    late: random.chance(0.4) ? weight * random.next() * 0.5 : 0,
    denied: random.chance(0.3) ? weight * random.next() * 0.5 : 0,
    slow: random.chance(0.4) ? weight * random.next() * 0.5 : 0,
  });
  const quietMinutes = random.pick([undefined, undefined, 1, 10]);
  const claimMs = calm ? 3_600_000 : random.pick([20_000, 120_000, 600_000]);
  return {
    rule: ruleWith({
      folders: random.pick(['none', 'none', 'day', 'version']),
      method: random.pick(['auto', 'sync', 'async', 'async', 'blocks']),
      ...(random.chance(0.3) && { keepDays: 1 }),
      ...(quietMinutes !== undefined && { quietMinutes }),
    }),
    limits: {
      ...LIMITS,
      claimMs,
      silentMs: 600_000,
      chunkBlobs: random.between(1, 5),
      sliceBlobs: random.between(2, 10),
      copyDeadlineMs: random.pick([30_000, 200_000]),
      copyMs: random.pick([50, 2_000, 60_000]),
      scanMs: random.pick([100, 60_000]),
      copiesAtOnce: random.between(1, 6),
    },
    names: NAMES.slice(0, random.between(1, NAMES.length)),
    edits: random.between(1, 14),
    growing: quietMinutes === undefined ? 0 : random.pick([0, 0.3, 0.7]),
    pause: random.pick([500, 5_000, 60_000, 900_000]),
    workers: random.between(1, 3),
    pace: random.pick([5, 50, 400]),
    dropped: random.pick([0, 0, 0.1, 1]),
    doubled: random.pick([0, 0.3, 1]),
    late: random.pick([0, 0.3]),
    vague: random.pick([0, 0.3, 1]),
    redelivered: calm ? 0 : random.pick([0, 0.1, 0.4]),
    reconciles: random.between(0, 3),
    crashes: calm ? 0 : random.between(0, 6),
    leaps: calm ? 0 : random.between(0, 2),
    faults: calm ? NO_FAULTS : faults(),
    mishaps: calm
      ? NO_MISHAPS
      : {
          twice: random.pick([0, 0.2]),
          answerLost: random.pick([0, 0.05]),
          ended: random.pick([0, 0.03]),
          endedByDeath: random.pick([0, 0.5]),
        },
    pending: random.pick([0, 0.5, 1]),
    pendingTroubles: calm ? 0 : random.pick([0, 0.2, 0.5]),
    // Signatures fail where the clocks of the app and of the source differ by more.
    sourceClock: random.pick([0, random.between(-12, 12) * 60_000]),
    vaultClock: random.pick([0, random.between(-50, 50) * 60_000]),
    page: random.between(1, 6),
    calm,
  };
}
