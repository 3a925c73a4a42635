import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';

/** How much one activity does at a time. The defaults suit Azure; tests make them small to meet every boundary. */
export interface Limits {
  /** A scan slice ends after so many listed blobs, … */
  sliceBlobs: number;
  /** … so many chunks of copies, … */
  sliceChunks: number;
  /** … or so many milliseconds. */
  scanMs: number;
  /** A plan chunk holds at most so many blobs … */
  chunkBlobs: number;
  /** … and so many bytes. */
  chunkBytes: number;
  /** A copy activity stops after so many milliseconds and says where to go on. */
  copyMs: number;
  /** Copies under way at once in one process. */
  copiesAtOnce: number;
  /** An asynchronous copy may be pending for so long, plus time for its size. */
  copyDeadlineMs: number;
  /** Storage requests are tried again after so long, then twice as long, and so on. */
  retryDelayMs: number;
  /** A claim on an upload that is archived holds for so long; then anybody may take it over. */
  claimMs: number;
  /** One request to storage may take so long; a copy that is waited for, five times as long. */
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

/** Reads `STRONGROOM_LIMITS`, a JSON object of some of the limits. Throws `ConfigurationError` when it is not one. */
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
