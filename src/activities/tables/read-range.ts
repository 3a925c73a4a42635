import type { Dependencies } from '#app/dependencies.ts';
import { rangeKey } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { Problem, ProblemCode } from '#domain/run/problems.ts';
import { addRequests, type RequestCounts } from '#domain/run/request-counts.ts';
import { countProblem, joinedWindow } from '#domain/run/tally.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { countSegment, coverRange, readLine, type Segment, segmentOf } from '#domain/tables/segment.ts';
import { boundId, type EntityKey, type KeyRange, nameOfKey, sameRange } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { EntityPage } from '#storage/table-account.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { StopReason } from '../run/run-guard.ts';
import { NO_CHANGES } from './segment-changes.ts';
import { readProblem, sourceTableOf } from './source-table.ts';
import { storedTimestamps } from './stored-timestamps.ts';
import { LARGEST_FILE, writeEntityFile } from './write-entity-file.ts';

/** A key range of a table that is to be read as a whole. */
export interface OpenRange {
  range: KeyRange;
  /** Names the piece of work: another execution of it continues from what the first one wrote. */
  piece: number;
  /** The segment of the plan that it is all or a part of. What changed since is counted against that segment. */
  old?: { key: string; index: number };
  /**
   * Nothing is known about how many entities it has. `readRange` reads a little first, so that the rest can be split.
   */
  first?: true;
  /** Requests that no part counts yet. */
  requests?: RequestCounts;
  /** It could not be read after several attempts. The run names it as failed, for this reason. */
  failPermanently?: FailureReason;
}

export interface FailureReason {
  code: ProblemCode;
  message: string;
}

export interface ReadRangeInput extends ContainerTask, OpenRange {}

export interface ReadRangeResult {
  /** The rest of the key range, if one file did not hold all of it. */
  rest?: KeyRange;
  stopped?: StopReason;
  problem?: Problem;
}

/** How many entities are read before it is known whether there is more. */
const FIRST_ENTITIES = 5_000;
const PAGE_ENTITIES = 1_000;

/**
 * Reads a key range of a table from its beginning, as much as fits into one file, and writes the file and its segment.
 * Safe to run twice, also at the same time: each execution writes a file of its own, and the segment of the first one
 * names the file that counts.
 */
export function readRange(deps: Dependencies, input: ReadRangeInput): Promise<ReadRangeResult> {
  const work = (context: RunContext) => (input.failPermanently ? failRange(context, input) : readOpen(context, input));
  return inRun(deps, input, work, addRequests({}, input.requests ?? {}));
}

async function failRange(
  context: RunContext,
  { range, piece, old, failPermanently }: ReadRangeInput,
): Promise<ReadRangeResult> {
  const { run, tally } = context;
  const before = old && (await segmentBefore(context, old));
  const files = before && sameRange(before.range, range) ? before.files : [];
  // What other pieces of that segment have found does not show what is gone.
  if (before && files.length === 0) countProblem(tally, 'changes-not-counted');
  const nothing = { entities: 0, size: 0, files };
  const segment = segmentOf({ ...nothing, status: 'failed', range, readAt: run.startedAt, ...failPermanently });
  const part = new PartWriter<Segment>();
  part.add(segment);
  countSegment(tally, segment, NO_CHANGES, run.dryRun);
  coverRange(tally, range, undefined);
  return context.writePart('range', rangeKey(piece), part, {});
}

async function readOpen(context: RunContext, input: ReadRangeInput): Promise<ReadRangeResult> {
  const { run, tally } = context;
  const before = input.old && (await segmentBefore(context, input.old));
  const timestamps = before && (await timestampsOf(context, before));
  const reader = new RangeReader(context, input, timestamps);
  try {
    for (let more = true; more; ) more = await reader.readPage();
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { problem: readProblem(error, context.container) };
  }
  const { range, rest, window, found, writer } = reader;
  const { items, size } = writer;
  const files = run.dryRun
    ? []
    : [await writeEntityFile(context, input.piece, writer, { range, kind: 'entities', window })];
  const segment = segmentOf({ status: 'copied', range, entities: items, size, readAt: window[0], files });
  const { unchanged, ...counts } = found;
  // A full run copies everything again, and a retry what the run that it completes lacks.
  const copied = timestamps && run.mode === 'incremental' ? items - unchanged : items;
  countSegment(tally, segment, { ...counts, copied, bytes: size }, run.dryRun);
  coverRange(tally, range, window);
  if (before && timestamps) {
    const keys: [string, string] = [boundId(before.range.after), boundId(before.range.upTo)];
    tally.replaces = { keys, entities: timestamps.size, found: unchanged + counts.changed };
  }
  const part = new PartWriter<Segment>();
  if (!run.dryRun) part.add(segment);
  return context.writePart('range', rangeKey(input.piece), part, rest ? { rest } : {});
}

