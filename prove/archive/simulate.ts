import type { InvocationContext } from '@azure/functions';
import pLimit from 'p-limit';
import type { Upload } from '#activities/archive/archive-upload.ts';
import type { KeepPoisonInput } from '#activities/archive/keep-poison.ts';
import { makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { queueEventsHandler } from '#functions/archive/archive-events.ts';
import { queuePoisonHandler } from '#functions/archive/poison-events.ts';
import { startRun } from '#functions/run/start-run.ts';
import { finishUpload } from '#orchestrations/finish-upload.ts';
import { processContainer } from '#orchestrations/process-container.ts';
import { processGroup } from '#orchestrations/process-group.ts';
import { runJob } from '#orchestrations/run-job.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import { Random } from '../../test/support/builders/random.ts';
import { Durable, durableClient, NO_MISHAPS, type Orchestrator, type Settled } from '../memory/durable.ts';
import { type Change, MemoryAccount, MemoryStorage, type Traits } from '../memory/memory-account.ts';
import { MemoryBlobs, type Network } from '../memory/memory-blobs.ts';
import { MemoryCatalog, type Rows } from '../memory/memory-catalog.ts';
import { type FaultRates, NO_FAULTS, networkOf } from '../memory/network.ts';
import { Scheduler } from '../memory/scheduler.ts';
import { type Activity, type Handlers, Worker } from '../memory/worker.ts';
import { digestOf, playOut } from '../simulation/play-out.ts';
import type { Violation } from '../simulation/witness.ts';
import { ORDERS } from '../simulation/world.ts';
import { ARCHIVE, CONTROL, QUEUE, RULE, SOURCE } from './stage.ts';
import { ArchiveWitness } from './witness.ts';
import { type ArchiveWorld, drawArchiveWorld } from './world.ts';

export interface Simulated {
  seed: number;
  violations: Violation[];
  /** What happened, step by step. */
  trace: string[];
  /** Of the trace and the vault's last state. */
  digest: string;
  /** How often what was met. */
  statistics: Record<string, number>;
}

export interface SimulationSabotage {
  storage?: (storage: { source: MemoryAccount; vault: MemoryAccount }) => void;
}

interface Process {
  worker: Worker;
  deps: Dependencies;
}

interface Message {
  id: string;
  name: string;
  text: string;
  /** Of the version that was written when it was sent, whether it says so or not. */
  etag: string;
  tries: number;
  state: 'waits' | 'worked off' | 'given up';
}

const MOST_STEPS = 60_000;
const BEGINNING = Date.UTC(2026, 4, 1, 22);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** As the host does. */
const TRIES = 5;
const VISIBILITY = 10 * MINUTE;

/** Plays one seed of uploads, messages and whatever befalls them to its end. The same seed gives the same trace. */
export async function simulateArchiving(seed: number, sabotage: SimulationSabotage = {}): Promise<Simulated> {
  return new ArchiveSimulation(seed, sabotage).play();
}

class ArchiveSimulation {
  readonly #seed: number;
  readonly #random: Random;
  readonly #world: ArchiveWorld;
  readonly #scheduler: Scheduler;
  readonly #storage = new MemoryStorage();
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #rows: Rows = new Map();
  readonly #witness: ArchiveWitness;
  readonly #durable: Durable;
  readonly #network: Network;
  readonly #faults: { rates: FaultRates; only: undefined; met(what: string): void };
  readonly #statistics: Record<string, number> = {};
  readonly #trace: string[] = [];
  readonly #processes: Process[] = [];
  readonly #messages: Message[] = [];
  /** Versions that no message tells of any more. */
  readonly #untold = new Set<string>();
  #hired = 0;
  #atWork = 0;
  #crashes: number;
  #leaps: number;
  #quiet = false;

  constructor(seed: number, sabotage: SimulationSabotage) {
    this.#seed = seed;
    const random = new Random(seed);
    this.#random = random;
    const world = drawArchiveWorld(random);
    this.#world = world;
    this.#crashes = world.crashes;
    this.#leaps = world.leaps;
    this.#scheduler = new Scheduler(random, BEGINNING, world.pace);
    this.#scheduler.trace = (label, owner) => this.#note(label, owner?.name);
    this.#scheduler.onStep = () => this.#happen();
    const account = (alias: string, clock: number) => {
      const traits: Traits = {
        compare: ORDERS.utf16,
        page: (limit) => (random.chance(0.1) ? 0 : Math.min(limit, random.between(1, world.page))),
        now: () => this.#scheduler.now + clock,
        tiers: ['Hot', 'Cool', 'Cold', 'Archive'],
        tags: true,
        unsupported: [],
        staysPending: () => random.chance(world.pending),
        started: (container, name, id) => this.#copyStarted(container, name, id),
        changed: (change) => this.#changed(change),
      };
      return new MemoryAccount(this.#storage, alias, traits);
    };
    this.#source = account('SOURCE', world.sourceClock);
    this.#vault = account('VAULT', world.vaultClock);
    const { folders } = world.rule.destination;
    // Blocks are read before they are committed: a version may be gone, be told as missed, and arrive all the same.
    const comesLate = world.rule.method === 'blocks';
    this.#witness = new ArchiveWitness({ source: this.#source, vault: this.#vault, folders, comesLate });
    this.#witness.onViolation = ({ promise, message }) => this.#note(`!! ${promise}: ${message}`);
    this.#source.createContainer(SOURCE);
    for (const container of [ARCHIVE, CONTROL]) this.#vault.createContainer(container);
    sabotage.storage?.({ source: this.#source, vault: this.#vault });
    this.#faults = {
      rates: world.faults,
      only: undefined,
      met: (what) => {
        this.#count(what === 'given up' ? 'request given up' : `fault: ${what}`);
        this.#note(`(${what})`);
      },
    };
    this.#network = networkOf(this.#scheduler, random, this.#faults);
    const orchestrators = { runJob, processGroup, processContainer, finishUpload };
    this.#durable = new Durable(this.#scheduler, random, orchestrators as Record<string, Orchestrator>, {
      execute: (name, input, ended, died) => this.#execute(name, input, ended, died),
      met: (what) => this.#count(what),
      broken: (message) => this.#witness.say('replay', message, ''),
      finished: ({ id, name, state, output }) => {
        this.#note(`${name} ${id} ended: ${state} ${JSON.stringify(output)}`);
        if (state === 'Failed') this.#witness.say('bug', `${name} failed: ${output}`, id);
      },
    });
    this.#durable.mishaps = world.mishaps;
  }

  async play(): Promise<Simulated> {
    for (let i = 0; i < this.#world.workers; i++) this.#hire();
    await playOut(
      this.#scheduler,
      () => this.#story(),
      MOST_STEPS,
      (what, message) => this.#witness.say(what === 'broken' ? 'simulation' : 'P3', message, ''),
    );
    this.#statistics.steps = this.#scheduler.taken;
    return {
      seed: this.#seed,
      violations: this.#witness.violations,
      trace: this.#trace,
      digest: digestOf(this.#trace, this.#vault),
      statistics: this.#statistics,
    };
  }

  async #story(): Promise<void> {
    const random = this.#random;
    let { reconciles } = this.#world;
    for (let edit = 0; edit < this.#world.edits; edit++) {
      await this.#scheduler.sleep(random.between(1, this.#world.pause));
      this.#edit();
      if (reconciles > 0 && random.chance(0.3)) {
        reconciles--;
        void this.#reconcile();
      }
    }
    // Somebody may give up at the worst of moments, or be still at it.
    await this.#scheduler.sleep(random.pick([1, MINUTE, 2 * HOUR]));
    this.#quiet = true;
    this.#faults.rates = NO_FAULTS;
    this.#durable.mishaps = NO_MISHAPS;
    this.#note('all is well again');
    while (this.#processes.length < this.#world.workers) this.#hire();
    await this.#settled();
    const told = [...this.#witness.present()].filter(({ etag }) => !this.#untold.has(etag));
    this.#witness.judge(told, 'the events');
    const areAllTold = this.#untold.size === 0;
    const before = this.#made();
    await this.#scheduler.sleep(5 * HOUR);
    await this.#reconcile();
    await this.#settled();
    if (this.#made() > before) this.#count('reconcile copied');
    else this.#count('reconcile found nothing to do');
    if (areAllTold && this.#made() > before) {
      this.#witness.say('P3', 'a reconcile copied what the events had archived', '');
    }
    this.#witness.judgeAll('a reconcile');
    this.#witness.judgeClaims();
    this.#witness.judgePoison();
    const after = this.#made();
    await this.#reconcile();
    await this.#settled();
    if (this.#made() > after) this.#witness.say('P3', 'a second reconcile copied something', '');
    if (!this.#world.calm) return;
    this.#count('nothing went wrong');
    this.#witness.judgeOnce();
  }

  /** Until nobody is at work, and nothing waits in a queue. */
  async #settled(): Promise<void> {
    const isIdle = () =>
      this.#atWork === 0 && this.#messages.every(({ state }) => state !== 'waits') && this.#durable.active.length === 0;
    while (!isIdle()) await this.#scheduler.sleep(10_000, 'somebody looked whether all is done');
  }

  #edit(): void {
    const random = this.#random;
    const name = random.chance(0.5) ? this.#world.names[0]! : random.pick(this.#world.names);
    if (this.#source.blob(SOURCE, name) && random.chance(0.15)) {
      this.#source.remove(SOURCE, name);
      this.#note(`the owner deleted ${name}`);
      return;
    }
    // Of one length: nothing but the ETag tells versions apart.
    const body = Buffer.from(`content ${String(random.below(1e9)).padStart(9, '0')}`);
    const { etag } = this.#source.write(SOURCE, { name, body });
    this.#note(`the owner wrote ${name}: ${etag}`);
    if (random.chance(this.#world.dropped)) {
      this.#count('message lost');
      this.#untold.add(etag);
      return;
    }
    this.#send(name, etag);
    if (random.chance(this.#world.doubled)) {
      this.#count('message doubled');
      this.#send(name, etag);
    }
  }

  #send(name: string, etag: string): void {
    const random = this.#random;
    const says = !random.chance(this.#world.vague);
    const text = JSON.stringify({ container: SOURCE, name, ...(says && { etag }) });
    const id = `m${this.#messages.length + 1}`;
    const message: Message = { id, name, text, etag, tries: 0, state: 'waits' };
    this.#messages.push(message);
    const delay = random.chance(this.#world.late) ? random.between(1, HOUR) : random.between(1, 2_000);
    this.#later(`message ${id} arrives`, delay, () => this.#deliver(message));
  }

  #deliver(message: Message): void {
    if (message.state !== 'waits') return;
    const random = this.#random;
    message.tries++;
    const tried = message.tries;
    const again = (ms: number) => {
      this.#count('try failed');
      this.#later(`message ${message.id} shows again`, ms, () => {
        if (message.tries >= TRIES) this.#giveUp(message);
        else this.#deliver(message);
      });
    };
    if (random.chance(this.#world.redelivered) && !this.#quiet) {
      // Its visibility could not be renewed.
      this.#count('delivered again while it is worked on');
      this.#work(
        `message ${message.id} once more`,
        (process) => this.#handle(process, message),
        () => {},
        () => {},
      );
    }
    this.#work(
      `message ${message.id}, try ${tried}`,
      (process) => this.#handle(process, message),
      (error) => {
        if (error === undefined) message.state = 'worked off';
        else again(random.between(1, 5_000));
      },
      () => again(VISIBILITY),
    );
  }

  #giveUp(message: Message): void {
    if (message.state !== 'waits') return;
    this.#count('given up by the queue');
    this.#untold.add(message.etag);
    const again = () => this.#later('the poison queue', MINUTE, () => this.#giveUp(message));
    this.#work(
      `message ${message.id} is given up`,
      ({ worker, deps }) => {
        const keepPoison = (input: KeepPoisonInput) => worker.activities.keepPoison!(input) as Promise<object>;
        return queuePoisonHandler(deps, { keepPoison }, `${QUEUE}-poison`, [this.#world.rule])(message.text);
      },
      (error) => {
        if (error === undefined) message.state = 'given up';
        else again();
      },
      again,
    );
  }

  async #handle({ worker, deps }: Process, message: Message): Promise<void> {
    const archiveUpload = async (upload: Upload) => {
      const result = (await worker.activities.archiveUpload!(upload)) as Awaited<
        ReturnType<ReturnType<typeof makeActivities>['archiveUpload']>
      >;
      this.#count(`upload: ${result.is}`);
      this.#note(`${message.id}: ${JSON.stringify(result)}`, worker.name);
      return result;
    };
    const handler = queueEventsHandler(deps, { archiveUpload }, QUEUE, [this.#world.rule]);
    const context = { triggerMetadata: { id: message.id } } as unknown as InvocationContext;
    await handler(message.text, worker.client, context);
  }

  /** One start; what it starts goes on by itself. */
  #reconcile(): Promise<void> {
    return new Promise((resolve) => {
      this.#count('reconcile at work');
      const again = () => {
        if (!this.#quiet) resolve();
        else this.#later('the reconcile is started again', MINUTE, () => this.#reconcile().then(resolve));
      };
      this.#work(
        'a reconcile is started',
        async ({ worker, deps }) => {
          const wanted = { job: RULE, mode: 'reconcile', trigger: 'timer', dryRun: false } as const;
          const result = await startRun(deps, worker.client, wanted);
          if ('running' in result && this.#quiet) throw new Error('Another is at work');
        },
        (error) => (error === undefined ? resolve() : again()),
        again,
      );
    });
  }

  /** Some process does it. `ended` is told of what it threw, but for a mistake of the app. */
  #work(what: string, work: (process: Process) => Promise<void>, ended: (error?: unknown) => void, died: () => void) {
    const process = this.#processes.length === 0 ? undefined : this.#random.pick(this.#processes);
    if (!process) {
      this.#later(`${what} finds nobody`, 1_000, died);
      return;
    }
    this.#note(what, process.worker.name);
    this.#atWork++;
    process.worker.do(
      () => work(process),
      (outcome) => {
        this.#atWork--;
        ended('thrown' in outcome ? (outcome.thrown ?? 'nothing') : undefined);
      },
      () => {
        this.#atWork--;
        died();
      },
    );
  }

  #execute(name: string, input: unknown, ended: (settled: Settled) => void, died: () => void): boolean {
    if (this.#processes.length === 0) return false;
    const { worker } = this.#random.pick(this.#processes);
    worker.do(
      () => worker.activities[name]!(input),
      (outcome) => {
        if ('thrown' in outcome && !isStorageError(outcome.thrown)) {
          this.#witness.say('bug', `${name} threw ${(outcome.thrown as Error).stack}`, '');
        }
        const settled = 'value' in outcome ? { value: outcome.value } : { error: String(outcome.thrown) };
        this.#scheduler.add({ label: `${name} answers`, owner: worker, run: () => ended(settled), dropped: died });
      },
      died,
    );
    return true;
  }

  #hire(): void {
    const { random, scheduler } = { random: this.#random, scheduler: this.#scheduler };
    const skew = random.between(-5_000, 5_000);
    const accounts = { SOURCE: this.#source, VAULT: this.#vault };
    const network = this.#network;
    const deps: Dependencies = {
      configuration: { jobs: [], archives: [this.#world.rule], accounts: new Map(), otherAccounts: [] },
      limits: this.#world.limits,
      telemetry: new Telemetry(() => {}),
      copySlots: pLimit(this.#world.limits.copiesAtOnce),
      blobs: (alias) => new MemoryBlobs(accounts[alias as keyof typeof accounts], network),
      tables: () => {
        throw new Error('There are no tables in this world');
      },
      catalog: (alias) => new MemoryCatalog(alias, this.#rows, network),
      now: () => new Date(scheduler.now + skew),
      random: () => random.letters(6),
    };
    const activities = makeActivities(deps) as unknown as Record<string, Activity>;
    const client = durableClient(this.#durable, (operation, writes, carryOut) =>
      network({ account: 'HOST', operation, writes }, carryOut).catch((error) => {
        throw isStorageError(error) ? new Error('The orchestration service failed: HTTP 500') : error;
      }),
    );
    const keepPoison: Activity = async (input) => {
      const { name, etag, problem } = input as KeepPoisonInput;
      if (problem) {
        this.#count('given up by an orchestration');
        for (const message of this.#messages) if (message.name === name) this.#untold.add(message.etag);
      }
      const result = await activities.keepPoison!(input);
      this.#witness.givenUp(name, etag);
      return result;
    };
    const worker = new Worker(`process ${++this.#hired}`, {
      activities: { ...activities, keepPoison },
      handlers: {} as Handlers,
      client,
    });
    this.#processes.push({ worker, deps });
  }

  /** Before every step: what goes wrong by itself. */
  #happen(): void {
    if (this.#quiet) return;
    const random = this.#random;
    if (this.#crashes > 0 && this.#processes.length > 0 && random.chance(0.01)) {
      this.#crashes--;
      const [process] = random.take(this.#processes, 1);
      const { worker } = process!;
      this.#count('crash');
      this.#note(`${worker.name} dies`);
      worker.die();
      this.#scheduler.drop(worker);
      this.#later('a process is started', random.between(1, 90_000), () => {
        if (this.#processes.length < this.#world.workers) this.#hire();
      });
    }
    if (this.#leaps > 0 && random.chance(0.003)) {
      this.#leaps--;
      const ms = random.pick([-3, -0.5, 0.2, 0.5, 2, 26]) * HOUR;
      this.#count('clock leapt');
      this.#note(`the clock leaps by ${ms / HOUR} hours`);
      this.#scheduler.leap(ms);
    }
  }

  #copyStarted(container: string, name: string, id: string): void {
    const random = this.#random;
    this.#count('copy pending');
    const end = (status: 'success' | 'failed', ms: number) =>
      this.#later(`the service ends the copy onto ${name}`, ms, () => this.#vault.endCopy(container, name, id, status));
    const deadline = this.#world.limits.copyDeadlineMs;
    if (this.#quiet || !random.chance(this.#world.pendingTroubles)) {
      end('success', random.between(1, deadline / 3));
      return;
    }
    const fails = random.chance(0.5);
    this.#count(fails ? 'copy fails' : 'copy hangs');
    if (fails) end('failed', random.between(1, deadline));
    else if (random.chance(0.5)) end('success', random.between(deadline, 20 * deadline));
  }

  #changed(change: Change): void {
    const { operation, account, container, name, after } = change;
    this.#note(`${operation} done on ${account.alias} ${container}/${name} → ${after?.etag}`);
    if (name.includes('/receipts/')) {
      if (after) this.#count(`receipt: ${JSON.parse(after.body.toString()).state}`);
      else this.#count('receipt removed');
    }
    if (operation === 'AbortCopyBlob') this.#count('copy aborted');
    if (operation === 'SnapshotBlob') this.#count('snapshot');
    this.#witness.see(change);
  }

  #made(): number {
    return [...this.#witness.copies.values()].reduce((sum, count) => sum + count, 0);
  }

  #later(label: string, ms: number, run: () => void): void {
    this.#scheduler.add({ label, owner: undefined, run }, ms);
  }

  #note(what: string, who?: string): void {
    const time = new Date(this.#scheduler.now).toISOString().slice(5, 23);
    this.#trace.push(`${time} ${who === undefined ? '' : `${who}: `}${what}`);
  }

  #count(what: string): void {
    this.#statistics[what] = (this.#statistics[what] ?? 0) + 1;
  }
}
