import type { Limits } from '#config/limits.ts';
import { planKey } from '#domain/run/control-paths.ts';
import type { PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunRef } from '#domain/run/run.ts';
import { countPlanned, emptyTally, type Tally } from '#domain/run/tally.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import type { PlanChunk } from './chunk.ts';

/** Cuts planned copies into chunks, one copy activity's work each, and stores them as they fill. */
export class PlanWriter {
  readonly #control: ControlStore;
  readonly #run: RunRef;
  readonly #slice: number;
  readonly #container: string;
  readonly #limits: Limits;
  /** A second execution of the same scan must not overwrite chunks that are being worked on: its keys differ. */
  readonly #attempt: string;
  readonly #written: PlanChunk[] = [];
  #writer = new PartWriter<PlannedItem>();
  #tally: Tally;

  constructor(
    control: ControlStore,
    run: RunRef,
    slice: number,
    container: string,
    limits: Limits,
    random: () => string,
  ) {
    this.#control = control;
    this.#run = run;
    this.#slice = slice;
    this.#container = container;
    this.#limits = limits;
    this.#attempt = random();
    this.#tally = emptyTally(container, '');
  }

  /** Chunks begun so far. */
  get chunks(): number {
    return this.#written.length + (this.#writer.items > 0 ? 1 : 0);
  }

  async add(planned: PlannedItem): Promise<void> {
    this.#writer.add(planned);
    countPlanned(this.#tally, planned);
    if (this.#writer.items >= this.#limits.chunkBlobs || this.#tally.plannedBytes >= this.#limits.chunkBytes) {
      await this.#flush();
    }
  }

  async finish(): Promise<PlanChunk[]> {
    if (this.#writer.items > 0) await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    const chunk = this.#written.length;
    const key = planKey(this.#slice, chunk, this.#attempt);
    const items = this.#writer.items;
    await this.#control.writePart(this.#run, 'plan', key, this.#writer, this.#tally, {});
    this.#written.push({ slice: this.#slice, chunk, key, items });
    this.#writer = new PartWriter();
    this.#tally = emptyTally(this.#container, '');
  }
}
