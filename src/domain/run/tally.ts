import { joined, type NameRange, widened } from './name-range.ts';
import type { Outcome, PlannedItem } from './outcome.ts';
import type { ProblemCode } from './problems.ts';
import { addRequests } from './request-counts.ts';

/**
 * What one part adds to the counts of its run. It is kept in the part's own metadata, so that one listing of a run's
 * parts gives the run's counts as they really are in storage: nothing is added up twice when an activity runs twice.
 */
export interface Tally {
  container: string;
  destination: string;
  listed: number;
  unchanged: number;
  skipped: number;
  copied: number;
  failed: number;
  /** Only in a prune. */
  removed?: number;
  removedBytes?: number;
  /** Scan parts: items handed on to be copied. Copy parts: how many of these the part covers. */
  planned: number;
  listedBytes: number;
  copiedBytes: number;
  plannedBytes: number;
  requests: Record<string, number>;
  problems: Partial<Record<ProblemCode, number>>;
  /** Scan parts: true on the last one of a container. */
  last?: boolean;
  /** Copy parts: of the items covered, so many were still pending; their outcomes follow in a later part. */
  later?: { items: number; attempt: string };
  /** Of the part's compressed bytes. */
  sha256?: string;
  /** Manifest parts: no name in it comes before the first or after the second, by UTF-16. */
  names?: NameRange;
  /** How many of those copied the vault had nothing of before, and how many it had at another version. */
  added?: number;
  changed?: number;
  /** Of a table: entities that were found to have been deleted since the restore point before. */
  deleted?: number;
  /** Of a restore of a table: entities of the segments covered that are not among the keys asked for. */
  unwanted?: number;
  /** Parts of a table's backup: behind which bound the stretch of keys begins that it covers, and with which it ends (`boundId`). */
  keys?: [after: string, upTo: string];
  /** The same: between which times, by the service's clock, it was read. ISO 8601. */
  window?: [from: string, to: string];
  /** The same: since when deletions are not known in some of it. ISO 8601. */
  deletionsUnknownSince?: string;
}

export function emptyTally(container: string, destination: string): Tally {
  return {
    container,
    destination,
    listed: 0,
    unchanged: 0,
    skipped: 0,
    copied: 0,
    failed: 0,
    planned: 0,
    listedBytes: 0,
    copiedBytes: 0,
    plannedBytes: 0,
    requests: {},
    problems: {},
  };
}

export function countOutcome(tally: Tally, outcome: Outcome): void {
  if (outcome.status === 'removed') {
    tally.removed = (tally.removed ?? 0) + 1;
    tally.removedBytes = (tally.removedBytes ?? 0) + outcome.size;
    return;
  }
  tally[outcome.status]++;
  tally.names = widened(tally.names, outcome.name);
  if (outcome.status === 'copied' && outcome.reason === 'new') tally.added = (tally.added ?? 0) + 1;
  if (outcome.status === 'copied' && outcome.reason === 'changed') tally.changed = (tally.changed ?? 0) + 1;
  if (outcome.status === 'copied' && outcome.method !== 'properties') tally.copiedBytes += outcome.size;
  if (outcome.code !== undefined) countProblem(tally, outcome.code);
}

export function countPlanned(tally: Tally, planned: PlannedItem): void {
  tally.planned++;
  tally.plannedBytes += planned.from.size;
}

export function countProblem(tally: Tally, code: ProblemCode, count = 1): void {
  tally.problems[code] = (tally.problems[code] ?? 0) + count;
}

export function addTally(into: Tally, from: Tally): void {
  for (const key of ['listed', 'unchanged', 'skipped', 'copied', 'failed', 'listedBytes', 'copiedBytes'] as const) {
    into[key] += from[key];
  }
  const names = joined(into.names, from.names);
  if (names) into.names = names;
  if (from.removed) into.removed = (into.removed ?? 0) + from.removed;
  if (from.removedBytes) into.removedBytes = (into.removedBytes ?? 0) + from.removedBytes;
  if (from.deleted) into.deleted = (into.deleted ?? 0) + from.deleted;
  if (from.unwanted) into.unwanted = (into.unwanted ?? 0) + from.unwanted;
  if (from.window) into.window = joinedWindow(into.window, from.window);
  if (from.added) into.added = (into.added ?? 0) + from.added;
  if (from.changed) into.changed = (into.changed ?? 0) + from.changed;
  addRequests(into.requests, from.requests);
  for (const [code, count] of Object.entries(from.problems)) countProblem(into, code as ProblemCode, count);
}

/** The time between the first and the last of both. */
export function joinedWindow(one: Tally['window'], other: [string, string]): [string, string] {
  if (!one) return other;
  return [one[0] < other[0] ? one[0] : other[0], one[1] > other[1] ? one[1] : other[1]];
}

const KEY = 'strongroom_tally';

export function tallyToMetadata(tally: Tally): Record<string, string> {
  return { [KEY]: asciiJson(tally) };
}

/** JSON that can travel as a header. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Undefined for an object that carries no tally, or one that cannot be read. */
export function tallyFromMetadata(metadata: Record<string, string> | undefined): Tally | undefined {
  const text = metadata?.[KEY];
  if (text === undefined) return undefined;
  try {
    const tally = JSON.parse(text) as Tally;
    // As much as a listing can tell of damage: the report adds up the rest.
    return typeof tally.container === 'string' && typeof tally.requests === 'object' ? tally : undefined;
  } catch {
    return undefined;
  }
}
