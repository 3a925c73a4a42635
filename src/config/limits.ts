import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';
import { repeatedKeyProblems } from './repeated-keys.ts';

/** Limits of activities, processes and storage requests. The defaults suit Azure. Tests set small ones. */
export interface Limits {
  /** Number of listed blobs after which a slice ends. */
  sliceBlobs: number;
  /** Number of plan chunks after which a slice ends. */
  sliceChunks: number;
  /** Milliseconds after which a slice ends. */
  scanMs: number;
  /** Maximum number of blobs in a plan chunk. */
  chunkBlobs: number;
  /** Maximum size of the blobs in a plan chunk, in bytes. */
  chunkBytes: number;
  /** Milliseconds after which an activity begins no further item of a chunk. It returns the item to continue with. */
  copyMs: number;
  /** Milliseconds after which an activity begins no further task of a list of small tasks. */
  tasksMs: number;
  /** Maximum number of copies that one process makes at the same time. */
  copiesAtOnce: number;
  /** Milliseconds that an asynchronous copy may be pending; its size adds to them. */
  copyDeadlineMs: number;
  /** Milliseconds before the first retry of a storage request. Each further retry waits twice as long. */
  retryDelayMs: number;
  /** Milliseconds after which a claim on an upload expires. Then any owner may take it over. */
  claimMs: number;
  /**
   * Milliseconds without a sign of life after which a run of another host counts as lost. How often signs are given,
   * and when a silent run is reported or ended, follows from it.
   */
  silentMs: number;
  /** Milliseconds that the outcomes of a run that left no restore point stay in the vault after its end, at least. */
  outcomesMs: number;
  /** Milliseconds in which callers of the API that ask the same get the same answer. */
  sharedMs: number;
  /** Time limit of a storage request in milliseconds. A synchronous copy may take five times as long. */
  requestMs: number;
}

const DEFAULTS: Limits = {
  sliceBlobs: 50_000,
  sliceChunks: 8,
  scanMs: 60_000,
  chunkBlobs: 2_500,
  chunkBytes: 64 * 2 ** 30,
  copyMs: 60_000,
  tasksMs: 15_000,
  copiesAtOnce: 32,
  copyDeadlineMs: 3_600_000,
  claimMs: 600_000,
  silentMs: 600_000,
  outcomesMs: 90 * 24 * 3_600_000,
  retryDelayMs: 800,
  sharedMs: 2_000,
  requestMs: 60_000,
};

/** Reads `STRONGROOM_LIMITS`, a JSON object with some of the limits. Throws `ConfigurationError` if it is invalid. */
export function readLimits(text: string | undefined): Limits {
  if (!text) return DEFAULTS;
  const hint = `STRONGROOM_LIMITS is a JSON object with any of: ${Object.keys(DEFAULTS).join(', ')}`;
  const refuse = (...problems: ConfigurationProblem[]) => new ConfigurationError('STRONGROOM_LIMITS', problems, hint);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw refuse({ place: 'STRONGROOM_LIMITS', message: 'this is not JSON' });
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refuse({ place: 'STRONGROOM_LIMITS', message: 'this is not a JSON object' });
  }
  const wrong = Object.entries(given).flatMap(([place, value]) => {
    if (!Object.hasOwn(DEFAULTS, place)) return [{ place, message: 'this limit does not exist' }];
    if (!Number.isSafeInteger(value) || value < 1)
      return [{ place, message: 'this must be a whole number greater than 0' }];
    return [];
  });
  const problems = [...repeatedKeyProblems(text), ...wrong];
  if (problems.length > 0) throw refuse(...problems);
  return { ...DEFAULTS, ...(given as Partial<Limits>) };
}
