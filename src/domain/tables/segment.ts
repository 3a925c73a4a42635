import type { Outcome, Settled } from '../run/outcome.ts';
import { countProblem, joinedWindow, type Tally } from '../run/tally.ts';
import { boundId, type EntityKey, type KeyRange, nameOfRange } from './table-key.ts';

/**
 * A line of a table's manifest: what a restore point has of one key range. The segments of a restore point cover every
 * key of the table once. `status` is `copied` (read in this run), `unchanged` (not changed since the run that wrote its
 * files), or `failed` (the restore point lacks this range).
 */
export interface Segment extends Settled {
  status: 'copied' | 'unchanged' | 'failed';
  range: KeyRange;
  /** Number of entities that the restore point has in the range. */
  entities: number;
  /**
   * The files that have them: first all entities when the range was read in full, then the changes, in order. Of a
   * segment that failed, those that an earlier restore point has of this key range, for the next run to compare.
   */
  files: EntityFile[];
  /** Since when changes are unknown, by the clock of the service: the start of the last read. ISO 8601. */
  readAt: string;
  /**
   * Present if deletions may be unknown: since when keys were not compared, ISO 8601. Entities deleted since then are
   * still in the restore point.
   */
  deletionsUnknownSince?: string;
}

/** A stored file of entities, one per line, in the control container of the vault. */
export interface EntityFile {
  /** Full name in the control container. */
  path: string;
  /** Lines of entities and of deletions. */
  items: number;
  /** Of the compressed bytes. */
  bytes: number;
  /** Of the compressed bytes. */
  sha256: string;
}

/** A line of a file of changes about an entity that was deleted. Every other line is an entity. */
export interface Deletion {
  deleted: { PartitionKey: string; RowKey: string };
}

/** The last line of a file of entities, which is all that a restore of the file needs. */
export interface EntityFileEnd {
  end: {
    items: number;
    /** The name of the file itself: it reveals a file that was exchanged for another. */
    file: string;
    format: number;
    table: string;
    /** Address of the table service that it was read from. */
    source: string;
    run: string;
    range: KeyRange;
    /** `changes`: only what was written since `since`, and deletions, on top of earlier files. */
    kind: 'entities' | 'changes';
    since?: string;
    /** When reading started and ended, by the clock of the service. */
    readFrom: string;
    readTo: string;
  };
}

/** The key of a line, and its time. */
export interface ReadLine {
  key: EntityKey;
  /** When the entity was written, by the clock of the service; absent for a deletion. */
  timestamp?: string;
}

/** An entity may have a property named `deleted`. A deletion has no key of its own. */
export function readLine(line: string): ReadLine {
  const { PartitionKey, RowKey, Timestamp, deleted } = JSON.parse(line);
  if (PartitionKey !== undefined) return { key: { partition: PartitionKey, row: RowKey }, timestamp: Timestamp };
  return { key: { partition: deleted.PartitionKey, row: deleted.RowKey } };
}

/** The facts about a segment from which the rest follows. `size`: characters of text in its files. */
export type SegmentFacts = Omit<Segment, 'name' | 'etag' | 'modified'>;

export function segmentOf(facts: SegmentFacts): Segment {
  return { ...facts, name: nameOfRange(facts.range), etag: '', modified: facts.readAt };
}

/** What a run found in a segment. */
export interface EntityCounts {
  /** Entities that it wrote into a file, and characters of their text. */
  copied: number;
  bytes: number;
  added: number;
  changed: number;
  /** Absent if none were looked for, or if only the pieces of a segment together show it (`deletedFrom`). */
  deleted?: number;
}

