import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';

/** How much one activity does at a time. The defaults suit Azure. Tests set small limits to reach every boundary. */
export interface Limits {
  /** A slice ends after this many listed blobs, … */
  sliceBlobs: number;
  /** … this many plan chunks, … */
  sliceChunks: number;
  /** … or this many milliseconds. */
  scanMs: number;
  /** The most blobs in a plan chunk, … */
  chunkBlobs: number;
  /** … and the most bytes of these blobs. */
  chunkBytes: number;
  /** Milliseconds after which an activity that processes a chunk stops, and returns where to continue. */
  copyMs: number;
  /** Copies in progress at once in one process. */
  copiesAtOnce: number;
  /** Milliseconds for which an asynchronous copy may be pending, plus time for its size. */
  copyDeadlineMs: number;
  /** Milliseconds before the first retry of a storage request. Doubles for each further retry. */
  retryDelayMs: number;
  /** Milliseconds for which a claim on an upload holds. Then any owner may take it over. */
  claimMs: number;
  /** Milliseconds that a storage request may take; five times as many for a synchronous copy. */
  requestMs: number;
}

const DEFAULTS: Limits = {
  sliceBlobs: 50_000,
  sliceChunks: 8,
  scanMs: 60_000,
  chunkBlobs: 2_500,
  chunkBytes: 64 * 2 ** 30,
  copyMs: 60_000,
  copiesAtOnce: 32,
  copyDeadlineMs: 3_600_000,
  claimMs: 600_000,
  retryDelayMs: 800,
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
  const problems = Object.entries(given).flatMap(([place, value]) => {
    if (!Object.hasOwn(DEFAULTS, place)) return [{ place, message: 'this limit does not exist' }];
    if (!Number.isSafeInteger(value) || value < 1)
      return [{ place, message: 'this must be a whole number greater than 0' }];
    return [];
  });
  if (problems.length > 0) throw refuse(...problems);
  return { ...DEFAULTS, ...(given as Partial<Limits>) };
}
