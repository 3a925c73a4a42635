import { type Problem, problemOf } from './problems.ts';

/** Blobs of the restore point before that a run copied again at the same version, because the vault had lost them. */
export interface CopiedAgain {
  count: number;
  /** Some of the names, cut off if they are long: metadata has room for no more. */
  examples: string[];
}

const MOST_EXAMPLES = 3;
const LONGEST_EXAMPLE = 100;

export function withCopiedAgain(into: CopiedAgain | undefined, name: string): CopiedAgain {
  return joinedCopiedAgain(into, { count: 1, examples: [name.slice(0, LONGEST_EXAMPLE)] })!;
}

export function joinedCopiedAgain(
  one: CopiedAgain | undefined,
  other: CopiedAgain | undefined,
): CopiedAgain | undefined {
  if (!one || !other) return one ?? other;
  const examples = [...one.examples, ...other.examples].slice(0, MOST_EXAMPLES);
  return { count: one.count + other.count, examples };
}

export function copiedAgainProblem(container: string, { count, examples }: CopiedAgain): Problem {
  const blobs = count === 1 ? '1 blob' : `${count.toLocaleString('en-US')} blobs`;
  const names = examples.map((name) => JSON.stringify(name)).join(', ');
  const message =
    `${blobs}: copied again although unchanged, because the vault no longer had ` +
    `${count === 1 ? 'its copy' : 'their copies'}, ${count > examples.length ? 'such as ' : ''}${names}`;
  return problemOf('copied-again', count, container, message);
}
