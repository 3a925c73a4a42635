import { sliceKey } from '#domain/run/control-paths.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { countOutcome, countPlanned } from '#domain/run/tally.ts';
import type { PlanChunk } from './chunk.ts';
import { PlanWriter } from './plan-writer.ts';
import type { RunContext } from './run-context.ts';
import type { SliceResult } from './slice.ts';

/**
 * Collects what a planning activity decides of one slice: outcomes go into a part, planned items into chunks, and all
 * of them into the tally. The slice is full after so many items, chunks or milliseconds.
 */
export class SliceWriter {
  readonly #context: RunContext;
  readonly #slice: number;
  readonly #part = new PartWriter<Outcome>();
  readonly #plan: PlanWriter;
  readonly #deadline: number;

  /** The time of the slice runs from here. */
  constructor(context: RunContext, slice: number) {
    this.#context = context;
    this.#slice = slice;
    this.#plan = new PlanWriter(context, slice);
    this.#deadline = context.deps.now().getTime() + context.deps.limits.scanMs;
  }

  /** Counts one listed item. */
  list(size: number): void {
    this.#context.tally.listed++;
    this.#context.tally.listedBytes += size;
  }

  /** Counts an outcome and writes it into the part. */
  settle(outcome: Outcome): void {
    this.count(outcome);
    this.#part.add(outcome);
  }

  /** Counts an outcome that the part does not name. */
  count(outcome: Outcome): void {
    countOutcome(this.#context.tally, outcome);
  }

  plan(planned: PlannedItem): Promise<void> {
    countPlanned(this.#context.tally, planned);
    return this.#plan.add(planned);
  }

  /** Whether the slice has enough chunks, or has taken long enough. */
  get isDue(): boolean {
    const { now, limits } = this.#context.deps;
    return this.#plan.chunks >= limits.sliceChunks || now().getTime() >= this.#deadline;
  }

  /** The same, or enough items or text; `more` items are listed and not yet counted. */
  isFull(more = 0): boolean {
    const { tally, deps } = this.#context;
    return tally.listed + more >= deps.limits.sliceBlobs || this.#part.isLarge || this.isDue;
  }

  /** Stores the last chunk. Nothing can be planned after that. */
  finishPlan(): Promise<PlanChunk[]> {
    return this.#plan.finish();
  }

  /** Writes the part, which makes the slice: where the next one begins, or, without that, that this is the last. */
  async finish(position: Pick<SliceResult, 'next' | 'nextManifest'> = {}): Promise<SliceResult> {
    if (position.next === undefined && position.nextManifest === undefined) this.#context.tally.last = true;
    const result: SliceResult = { chunks: await this.finishPlan(), ...position };
    return this.#context.writePart('slice', sliceKey(this.#slice), this.#part, result);
  }
}