/** Reads a key range page by page, until a file is full, the time is over, or nothing is left. */
class RangeReader {
  readonly writer = new EntityFileWriter();
  /** Compared with the segment that it replaces. */
  readonly found = { added: 0, changed: 0, unchanged: 0 };
  readonly #context: RunContext;
  readonly #wanted: KeyRange;
  readonly #timestamps: Map<string, string> | undefined;
  readonly #enough: number;
  readonly #deadline: number;
  #window: [string, string] | undefined;
  #from: string | undefined;
  #last: EntityKey | undefined;
  /** The file is full, and the page has more. */
  #isCut = false;

  constructor(
    context: RunContext,
    { range, first }: Pick<OpenRange, 'range' | 'first'>,
    timestamps: Map<string, string> | undefined,
  ) {
    const { limits, now } = context.deps;
    this.#context = context;
    this.#wanted = range;
    this.#timestamps = timestamps;
    this.#enough = first ? Math.min(FIRST_ENTITIES, limits.sliceBlobs) : limits.sliceBlobs;
    this.#deadline = now().getTime() + limits.scanMs;
  }

  /** Reads a page. Returns whether to read another. */
  async readPage(): Promise<boolean> {
    const { source, table } = sourceTableOf(this.#context);
    const limit = Math.min(PAGE_ENTITIES, this.#enough - this.writer.items);
    const from = this.#from;
    const page = await source.readEntities(table, { ...this.#wanted, limit, ...(from !== undefined && { from }) });
    this.#window = joinedWindow(this.#window, [page.answeredAt, page.answeredAt]);
    this.#take(page);
    this.#from = page.next;
    await this.#context.ensureMayContinue();
    if (this.#isCut || this.#from === undefined) return false;
    return this.#last === undefined || !this.#isEnough;
  }

  #take({ entities }: EntityPage): void {
    for (const [index, { key, text }] of entities.entries()) {
      this.writer.add(text);
      this.#last = key;
      this.#compare(key, text);
      // A page may be of any size. The next piece asks for the rest of it again.
      this.#isCut = this.writer.size >= LARGEST_FILE && index + 1 < entities.length;
      if (this.#isCut) break;
    }
  }

  #compare(key: EntityKey, text: string): void {
    if (!this.#timestamps) return;
    const known = this.#timestamps.get(nameOfKey(key));
    if (known === undefined) this.found.added++;
    else if (known !== readLine(text).timestamp) this.found.changed++;
    else this.found.unchanged++;
  }

  get #isEnough(): boolean {
    const { items, size } = this.writer;
    return items >= this.#enough || size >= LARGEST_FILE || this.#context.deps.now().getTime() >= this.#deadline;
  }

  get #isWhole(): boolean {
    return this.#from === undefined && !this.#isCut;
  }

  /** The part of the key range that was read. */
  get range(): KeyRange {
    return this.#isWhole ? this.#wanted : { ...this.#wanted, upTo: this.#last! };
  }

  get rest(): KeyRange | undefined {
    return this.#isWhole ? undefined : { ...this.#wanted, after: this.#last! };
  }

  /** When it was read, by the service's clock. */
  get window(): [string, string] {
    return this.#window!;
  }
}

/** The segment that a range replaces. */
async function segmentBefore(context: RunContext, { key, index }: NonNullable<OpenRange['old']>): Promise<Segment> {
  return (await context.readPlan<Segment>(key))[index]!;
}

/** The timestamps in a segment; undefined if it is damaged. Then nothing tells what is new, changed or gone. */
async function timestampsOf(context: RunContext, segment: Segment): Promise<Map<string, string> | undefined> {
  try {
    return await storedTimestamps(context.control, segment);
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    countProblem(context.tally, 'changes-not-counted');
    return undefined;
  }
}
