import type { Dependencies } from '#app/dependencies.ts';
import { planKey } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { inKeyOrder, type Segment, withSmallOnesJoined } from '#domain/tables/segment.ts';
import type { KeyRange } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { lastPoint } from '../run/previous-point.ts';
import { readTableProperties } from '../run/read-properties.ts';
import { recordProperties } from '../run/record-properties.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { StopReason } from '../run/run-guard.ts';
import { sourceTableOf } from './source-table.ts';

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

/** How many segments a chunk has at least. Huge tables have more, so that there are not too many chunks. */
const CHUNK_SEGMENTS = 16;
const MOST_CHUNKS = 256;

/**
 * Decides how a table is backed up: all of it as one open key range, or by the segments of the previous restore point.
 * A segment is used only if all of its files are there; otherwise it is read as a whole.
 */
export function planTable(deps: Dependencies, input: PlanTableInput): Promise<PlanTableResult> {
  return inRun(deps, input, async (context): Promise<PlanTableResult> => {
    const { requests } = context.tally;
    const { source, table } = sourceTableOf(context);
    if (!context.run.dryRun) await recordProperties(context, await readTableProperties(source, table));
    const found = await segmentsBefore(context, input);
    if (!found) return { ranges: [{}], requests };
    // A retry takes the segments over as they are.
    const isRetry = context.run.mode === 'retry' && !input.scan;
    const segments = isRetry ? found : withSmallOnesJoined(found, deps.limits.sliceBlobs / 8);
    return { chunks: await planChunks(context, segments), requests };
  });
}

async function planChunks(context: RunContext, segments: readonly Segment[]): Promise<PlanChunk[]> {
  const { deps, container, destination } = context;
  const size = Math.max(CHUNK_SEGMENTS, Math.ceil(segments.length / MOST_CHUNKS));
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

/** The segments that this run continues from, in the order of their keys; undefined if it starts from nothing. */
async function segmentsBefore(
  { control, source, run, container }: RunContext,
  { scan }: PlanTableInput,
): Promise<Segment[] | undefined> {
  if (run.mode === 'full') return undefined;
  try {
    const isRetry = run.mode === 'retry' && !scan;
    const before = await (isRetry
      ? control.readRecordedSummary({ job: run.job, id: run.retryOf })
      : pointBefore(control, run));
    // A backup of another account says nothing about this one.
    if (!before || before.source !== source.endpoint) return undefined;
    const segments: Segment[] = [];
    for (const part of before.parts) {
      if (part.container !== container) continue;
      segments.push(...(await control.readPart<Segment, object>(part.path, part.sha256)).items);
    }
    const sorted = inKeyOrder(segments);
    return sorted && (await withFilesPresent(control, run.job, container, sorted));
  } catch (error) {
    // Nothing is concluded from a damaged manifest: the table is read as a whole.
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
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
async function pointBefore(control: ControlStore, { job }: RunRef): Promise<RunSummary | undefined> {
  const lock = (await control.readLock(job))?.value;
  for (const id of [lock?.last, await lastPoint(control, job)]) {
    const summary = id === undefined ? undefined : await control.readRecordedSummary({ job, id });
    if (!summary || !isRestorePoint(summary)) continue;
    // A prune deletes the files of a removed restore point, now or later.
    if ((await control.readNotes({ job, id: summary.id })).removed === undefined) return summary;
  }
  return undefined;
}
