import type { Measurement } from '../measurement.ts';
import type { Target } from '../target.ts';

/** What a part of the benchmark needs to know, and a way to say how far it has come. */
export interface PartOptions {
  quick: boolean;
  repeat: number;
  progress(message: string): void;
}

export interface PartResult {
  title: string;
  /** Lines on how to read it. */
  notes: string[];
  measurements: Measurement[];
  /** Requests per blob are shown where this says how many blobs there are. */
  blobs?: number;
  targets: Target[];
}
