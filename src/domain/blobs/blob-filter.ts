import { compileGlob, type Glob, nameSegments } from './glob.ts';

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

/** A filter that also finds the globs of `include` that select nothing of the names it is asked about. */
export class WatchedFilter {
  readonly #included: Glob[];
  readonly #isExcluded: BlobFilter;
  /** For each glob of `include`, whether it has selected a name. */
  readonly isUsed: boolean[];
  #unselected: string | undefined;
  #selected: string | undefined;

  constructor({ include = [], exclude = [] }: BlobFilterOptions) {
    this.#included = include.map(compileGlob);
    this.isUsed = this.#included.map(() => false);
    this.#isExcluded = exclude.length === 0 ? () => false : blobFilter({ include: exclude });
  }

  selects(name: string): boolean {
    const isSelected = this.#isSelected(name);
    if (isSelected) this.#selected ??= name;
    else this.#unselected ??= name;
    return isSelected;
  }

  /** A name that it was asked about: one that is not selected, if there is any. */
  get example(): string | undefined {
    return this.#unselected ?? this.#selected;
  }

  #isSelected(name: string): boolean {
    if (this.#isExcluded(name)) return false;
    if (this.#included.length === 0) return true;
    const split = nameSegments(name);
    let isSelected = false;
    for (const [at, glob] of this.#included.entries()) {
      if ((isSelected && this.isUsed[at]) || !glob(split)) continue;
      this.isUsed[at] = true;
      isSelected = true;
    }
    return isSelected;
  }
}
