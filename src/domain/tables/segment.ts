import type { Outcome, Settled } from '../run/outcome.ts';
import { countProblem, joinedWindow, type Tally } from '../run/tally.ts';
import { boundId, type EntityKey, type KeyRange, nameOfRange } from './table-key.ts';

/**
 * A line of a table's manifest: what a restore point has of one stretch of its keys. The segments of a restore point cover every
 * key of the table once. `status` is `copied` (read in this run), `unchanged` (nothing in it has changed since the run that wrote its
 * files), or `failed` (the restore point lacks this stretch).
 */
export interface Segment extends Settled {
  status: 'copied' | 'unchanged' | 'failed';
  range: KeyRange;
  /** How many entities the restore point has in it. */
  entities: number;
  /** What holds them: first all that were there when the stretch was read as a whole, then what was found to have changed, in turn. */
  files: EntityFile[];
  /** Since when by the service's clock changes are not known: when reading it began, the last time anything of it was read. ISO 8601. */
  readAt: string;
  /**
   * Present where deletions may not be known of: since when keys have not been compared, ISO 8601. Entities deleted since then are
   * still in the restore point.
   */
  deletionsUnknownSince?: string;
}

/** A stored file of entities, one a line, in the vault's control container. */
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

/** A line of a file of changes that says that an entity was found to be gone. Everything else is an entity. */
export interface Deletion {
  deleted: { PartitionKey: string; RowKey: string };
}

/** The last line of a file of entities: everything that it takes to restore it with nothing else at hand. */
export interface EntityFileEnd {
  end: {
    items: number;
    /** The file's own name: one that was exchanged for another is found out. */
    file: string;
    format: number;
    table: string;
    /** Address of the table service it was read from. */
    source: string;
    run: string;
    range: KeyRange;
    /** `changes`: only what was written since `since`, and deletions; on top of the files before it. */
    kind: 'entities' | 'changes';
    since?: string;
    /** When reading began and ended, by the service's clock. */
    readFrom: string;
    readTo: string;
  };
}

/** A line of a file, as far as it tells what it is about. */
export interface ReadLine {
  key: EntityKey;
  /** When the entity was written, by the service's clock; absent where the line says that it was deleted. */
  timestamp?: string;
}

/** Any entity may have a property called `deleted`: what tells a deletion is that it has no key of its own. */
export function readLine(line: string): ReadLine {
  const { PartitionKey, RowKey, Timestamp, deleted } = JSON.parse(line);
  if (PartitionKey !== undefined) return { key: { partition: PartitionKey, row: RowKey }, timestamp: Timestamp };
  return { key: { partition: deleted.PartitionKey, row: deleted.RowKey } };
}

/** What is known of a segment, beside what follows from it. `size`: characters of text in its files. */
export type SegmentFacts = Omit<Segment, 'name' | 'etag' | 'modified'>;

export function segmentOf(facts: SegmentFacts): Segment {
  return { ...facts, name: nameOfRange(facts.range), etag: '', modified: facts.readAt };
}

/** What a segment adds to the counts of its run. Of its entities, `copied` were written into a file by this run. */
export function countSegment(
  tally: Tally,
  segment: Segment,
  {
    copied,
    added,
    changed,
    deleted,
    bytes,
  }: { copied: number; added: number; changed: number; deleted: number; bytes: number },
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
  if (deleted > 0) tally.deleted = (tally.deleted ?? 0) + deleted;
  const { deletionsUnknownSince } = segment;
  if (deletionsUnknownSince !== undefined) {
    const known = tally.deletionsUnknownSince;
    tally.deletionsUnknownSince = known !== undefined && known < deletionsUnknownSince ? known : deletionsUnknownSince;
    countProblem(tally, 'deletions-not-compared');
  }
}

/** Notes in the counts of a part which stretch of keys it covers, and when that was read. */
export function coverRange(
  tally: Tally,
  { after, upTo }: KeyRange,
  window: [from: string, to: string] | undefined,
): void {
  tally.keys = [boundId(after), boundId(upTo)];
  if (window) tally.window = joinedWindow(tally.window, window);
}

/**
 * The segments of a restore point in the order of their keys, or undefined where they do not cover all keys, each once: each begins where
 * another ends, and no order of keys has to be known for that.
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

/** So many segments beside each other, and no fewer, are put together. */
const MANY = 8;

/**
 * The same segments with those put together that have become small: a table whose keys move on would leave ever more of them behind, each
 * of which costs a question and a file. What is put together is to be read as a whole; `enough` entities are too many for that. The
 * segments are in the order of their keys.
 */
export function withSmallOnesJoined(segments: readonly Segment[], enough: number): Segment[] {
  const joined: Segment[] = [];
  let group: Segment[] = [];
  const close = () => {
    joined.push(...(group.length < MANY ? group : [asOne(group)]));
    group = [];
  };
  for (const segment of segments) {
    if (group.reduce((sum, { entities }) => sum + entities, segment.entities) > enough) close();
    group.push(segment);
  }
  close();
  return joined;
}

/** With all of their files, to tell what has changed. */
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
