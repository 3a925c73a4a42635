import type { Timer } from '@azure/functions';
import { newestWithin, nextAfter } from '#domain/run/schedule.ts';

/** How the Functions host writes a time that it does not know. */
const NEVER = '0001-01-01T00:00:00+00:00';

interface Status {
  last: number | undefined;
  next: number;
  lastUpdated: number | undefined;
}

/** What the timer of the Functions host knows and tells, by its source code: `Timers/Listener/TimerListener.cs`. */
export class RealTimer {
  readonly #expr: string;
  readonly #zone: string;
  readonly #isMonitored: boolean;
  #status: Status;

  /** `isMonitored`: false for a timer that recurs within a minute, of which the host tells nothing. */
  constructor(expr: string, zone: string, { now, isMonitored = true }: { now: number; isMonitored?: boolean }) {
    this.#expr = expr;
    this.#zone = zone;
    this.#isMonitored = isMonitored;
    this.#status = { last: undefined, next: this.after(now), lastUpdated: undefined };
  }

  after(time: number): number {
    return nextAfter(this.#expr, this.#zone, new Date(time))!.getTime();
  }

  /** The last tick as far as the host tells it. */
  get last(): number | undefined {
    return this.#isMonitored ? this.#status.last : undefined;
  }

  /** As if it had ticked in time until just before the tick that is planned for `nominal`. */
  skipTo(nominal: number): void {
    const [from, to] = [new Date(nominal - 90 * 60_000), new Date(nominal - 1)];
    const before = newestWithin(this.#expr, this.#zone, from, to)?.getTime();
    if (before !== undefined && before >= this.#status.next) this.ticked(before);
  }

  /** After an invocation that began at this time, early or late. Early, the planned time counts as that of the tick. */
  ticked(began: number, isPastDue = false): void {
    const last = isPastDue ? began : Math.max(began, this.#status.next);
    this.#status = { last, next: this.after(last), lastUpdated: last };
  }

  /** What the function gets. */
  given({ isPastDue = false, isKnown = true } = {}): Timer {
    const { last, next, lastUpdated } = this.#status;
    const text = (time: number | undefined) => (time === undefined ? NEVER : new Date(time).toISOString());
    const status = { last: text(last), next: text(next), lastUpdated: text(lastUpdated) };
    const scheduleStatus = isKnown && this.#isMonitored ? status : null;
    return { isPastDue, schedule: { adjustForDST: true }, scheduleStatus } as unknown as Timer;
  }
}
