import type { Comparison } from './comparison.ts';
import type { CopiedAgain } from './copied-again.ts';
import type { HeldContent } from './held-content.ts';
import type { Included } from './included.ts';
import { joined, type NameRange, widened } from './name-range.ts';
import { type NotPreservedCounts, type NotPreservedKind, sumNotPreserved } from './not-preserved.ts';
import type { Outcome, PlannedItem } from './outcome.ts';
import type { ProblemCode } from './problems.ts';
import { addRequests, type RequestCounts } from './request-counts.ts';
import { addTransfer, type Transfers, transferKey } from './transfers.ts';
import { addUnmatched, type Unmatched } from './unmatched.ts';

/**
 * What a part adds to the counts of its run. The metadata of the part has it, so that one listing of a run's parts
 * gives the counts as they are in storage: an activity that runs twice counts once. A count that is absent is zero.
 */
export interface Tally extends Partial<SliceFacts>, Partial<ChunkFacts>, Partial<RangeFacts>, Partial<ComparedFacts> {
  container: string;
  destination: string;
  listed: number;
  unchanged: number;
  skipped: number;
  copied: number;
  failed: number;
  /** Items of a slice that are left to its chunks; of a chunk, the items that this part covers. */
  planned: number;
  listedBytes: number;
  copiedBytes: number;
  plannedBytes: number;
  /** What the planned items move, by tier. */
  transfers?: Transfers;
  requests: RequestCounts;
  problems: Partial<Record<ProblemCode, number>>;
  /** What a problem says in place of the usual message. */
  messages?: Partial<Record<ProblemCode, string>>;
  /** What the source has and no backup holds. */
  notPreserved?: NotPreservedCounts;
  /** Copies of items that the vault did not have, and of those that it had at another version. */
  added?: number;
  changed?: number;
  /** Entities of a table that were deleted since the restore point before; absent if none were looked for. */
  deleted?: number;
  /** What a prune deleted. */
  removed?: number;
  removedBytes?: number;
  /** Entities that a restore read in a segment and does not restore, because the request names other keys. */
  unwanted?: number;
  /** What was found and is not selected, where nothing else was found. */
  unmatched?: Unmatched;
  /** No name in the part is before the first or after the second, by UTF-16. */
  names?: NameRange;
  /** The times between which the entities of a table were read, by the clock of the service. ISO 8601. */
  window?: [from: string, to: string];
  /** Of the part's compressed bytes. */
  sha256?: string;
}

/** What a slice says in addition to its counts. */
interface SliceFacts {
  /** True for the last slice of a container or table. */
  last: boolean;
  /** If the run has "include". */
  included: Included;
  /** If the run plans a prune: what it lists of its job. */
  held: HeldContent;
}

/** What a piece of a chunk says in addition to its counts. */
interface ChunkFacts {
  /** How many of its items were still pending: a later part has their outcomes. */
  later: { items: number; attempt: string };
}

/** What a key range of a table's backup says in addition to its counts. */
interface RangeFacts {
  /** Its bounds (`boundId`). */
  keys: [after: string, upTo: string];
  /** Since when deletions in some of it are unknown. ISO 8601. */
  deletionsUnknownSince: string;
  /** The segment of an earlier restore point that it is all or a part of, if it was read in full and compared. */
  replaces: ReplacedSegment;
}

/** A segment of an earlier restore point, and what a run that read some of its keys in full found of it. */
export interface ReplacedSegment {
  /** Bounds of the segment (`boundId`). */
  keys: [after: string, upTo: string];
  /** How many entities the segment has, */
  entities: number;
  /** and how many of these the source still has among the keys that were read. */
  found: number;
}

/** What a comparison with the restore point before says in addition to its counts. */
interface ComparedFacts {
  compared: Comparison;
  copiedAgain: CopiedAgain;
}

type Without<Facts> = Omit<Tally, keyof (SliceFacts & ChunkFacts & RangeFacts & ComparedFacts)> & Partial<Facts>;

export type SliceTally = Without<SliceFacts>;
export type ChunkTally = Without<ChunkFacts>;
export type RangeTally = Without<RangeFacts>;
export type ComparedTally = Without<SliceFacts & ComparedFacts>;

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

/** How many items have an outcome. */
export function processedOf({ copied, unchanged, skipped, failed, removed = 0 }: Tally): number {
  return copied + unchanged + skipped + failed + removed;
}

export function countPlanned(tally: Tally, planned: PlannedItem): void {
  tally.planned++;
  tally.plannedBytes += planned.from.size;
  const key = transferKey(planned);
  if (key !== undefined) tally.transfers = addTransfer(tally.transfers, key, [1, planned.from.size]);
}

export function countProblem(tally: Tally, code: ProblemCode, count = 1): void {
  tally.problems[code] = (tally.problems[code] ?? 0) + count;
}

/** Characters of a message: metadata has room for no more than a few. */
const LONGEST_MESSAGE = 400;

/** Names a problem of the container or table itself, which is not a failure. */
export function nameProblem(tally: Tally, code: ProblemCode, message: string): void {
  countProblem(tally, code, 0);
  const text = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  tally.messages = { ...tally.messages, [code]: text };
}

/** Whether a restore was asked to restore access, and the target did not take it. */
export function isAccessRefused({ problems }: Tally): boolean {
  return problems['access-refused'] !== undefined;
}

export function countNotPreserved(tally: Tally, kind: NotPreservedKind): void {
  tally.notPreserved = sumNotPreserved(tally.notPreserved, { [kind]: 1 })!;
}

export function addTally(into: Tally, from: Tally): void {
  for (const key of ['listed', 'unchanged', 'skipped', 'copied', 'failed', 'listedBytes', 'copiedBytes'] as const) {
    into[key] += from[key];
  }
  for (const key of ['added', 'changed', 'deleted', 'removed', 'removedBytes', 'unwanted'] as const) {
    if (from[key] !== undefined) into[key] = (into[key] ?? 0) + from[key];
  }
  if (from.unmatched) into.unmatched = addUnmatched(into.unmatched, from.unmatched.count, from.unmatched.example);
  const names = joined(into.names, from.names);
  if (names) into.names = names;
  if (from.window) into.window = joinedWindow(into.window, from.window);
  const notPreserved = sumNotPreserved(into.notPreserved, from.notPreserved);
  if (notPreserved) into.notPreserved = notPreserved;
  if (from.messages) into.messages = { ...from.messages, ...into.messages };
  addRequests(into.requests, from.requests);
  for (const [code, count] of Object.entries(from.problems)) countProblem(into, code as ProblemCode, count);
}

/** The time from the start of the earlier window to the end of the later one. */
export function joinedWindow(one: Tally['window'], other: [string, string]): [string, string] {
  if (!one) return other;
  return [one[0] < other[0] ? one[0] : other[0], one[1] > other[1] ? one[1] : other[1]];
}

const KEY = 'strongroom_tally';

export function tallyToMetadata(tally: Tally): Record<string, string> {
  return { [KEY]: asciiJson(tally) };
}

/** JSON in ASCII, which a header can carry. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Undefined if the object has no tally, or one that cannot be read. */
export function tallyFromMetadata(metadata: Record<string, string> | undefined): Tally | undefined {
  const text = metadata?.[KEY];
  if (text === undefined) return undefined;
  try {
    const tally = JSON.parse(text) as Tally;
    // A listing shows no other damage. The report checks the sums.
    return typeof tally.container === 'string' && typeof tally.requests === 'object' ? tally : undefined;
  } catch {
    return undefined;
  }
}
