/** Which globs of "include" have selected something. The metadata of parts has it, so it does not repeat the globs. */
export interface Included {
  /** A digit for each glob, in order: 1 if it has selected a blob. */
  globs: string;
  /** A name that is there, cut off if it is long; only if a glob has selected nothing. */
  example?: string;
}

const LONGEST_EXAMPLE = 200;
/** More globs have no room in the metadata. */
const MOST_GLOBS = 500;

export function includedBy(isUsed: readonly boolean[], example: string | undefined): Included | undefined {
  if (isUsed.length === 0 || isUsed.length > MOST_GLOBS) return undefined;
  const globs = isUsed.map((used) => (used ? '1' : '0')).join('');
  const isNamed = example !== undefined && globs.includes('0');
  return { globs, ...(isNamed && { example: example.slice(0, LONGEST_EXAMPLE) }) };
}

/** Undefined if they do not say it of the same globs: a deployment may have changed the job. */
export function joinedIncluded(one: Included, other: Included): Included | undefined {
  if (one.globs.length !== other.globs.length) return undefined;
  const globs = [...one.globs].map((digit, at) => (digit === '1' ? digit : other.globs[at]!)).join('');
  const example = one.example ?? other.example;
  return { globs, ...(example !== undefined && { example }) };
}
