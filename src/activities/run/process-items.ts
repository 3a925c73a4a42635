import type { LimitFunction } from 'p-limit';
import { concernsEveryRequest } from '#app/problem-code.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { samplesAhead } from '#domain/run/samples-ahead.ts';
import { processedOf } from '#domain/run/tally.ts';
import type { RunContext } from './run-context.ts';
import { type StopReason, watchStanding } from './run-guard.ts';

export interface Work<Item> {
  /** The items, from the first each time. They are the same each time, but may end earlier. */
  items(): Iterable<Item> | AsyncIterable<Item>;
  /** Processes one item. If it throws after `stop`, the item has no outcome; any other error ends the activity. */
  perform(item: Item, index: number): Promise<Attempt>;
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

export interface Attempt {
  finding: Finding;
  /** Counts the outcome. Not called for an item that the next execution processes again. */
  settle(): void;
}

/** What an attempt shows about the account: it serves requests, or it may refuse everything. Undefined: neither. */
export type Finding = 'served' | AccountRefusal | undefined;

/** A failure that may concern the whole account. */
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

/** Number of refusals in a row after which items from elsewhere are tried, before the rest fails without an attempt. */
const DOUBTFUL_AFTER = 16;
const NOTE_PROGRESS_MS = 3_000;

/** The message of an item that was not tried. */
export function untriedMessage({ message }: AccountRefusal): string {
  return `Not tried after ${DOUBTFUL_AFTER} failures in a row: ${message}`;
}

/**
 * Processes items with bounded concurrency, within the time budget, while the run may continue. An item that began
 * within the budget is processed to its end. After many refusals in a row, some of the items ahead are tried: if any is
 * served, the refusals concern single items, and all are tried. If none is, the rest fails untried. A repeated
 * execution comes at least as far as the one before it.
 */
export async function processItems<Item>(context: RunContext, work: Work<Item>): Promise<Processed> {
  const processing = new Processing(context, work);
  const watch = watchStanding(context.guard, (reason) => processing.stop(reason));
  try {
    const doubtful = await processing.inOrder(0);
    if (doubtful !== undefined) {
      if (await processing.ahead(doubtful)) await processing.inOrder(doubtful);
    }
  } finally {
    await processing.end().finally(() => watch.end());
  }
  return processing.result();
}

class Processing<Item> {
  readonly #context: RunContext;
  readonly #work: Work<Item>;
  readonly #attempts: Attempts<Item>;
  readonly #progress: ProgressNotes;
  readonly #started: number;
  /** The outcomes of items that were tried ahead, until those before them are processed. */
  readonly #ahead = new Map<number, () => void>();
  /** What the items ahead have shown. */
  #verdict: 'served' | AccountRefusal | undefined;
  #covered = 0;
  #stopped: StopReason | undefined;

  constructor(context: RunContext, work: Work<Item>) {
    this.#context = context;
    this.#work = work;
    this.#attempts = new Attempts(work);
    this.#started = context.deps.now().getTime();
    this.#progress = new ProgressNotes(context, work.noteAs, this.#started);
  }

