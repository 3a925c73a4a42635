/** One part of the proof: what it is given and what it has to show. */
export interface PartOptions {
  /** Everything random follows from it. */
  seed: number;
  /** Take the time of a night instead of minutes. */
  night: boolean;
  /** One line for those who wait. */
  progress(message: string): void;
}

export interface Figure {
  name: string;
  /** What was reached, and what has to be reached: met when `value` is at least `target`. */
  value: number;
  target: number;
}

export interface PartResult {
  title: string;
  figures: Figure[];
  /** What broke, each in a sentence that tells how to see it again; empty when nothing did. */
  violations: string[];
  /** What a reader of the figures should know: what was left out, how the time was spent. */
  notes: string[];
}
