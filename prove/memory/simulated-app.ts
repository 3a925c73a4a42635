import type { InvocationContext } from '@azure/functions';
import type { Dependencies } from '#app/dependencies.ts';
import type { StorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { httpRequest } from '../../test/support/builders/http-request.ts';
import { plainTraits } from '../../test/support/builders/plain-traits.ts';
import type { Random } from '../../test/support/builders/random.ts';
import type { Played } from '../seeds/played.ts';
import { type ActivityHost, Durable, type Mishaps, NO_MISHAPS, type Orchestrator } from './durable.ts';
import { MemoryAccount, MemoryStorage, type Traits } from './memory-account.ts';
import type { Call, Network } from './memory-blobs.ts';
import { type Faults, NO_FAULTS, networkOf } from './network.ts';
import { digestOf, playOut } from './play-out.ts';
import { Scheduler } from './scheduler.ts';
import type { Activity, Handlers } from './worker.ts';
import { type Answered, Workforce } from './workforce.ts';

/** Events of every simulated app that a proof counts. */
export const APP_EVENTS = [
  'fault: before',
  'fault: lost',
  'fault: late',
  'fault: denied',
  'fault: carried out after its sender died',
  'request failed',
  'crash',
];

export interface SimulatedAppPlan {
  random: Random;
  /** Virtual time of the first step. */
  beginning: number;
  /** Milliseconds that a step takes at most. */
  pace: number;
  faults: Faults['rates'];
  /** If given, faults hit these operations only. */
  faultsOnly?: ReadonlySet<string> | undefined;
  mishaps: Mishaps;
  /** Milliseconds that a request takes without any fault, until the faults end. */
  delay?: (call: Call) => number;
  orchestrators: Record<string, Orchestrator>;
  /** What a process has that starts now. */
  configurationOf: () => Dependencies['configuration'];
  limits: Dependencies['limits'];
  workers: number;
  /** Milliseconds by which the clock of a process may be off, in either direction. */
  skew: number;
  tables?: (alias: string, network: Network) => TableAccount;
  /** How the table service of the vault answers all the time; undefined if the catalog is within reach. */
  catalog?: StorageError | undefined;
  /** Replaces activities: to observe them, or to break the app on purpose. */
  activities?: ((activities: Record<string, Activity>) => Record<string, Activity>) | undefined;
  /** Changes of any account. */
  changed: Traits['changed'];
  /** Runs before every step, until the faults end. */
  beforeStep(): void;
  /** Reports a broken promise. */
  say(promise: string, message: string, about: string): void;
  /** The promise that a play without an end breaks. */
  convergence: string;
  /** Observes a fault of the network, or a mishap of the orchestration service. */
  disturbed?: (what: string) => void;
  answered?: Answered;
  finished?: (instance: { id: string; name: string; state: string; output: unknown }) => void;
}

export interface Answer {
  /** 0 if the process died before it answered. */
  status: number;
  body: {
    id?: string;
    status?: string;
    code?: string;
    detail?: string;
    problems?: { code: string }[];
    runs?: { id: string }[];
  };
}

export interface CopyTroubles {
  /** The portion of the pending copies that fail or hang; none if absent. */
  rate?: number;
  deadlineMs: number;
}

/**
 * The app in processes that can die, on accounts in memory, behind a network with faults, in virtual time. Everything
 * random follows from one seed. Records each step in a trace, and counts events.
 */
export class SimulatedApp {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly durable: Durable;
  /** The orchestrations of another host on the same vault: neither host knows those of the other. */
  readonly elsewhere: Durable;
  readonly workforce: Workforce;
  readonly trace: string[] = [];
  readonly statistics: Record<string, number> = {};
  /** True once all faults have ended. */
  isQuiet = false;
  readonly #plan: SimulatedAppPlan;
  readonly #storage = new MemoryStorage();
  readonly #accounts: Record<string, MemoryAccount> = {};
  readonly #faults: Faults;

  constructor(plan: SimulatedAppPlan) {
    this.#plan = plan;
    const { random, orchestrators, tables } = plan;
    this.random = random;
    this.scheduler = new Scheduler(random, plan.beginning, plan.pace);
    this.scheduler.trace = (label, owner) => this.note(label, owner?.name);
    this.scheduler.onStep = () => {
      if (!this.isQuiet) plan.beforeStep();
    };
    this.#faults = {
      rates: plan.faults,
      only: plan.faultsOnly,
      delay: (call) => (this.isQuiet ? 0 : (plan.delay?.(call) ?? 0)),
      met: (what) => {
        this.count(what === 'request failed' ? what : `fault: ${what}`);
        this.note(`(${what})`);
        plan.disturbed?.(what);
      },
    };
    const network = networkOf(this.scheduler, random, this.#faults);
    const host: ActivityHost = {
      execute: (name, input, ended, died) => this.workforce.execute(name, input, ended, died),
      met: (what) => {
        this.count(what);
        plan.disturbed?.(what);
      },
      broken: (message) => plan.say('replay', message, ''),
      finished: (instance) => plan.finished?.(instance),
    };
    this.durable = new Durable(this.scheduler, random, orchestrators, host);
    this.elsewhere = new Durable(this.scheduler, random, orchestrators, host);
    this.durable.mishaps = plan.mishaps;
    this.elsewhere.mishaps = plan.mishaps;
    this.workforce = new Workforce({
      scheduler: this.scheduler,
      random,
      network,
      durable: this.durable,
      elsewhere: this.elsewhere,
      configurationOf: plan.configurationOf,
      limits: plan.limits,
      accounts: this.#accounts,
      ...(tables && { tables: (alias) => tables(alias, network) }),
      skew: plan.skew,
      refuseCatalog: () => {
        if (!plan.catalog) return;
        this.count('catalog out of reach');
        throw plan.catalog;
      },
      activities: plan.activities,
      answered: plan.answered,
      bug: (message) => plan.say('bug', message, ''),
      warned: (name) => this.count(name === 'lock-taken-over' ? 'lock taken over' : name),
    });
  }

  /** Adds an account. `clock` is the difference to the virtual time; pages have at most `pageSize` items. */
  account(alias: string, traits: { clock?: number; pageSize?: number } & Partial<Traits>): MemoryAccount {
    const { clock = 0, pageSize, ...own } = traits;
    const account = new MemoryAccount(
      this.#storage,
      alias,
      plainTraits({
        now: () => this.scheduler.now + clock,
        changed: (change) => this.#plan.changed(change),
        ...(pageSize !== undefined && {
          page: (limit) => (this.random.chance(0.1) ? 0 : Math.min(limit, this.random.between(1, pageSize))),
        }),
        ...own,
      }),
    );
    this.#accounts[alias] = account;
    return account;
  }

  /** Plays a story to its end. */
  async play(
    story: () => Promise<void>,
    mostSteps: number,
    vault: MemoryAccount,
    violations: Played['violations'],
  ): Promise<Played> {
    for (let hired = 0; hired < this.#plan.workers; hired++) this.workforce.hire();
    await playOut(this.scheduler, story, mostSteps, (what, message) =>
      this.#plan.say(what === 'broken' ? 'simulation' : this.#plan.convergence, message, ''),
    );
    this.statistics.steps = this.scheduler.taken;
    return { violations, trace: this.trace, digest: digestOf(this.trace, vault), statistics: this.statistics };
  }

  /** Sends a request to any process of the app. */
  async ask(
    what: keyof Handlers,
    params: Record<string, string>,
    body: object = {},
    elsewhere = false,
  ): Promise<Answer> {
    const worker = this.workforce.any();
    if (!worker) return { status: 0, body: {} };
    const request = httpRequest({ params, body });
    const context = { functionName: what, invocationId: 'simulated' } as InvocationContext;
    const answer = await new Promise<Answer>((resolve) => {
      worker.do(
        () => worker.handlers[what](request, elsewhere ? worker.elsewhere : worker.client, context),
        (outcome) => {
          if ('thrown' in outcome) throw outcome.thrown;
          resolve({ status: outcome.value.status ?? 0, body: JSON.parse(String(outcome.value.body)) });
        },
        () => resolve({ status: 0, body: {} }),
      );
    });
    const { id = '', status = '', code = '' } = answer.body;
    this.note(
      `answer to ${what}${elsewhere ? ' by the other host' : ''} ${JSON.stringify(body)}: ${answer.status} ${id} ${status} ${code}`,
    );
    return answer;
  }

  /** The orchestrations in progress on any host. */
  get active(): { id: string; name: string; stuck: boolean }[] {
    return [...this.durable.active, ...this.elsewhere.active];
  }

  /** Waits, as long as patience lasts, until every orchestration that can end has ended. */
  async untilEnded(patience: number): Promise<void> {
    const end = this.scheduler.now + patience;
    while (this.scheduler.now < end && this.active.some(({ stuck }) => !stuck)) {
      await this.scheduler.sleep(this.random.between(1_000, 20_000), 'the user waited');
    }
  }

  /** Kills a process, if there is one; another starts later. */
  crash(): boolean {
    const worker = this.workforce.any();
    if (!worker) return false;
    this.note(`${worker.name} dies`);
    this.count('crash');
    this.workforce.lose(worker);
    this.later('a process starts', this.random.between(1, 90_000), () => {
      if (this.workforce.size < this.#plan.workers) this.workforce.hire();
    });
    return true;
  }

  /** Replaces all processes, each after a time of its own. */
  replaceAll(delay: () => number): void {
    for (const worker of this.workforce.all()) {
      this.later(`${worker.name} is replaced`, delay(), () => {
        if (!worker.alive) return;
        this.note(`${worker.name} dies`);
        this.workforce.lose(worker);
        this.workforce.hire();
      });
    }
  }

  /** Ends all faults and mishaps; at least one process runs from now on. */
  endFaults(): void {
    this.note('all faults end here');
    this.isQuiet = true;
    this.#faults.rates = NO_FAULTS;
    this.durable.mishaps = NO_MISHAPS;
    this.elsewhere.mishaps = NO_MISHAPS;
    while (this.workforce.size === 0) this.workforce.hire();
  }

  /** Lets the service end a pending copy later; says whether that copy is in trouble. */
  endCopyLater(
    account: MemoryAccount,
    { container, name, copyId }: { container: string; name: string; copyId: string },
    { rate, deadlineMs }: CopyTroubles,
  ): boolean {
    const { random } = this;
    this.count('copy pending');
    const end = (status: 'success' | 'failed', ms: number) =>
      this.later(`the service ends the copy onto ${container}/${name}`, ms, () =>
        account.endCopy(container, name, copyId, status),
      );
    if (this.isQuiet || rate === undefined || !random.chance(rate)) {
      end('success', random.between(1, deadlineMs / 3));
      return false;
    }
    const fails = random.chance(0.5);
    this.count(fails ? 'copy fails' : 'copy hangs');
    if (fails) end('failed', random.between(1, deadlineMs));
    else if (random.chance(0.5)) end('success', random.between(deadlineMs, 20 * deadlineMs));
    return true;
  }

  later(label: string, ms: number, run: () => void): void {
    this.scheduler.add({ label, owner: undefined, run }, ms);
  }

  note(what: string, who?: string): void {
    const time = new Date(this.scheduler.now).toISOString().slice(0, 23);
    this.trace.push(`${time} ${who === undefined ? '' : `${who}: `}${what}`);
  }

  count(event: string): void {
    this.statistics[event] = (this.statistics[event] ?? 0) + 1;
  }
}
