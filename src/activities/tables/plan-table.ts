import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { planKey } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { PartWriter } from '#domain/run/part.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { inKeyOrder, type Segment, withSmallOnesJoined } from '#domain/tables/segment.ts';
import type { KeyRange } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests, type RequestCounts } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { RunGuard } from '../run/run-guard.ts';

export interface PlanTableInput extends ContainerTask {
  /** In a retry: look at all of the table, since nothing of it is in the run that is retried. */
  scan?: boolean;
}

export interface PlanTableResult {
  /** Segments of the restore point before, to be looked through for changes. */
  chunks?: PlanChunk[];
  /** Stretches of keys to be read as a whole. */
  ranges?: KeyRange[];
  /** To be told with the first piece of work. */
  requests?: RequestCounts;
  stopped?: Exclude<Standing, 'go'>;
}

/** Segments of a chunk at least; of huge tables there are more, so that the chunks stay few. */
const SEGMENTS = 16;
const MOST_CHUNKS = 256;

/**
 * Decides how a table is backed up: all of it as one open stretch of keys, or by the segments of the restore point before. These are
 * taken only where all of their files are there; what one lacks is read anew.
 */
export async function planTable(deps: Dependencies, input: PlanTableInput): Promise<PlanTableResult> {
  const { run, container, destination } = input;
  const place = jobContextOf(deps, run.job);
  const { control } = place;
  const requests: RequestCounts = {};
  return countingRequests(requests, async () => {
    const standing = await new RunGuard(control, run, deps.now).standing();
    if (standing !== 'go') return { stopped: standing };
    const found = await segmentsBefore(place, input);
    if (!found) return { ranges: [{}], requests };
    // A retry takes them over as they are.
    const isKept = run.mode === 'retry' && !input.scan;
    const segments = isKept ? found : withSmallOnesJoined(found, deps.limits.sliceBlobs / 8);
    const size = Math.max(SEGMENTS, Math.ceil(segments.length / MOST_CHUNKS));
    const attempt = deps.random();
    const chunks: PlanChunk[] = [];
    for (let start = 0; start < segments.length; start += size) {
      const writer = new PartWriter<Segment>();
      const own = segments.slice(start, start + size);
      for (const segment of own) writer.add(segment);
      const chunk = { slice: 0, chunk: chunks.length, key: planKey(0, chunks.length, attempt), items: own.length };
      await control.writePart(run, 'plan', chunk.key, writer, emptyTally(container, destination), {});
      chunks.push(chunk);
    }
    return { chunks, requests };
  });
}

/** The segments that this run goes on from, in the order of their keys, or undefined where it begins from nothing. */
async function segmentsBefore(
  { control, source }: JobContext,
  { run, container, scan }: PlanTableInput,
): Promise<Segment[] | undefined> {
  if (run.mode === 'full') return undefined;
  try {
    const before =
      run.mode === 'retry' && !scan
        ? await control.readSummary({ job: run.job, id: run.retryOf! })
        : await pointBefore(control, run);
    // What was read from another account says nothing of this one.
    if (!before || before.source !== source.endpoint) return undefined;
    const parts = before.parts.filter((part) => part.container === container);
    const segments: Segment[] = [];
    for (const { path, sha256 } of parts)
      segments.push(...(await control.readPart<Segment, object>(path, sha256)).items);
    const sorted = inKeyOrder(segments);
    const files = sorted && (await control.listEntityFiles(run.job, tableOfTask(container)!));
    return sorted?.map((segment) =>
      segment.files.every(({ path, sha256 }) => files!.get(path) === sha256)
        ? segment
        : { ...segment, status: 'failed', files: [] },
    );
  } catch (error) {
    // Nothing is concluded from what is damaged: the table is read anew.
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

/** The newest restore point of the job. */
async function pointBefore(control: ControlStore, { job }: RunRef): Promise<RunSummary | undefined> {
  const lock = (await control.readLock(job))?.value;
  for (const id of [lock?.last, lock?.point]) {
    const summary = id === undefined ? undefined : await control.readSummary({ job, id });
    if (!summary || !isRestorePoint(summary)) continue;
    // Its files may be going, now or at the next prune.
    if ((await control.readNotes({ job, id: summary.id })).removed === undefined) return summary;
  }
  return undefined;
}
