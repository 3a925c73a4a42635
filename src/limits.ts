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
  retryDelayMs: 800,
  requestMs: 60_000,
};

/** Reads `STRONGROOM_LIMITS`, a JSON object of some of the limits. Throws a plain message when it is not one. */
export function readLimits(text: string | undefined): Limits {
  if (!text) return DEFAULTS;
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error(`STRONGROOM_LIMITS is not JSON. It may hold any of: ${Object.keys(DEFAULTS).join(', ')}`);
  }
  for (const [name, value] of Object.entries(given as object)) {
    if (!Object.hasOwn(DEFAULTS, name) || typeof value !== 'number' || !(value > 0)) {
      throw new Error(
        `STRONGROOM_LIMITS: "${name}" must be one of ${Object.keys(DEFAULTS).join(', ')}, and a number above 0`,
      );
    }
  }
  return { ...DEFAULTS, ...(given as Partial<Limits>) };
}
