import { kindOfPath } from './control-paths.ts';
import type { ChunkTally, ComparedTally, RangeTally, SliceTally, Tally } from './tally.ts';

/** A part as a listing of the run's prefix shows it. */
export interface ListedPart {
  path: string;
  tally: Tally;
  /** When it was last written, by the clock of the service. ISO 8601. */
  writtenAt?: string;
}

/** A listed part of the manifest, or a note on copies in progress, by its kind. `key` is its name without folders. */
export type PlacedPart = { path: string; key: string } & (
  | { kind: 'slice'; tally: SliceTally }
  | { kind: 'chunk'; tally: ChunkTally }
  | { kind: 'range'; tally: RangeTally }
  | { kind: 'compared'; tally: ComparedTally }
  | { kind: 'pending' | 'progress'; tally: Tally }
);

export type SlicePart = Extract<PlacedPart, { kind: 'slice' }>;
export type ChunkPart = Extract<PlacedPart, { kind: 'chunk' }>;
export type RangePart = Extract<PlacedPart, { kind: 'range' }>;
export type PlacedComparison = Extract<PlacedPart, { kind: 'compared' }>;

/** The parts of each container or table, in the order of the listing. Plans and properties are not among them. */
export function byContainer(parts: readonly ListedPart[]): [container: string, parts: PlacedPart[]][] {
  const groups = new Map<string, PlacedPart[]>();
  for (const { path, tally } of parts) {
    const place = kindOfPath(path);
    if (!place || place.kind === 'plan' || place.kind === 'properties') continue;
    const { kind, key, container } = place;
    const group = groups.get(container) ?? [];
    groups.set(container, group);
    group.push({ path, key, kind, tally });
  }
  return [...groups];
}

export function isSlice(part: PlacedPart): part is SlicePart {
  return part.kind === 'slice';
}

export function isChunk(part: PlacedPart): part is ChunkPart {
  return part.kind === 'chunk';
}

export function isRange(part: PlacedPart): part is RangePart {
  return part.kind === 'range';
}

export function isComparison(part: PlacedPart): part is PlacedComparison {
  return part.kind === 'compared';
}

/** Whether a listed part is a note on copies in progress: the parts of the manifest alone count once they are there. */
export function isNote(path: string): boolean {
  const kind = kindOfPath(path)?.kind;
  return kind === 'pending' || kind === 'progress';
}
