import type { Dependencies } from '#app/dependencies.ts';
import { rangeKey } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { Problem } from '#domain/run/problems.ts';
import { addRequests, type RequestCounts } from '#domain/run/request-counts.ts';
import { countProblem, joinedWindow } from '#domain/run/tally.ts';
import { countSegment, coverRange, type Segment, segmentOf } from '#domain/tables/segment.ts';
import type { KeyRange } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { StopReason } from '../run/run-guard.ts';
import type { FailureReason, OpenRange } from './read-range.ts';
import { changesOf, NO_CHANGES, readOnce, type UpdatedSegment } from './segment-changes.ts';
import { readProblem } from './source-table.ts';
import { writeEntityFile } from './write-entity-file.ts';

export interface UpdateSegmentsInput extends ContainerTask {
  chunk: PlanChunk;
  /** Index of the first segment to process. */
  from: number;
  /** Names the piece of work, like that of an open range. */
  piece: number;
  requests?: RequestCounts;
  /** Their changes could not be read after several attempts. The run names all of them as failed, for this reason. */
  failPermanently?: FailureReason;
  /** In a retry: the segments come from an earlier restore point, not from the retried run, so all may have changed. */
  scan?: boolean;
}

export interface UpdateSegmentsResult {
  /** Index of the first segment that remains. */
  next?: number;
  /** The segment before it, which is to be read as a whole. */
  read?: Omit<OpenRange, 'piece'>;
  stopped?: StopReason;
  problem?: Problem;
}

/**
 * Asks for the changes of segments of the previous restore point, one after another. A segment without changes stays as
 * it is; changes become one more file of their segment. A segment with too many changes is left to be read as a whole.
 * Safe to run twice, as `readRange` is.
 */
export function updateSegments(deps: Dependencies, input: UpdateSegmentsInput): Promise<UpdateSegmentsResult> {
  return inRun(deps, input, (context) => updateChunk(context, input), addRequests({}, input.requests ?? {}));
}

async function updateChunk(context: RunContext, input: UpdateSegmentsInput): Promise<UpdateSegmentsResult> {
  const { now, limits } = context.deps;
  const segments = await context.readPlan<Segment>(input.chunk.key);
  const deadline = now().getTime() + limits.scanMs;
  const manifest = new RangeManifest(context, input.piece);
  for (let at = input.from; at < segments.length; at++) {
    if (at > input.from && now().getTime() >= deadline) return manifest.finish({ next: at });
    const segment = segments[at]!;
    let updated: UpdatedSegment | undefined;
    try {
      updated = await update(context, input, segment);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return { problem: readProblem(error, context.container) };
    }
    if (!updated) {
      if (segment.files.length === 0) countProblem(context.tally, 'changes-not-counted');
      const old = segment.files.length > 0 ? { old: { key: input.chunk.key, index: at } } : {};
      const read = { range: segment.range, ...old };
      return manifest.finish({ read, ...(at + 1 < segments.length && { next: at + 1 }) });
    }
    await manifest.add(updated);
    await context.ensureMayContinue();
  }
  return manifest.finish({});
}

/** A segment of this run, or undefined if it is to be read as a whole. */
async function update(
  context: RunContext,
  { scan, failPermanently }: UpdateSegmentsInput,
  segment: Segment,
): Promise<UpdatedSegment | undefined> {
  if (failPermanently) return { segment: failed(segment, failPermanently), counts: NO_CHANGES };
  if (segment.code === 'copied-again') countProblem(context.tally, segment.code);
  if (segment.status === 'failed') return undefined;
  if (context.run.mode === 'retry' && !scan) {
    return { segment: { ...segment, status: 'unchanged' }, window: readOnce(segment), counts: NO_CHANGES };
  }
  try {
    return await changesOf(context, segment);
  } catch (error) {
    // A file is missing or altered. The table still has all entities.
    if (!isStorageError(error, 'damaged')) throw error;
    countProblem(context.tally, 'copied-again');
    return undefined;
  }
}

function failed({ range, readAt, files }: Segment, reason: FailureReason): Segment {
  return segmentOf({ status: 'failed', range, entities: 0, size: 0, files, readAt, ...reason });
}

/** Collects the segments of a piece, which follow each other, and counts them. */
class RangeManifest {
  readonly #context: RunContext;
  readonly #piece: number;
  readonly #part = new PartWriter<Segment>();
  #covered: KeyRange | undefined;
  #window: [string, string] | undefined;

  constructor(context: RunContext, piece: number) {
    this.#context = context;
    this.#piece = piece;
  }

  /** Adds a segment, and stores its changes. */
  async add({ segment, changes, counts, window }: UpdatedSegment): Promise<void> {
    const { run, tally } = this.#context;
    if (changes && !run.dryRun) {
      const { writer, since } = changes;
      const facts = { range: segment.range, kind: 'changes', since, window: window! } as const;
      segment.files = [...segment.files, await writeEntityFile(this.#context, this.#piece, writer, facts)];
    }
    countSegment(tally, segment, counts, run.dryRun);
    if (window) this.#window = joinedWindow(this.#window, window);
    const { after } = this.#covered ?? segment.range;
    const { upTo } = segment.range;
    this.#covered = { ...(after && { after }), ...(upTo && { upTo }) };
    if (!run.dryRun) this.#part.add(segment);
  }

  finish(result: UpdateSegmentsResult): Promise<UpdateSegmentsResult> {
    if (this.#covered) coverRange(this.#context.tally, this.#covered, this.#window);
    return this.#context.writePart('range', rangeKey(this.#piece), this.#part, result);
  }
}
