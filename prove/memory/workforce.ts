import pLimit from 'p-limit';
import { makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { PatientCatalog } from '#storage/patient-catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import type { Random } from '../../test/support/builders/random.ts';
import { type Durable, durableClient, type Settled } from './durable.ts';
import type { MemoryAccount } from './memory-account.ts';
import { MemoryBlobs, type Network } from './memory-blobs.ts';
import { MemoryCatalog, type Rows } from './memory-catalog.ts';
import type { Scheduler } from './scheduler.ts';
import { type Activity, handlersOf, Worker } from './worker.ts';

/** Observes how an activity ended, when its answer arrives. */
export type Answered = (activity: string, outcome: { value: unknown } | { thrown: unknown }) => void;

/** What the processes of the app share, and whom they report to. */
export interface Employer {
  scheduler: Scheduler;
  random: Random;
  network: Network;
  durable: Durable;
  /** The orchestrations of another host on the same vault. */
  elsewhere: Durable;
  /** What a process has that starts now. */
  configurationOf: () => Dependencies['configuration'];
  limits: Dependencies['limits'];
  accounts: Record<string, MemoryAccount>;
  tables?: (alias: string) => TableAccount;
  /** Throws if the table service of the vault is out of reach. */
  refuseCatalog: () => void;
  /** Milliseconds by which the clock of a process may be off, in either direction. */
  skew: number;
  /** Replaces activities. */
  activities: ((activities: Record<string, Activity>) => Record<string, Activity>) | undefined;
  answered: Answered | undefined;
  /** Reports a failure that is not a storage error, and so the app's own. */
  bug(message: string): void;
  warned(name: string): void;
}

/** Failures that the simulation makes up, and that are not the app's. */
const MADE_UP = /orchestration service failed/;

/** The processes of the app: any of them executes an activity or a request, and each can die. */
export class Workforce {
  readonly #employer: Employer;
  readonly #workers: Worker[] = [];
  readonly #rows: Rows = new Map();
  #hired = 0;

  constructor(employer: Employer) {
    this.#employer = employer;
  }

  get size(): number {
    return this.#workers.length;
  }

  hire(): Worker {
    const { random, network, accounts, tables, scheduler, configurationOf, limits, refuseCatalog } = this.#employer;
    const skew = random.between(-this.#employer.skew, this.#employer.skew);
    const now = () => new Date(scheduler.now + skew);
    const catalogs = new Map<string, PatientCatalog>();
    const deps: Dependencies = {
      configuration: configurationOf(),
      limits,
      telemetry: this.#telemetry(),
      notifier: { send: async () => {}, ping: async () => {} },
      missedStarts: new Map(),
      checkConfiguration: () => ({ problems: [] }),
      copySlots: pLimit(limits.copiesAtOnce),
      blobs: (alias) => new MemoryBlobs(accounts[alias]!, network),
      tables: (alias) => {
        if (!tables) throw new Error('This simulation has no tables');
        return tables(alias);
      },
      probeQueues: () => undefined,
      probe: () => {
        throw new Error('No run checks rights');
      },
      catalog: (alias) => {
        const known = catalogs.get(alias);
        if (known) return known;
        const made = new PatientCatalog(new MemoryCatalog(alias, this.#rows, network, refuseCatalog), now);
        catalogs.set(alias, made);
        return made;
      },
      now,
      random: () => random.letters(6),
    };
    const activities = makeActivities(deps) as unknown as Record<string, Activity>;
    const clientOf = (durable: Durable) =>
      durableClient(durable, (what, writes, carryOut) =>
        // The service answers over HTTP like a storage account, and its failures are not storage errors.
        network({ account: 'HOST', operation: what, writes }, carryOut).catch((error) => {
          throw isStorageError(error) ? new Error('The orchestration service failed: HTTP 500') : error;
        }),
      );
    const worker = new Worker(`process ${++this.#hired}`, {
      // A list of tasks finds the replaced activities, too.
      activities: Object.assign(activities, this.#employer.activities?.({ ...activities })),
      handlers: handlersOf(deps),
      client: clientOf(this.#employer.durable),
      elsewhere: clientOf(this.#employer.elsewhere),
      deps,
    });
    this.#workers.push(worker);
    return worker;
  }

  all(): Worker[] {
    return [...this.#workers];
  }

  any(): Worker | undefined {
    return this.#workers.length === 0 ? undefined : this.#employer.random.pick(this.#workers);
  }

  /** Ends a process at once, with everything that it was about to do. */
  lose(worker: Worker): void {
    const { durable, random } = this.#employer;
    worker.endsActivities = random.chance(durable.mishaps.endedByDeath);
    worker.die();
    this.#employer.scheduler.drop(worker);
    this.#workers.splice(this.#workers.indexOf(worker), 1);
  }

  execute(name: string, input: unknown, ended: (settled: Settled) => void, lost: (fails: boolean) => void): boolean {
    const worker = this.any();
    if (!worker) return false;
    const died = () => lost(worker.endsActivities);
    worker.do(
      () => worker.activities[name]!(input),
      (outcome) => {
        if ('thrown' in outcome && !isStorageError(outcome.thrown)) {
          this.#employer.bug(`${name} threw ${(outcome.thrown as Error).stack}`);
        }
        // A process can also die between the end of an activity and its answer.
        const run = () => {
          this.#employer.answered?.(name, outcome);
          ended('value' in outcome ? { value: outcome.value } : { error: String(outcome.thrown) });
        };
        this.#employer.scheduler.add({ label: `${name} answers`, owner: worker, run, dropped: died });
      },
      died,
    );
    return true;
  }

  #telemetry(): Telemetry {
    const { bug, warned } = this.#employer;
    return new (class extends Telemetry {
      override failure(activity: string, error: unknown): void {
        const message = error instanceof Error ? error.message : String(error);
        if (isStorageError(error) || MADE_UP.test(message)) return;
        bug(`${activity} failed: ${error instanceof Error ? error.stack : message}`);
      }
      override warn(name: string): void {
        warned(name);
      }
    })(() => {});
  }
}
