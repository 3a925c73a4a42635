import type { LimitFunction } from 'p-limit';
import type { ProblemCode } from '#domain/run/problems.ts';
import { processedOf } from '#domain/run/tally.ts';
import type { RunContext } from './run-context.ts';
import { type StopReason, watchStanding } from './run-guard.ts';

export interface Work<Item> {
  items: Iterable<Item> | AsyncIterable<Item>;
  /** Processes one item. If it throws after `stop`, the item has no outcome; any other error ends the activity. */
  perform(item: Item, index: number): Promise<Finding>;
  /** Fails an item without trying it, because the account refuses everything. */
  failUntried(item: Item, index: number, refusal: AccountRefusal): void;
  /** The number of planned items that an item stands for; 1 by default. */
  weightOf?(item: Item): number;
  /** Ends requests in progress when the run may no longer continue. */
  stop: AbortController;
  /** Limits the items in progress in all activities of this process; `atOnce` limits those of this activity. */
  slots?: LimitFunction;
  atOnce: number;
  /** Key of the piece, under which people can see its progress. */
  noteAs?: string;
}

/** What an attempt shows about the account: it serves requests, or it refuses everything. Undefined: neither. */
export type Finding = 'served' | AccountRefusal | undefined;

/** A failure that concerns the whole account. */
export interface AccountRefusal {
  code: ProblemCode;
  message: string;
  /** The number of attempts that it ended; 1 by default. */
  attempts?: number;
}

export interface Processed {
  /** The number of planned items, counted from the first, that were processed or failed. */
  covered: number;
  stopped?: StopReason;
}

/** Number of refusals in a row after which the rest of the piece fails without an attempt. */
const HOPELESS_AFTER = 16;
const NOTE_PROGRESS_MS = 3_000;

/** The message of an item that was not tried. */
export function untriedMessage({ message }: AccountRefusal): string {
  return `Not tried after ${HOPELESS_AFTER} failures in a row: ${message}`;
}

/**
 * Processes items with bounded concurrency, within the time budget, while the run may continue. An item that began
 * within the budget is processed to its end. A repeated execution comes at least as far as the one before it.
 */
export async function processItems<Item>(context: RunContext, work: Work<Item>): Promise<Processed> {
  const { stop, atOnce } = work;
  const { now, limits } = context.deps;
  const attempts = new Attempts(work);
  const started = now().getTime();
  const progress = new ProgressNotes(context, work.noteAs, started);
  let covered = 0;
  let stopped: StopReason | undefined;
  const watch = watchStanding(context.guard, (reason) => {
    stopped = reason;
    stop.abort();
  });
  try {
    let index = 0;
    for await (const item of work.items) {
      covered += work.weightOf?.(item) ?? 1;
      if (attempts.hopeless) work.failUntried(item, index++, attempts.hopeless);
      else await attempts.begin(item, index++, atOnce);
      const standing = await context.guard.standing();
      if (standing !== 'go') stopped = standing;
      if (stopped !== undefined || attempts.broke) break;
      const at = now().getTime();
      const isOver = at - started >= limits.copyMs && covered >= progress.before;
      if (attempts.hopeless || isOver) {
        // If an attempt in progress succeeds, the next execution tries the rest.
        await attempts.settled();
        if (!attempts.hopeless) break;
      }
      await progress.note(at);
    }
  } finally {
    if (stopped !== undefined) stop.abort();
    await attempts.settled().finally(() => watch.end());
  }
  attempts.assertSound();
  return { covered, ...(stopped !== undefined && { stopped }) };
}

/** The items in progress, and what they show about the account. */
class Attempts<Item> {
  readonly #work: Work<Item>;
  readonly #inProgress = new Set<Promise<void>>();
  #refusals = 0;
  #lastRefusal: AccountRefusal | undefined;
  #error: { thrown: unknown } | undefined;

  constructor(work: Work<Item>) {
    this.#work = work;
  }

  /** Begins an item. Waits while too many are in progress. */
  async begin(item: Item, index: number, atOnce: number): Promise<void> {
    const perform = () => this.#perform(item, index);
    const { slots } = this.#work;
    const tracked: Promise<void> = (slots ? slots(perform) : perform()).finally(() => this.#inProgress.delete(tracked));
    this.#inProgress.add(tracked);
    if (this.#inProgress.size >= atOnce) await Promise.race(this.#inProgress);
  }

  async #perform(item: Item, index: number): Promise<void> {
    try {
      const finding = await this.#work.perform(item, index);
      if (finding === undefined) return;
      this.#lastRefusal = finding === 'served' ? undefined : finding;
      this.#refusals = this.#lastRefusal ? this.#refusals + (this.#lastRefusal.attempts ?? 1) : 0;
    } catch (thrown) {
      if (!this.#work.stop.signal.aborted) this.#error ??= { thrown };
    }
  }

  /** The refusal after which no further item is tried; undefined while items are tried. */
  get hopeless(): AccountRefusal | undefined {
    return this.#refusals >= HOPELESS_AFTER ? this.#lastRefusal : undefined;
  }

  /** Whether an error ends the activity. */
  get broke(): boolean {
    return this.#error !== undefined;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#inProgress);
  }

  assertSound(): void {
    if (this.#error) throw this.#error.thrown;
  }
}

/**
 * Stores progress every few seconds, for people only. An execution that repeats the work of another, which died, notes
 * nothing until it has come as far: what people see never goes back. Ignores failures.
 */
class ProgressNotes {
  readonly #context: RunContext;
  readonly #key: string | undefined;
  #notedAt: number;
  #before: number | undefined;

  constructor(context: RunContext, key: string | undefined, started: number) {
    this.#context = context;
    this.#key = key;
    this.#notedAt = started;
  }

  /** How many items an execution before this one is known to have processed. */
  get before(): number {
    return this.#before ?? 0;
  }

  async note(at: number): Promise<void> {
    if (this.#key === undefined || at - this.#notedAt < NOTE_PROGRESS_MS) return;
    this.#notedAt = at;
    const { tally } = this.#context;
    try {
      this.#before ??= await this.#context.processedBefore(this.#key);
      if (processedOf(tally) >= this.#before) await this.#context.noteProgress(this.#key);
    } catch {}
  }
}