  /** Processes the items from this index on. If the account is in doubt, returns the index of the first untried one. */
  async inOrder(from: number): Promise<number | undefined> {
    let index = 0;
    for await (const item of this.#work.items()) {
      const at = index++;
      if (at < from) continue;
      if (await this.#isInDoubt()) return at;
      this.#covered += this.#work.weightOf?.(item) ?? 1;
      await this.#take(item, at);
      if (!(await this.#mayContinue())) return undefined;
      const now = this.#context.deps.now().getTime();
      if (this.#isRefused || !this.#isLate || this.#covered < this.#progress.before) {
        await this.#progress.note(now);
        continue;
      }
      await this.#attempts.settled();
      if (!this.#attempts.refusal || this.#verdict === 'served') return undefined;
    }
    return undefined;
  }

  /** Whether the items before have been refused, and nothing is known yet of those ahead. */
  async #isInDoubt(): Promise<boolean> {
    if (this.#isRefused || !this.#attempts.refusal) return false;
    await this.#attempts.settled();
    const { refusal } = this.#attempts;
    if (!refusal) return false;
    if (!concernsEveryRequest(refusal.code)) return this.#verdict === undefined;
    this.#verdict = refusal;
    return false;
  }

  get #isRefused(): boolean {
    return this.#verdict !== undefined && this.#verdict !== 'served';
  }

  async #take(item: Item, at: number): Promise<void> {
    const settle = this.#ahead.get(at);
    if (settle) settle();
    else if (this.#verdict !== undefined && this.#verdict !== 'served') this.#work.failUntried(item, at, this.#verdict);
    else await this.#attempts.begin(item, at, (attempt) => attempt.settle());
    this.#ahead.delete(at);
  }

  /** Tries some of the items from this index on, until one is served. Returns whether the run may continue. */
  async ahead(from: number): Promise<boolean> {
    const refusal = this.#attempts.refusal!;
    const isSample = samplesAhead(this.#context.run.epoch, refusal.attempts ?? 1);
    const isServed = () => this.#attempts.refusal === undefined;
    let index = 0;
    for await (const item of this.#work.items()) {
      const at = index++;
      if (at < from || !isSample(at - from)) continue;
      await this.#attempts.begin(item, at, ({ settle }) => this.#ahead.set(at, settle));
      if (isServed() || !(await this.#mayContinue()) || this.#isLate) break;
    }
    await this.#attempts.settled();
    this.#verdict = isServed() ? 'served' : refusal;
    return this.#mayContinue();
  }

  get #isLate(): boolean {
    const { now, limits } = this.#context.deps;
    return now().getTime() - this.#started >= limits.copyMs;
  }

  async #mayContinue(): Promise<boolean> {
    const standing = await this.#context.guard.standing();
    if (standing !== 'go') this.#stopped = standing;
    return this.#stopped === undefined && !this.#attempts.broke;
  }

  /** Ends requests in progress: the run may no longer continue. */
  stop(reason: StopReason): void {
    this.#stopped = reason;
    this.#work.stop.abort();
  }

  async end(): Promise<void> {
    if (this.#stopped !== undefined) this.#work.stop.abort();
    await this.#attempts.settled();
    // A run that ends early counts everything that it did.
    if (this.#stopped !== undefined) for (const settle of this.#ahead.values()) settle();
  }

  result(): Processed {
    this.#attempts.assertSound();
    return { covered: this.#covered, ...(this.#stopped !== undefined && { stopped: this.#stopped }) };
  }
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
  async begin(item: Item, index: number, done: (attempt: Attempt) => void): Promise<void> {
    const perform = () => this.#perform(item, index, done);
    const { slots, atOnce } = this.#work;
    const tracked: Promise<void> = (slots ? slots(perform) : perform()).finally(() => this.#inProgress.delete(tracked));
    this.#inProgress.add(tracked);
    if (this.#inProgress.size >= atOnce) await Promise.race(this.#inProgress);
  }

  async #perform(item: Item, index: number, done: (attempt: Attempt) => void): Promise<void> {
    try {
      const attempt = await this.#work.perform(item, index);
      done(attempt);
      const { finding } = attempt;
      if (finding === undefined) return;
      this.#lastRefusal = finding === 'served' ? undefined : finding;
      this.#refusals = this.#lastRefusal ? this.#refusals + (this.#lastRefusal.attempts ?? 1) : 0;
    } catch (thrown) {
      if (!this.#work.stop.signal.aborted) this.#error ??= { thrown };
    }
  }

  /** The last of many refusals in a row; undefined after fewer, or if anything was served since. */
  get refusal(): AccountRefusal | undefined {
    return this.#refusals >= DOUBTFUL_AFTER ? this.#lastRefusal : undefined;
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
