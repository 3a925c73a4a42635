import { compileGlob, nameSegments } from './glob.ts';

/** Which blobs of a container are taken, by globs on their whole names. */
export interface BlobFilterOptions {
  /** Names must match one of these; none given means every name. */
  include?: readonly string[];
  /** Names that match one of these are left out, also where `include` has them. */
  exclude?: readonly string[];
}

/** Never throws, whatever the name. */
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

/** Compiles the globs, once. Throws RangeError on one that `globProblem` complains about. */
export function blobFilter({ include = [], exclude = [] }: BlobFilterOptions): BlobFilter {
  const included = include.map(compileGlob);
  const excluded = exclude.map(compileGlob);
  if (included.length === 0 && excluded.length === 0) return () => true;
  return (name) => {
    const segments = nameSegments(name);
    return (
      (included.length === 0 || included.some((glob) => glob(segments))) && !excluded.some((glob) => glob(segments))
    );
  };
}
