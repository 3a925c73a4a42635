import type { Dependencies } from '#app/dependencies.ts';
import { lastPoint } from '#app/last-point.ts';
import { planKey } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { tableOfTask, taskKey } from '#domain/run/task-name.ts';
import { inKeyOrder, type Segment, segmentOf, toBeRead, withSmallOnesJoined } from '#domain/tables/segment.ts';
import type { KeyRange } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { readTableProperties } from '../run/read-properties.ts';
import { recordProperties } from '../run/record-properties.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { StopReason } from '../run/run-guard.ts';
import { sourceTableOf } from './source-table.ts';
import { LARGEST_FILE } from './write-entity-file.ts';

export interface PlanTableInput extends ContainerTask {
  /** In a retry: back up the whole table, because the retried run has nothing of it. */
  scan?: boolean;
}

export interface PlanTableResult {
  /** Segments of the previous restore point, to be updated. */
  chunks?: PlanChunk[];
  /** Key ranges to be read as a whole. */
  ranges?: KeyRange[];
  /** The first piece of work counts them. */
  requests?: RequestCounts;
  stopped?: StopReason;
}

/**
 * How many segments a chunk has at least, unless all are to be read as a whole. Huge tables have more, so that there
 * are not too many chunks.
 */
const CHUNK_SEGMENTS = 16;
const MOST_CHUNKS = 256;
/** An incremental run joins this many adjacent small segments, and no fewer: it has to read what it joins. */
const MANY = 8;
/** How many restore points without the table are looked behind for the last one that has it. */
const MOST_FAILURES = 32;

/**
 * Decides how a table is backed up: by the segments of the previous restore point, or all of it as one open key range
 * if there are none. A full run reads each segment as a whole, and others those of which a file is missing. What is
 * read is compared with the files of its segment.
 */
export function planTable(deps: Dependencies, input: PlanTableInput): Promise<PlanTableResult> {
  return inRun(deps, input, async (context): Promise<PlanTableResult> => {
    const { requests } = context.tally;
    const { source, table } = sourceTableOf(context);
    if (!context.run.dryRun) await recordProperties(context, await readTableProperties(source, table));
    const segments = await segmentsToUpdate(context, input);
    if (segments.length === 0) return { ranges: [{}], requests };
    return { chunks: await planChunks(context, segments), requests };
  });
}

/** The segments that this run continues from, in the order of their keys; empty if it starts from nothing. */
async function segmentsToUpdate(context: RunContext, { scan }: PlanTableInput): Promise<Segment[]> {
  const { run, control, deps } = context;
  const isRetry = run.mode === 'retry' && !scan;
  if (isRetry) {
    // It takes them over as they are.
    const own = await undamaged(async () =>
      segmentsIn(context, await control.readRecordedSummary({ job: run.job, id: run.retryOf })),
    );
    if (own && own.length > 0) return own;
  }
  const held = await undamaged(() => lastHeld(context));
  const { segments, isOlder } = held ?? { segments: [lostTable(run)], isOlder: true };
  const { sliceBlobs } = deps.limits;
  // Nothing stays as it is of what an older run has, or another one than the one that a retry completes.
  if (run.mode === 'full' || isRetry || isOlder) {
    return withSmallOnesJoined(segments, { many: 2, entities: sliceBlobs, size: LARGEST_FILE }).map(toBeRead);
  }
  return withSmallOnesJoined(segments, { many: MANY, entities: sliceBlobs / MANY, size: LARGEST_FILE });
}

/** Nothing is concluded from what is damaged. */
async function undamaged<Read>(read: () => Promise<Read>): Promise<Read | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

