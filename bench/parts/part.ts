import type { Measurement } from '../measurement.ts';
import type { Target } from '../target.ts';

/** The options of a part of the benchmark, and its way to report progress. */
export interface PartOptions {
  quick: boolean;
  repeat: number;
  progress(message: string): void;
}

export interface PartResult {
  title: string;
  /** Lines that explain the figures. */
  notes: string[];
  measurements: Measurement[];
  /** The number of blobs, to show requests per blob. */
  blobs?: number;
  targets: Target[];
}
