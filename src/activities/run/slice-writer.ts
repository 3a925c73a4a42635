import { sliceKey } from '#domain/run/control-paths.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { countOutcome, countPlanned } from '#domain/run/tally.ts';
import type { PlanChunk } from './chunk.ts';
import { PlanWriter } from './plan-writer.ts';
import type { RunContext } from './run-context.ts';
import type { SliceResult } from './slice.ts';

/**
 * Collects the decisions of a planning activity about one slice: outcomes go into a part, planned items into chunks,
 * and all of them into the tally. The limits of items, chunks, characters and milliseconds end a slice.
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

  /** Whether the slice has enough chunks or text, or has taken long enough. */
  get isDue(): boolean {
    const { now, limits } = this.#context.deps;
    if (this.#plan.chunks >= limits.sliceChunks || this.#part.isLarge) return true;
    return now().getTime() >= this.#deadline;
  }

  /** The same, or enough items or text; `more` items are listed and not yet counted. */
  isFull(more = 0): boolean {
    const { tally, deps } = this.#context;
    return tally.listed + more >= deps.limits.sliceBlobs || this.isDue;
  }

  /** Stores the last chunk. Nothing can be planned after that. */
  finishPlan(): Promise<PlanChunk[]> {
    return this.#plan.finish();
  }

  /**
   * Writes the part, which makes the slice. It says where the next slice begins; without a position, this is the last
   * one.
   */
  async finish(position: Pick<SliceResult, 'next' | 'nextManifest'> = {}): Promise<SliceResult> {
    if (position.next === undefined && position.nextManifest === undefined) this.#context.tally.last = true;
    const result: SliceResult = { chunks: await this.finishPlan(), ...position };
    return this.#context.writePart('slice', sliceKey(this.#slice), this.#part, result);
  }
}