async function planChunks(context: RunContext, segments: readonly Segment[]): Promise<PlanChunk[]> {
  const { deps, container, destination } = context;
  // A chunk hands on one segment at a time to be read: with a chunk for each, several are read at once.
  const isRead = segments.every(({ status }) => status === 'failed');
  const size = Math.max(isRead ? 1 : CHUNK_SEGMENTS, Math.ceil(segments.length / MOST_CHUNKS));
  const attempt = deps.random();
  const chunks: PlanChunk[] = [];
  for (let start = 0; start < segments.length; start += size) {
    const part = new PartWriter<Segment>();
    const own = segments.slice(start, start + size);
    for (const segment of own) part.add(segment);
    const chunk = { slice: 0, chunk: chunks.length, key: planKey(0, chunks.length, attempt), items: own.length };
    await context.writePart('plan', chunk.key, part, {}, emptyTally(container, destination));
    chunks.push(chunk);
  }
  return chunks;
}

/**
 * The segments of the previous restore point, or, if that could not back up the table, of the last one before that did.
 * Undefined if these cannot be relied on.
 */
async function lastHeld(context: RunContext): Promise<{ segments: Segment[]; isOlder: boolean } | undefined> {
  const { control, run } = context;
  const isSame = (part: { container: string }) => taskKey(part.container) === taskKey(context.container);
  const owes = ({ parts, compared }: RunSummary) =>
    !parts.some(isSame) && compared.some((part) => isSame(part) && part.failed > 0);
  let point = await pointBefore(control, run);
  let steps = 0;
  for (; point && owes(point) && steps < MOST_FAILURES; steps++)
    point = await keptPoint(control, run, point.comparedWith);
  const segments = await segmentsIn(context, point);
  if (steps === 0) return segments && { segments, isOlder: false };
  return segments && segments.length > 0 ? { segments, isOlder: true } : undefined;
}

/**
 * The segments that a run has of this table, in the order of their keys: none if it has nothing of it, and undefined if
 * what it has is incomplete, of another account, or under another spelling of the name. Throws `damaged`.
 */
async function segmentsIn(
  { control, source, run, container }: RunContext,
  summary: RunSummary | undefined,
): Promise<Segment[] | undefined> {
  const own = summary?.parts.filter((part) => taskKey(part.container) === taskKey(container)) ?? [];
  const isOther = own.some((part) => part.container !== container) || summary?.source !== source.endpoint;
  if (own.length > 0 && isOther) return undefined;
  const segments: Segment[] = [];
  for (const { path, sha256 } of own) segments.push(...(await control.readPart<Segment, object>(path, sha256)).items);
  if (segments.length === 0) return [];
  const sorted = inKeyOrder(segments);
  return sorted && (await withFilesPresent(control, run.job, container, sorted));
}

/** All keys of a table as one segment that is to be read, with nothing to compare it with. */
function lostTable({ startedAt }: RunRef): Segment {
  return segmentOf({ status: 'failed', range: {}, entities: 0, size: 0, files: [], readAt: startedAt });
}

/** The segments, those with a missing or altered file as failed. */
async function withFilesPresent(
  control: ControlStore,
  job: string,
  container: string,
  segments: readonly Segment[],
): Promise<Segment[]> {
  const files = await control.listEntityFiles(job, tableOfTask(container)!);
  return segments.map((segment) =>
    segment.files.every(({ path, sha256 }) => files.get(path) === sha256)
      ? segment
      : { ...segment, status: 'failed', code: 'copied-again', files: [] },
  );
}

/** The newest restore point of the job. */
async function pointBefore(control: ControlStore, run: RunRef): Promise<RunSummary | undefined> {
  const lock = (await control.readLock(run.job))?.value;
  return (
    (await keptPoint(control, run, lock?.last)) ?? (await keptPoint(control, run, await lastPoint(control, run.job)))
  );
}

/** A restore point, unless it is marked as removed: a prune deletes its files, now or later. */
async function keptPoint(
  control: ControlStore,
  { job }: RunRef,
  id: string | undefined,
): Promise<RunSummary | undefined> {
  const summary = id === undefined ? undefined : await control.readRecordedSummary({ job, id });
  if (!summary || !isRestorePoint(summary)) return undefined;
  return (await control.readNotes({ job, id: summary.id })).removed === undefined ? summary : undefined;
}
