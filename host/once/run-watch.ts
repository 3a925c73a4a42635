import { setTimeout as sleep } from 'node:timers/promises';
import type { Unfinished } from '../durable/unfinished.ts';
import { EXIT } from '../exit-codes.ts';
import { HostError } from '../host-error.ts';
import { escapeControls } from '../log.ts';
import { type AppApi, failure, type Run } from './app-api.ts';
import { asSentence } from './hints.ts';
import { endingLines, summary } from './summary.ts';
import { waitingFor } from './waiting.ts';

/** The host in this process. */
export interface OnceHost {
  url: string;
  unfinished(): Unfinished[];
}

/** Times in milliseconds. */
export const PACE = {
  /** Between two looks at what this process knows by itself. */
  tick: 200,
  /** Between two requests for the status of a run, which cost requests to storage: at first, and in the long run. */
  firstPoll: 300,
  slowestPoll: 10_000,
  /** Between two lines about a run in progress, likewise. */
  firstReport: 60_000,
  slowestReport: 3_600_000,
  /** What a cancelled run has to end before the host stops. */
  grace: 5_000,
  /** How old an answer may be: callers who ask soon after each other get the same. */
  shared: 2_000,
  /** How long the status of a run may be unknown. */
  patience: 600_000,
  /** Between two tries to start. */
  contended: 1_000,
  askAgain: 60_000,
};

export interface WatchOptions {
  api: AppApi;
  host: OnceHost;
  job: string;
  signal: AbortSignal;
  pace: typeof PACE;
}

/** Waits for runs, and prints what they do meanwhile. */
export class RunWatch {
  readonly #options: WatchOptions;
  /** When to print the next line about a run, and how long after that the one after it. */
  readonly #reports = new Map<string, { at: number; interval: number }>();
  /** What keeps each run from its end, as far as it was printed. */
  readonly #obstacles = new Map<string, string>();
  #unknownSince: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Waits for a run of this process. A signal cancels it. Undefined if a signal has ended the run or the wait. */
  async own(id: string): Promise<Run | undefined> {
    const { api, signal, job, pace } = this.#options;
    let cancelledAt: number | undefined;
    let isLastLook = false;
    for (let wait = pace.firstPoll; ; wait = Math.min(wait * 1.5, pace.slowestPoll)) {
      const run = await this.#look(id);
      this.#sayWhatFails(id);
      // Its summary is there before its last step is done, and that one may be refused.
      if (run !== undefined && run.status !== 'running' && !this.#hereOf(id)?.hasOwnStep) {
        if (cancelledAt === undefined) return run;
        for (const line of endingLines(job, id, run)) print(line);
        return undefined;
      }
      if (signal.aborted && cancelledAt === undefined) {
        cancelledAt = Date.now();
        await api.cancel(id);
      }
      if (cancelledAt !== undefined && Date.now() - cancelledAt > pace.grace) {
        if (!isLastLook) {
          isLastLook = true;
          await sleep(pace.shared);
          continue;
        }
        const state = run === undefined || run.status === 'running' ? 'cancel requested' : 'not recorded completely';
        print(`${job}: ${state}. Run ${id} ends with the next start: npm start, or --once ${job}.`);
        return undefined;
      }
      await this.#report(id, run);
      await this.#pause(id, cancelledAt === undefined ? wait : pace.tick);
    }
  }

  /**
   * Waits for a run of an earlier start or of another process, at most this long. A signal ends the wait and leaves the
   * run as it is; then it returns false.
   */
  async other(id: string, longest = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { signal, job, pace } = this.#options;
    const begin = Date.now();
    const isNew = !this.#isHere(id) && !this.#reports.has(id);
    if (isNew) print(`${job}: waiting for run ${id}, which is in progress elsewhere.`);
    let lacksDetails = isNew;
    for (let wait = pace.firstPoll; Date.now() - begin < longest; wait = Math.min(wait * 1.5, pace.slowestPoll)) {
      if (signal.aborted) return false;
      this.#sayWhatFails(id);
      // One that is here may have ended, and still be followed by another.
      const run = this.#isHere(id) ? undefined : await this.#look(id).catch(whyUnknown);
      if (run instanceof HostError) {
        print(run.message);
        return true;
      }
      if (run !== undefined && run.status !== 'running') {
        for (const line of endingLines(job, id, run)) print(line);
        return true;
      }
      if (lacksDetails && run !== undefined) {
        lacksDetails = false;
        const waiting = waitingFor(run, new Date());
        if (waiting) print(`  ${waiting}. To end it at once, in another terminal: ${this.#cancelCommand(id, true)}`);
      }
      await this.#report(id, run, true);
      await this.#pause(id, wait);
    }
    return true;
  }

