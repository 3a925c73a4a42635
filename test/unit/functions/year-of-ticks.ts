import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { closeRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { RunRef } from '#domain/run/run.ts';
import { hostSchedule, newestWithin, nextAfter } from '#domain/run/schedule.ts';
import { runOnScheduleHandler } from '#functions/run-on-schedule.ts';
import { StorageError } from '#storage/storage-error.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';
import type { Random } from '../../support/builders/random.ts';
import { RealTimer } from './real-timer.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A daily schedule, and the zone of the machine that the host goes by. */
export interface Place {
  zone: string;
  hour: number;
  minute: number;
  second?: number;
  hostZone?: string;
  /** False if the host never tells when it ticked last. */
  isMonitored?: boolean;
}

export interface Started {
  run: string;
  at: number;
  began: boolean;
  /** Whether it never began, or its host lost it. */
  lost: boolean;
}

/** A tick that the timer delivered. */
export interface Tick {
  at: number;
  /** The time of the tick before, if the host says so. */
  last: number | undefined;
  /** When the run started that was in progress then. */
  busySince: number | undefined;
  failed: boolean;
  /** Whether it is the first of a timer that knows of none before. */
  isNew: boolean;
  /** Whether the vault was out of reach when it came. */
  isOut: boolean;
  /** Whether what is wrong lasts longer than the timer tries. */
  hopeless: boolean;
}

/** A year of a job with a daily schedule, as the timer of a Functions host plays it, and everything that goes wrong. */
export class YearOfTicks {
  readonly started: Started[] = [];
  readonly ticks: Tick[] = [];
  readonly met: Record<string, number> = {};
  readonly vault = new Vault({ retryDelayMs: 800 });
  readonly #place: Required<Omit<Place, 'second'>> & { expr: string };
  #timer!: RealTimer;
  readonly #random: Random;
  readonly #active = new Map<string, { run: RunRef; ends: number }>();
  #outageEnds = 0;
  #failedStarts = 0;
  #isKnown = true;

  constructor(place: Place, random: Random) {
    const { zone, hour, minute, second = 0, hostZone = 'UTC', isMonitored = true } = place;
    this.#place = { zone, hour, minute, hostZone, isMonitored, expr: `${second} ${minute} ${hour} * * *` };
    this.#random = random;
    this.vault.jobs = [jobOf('nightly', { timeZone: zone })];
    this.vault.before = () => {
      if (this.now < this.#outageEnds) throw new StorageError('unreachable', 'The vault is out of reach');
    };
  }

  get now(): number {
    return this.vault.clock.app;
  }

  set now(time: number) {
    this.vault.clock.app = time;
    this.vault.clock.service = time;
  }

  async play(from: Date, to: Date): Promise<void> {
    const { expr, zone } = this.#place;
    this.now = from.getTime();
    this.#timer = this.#newTimer();
    for (let nominal = from.getTime(); ; ) {
      nominal = this.#timer.after(nominal);
      // Ticks far from any occurrence need not be played.
      const next = nextAfter(expr, zone, new Date(nominal - 90 * MINUTE))!.getTime();
      if (next - nominal > 10 * MINUTE && !this.#isOwed()) {
        nominal = this.#timer.after(next - 10 * MINUTE);
        this.#timer.skipTo(nominal);
      }
      if (nominal > to.getTime()) return;
      nominal = await this.#turn(nominal);
    }
  }

  #newTimer(): RealTimer {
    const { expr, zone, hostZone, isMonitored } = this.#place;
    return new RealTimer(hostSchedule(expr, zone), hostZone, { now: this.now, isMonitored });
  }

  /** Whether no run that was kept has begun since the newest occurrence. */
  #isOwed(): boolean {
    const { expr, zone } = this.#place;
    const newest = newestWithin(expr, zone, new Date(this.now - 5 * DAY), new Date(this.now))?.getTime();
    const kept = this.started.findLast(({ began, lost }) => began && !lost);
    return newest !== undefined && kept !== undefined && kept.at < newest - MINUTE;
  }

  /** Plays one tick, or what happens instead. Returns the time from which the timer looks for the next. */
  async #turn(nominal: number): Promise<number> {
    if (this.#happens('the host is down', 0.005)) {
      const back = nominal + this.#random.between(MINUTE, this.#random.pick([HOUR, HOUR, DAY, 4 * DAY]));
      // After a start, a timer that missed any tick fires at once.
      await this.#fire(Math.max(back, this.now), true);
      return this.now;
    }
    if (this.#happens('missing', 0.02)) return nominal;
    if (this.#happens('the status is lost', 0.01)) {
      // The data folder of one host, or the container of the other, is new after some time.
      this.now = Math.max(nominal, this.now) + this.#random.between(1, this.#random.pick([MINUTE, DAY, 3 * DAY]));
      this.#timer = this.#newTimer();
      return this.now;
    }
    let at = nominal;
    if (this.#happens('early by milliseconds', 0.3)) at -= this.#random.between(1, 20);
    else if (this.#happens('early by seconds', 0.1)) at -= this.#random.between(SECOND, 25 * SECOND);
    else if (this.#happens('late', 0.2)) at += this.#random.between(1, 20 * MINUTE);
    // An occurrence that passed during an invocation follows at once.
    at = Math.max(at, this.now + 1);
    await this.#fire(at, false);
    return Math.max(nominal, at);
  }

  async #fire(at: number, isPastDue: boolean): Promise<void> {
    this.now = at;
    await this.#endRuns();
    if (this.#happens('outage of minutes', 0.02)) this.#outageEnds = at + this.#random.between(1, 2 * MINUTE);
    else if (this.#happens('outage of hours', 0.01)) this.#outageEnds = at + this.#random.between(1, 9 * HOUR);
    else if (this.#happens('failed starts', 0.02)) this.#failedStarts = this.#random.pick([1, 2, 20]);
    this.#isKnown = !this.#happens('no status', 0.05);
    const [busy] = this.#active.keys();
    const busySince = this.started.find(({ run }) => run === busy)?.at;
    const hopeless = this.#outageEnds > at + 2 * MINUTE || this.#failedStarts > 1;
    const last = this.#isKnown ? this.#timer.last : undefined;
    const isNew = this.#isKnown && this.#place.isMonitored && last === undefined;
    const tick = { at, last, busySince, failed: false, isNew, isOut: this.#outageEnds > at, hopeless };
    this.ticks.push(tick);
    await this.#giveSigns();
    const times = this.#happens('doubled', 0.1) ? 2 : 1;
    const results = await Promise.all(Array.from({ length: times }, () => this.#tick(isPastDue)));
    tick.failed = results.includes('failed');
    this.#failedStarts = 0;
    this.#timer.ticked(at, isPastDue);
  }

  async #tick(isPastDue: boolean): Promise<'ended' | 'failed'> {
    const { expr } = this.#place;
    // Each tick may reach another process, which remembers nothing.
    const handler = runOnScheduleHandler(this.#deps(), this.vault.jobs[0]!, expr, 'backup');
    const timer = this.#timer.given({ isPastDue, isKnown: this.#isKnown });
    const context = { debug: () => {} } as unknown as InvocationContext;
    return handler(timer, this.#client(), context).then(
      () => 'ended',
      () => 'failed',
    );
  }

  #client(): DurableClient {
    const client = {
      getStatus: async (id: string) => {
        const found = this.#active.get(id);
        if (!found) throw new Error('HTTP 404');
        return { runtimeStatus: 'Running' };
      },
      startNew: async (_name: string, { input }: { input: { run: RunRef } }) => {
        const started = { run: input.run.id, at: this.now, began: true, lost: false };
        this.started.push(started);
        if (this.#failedStarts > 0) {
          this.#failedStarts--;
          Object.assign(started, { began: false, lost: true });
          // The process may also lose the vault, and cannot say that the run never began.
          if (this.#happens('a start that nothing closes', 0.5)) this.#outageEnds = this.now + 30 * SECOND;
          throw new Error('The orchestration service failed');
        }
        const minutes = this.#random.pick([1, 5, 40, 40, 100]);
        const ends = this.now + (this.#happens('a long run', 0.01) ? 30 * HOUR : minutes * MINUTE);
        this.#active.set(started.run, { run: input.run, ends });
      },
    };
    return client as unknown as DurableClient;
  }

  async #endRuns(): Promise<void> {
    for (const [id, { run, ends }] of this.#active) {
      if (ends > this.now && !this.#happens('a run is lost', 0.005)) continue;
      this.#active.delete(id);
      if (ends > this.now) this.started.find((started) => started.run === id)!.lost = true;
      else await this.#publish(run);
    }
  }

  /** As the activities of each run in progress do every minute. */
  async #giveSigns(): Promise<void> {
    const outage = this.#outageEnds;
    this.#outageEnds = 0;
    for (const { run } of this.#active.values()) await this.vault.control.signOfLife(run, new Date(this.now));
    this.#outageEnds = outage;
  }

  async #publish(run: RunRef): Promise<void> {
    const outage = this.#outageEnds;
    this.#outageEnds = 0;
    await closeRun(this.#deps(), { run, vault: 'VAULT' }, 'cancelled');
    if (!this.#happens('a lock that is not released', 0.1)) {
      await this.vault.control.releaseLock(run, new Date(this.now));
    }
    this.#outageEnds = outage;
  }

  #deps(): Dependencies {
    const deps = this.vault.deps();
    const telemetry = Object.assign(deps.telemetry, { startFailed: () => {}, runNotStarted: () => {} });
    return { ...deps, telemetry };
  }

  #happens(what: string, chance: number): boolean {
    if (!this.#random.chance(chance)) return false;
    this.met[what] = (this.met[what] ?? 0) + 1;
    return true;
  }
}
