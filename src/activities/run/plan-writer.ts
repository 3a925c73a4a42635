import { planKey } from '#domain/run/control-paths.ts';
import type { PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { countPlanned, emptyTally, type Tally } from '#domain/run/tally.ts';
import type { PlanChunk } from './chunk.ts';
import type { RunContext } from './run-context.ts';

/** Cuts planned items into chunks, each the work of a few activities, and stores a chunk when it is full. */
export class PlanWriter {
  readonly #context: RunContext;
  readonly #slice: number;
  /** Part of each key: a second execution of the same slice must not overwrite chunks that are being processed. */
  readonly #attempt: string;
  readonly #written: PlanChunk[] = [];
  #writer = new PartWriter<PlannedItem>();
  #tally: Tally;

  constructor(context: RunContext, slice: number) {
    this.#context = context;
    this.#slice = slice;
    this.#attempt = context.deps.random();
    this.#tally = emptyTally(context.container, '');
  }

  /** How many chunks have items so far. */
  get chunks(): number {
    return this.#written.length + (this.#writer.items > 0 ? 1 : 0);
  }

  async add(planned: PlannedItem): Promise<void> {
    const { chunkBlobs, chunkBytes } = this.#context.deps.limits;
    this.#writer.add(planned);
    countPlanned(this.#tally, planned);
    const isFull = this.#writer.items >= chunkBlobs || this.#tally.plannedBytes >= chunkBytes || this.#writer.isLarge;
    if (isFull) await this.#flush();
  }

  async finish(): Promise<PlanChunk[]> {
    if (this.#writer.items > 0) await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    const chunk = this.#written.length;
    const key = planKey(this.#slice, chunk, this.#attempt);
    const items = this.#writer.items;
    await this.#context.writePart('plan', key, this.#writer, {}, this.#tally);
    this.#written.push({ slice: this.#slice, chunk, key, items });
    this.#writer = new PartWriter();
    this.#tally = emptyTally(this.#context.container, '');
  }
}