  /** The run that follows a run of this process, or undefined once it is certain that none does. */
  async following(id: string, isRun: (id: string) => boolean): Promise<string | undefined> {
    const { api, host, job, signal, pace } = this.#options;
    while (this.#isHere(id) && !signal.aborted) {
      const next = host.unfinished().find((each) => each.root === id && each.id !== id && isRun(each.id));
      if (next !== undefined) return next.id;
      await this.#pause(id, pace.tick);
    }
    // A short one may have ended before this process looked.
    return signal.aborted ? undefined : api.followerOf(id, job).catch(() => undefined);
  }

  #isHere(id: string): boolean {
    return this.#hereOf(id) !== undefined;
  }

  #hereOf(id: string): Unfinished | undefined {
    return this.#options.host.unfinished().find((each) => each.id === id);
  }

  /** The work of a run reports its failures. What its own orchestration does is to publish it, for hours if need be. */
  #sayWhatFails(id: string): void {
    const { api, job } = this.#options;
    const failure = this.#hereOf(id)?.failure;
    if (failure === undefined || failure === this.#obstacles.get(id)) return;
    this.#obstacles.set(id, failure);
    const remedy = isRefusal(failure)
      ? `Grant what is missing, and the run ends; this names it, in another terminal: ${api.command('/api/checks')}`
      : 'Once this is possible, the run ends';
    print(
      `${job}: run ${id} cannot be published yet, and tries again for six hours: ${asSentence(failure)} ${remedy}.`,
    );
  }

  /** Undefined while the status is unknown, as when the vault is out of reach: the run continues all the same. */
  async #look(id: string): Promise<Run | undefined> {
    const answer = await this.#options.api.run(id);
    if ('run' in answer) {
      this.#unknownSince = undefined;
      return answer.run;
    }
    const { refusal } = answer;
    const what = `Cannot get the status of run ${id}`;
    if (refusal.status < 500) throw failure(what, refusal);
    if (this.#unknownSince === undefined) print(`${what}, and asks again: ${refusal.reason}`);
    this.#unknownSince ??= Date.now();
    if (Date.now() - this.#unknownSince > this.#options.pace.patience && !this.#isHere(id))
      throw failure(what, refusal);
    return undefined;
  }

  async #report(id: string, known: Run | undefined, isOther = false): Promise<void> {
    const { job, pace } = this.#options;
    const due = this.#reports.get(id) ?? { at: Date.now() + pace.firstReport, interval: pace.firstReport };
    this.#reports.set(id, due);
    if (Date.now() < due.at) return;
    const interval = Math.min(2 * due.interval, pace.slowestReport);
    this.#reports.set(id, { at: Date.now() + interval, interval });
    const failure = this.#hereOf(id)?.failure;
    if (failure !== undefined) return print(`${job}: run ${id} still cannot be published: ${failure}`);
    const run = known ?? (await this.#look(id).catch(() => undefined));
    if (run?.status !== 'running') return;
    const waiting = isOther ? waitingFor(run, new Date()) : undefined;
    const remedy = isOther ? `To end it, in another terminal: ${this.#cancelCommand(id, waiting !== undefined)}` : '';
    print([summary(job, id, run), waiting, remedy].filter(Boolean).join('. '));
  }

  /** By force, it ends even where the host of the run has stopped. */
  #cancelCommand(id: string, force: boolean): string {
    return this.#options.api.command(`/api/runs/${id}/cancel`, force ? { force } : undefined);
  }

  /** Ends early if the run ends in this process, or at a signal. */
  async #pause(id: string, milliseconds: number): Promise<void> {
    const { signal, pace } = this.#options;
    const wasHere = this.#isHere(id);
    const wasAborted = signal.aborted;
    for (const end = Date.now() + milliseconds; Date.now() < end; ) {
      await sleep(Math.min(pace.tick, Math.max(end - Date.now(), 0)));
      if ((wasHere && !this.#isHere(id)) || (signal.aborted && !wasAborted)) return;
    }
  }
}

/** A run that the vault does not have, as after a change of the vault, must not keep another from its start. */
function whyUnknown(error: unknown): HostError {
  if (error instanceof HostError && error.exitCode === EXIT.refused) return error;
  throw error;
}

/** Messages of storage end with the status of the answer and its code. */
function isRefusal(failure: string): boolean {
  return /: 40[13] \w*$/.test(failure);
}

export function print(line: string): void {
  process.stdout.write(`${escapeControls(line)}\n`);
}
