import pLimit from 'p-limit';
import { makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import type { Random } from '../../test/support/builders/random.ts';
import { type Durable, durableClient, type Settled } from './durable.ts';
import type { MemoryAccount } from './memory-account.ts';
import { MemoryBlobs, type Network } from './memory-blobs.ts';
import { MemoryCatalog, type Rows } from './memory-catalog.ts';
import type { Scheduler } from './scheduler.ts';
import { type Activity, handlersOf, Worker } from './worker.ts';

/** Where the app's processes work, and who is told of what they do wrong. */
export interface Employer {
  scheduler: Scheduler;
  random: Random;
  network: Network;
  durable(): Durable;
  configuration: Dependencies['configuration'];
  limits: Dependencies['limits'];
  accounts: Record<string, MemoryAccount>;
  rows: Rows;
  /** Milliseconds that a process's clock may be off, either way. */
  skew: number;
  sabotage?: ((activities: Record<string, Activity>) => Record<string, Activity>) | undefined;
  /** Failures that this matches are made up, and nothing to be told of. */
  madeUp: RegExp;
  /** A failure that is no answer of the storage, and so the app's own. */
  bug(message: string): void;
  warned(name: string): void;
}

/** The processes that the app runs in: any of them executes what comes, and every one can die. */
export class Workforce {
  readonly #employer: Employer;
  readonly #workers: Worker[] = [];
  #made = 0;

  constructor(employer: Employer) {
    this.#employer = employer;
  }

  get size(): number {
    return this.#workers.length;
  }

  hire(): Worker {
    const { random, network, accounts, rows, scheduler, configuration, limits, sabotage } = this.#employer;
    const skew = random.between(-this.#employer.skew, this.#employer.skew);
    const deps: Dependencies = {
      configuration,
      limits,
      telemetry: this.#telemetry(),
      copySlots: pLimit(limits.copiesAtOnce),
      blobs: (alias) => new MemoryBlobs(accounts[alias]!, network),
      tables: () => {
        throw new Error('There are no tables in this world');
      },
      catalog: (alias) => new MemoryCatalog(alias, rows, network),
      now: () => new Date(scheduler.now + skew),
      random: () => random.letters(6),
    };
    const activities = makeActivities(deps) as unknown as Record<string, Activity>;
    const client = durableClient(this.#employer.durable(), (what, writes, carryOut) =>
      // It answers over HTTP like a storage account, and its failures are no storage errors.
      network({ account: 'HOST', operation: what, writes }, carryOut).catch((error) => {
        throw isStorageError(error) ? new Error('The orchestration service failed: HTTP 500') : error;
      }),
    );
    const worker = new Worker(`process ${++this.#made}`, {
      activities: sabotage?.(activities) ?? activities,
      handlers: handlersOf(deps),
      client,
    });
    this.#workers.push(worker);
    return worker;
  }

  any(): Worker | undefined {
    return this.#workers.length === 0 ? undefined : this.#employer.random.pick(this.#workers);
  }

  /** It is gone at once, with all that it was about to do. */
  lose(worker: Worker): void {
    worker.die();
    this.#employer.scheduler.drop(worker);
    this.#workers.splice(this.#workers.indexOf(worker), 1);
  }

  execute(name: string, input: unknown, ended: (settled: Settled) => void, died: () => void): boolean {
    const worker = this.any();
    if (!worker) return false;
    worker.do(
      () => worker.activities[name]!(input),
      (outcome) => {
        if ('thrown' in outcome && !isStorageError(outcome.thrown)) {
          this.#employer.bug(`${name} threw ${(outcome.thrown as Error).stack}`);
        }
        // Between the end of an activity and its answer a process can die, too.
        const run = () => {
          ended('value' in outcome ? { value: outcome.value } : { error: String(outcome.thrown) });
        };
        this.#employer.scheduler.add({ label: `${name} answers`, owner: worker, run, dropped: died });
      },
      died,
    );
    return true;
  }

  #telemetry(): Telemetry {
    const { bug, warned, madeUp } = this.#employer;
    return new (class extends Telemetry {
      override failure(activity: string, error: unknown): void {
        const message = error instanceof Error ? error.message : String(error);
        if (isStorageError(error) || madeUp.test(message)) return;
        bug(`${activity} failed by itself: ${error instanceof Error ? error.stack : message}`);
      }
      override warn(name: string): void {
        warned(name);
      }
    })(() => {});
  }
}
