import { compileGlob, nameSegments } from './glob.ts';

/** Selects blobs of a container by globs on their whole names. */
export interface BlobFilterOptions {
  /** Names must match one of these; an empty list matches every name. */
  include?: readonly string[];
  /** Names that match one of these are excluded, even if `include` matches them. */
  exclude?: readonly string[];
}

/** Never throws, for any name. */
export type BlobFilter = (name: string) => boolean;

/** What is wrong with a glob, in words for its author, or undefined. */
export function globProblem(glob: string): string | undefined {
  try {
    compileGlob(glob);
    return undefined;
  } catch (error) {
    return (error as RangeError).message;
  }
}

/** Compiles the globs once. Throws RangeError on a glob that `globProblem` rejects. */
export function blobFilter({ include = [], exclude = [] }: BlobFilterOptions): BlobFilter {
  const included = include.map(compileGlob);
  const excluded = exclude.map(compileGlob);
  if (included.length === 0 && excluded.length === 0) return () => true;
  return (name) => {
    const split = nameSegments(name);
    return (included.length === 0 || included.some((glob) => glob(split))) && !excluded.some((glob) => glob(split));
  };
}
