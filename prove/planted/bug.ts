/** What must notice a bug: some seeds of the simulation, or a file of tests and in it those of a name. */
export type Detector = { seeds: number; from?: number } | { test: string; name?: string };

/** One way to break the code: a piece of text that is there once, and what takes its place. */
export interface Bug {
  /** In words that complete "a program that …". */
  words: string;
  file: string;
  find: string;
  replace: string;
  detector: Detector;
}

/** Refuses a text that is not there exactly once: a bug that cannot be planted any more would prove nothing. */
export function plant(text: string, { words, file, find, replace }: Bug): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`"${words}": ${file} has the text to replace ${times} times, not once:\n${find}`);
  return text.replace(find, () => replace);
}
