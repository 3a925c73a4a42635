import { planKey } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import { emptyTally } from '#domain/run/tally.ts';
import type { Segment } from '#domain/tables/segment.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { RunContext } from '../run/run-context.ts';

/** Cuts segments into chunks, each the work of a few activities, and stores a chunk when it is full. */
export class SegmentPlan {
  readonly #context: RunContext;
  readonly #slice: number;
  /** Part of each key: a second execution of the same slice must not overwrite chunks that are being processed. */
  readonly #attempt: string;
  readonly #written: PlanChunk[] = [];
  #part = new PartWriter<Segment>();
  #entities = 0;

  constructor(context: RunContext, slice: number) {
    this.#context = context;
    this.#slice = slice;
    this.#attempt = context.deps.random();
  }

  /** How many chunks are full. */
  get chunks(): number {
    return this.#written.length;
  }

  async add(segment: Segment): Promise<void> {
    this.#part.add(segment);
    this.#entities += segment.entities;
    if (this.#entities >= this.#context.deps.limits.chunkBlobs) await this.#flush();
  }

  async finish(): Promise<PlanChunk[]> {
    if (this.#entities > 0) await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    const chunk = this.#written.length;
    const key = planKey(this.#slice, chunk, this.#attempt);
    const items = this.#entities;
    const tally = { ...emptyTally(this.#context.container, ''), planned: items };
    await this.#context.writePart('plan', key, this.#part, {}, tally);
    this.#written.push({ slice: this.#slice, chunk, key, items });
    this.#part = new PartWriter();
    this.#entities = 0;
  }
}
