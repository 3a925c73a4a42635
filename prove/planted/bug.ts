/** The detector that must notice a bug: seeds of the simulation, or a test file and the name of tests in it. */
export type Detector = { seeds: number; from?: number } | { test: string; name?: string };

/** One way to break the code: a text that occurs once, and its replacement. */
export interface Bug {
  /** In words that complete "a program that …". */
  words: string;
  file: string;
  find: string;
  replace: string;
  detector: Detector;
}

/** Refuses a text that does not occur exactly once: a bug that cannot be planted proves nothing. */
export function plant(text: string, { words, file, find, replace }: Bug): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`"${words}": ${file} has the text to replace ${times} times, not once:\n${find}`);
  return text.replace(find, () => replace);
}