/** Adds a segment to the counts of its run. */
export function countSegment(
  tally: Tally,
  segment: Segment,
  { copied, added, changed, deleted, bytes }: EntityCounts,
  dryRun: boolean,
): void {
  if (segment.status === 'failed') {
    tally.listed++;
    tally.failed++;
    if (segment.code) countProblem(tally, segment.code);
    return;
  }
  tally.listed += segment.entities;
  tally.unchanged += segment.entities - copied;
  tally.listedBytes += segment.size;
  if (dryRun) {
    tally.planned += copied;
    tally.plannedBytes += bytes;
  } else {
    tally.copied += copied;
    tally.copiedBytes += bytes;
  }
  if (added > 0) tally.added = (tally.added ?? 0) + added;
  if (changed > 0) tally.changed = (tally.changed ?? 0) + changed;
  if (deleted !== undefined) tally.deleted = (tally.deleted ?? 0) + deleted;
  const { deletionsUnknownSince } = segment;
  if (deletionsUnknownSince !== undefined) {
    const known = tally.deletionsUnknownSince ?? deletionsUnknownSince;
    tally.deletionsUnknownSince = known < deletionsUnknownSince ? known : deletionsUnknownSince;
    countProblem(tally, 'deletions-not-compared');
  }
}

/** Notes in the counts of a part which key range it covers, and when that was read. */
export function coverRange(
  tally: Tally,
  { after, upTo }: KeyRange,
  window: [from: string, to: string] | undefined,
): void {
  tally.keys = [boundId(after), boundId(upTo)];
  if (window) tally.window = joinedWindow(tally.window, window);
}

/**
 * The segments of a restore point in the order of their keys, or undefined if they do not cover all keys exactly once.
 * Each starts where another ends, so no order of keys has to be known.
 */
export function inKeyOrder(segments: readonly Segment[]): Segment[] | undefined {
  const behind = new Map(segments.map((segment) => [boundId(segment.range.after), segment]));
  const sorted: Segment[] = [];
  let at = '';
  do {
    const segment = behind.get(at);
    if (!segment || sorted.length === segments.length) return undefined;
    sorted.push(segment);
    at = boundId(segment.range.upTo);
  } while (at !== '');
  return sorted.length === segments.length ? sorted : undefined;
}

/** When adjacent segments are joined. */
export interface Joining {
  /** The least number of segments, */
  many: number;
  /** the most entities that they have together, */
  entities: number;
  /** and the most characters of text. */
  size: number;
}

/**
 * The same segments, with small ones joined. A table whose keys move on would leave ever more small segments, and each
 * costs a query and a file. A joined segment is read in full. How large one is that failed is not known. The segments
 * are in the order of their keys.
 */
export function withSmallOnesJoined(segments: readonly Segment[], { many, entities, size }: Joining): Segment[] {
  const joined: Segment[] = [];
  let group: Segment[] = [];
  const sumOf = (key: 'entities' | 'size') => group.reduce((sum, each) => sum + each[key], 0);
  const close = () => {
    joined.push(...(group.length < many ? group : [asOne(group)]));
    group = [];
  };
  for (const segment of segments) {
    const isFailed = segment.status === 'failed';
    if (isFailed || sumOf('entities') + segment.entities > entities || sumOf('size') + segment.size > size) close();
    if (isFailed) joined.push(segment);
    else group.push(segment);
  }
  close();
  return joined;
}

/** The same segment, to be read in full and compared with its files. */
export function toBeRead(segment: Segment): Segment {
  return { ...segment, status: 'failed' };
}

/** With all of their files, to find what has changed. */
function asOne(segments: readonly Segment[]): Segment {
  const { after } = segments[0]!.range;
  const { upTo } = segments.at(-1)!.range;
  return segmentOf({
    status: 'failed',
    range: { ...(after && { after }), ...(upTo && { upTo }) },
    entities: 0,
    size: 0,
    files: segments.flatMap(({ files }) => files),
    readAt: segments.map(({ readAt }) => readAt).sort()[0]!,
  });
}

export function isSegment<Line extends Outcome>(outcome: Line): outcome is Line & Segment {
  return 'range' in outcome && 'files' in outcome;
}
