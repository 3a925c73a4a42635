import { join } from 'node:path';
import { replaceJsonFile } from '../data/json-file.ts';
import { HostError, messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { readWithSettings, resolveSettings } from '../settings/app-settings.ts';
import { readTimerFile, type StoredStatus } from './timer-file.ts';
import { type Due, dueAfter, dueAtStart, type Occurrences, parseSchedule } from './timer-schedule.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

/** The longest wait before the timer checks the clock, which changes when the machine sleeps or an operator sets it. */
const LONGEST_WAIT = 30_000;
/**
 * A timer that fires this many milliseconds late is past due: the machine slept, or the previous invocation was long.
 */
const PAST_DUE = 60_000;

export function timerListener(functions: HostedFunction[], { dataDirectory }: TriggerHost): Listener {
  const file = join(dataDirectory, 'timers.json');
  const stored = readTimerFile(file);
  const timers = functions.map((hosted) => {
    const { name } = hosted;
    return new Timer(hosted, stored[name], (status) => {
      stored[name] = status;
      replaceJsonFile(file, stored);
    });
  });
  let stopped = false;
  return {
    start() {
      for (const timer of timers) timer.start();
    },
    fire(name) {
      const timer = timers.find((other) => other.name === name);
      if (timer === undefined || stopped) return false;
      timer.fire();
      return true;
    },
    async stop() {
      stopped = true;
      await Promise.all(timers.map((timer) => timer.stop()));
    },
  };
}

class Timer {
  readonly name: string;
  readonly #hosted: HostedFunction;
  readonly #expression: string;
  readonly #occurrences: Occurrences;
  readonly #store: (status: StoredStatus) => void;
  #status: StoredStatus | undefined;
  #wait: NodeJS.Timeout | undefined;
  #stopped = false;
  /** The invocations, one after another. */
  #running: Promise<void> = Promise.resolve();

  constructor(hosted: HostedFunction, status: StoredStatus | undefined, store: (status: StoredStatus) => void) {
    const where = `Timer function "${hosted.name}"`;
    const { schedule } = hosted.trigger;
    if (typeof schedule !== 'string') throw new HostError(`${where} has no schedule.`);
    this.name = hosted.name;
    this.#hosted = hosted;
    this.#expression = resolveSettings(schedule, where);
    this.#occurrences = readWithSettings(schedule, where, (value) => parseSchedule(value, where));
    this.#status = status;
    this.#store = store;
  }

  start(): void {
    const now = new Date();
    // If the schedule has changed, no occurrence was missed.
    const status = this.#status?.Schedule === this.#expression ? this.#status : undefined;
    const due = dueAtStart(this.#occurrences, status, now);
    if (status === undefined) this.#setLast(now);
    if (this.#hosted.trigger.runOnStartup === true && due?.isPastDue !== true) void this.#invoke(false);
    this.#waitFor(due);
  }

  /** Invokes the function without an occurrence of the schedule. */
  fire(): void {
    void this.#invoke(false);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#wait);
    await this.#running;
  }

  #waitFor(due: Due | undefined): void {
    if (due === undefined || this.#stopped) return;
    const remaining = due.at.getTime() - Date.now();
    this.#wait = setTimeout(
      () => {
        if (remaining > LONGEST_WAIT || Date.now() < due.at.getTime()) return this.#waitFor(due);
        const isPastDue = due.isPastDue || Date.now() - due.at.getTime() > PAST_DUE;
        void this.#invoke(isPastDue).then(() => {
          this.#setLastIfPossible(due.at);
          this.#waitFor(dueAfter(this.#occurrences, new Date()));
        });
      },
      Math.min(Math.max(remaining, 0), LONGEST_WAIT),
    );
  }

  /** Invokes the function once the previous invocation has ended. */
  #invoke(isPastDue: boolean): Promise<void> {
    this.#running = this.#running.then(async () => {
      const status = this.#status;
      const ScheduleStatus = status && { Last: status.Last, Next: status.Next, LastUpdated: status.LastUpdated };
      try {
        await this.#hosted.invoke({
          json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus, IsPastDue: isPastDue }),
        });
      } catch (error) {
        // As in Azure, there is no retry before the next occurrence.
        writeLog('error', `Timer function "${this.name}" failed: ${messageOf(error)}`);
      }
    });
    return this.#running;
  }

  /** The schedule continues on a full disk, so that it works once there is space. */
  #setLastIfPossible(last: Date): void {
    try {
      this.#setLast(last);
    } catch (error) {
      writeLog('error', `Timer function "${this.name}": its last time is not recorded. ${messageOf(error)}`);
    }
  }

  #setLast(last: Date): void {
    const now = new Date();
    this.#status = {
      Schedule: this.#expression,
      Last: last.toISOString(),
      Next: this.#occurrences.after(now)?.toISOString() ?? '',
      LastUpdated: now.toISOString(),
    };
    this.#store(this.#status);
  }
}
