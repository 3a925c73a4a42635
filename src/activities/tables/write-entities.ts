import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { mayConcernAccount } from '#app/problem-code.ts';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import { writeOf } from '#domain/restore/restore.ts';
import { asBackedUp, type Failed, type Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import { countOutcome, countProblem } from '#domain/run/tally.ts';
import { isChosen } from '#domain/tables/key-selection.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { type EntityKey, nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { type ChunkInput, type ChunkResult, pieceKey } from '../run/chunk.ts';
import { type AccountRefusal, type Attempt, processItems, untriedMessage } from '../run/process-items.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import { entityOutcome } from './entity-outcome.ts';
import { failedInEarlierRun } from './failed-in-earlier-run.ts';
import { segmentReader } from './read-segment.ts';
import { type LostEntities, type SegmentBatch, segmentBatches } from './segment-batches.ts';
import { type Settle, type WriteContext, writeBatch } from './write-batch.ts';

/** How many chunks this process writes at once: each has a segment in memory, up to some tens of megabytes. */
const CHUNKS_AT_ONCE = 2;
/** How many transactions of one chunk are in progress at once. */
const BATCHES_AT_ONCE = 16;
/** How often in a row a partition may be too busy. Each time takes as long as the retries of a request. */
const PATIENCE = 6;

/**
 * Writes the entities of a chunk of segments into the table that is restored to, within a time budget. Writes a part
 * with the counts, and with a line for each entity that failed or was skipped. Positions in the chunk count entities.
 * Safe to run twice, as `copyChunk` is.
 */
export function makeWriteEntities() {
  const slots = pLimit(CHUNKS_AT_ONCE);
  return async function writeEntities(
    deps: Dependencies,
    input: ChunkInput<RestoreRef>,
  ): Promise<ChunkResult & { problem?: Problem }> {
    try {
      return await slots(() => inRun(deps, input, (context) => writeChunk(context, input)));
    } catch (error) {
      // The plan made the table. Making it again would hide that everything written to it since is lost.
      if (!isStorageError(error, 'container-not-found')) throw error;
      const { run, container, destination } = input;
      const where = `Table ${destination} of ${run.restore.account}`;
      const message = `${where} was deleted while the restore wrote to it: ${error.message}`;
      return { problem: problemOf('target-changing', 0, container, message) };
    }
  };
}

async function writeChunk(context: RunContext<RestoreRef>, input: ChunkInput<RestoreRef>): Promise<ChunkResult> {
  const { deps, run, control, container } = context;
  const { chunk, from } = input;
  const { keys } = run.restore;
  const segments = await context.readPlan<Segment>(chunk.key);
  const failedBefore = await failedInEarlierRun(control, run, container);
  const isWanted = (segment: Segment, key: EntityKey) =>
    (keys === undefined || isChosen(keys, key)) &&
    (failedBefore === undefined || failedBefore.has(segment.name) || failedBefore.has(nameOfKey(key)));
  const stop = new AbortController();
  const writing = writeContextOf(context, stop.signal);
  const outcomes = new EntityOutcomes(context);
  const read = segmentReader(deps, run);

  const { covered, stopped } = await processItems<SegmentBatch>(context, {
    items: () => segmentBatches(segments, read, { from, isWanted, write: writing.write }),
    perform: (batch) => writeAttempt(writing, batch, outcomes),
    failUntried(batch, _, refusal) {
      outcomes.settleUnwritten(batch);
      const message = untriedMessage(refusal);
      for (const entity of batch.entities) outcomes.settle(entity, 'failed', refusal.code, message);
    },
    weightOf: (batch) => batch.covered,
    stop,
    atOnce: BATCHES_AT_ONCE,
    noteAs: pieceKey(input),
  });
  if (stopped !== undefined) {
    // The part counts the entities that were written. The others have no outcome.
    await context.writePart('chunk', pieceKey(input), outcomes.asPart(), { stopped });
    return { stopped };
  }
  const end: ChunkResult = covered < chunk.items - from ? { next: from + covered } : {};
  return context.writePart('chunk', pieceKey(input), outcomes.asPart(), end);
}

function writeContextOf({ deps, run, destination }: RunContext<RestoreRef>, signal: AbortSignal): WriteContext {
  const { account, existing } = run.restore;
  return {
    target: deps.tables(account),
    table: destination,
    write: writeOf(existing),
    same: existing === 'skip' || run.retryOf !== undefined ? 'unchanged' : 'copied',
    other: existing === 'skip' ? 'skipped' : 'failed',
    signal,
    concurrency: new AdaptiveConcurrency(BATCHES_AT_ONCE, PATIENCE),
  };
}

async function writeAttempt(writing: WriteContext, batch: SegmentBatch, outcomes: EntityOutcomes): Promise<Attempt> {
  const settled: Parameters<Settle>[] = [];
  let served = false;
  let refusal: AccountRefusal | undefined;
  const settle = () => {
    outcomes.settleUnwritten(batch);
    for (const outcome of settled) outcomes.settle(...outcome);
  };
  try {
    await writeBatch(writing, batch.entities, (...outcome) => {
      const [, , code, message] = outcome;
      settled.push(outcome);
      if (code !== undefined && mayConcernAccount(code)) refusal = { code, message: message ?? code };
      else served = true;
    });
  } catch (error) {
    settle();
    throw error;
  }
  return { finding: served ? 'served' : refusal, settle };
}

/** Counts the outcomes of the entities, and collects a line for each that failed or was skipped. */
class EntityOutcomes {
  readonly #context: RunContext;
  readonly #lines: Outcome[] = [];

  constructor(context: RunContext) {
    this.#context = context;
  }

  readonly settle: Settle = (entity, status, code, message) => {
    const { tally } = this.#context;
    tally.planned++;
    if (status === 'copied' || status === 'unchanged') {
      tally[status]++;
      if (status === 'copied') tally.copiedBytes += Buffer.byteLength(entity.text);
      return;
    }
    const outcome = entityOutcome(entity, status, code ?? 'internal', message);
    countOutcome(tally, outcome);
    this.#lines.push(outcome);
  };

  /** Counts the entities that a batch covers and does not write. */
  settleUnwritten({ unwanted, lost }: SegmentBatch): void {
    const { tally } = this.#context;
    if (unwanted > 0) {
      tally.unwanted = (tally.unwanted ?? 0) + unwanted;
      tally.planned += unwanted;
    }
    if (!lost) return;
    const outcome = lostOf(lost);
    countOutcome(tally, outcome);
    // One line represents all of them.
    tally.failed += lost.items - 1;
    countProblem(tally, outcome.code, lost.items - 1);
    tally.planned += lost.items;
    this.#lines.push(outcome);
  }

  asPart(): PartWriter<Outcome> {
    const part = new PartWriter<Outcome>();
    for (const line of this.#lines.sort(({ name: a }, { name: b }) => (a < b ? -1 : 1))) part.add(line);
    return part;
  }
}

/** The segment was sound when the restore was planned. */
function lostOf({ segment, error, items }: LostEntities): Failed {
  const message = `${error.message}; ${items} entities of it are not restored`;
  return { ...asBackedUp(segment), status: 'failed', code: restoreProblemCode(error), message };
}
