/** The options of one part of the proof. */
export interface PartOptions {
  /** The seed of everything random. */
  seed: number;
  /** Run for hours instead of minutes. */
  night: boolean;
  /** Reports progress in one line. */
  progress(message: string): void;
}

export interface Figure {
  name: string;
  /** A figure is reached if `value` is at least `target`. */
  value: number;
  target: number;
}

export interface PartResult {
  title: string;
  figures: Figure[];
  /** Broken promises, each with the way to repeat it. */
  violations: string[];
  /** Facts that explain the figures, such as what was left out. */
  notes: string[];
}

export type Findings = Omit<PartResult, 'title'>;
