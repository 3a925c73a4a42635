import { join } from 'node:path';
import { replaceJsonFile } from '../data/json-file.ts';
import { HostError, messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { readWithSettings } from '../settings/app-settings.ts';
import { readTimerFile } from './timer-file.ts';
import {
  isMonitored,
  NEVER,
  type Occurrences,
  parseSchedule,
  type ScheduleStatus,
  statusAfter,
  statusAtStart,
} from './timer-schedule.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

/** The longest wait before the timer checks the clock, which changes when the machine sleeps or an operator sets it. */
const LONGEST_WAIT = 30_000;

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
  readonly #occurrences: Occurrences;
  readonly #stored: ScheduleStatus | undefined;
  readonly #store: (status: ScheduleStatus) => void;
  #status: ScheduleStatus | undefined;
  #isMonitored = true;
  #wait: NodeJS.Timeout | undefined;
  #stopped = false;
  /** The invocations, one after another. */
  #running: Promise<void> = Promise.resolve();

  constructor(hosted: HostedFunction, stored: ScheduleStatus | undefined, store: (status: ScheduleStatus) => void) {
    const where = `Timer function "${hosted.name}"`;
    const { schedule } = hosted.trigger;
    if (typeof schedule !== 'string') throw new HostError(`${where} has no schedule.`);
    this.name = hosted.name;
    this.#hosted = hosted;
    this.#occurrences = readWithSettings(schedule, where, (value) => parseSchedule(value, where));
    this.#stored = stored;
    this.#store = store;
  }

  start(): void {
    const now = new Date();
    this.#isMonitored = isMonitored(this.#occurrences, now);
    const stored = this.#isMonitored ? this.#stored : undefined;
    const status = statusAtStart(this.#occurrences, stored, now);
    if (this.#isMonitored && status !== stored) this.#store(status);
    // As in Azure, what is stored for a new timer is not what its first process knows.
    this.#status = stored ? status : { ...status, LastUpdated: NEVER };
    const isPastDue = Date.parse(status.Next) < now.getTime();
    if (isPastDue || this.#hosted.trigger.runOnStartup === true) void this.#tick(isPastDue);
    else this.#waitForNext();
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

  /** As in Azure, an occurrence that passed during an invocation follows at once, and is not past due. */
  #waitForNext(): void {
    const next = Date.parse(this.#status?.Next ?? '');
    if (Number.isNaN(next) || this.#stopped) return;
    const remaining = next - Date.now();
    this.#wait = setTimeout(
      () => {
        if (Date.now() < next) this.#waitForNext();
        else void this.#tick(false);
      },
      Math.min(Math.max(remaining, 0), LONGEST_WAIT),
    );
  }

  async #tick(isPastDue: boolean): Promise<void> {
    const began = new Date();
    await this.#invoke(isPastDue);
    this.#status = statusAfter(this.#occurrences, began);
    this.#storeIfPossible();
    this.#waitForNext();
  }

  /** Invokes the function once the previous invocation has ended. */
  #invoke(isPastDue: boolean): Promise<void> {
    this.#running = this.#running.then(async () => {
      const ScheduleStatus = this.#isMonitored ? this.#status : null;
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
  #storeIfPossible(): void {
    if (!this.#isMonitored || this.#status === undefined) return;
    try {
      this.#store(this.#status);
    } catch (error) {
      writeLog('error', `Timer function "${this.name}": its last time is not recorded. ${messageOf(error)}`);
    }
  }
}
