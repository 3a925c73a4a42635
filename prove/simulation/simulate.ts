import type { HttpRequest, InvocationContext } from '@azure/functions';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import { processContainer } from '#orchestrations/process-container.ts';
import { processGroup } from '#orchestrations/process-group.ts';
import { runJob } from '#orchestrations/run-job.ts';
import { Random } from '../../test/support/builders/random.ts';
import { Durable, NO_MISHAPS, type Orchestrator } from '../memory/durable.ts';
import { type Change, MemoryAccount, MemoryStorage, type Traits } from '../memory/memory-account.ts';
import type { Network } from '../memory/memory-blobs.ts';
import type { Rows } from '../memory/memory-catalog.ts';
import { type FaultRates, NO_FAULTS, networkOf } from '../memory/network.ts';
import { Scheduler } from '../memory/scheduler.ts';
import type { Activity, Handlers } from '../memory/worker.ts';
import { Workforce } from '../memory/workforce.ts';
import { as, Owner, Stranger } from './bystanders.ts';
import { digestOf, playOut } from './play-out.ts';
import { type Summary, type Violation, Witness } from './witness.ts';
import { drawWorld, ORDERS, type World } from './world.ts';

/** Ways to break the code on purpose, to see that it is noticed. */
export interface Sabotage {
  storage?: (storage: { source: MemoryAccount; vault: MemoryAccount }) => void;
  activities?: (activities: Record<string, Activity>) => Record<string, Activity>;
}

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

interface Answer {
  /** 0 when there was none: its process died. */
  status: number;
  body: { id?: string; status?: string; code?: string; problems?: { code: string }[] };
}

interface Beginning {
  troubles: number;
  changes: number;
  hindered: boolean;
}

const CRITICAL = /^PutBlob VAULT strongroom\/(?:locks|.*run\.json)|^start of/;
/** Steps after which a seed counts as never coming to an end. */
const MOST_STEPS = 60_000;
const BEGINNING = Date.UTC(2026, 4, 1);
const MINUTE = 60_000;

/** Plays one seed to its end. The same seed gives the same trace. */
export async function simulate(seed: number, sabotage: Sabotage = {}): Promise<Simulated> {
  const simulation = new Simulation(seed, sabotage);
  return simulation.play();
}

class Simulation {
  readonly #seed: number;
  readonly #random: Random;
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #storage = new MemoryStorage();
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #rows: Rows = new Map();
  readonly #witness: Witness;
  readonly #owner: Owner;
  readonly #stranger: Stranger;
  readonly #durable: Durable;
  readonly #network: Network;
  readonly #destinations: ReadonlySet<string>;
  readonly #faults: { rates: FaultRates; only: ReadonlySet<string> | undefined; met(what: string): void };
  readonly #statistics: Record<string, number> = {};
  readonly #trace: string[] = [];
  readonly #workforce: Workforce;
  /** How often something got in the way of the program. */
  #troubles = 0;
  /** How things stood when a run got the lock. */
  readonly #before = new Map<string, Beginning>();
  /** Copies that will fail or hang. */
  readonly #troubled = new Set<string>();
  readonly #accepted = new Set<string>();
  readonly #cancelled = new Set<string>();
  /** The end that was told of each run. */
  readonly #said = new Map<string, string>();
  #disasters: number;
  #quiet = false;

  constructor(seed: number, sabotage: Sabotage) {
    this.#seed = seed;
    const random = new Random(seed);
    this.#random = random;
    const world = drawWorld(random);
    this.#world = world;
    this.#disasters = world.disasters;
    this.#scheduler = new Scheduler(random, BEGINNING, world.pace);
    this.#scheduler.trace = (label, owner) => this.#note(label, owner?.name);
    this.#scheduler.onStep = () => this.#happen();
    const common = { changed: (change: Change) => this.#changed(change), tiers: ['Hot', 'Cool', 'Cold', 'Archive'] };
    this.#source = new MemoryAccount(this.#storage, 'SOURCE', {
      ...common,
      ...this.#pages(world.sourcePage),
      compare: ORDERS[world.sourceOrder],
      now: () => this.#scheduler.now + world.sourceClock,
      tags: world.sourceTags,
      unsupported: [],
      staysPending: () => false,
      started: () => {},
    });
    this.#vault = new MemoryAccount(this.#storage, 'VAULT', {
      ...common,
      ...this.#pages(world.vaultPage),
      compare: ORDERS[world.vaultOrder],
      now: () => this.#scheduler.now + world.vaultClock,
      tiers: world.vaultTiers,
      tags: world.vaultTags,
      unsupported: world.unsupported,
      staysPending: () => random.chance(world.pending),
      started: (container, name, copyId) => this.#copyStarted(container, name, copyId),
    });
    sabotage.storage?.({ source: this.#source, vault: this.#vault });
    const { destination, source } = world.job;
    const expand = (template: string, container: string) => template.replaceAll('{container}', container);
    const filter = blobFilter(source);
    this.#destinations = new Set(world.containers.map((container) => expand(destination.container, container)));
    this.#witness = new Witness({
      source: this.#source,
      vault: this.#vault,
      job: world.job.name,
      selects: (_container, name) => name.startsWith(source.prefix) && filter(name),
      mirrorOf: (container, name) => ({
        container: expand(destination.container, container),
        name: expand(destination.prefix, container) + name,
      }),
      destinations: this.#destinations,
      addressable: (name) => !/(?:^|\/)\.{1,2}(?:\/|$)|\\/.test(name),
      tags: world.sourceTags && world.vaultTags,
    });
    this.#witness.onLock = (id) => {
      const hindered = this.#isHindered();
      this.#before.set(id, { troubles: this.#troubles, changes: this.#witness.changes, hindered });
    };
    this.#witness.onSummary = ({ id, summary }) => this.#ended(id, summary);
    this.#owner = new Owner(random, world, this.#source, this.#witness);
    this.#stranger = new Stranger(random, this.#vault, this.#witness);
    this.#faults = {
      rates: world.faults,
      only: world.faultsOnly,
      met: (what) => {
        this.#count(what === 'given up' ? 'request given up' : `fault: ${what}`);
        this.#troubles++;
        this.#note(`(${what})`);
      },
    };
    this.#network = networkOf(this.#scheduler, random, this.#faults);
    const orchestrators = { runJob, processGroup, processContainer } as Record<string, Orchestrator>;
    this.#durable = new Durable(this.#scheduler, random, orchestrators, {
      execute: (name, input, ended, died) => this.#workforce.execute(name, input, ended, died),
      met: (what) => {
        this.#count(what);
        if (what === 'activity ended from outside') this.#troubles++;
      },
      broken: (message) => this.#witness.say('replay', message, ''),
      finished: ({ id, name, state, output }) => this.#finished(id, name, state, output),
    });
    this.#durable.mishaps = world.mishaps;
    this.#workforce = new Workforce({
      scheduler: this.#scheduler,
      random,
      network: this.#network,
      durable: () => this.#durable,
      configuration: { jobs: [world.job], archives: [], accounts: new Map(), otherAccounts: [] },
      limits: world.limits,
      accounts: { SOURCE: this.#source, VAULT: this.#vault },
      rows: this.#rows,
      skew: 5_000,
      sabotage: sabotage.activities,
      madeUp: /made up|orchestration service failed/,
      bug: (message) => this.#witness.say('bug', message, ''),
      warned: (name) => this.#count(name === 'lock-taken-over' ? 'lock taken over' : name),
    });
  }

  async play(): Promise<Simulated> {
    this.#owner.fill();
    for (let i = 0; i < this.#world.workers; i++) this.#workforce.hire();
    await playOut(
      this.#scheduler,
      () => this.#story(),
      MOST_STEPS,
      (what, message) => this.#witness.say(what === 'broken' ? 'simulation' : 'I4', message, ''),
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

  /** What a user does: starts runs, asks, cancels, tries again; and in the end makes sure that all is well. */
  async #story(): Promise<void> {
    const random = this.#random;
    let last: string | undefined;
    for (let index = 0; index < this.#world.runs; index++) {
      const starts = random.chance(0.25) ? random.between(2, 3) : 1;
      const retry = last !== undefined && random.chance(0.3) ? last : undefined;
      const body = { mode: random.pick(['full', 'incremental', 'incremental']), dryRun: random.chance(0.08) };
      const begin = () =>
        retry === undefined ? this.#ask('start', { job: 'nightly' }, body) : this.#ask('retry', { id: retry });
      const answers = await Promise.all(Array.from({ length: starts }, begin));
      const started = answers.flatMap(({ status, body: { id } }) => (status === 202 && id !== undefined ? [id] : []));
      if (retry !== undefined && started.length > 0) this.#count('retry started');
      if (started.length > 1 && this.#troubles === 0) {
        this.#witness.say('I3', `${started.length} runs were started at once, without any trouble`, started[0]!);
      }
      if (random.chance(0.15) && started[0]) {
        await this.#scheduler.sleep(random.between(1, 20_000));
        this.#cancelled.add(started[0]);
        await this.#ask('cancel', { id: started[0] }, { force: random.chance(0.3) });
      }
      last = started[0] ?? last;
      await this.#untilEnded(20 * MINUTE);
      if (last) await this.#watch(last);
      await this.#scheduler.sleep(random.between(1, random.pick([1_000, 2 * MINUTE])), 'the user waited');
    }
    await this.#conclude();
  }

  /** What was asked for before may still come to start a run: then that one is waited for. */
  async #startTheLast(): Promise<string | undefined> {
    let told = '';
    for (let attempt = 0; attempt < 5; attempt++) {
      const { status, body } = await this.#ask('start', { job: 'nightly' }, { mode: 'incremental' });
      await this.#untilEnded(48 * 60 * MINUTE);
      if (status === 202) return body.id;
      told = `${status} ${JSON.stringify(body)}`;
      await this.#scheduler.sleep(70_000);
    }
    this.#witness.say('I4', `no run can be started when all is quiet: ${told}`, '');
    return undefined;
  }

  /** Faults off, everybody else gone: one run must put everything right. */
  async #conclude(): Promise<void> {
    this.#note('all faults end here');
    this.#quiet = true;
    this.#faults.rates = NO_FAULTS;
    this.#durable.mishaps = NO_MISHAPS;
    this.#stranger.leave();
    while (this.#workforce.size === 0) this.#workforce.hire();
    for (const { id, stuck } of this.#durable.active) if (stuck) this.#durable.terminate(id);
    await this.#untilEnded(48 * 60 * MINUTE);
    for (const { id, name } of this.#durable.active) this.#witness.say('I4', `${name} ${id} does not end`, id);
    await this.#scheduler.sleep(70_000);
    const last = await this.#startTheLast();
    if (last === undefined) return;
    const summary = this.#witness.runs.get(last)?.summary;
    if (summary?.status !== 'succeeded') {
      this.#witness.say(
        'I4',
        `the last run, without any fault, ${summary?.status ?? 'left no summary'}: ${JSON.stringify(summary?.problems)}`,
        last,
      );
    }
    this.#witness.compareMirror();
    this.#witness.nothingPending();
    if (this.#witness.lock()?.run) this.#witness.say('I4', 'the lock is not free in the end', last);
    for (const id of this.#accepted) {
      if (!this.#witness.runs.get(id)?.summary)
        this.#witness.say('I3', `run ${id} was started and has no run.json`, id);
      await this.#watch(id);
    }
  }

  async #untilEnded(patience: number): Promise<void> {
    const end = this.#scheduler.now + patience;
    while (this.#scheduler.now < end && this.#durable.active.some(({ stuck }) => !stuck)) {
      await this.#scheduler.sleep(this.#random.between(1_000, 20_000), 'the user waited');
    }
  }

  /** What is told of a run: once it has ended, always the same. */
  async #watch(id: string): Promise<void> {
    const what = this.#quiet ? 'get' : this.#random.pick(['get', 'get', 'outcomes', 'list', 'rebuild'] as const);
    // Only what was known before it was asked binds the answer.
    const before = this.#said.get(id);
    const summary = this.#witness.runs.get(id)?.summary;
    const quiet = this.#quiet;
    const { status, body } = await this.#ask(what, { id });
    if (what !== 'get' || status !== 200) {
      if (quiet && status !== 200) this.#witness.say('I3', `run ${id} is unknown in the end: ${status}`, id);
      return;
    }
    const told = body.status!;
    if (summary && summary.status !== told) {
      this.#witness.say('I3', `run ${id} is told as ${told} and was published as ${summary.status}`, id);
    }
    // Told of a run that nobody has closed: its last activity may publish it yet.
    if (told === 'running' || body.problems?.some(({ code }) => code === 'run-lost')) return;
    if (before !== undefined && before !== told) {
      this.#witness.say('I3', `run ${id} was told as ${before}, and later as ${told}`, id);
    }
    this.#said.set(id, told);
  }

  async #ask(what: keyof Handlers, params: Record<string, string>, body: object = {}): Promise<Answer> {
    const worker = this.#workforce.any();
    if (!worker) return { status: 0, body: {} };
    const request = { params, query: new URLSearchParams(), text: async () => JSON.stringify(body) };
    const context = { functionName: what, invocationId: 'simulated' } as InvocationContext;
    const answer = await new Promise<Answer>((resolve) => {
      worker.do(
        () => worker.handlers[what](request as unknown as HttpRequest, worker.client, context),
        (outcome) => {
          if ('thrown' in outcome) throw outcome.thrown;
          resolve({ status: outcome.value.status ?? 0, body: JSON.parse(String(outcome.value.body)) });
        },
        () => resolve({ status: 0, body: {} }),
      );
    });
    this.#note(
      `answer to ${what}: ${answer.status} ${answer.body.id ?? ''} ${answer.body.status ?? answer.body.code ?? ''}`,
    );
    if ((what === 'start' || what === 'retry') && answer.status === 202) this.#accepted.add(answer.body.id!);
    if (answer.status === 409) this.#count(`refused: ${answer.body.code}`);
    return answer;
  }

  /** Before every step: what others do of their own accord. */
  #happen(): void {
    if (this.#quiet) return;
    const random = this.#random;
    if (random.chance(this.#world.edits)) this.#note(this.#owner.act());
    if (random.chance(this.#world.strangers)) {
      const deed = this.#stranger.act(this.#destinations);
      if (deed !== undefined) {
        this.#troubles++;
        this.#count('stranger in the vault');
        this.#note(deed);
      }
    }
    // Somebody looks on.
    const watched = random.chance(0.002) ? [...this.#accepted].at(-1) : undefined;
    if (watched !== undefined) void this.#watch(watched);
    if (this.#disasters === 0) return;
    // Most can go wrong where a run ends and another begins.
    const critical = this.#scheduler.isWaiting(CRITICAL);
    if (random.chance(critical ? 0.05 : 0.003)) this.#disaster();
  }

  #disaster(): void {
    const random = this.#random;
    const runs = this.#durable.active.filter(({ name }) => name === 'runJob');
    const what = random.below(10);
    if (what < 6) {
      const worker = this.#workforce.any();
      if (!worker) return;
      this.#strike('crash', `${worker.name} dies`);
      this.#workforce.lose(worker);
      const run = () => {
        if (this.#workforce.size < this.#world.workers) this.#workforce.hire();
      };
      this.#scheduler.add({ label: 'a process is started', owner: undefined, run }, random.between(1, 90_000));
    } else if (runs.length === 0) return;
    else if (what < 8) {
      const { id } = random.pick(runs);
      this.#strike('terminated', `run ${id} is terminated`);
      this.#durable.terminate(id);
      this.#startSoon(1);
    } else if (what === 8) {
      this.#strike('journal lost', 'the journal is lost');
      this.#durable.loseAll();
      this.#startSoon(61_000);
    } else {
      const { id } = random.pick(runs);
      this.#strike('stuck', `run ${id} gets stuck`);
      this.#durable.stick(id);
    }
  }

  /** Somebody does not wait until all is over. */
  #startSoon(ms: number): void {
    if (this.#random.chance(0.3)) return;
    const run = () => {
      if (!this.#quiet) void this.#ask('start', { job: 'nightly' }, { mode: 'incremental' });
    };
    this.#scheduler.add({ label: 'an impatient user', owner: undefined, run }, this.#random.between(ms, ms + 3_000));
  }

  #strike(what: string, told: string): void {
    this.#disasters--;
    this.#troubles++;
    this.#count(what);
    this.#note(told);
  }

  #finished(id: string, name: string, state: string, output: unknown): void {
    if (name !== 'runJob') return;
    const status = state === 'Completed' ? (output as { status: string }).status : state;
    this.#note(`run ${id} ended: ${status}`);
    this.#count(`run ${status}`);
    const before = this.#before.get(id);
    if (state === 'Failed') {
      if (this.#undisturbed(before)) this.#witness.say('I1', `run ${id} broke without any trouble: ${output}`, id);
    } else if (state === 'Completed' && this.#undisturbed(before) && !this.#witness.runs.get(id)?.summary) {
      this.#witness.say('I1', `run ${id} ended as ${status} and left no summary, without any trouble`, id);
    }
  }

  /** Nothing got in the run's way since it began, and nothing of before was still there. */
  #undisturbed(before: Beginning | undefined): boolean {
    return before?.troubles === this.#troubles && !before.hindered;
  }

  /** Whether somebody's lease, or a copy that will not end well, is in the vault. */
  #isHindered(): boolean {
    if (this.#stranger.isInTheWay) return true;
    for (const { blob } of this.#vault.blobs()) {
      if (blob.copy?.status === 'pending' && this.#troubled.has(blob.copy.id)) return true;
    }
    return false;
  }

  /** Without any trouble a run succeeds, but for what was written again and again while it was at work. */
  #ended(id: string, summary: Summary): void {
    const before = this.#before.get(id);
    this.#note(
      `run ${id} is published: ${summary.status} ${JSON.stringify(summary.counts)} ${summary.problems.map(({ code, message }) => `${code}: ${message}`).join('; ')}`,
    );
    for (const { code } of summary.problems) this.#count(`problem: ${code}`);
    // A run whose start was lost with its process never had an orchestration.
    if (!this.#undisturbed(before) || !this.#durable.stateOf(id)) return;
    this.#count('run without any trouble');
    const { status } = summary;
    if (status === 'succeeded' || (status === 'cancelled' && this.#cancelled.has(id))) return;
    const entries = this.#witness.runs.get(id)?.entries ?? [];
    const failed = entries.filter((entry) => entry.status === 'failed');
    // Two executions cannot tell each other's copies of a blob that carries no record, and end them.
    const excused = failed.every(
      ({ container, name }) =>
        this.#witness.edits(container, name, before!.changes) > 0 || !this.#witness.canCarryRecord(container, name),
    );
    if (status !== 'completed-with-failures' || failed.length === 0 || !excused) {
      const why = summary.problems.map(({ code, message }) => `${code}: ${message}`).join('; ');
      this.#witness.say('I1', `run ${id} ${status} without any trouble: ${why}`, id);
    }
  }

  #copyStarted(container: string, name: string, copyId: string): void {
    const random = this.#random;
    this.#count('copy pending');
    const end = (status: 'success' | 'failed', ms: number) => {
      const run = () => as(this.#witness, 'app', () => this.#vault.endCopy(container, name, copyId, status));
      this.#scheduler.add({ label: `the service ends the copy onto ${container}/${name}`, owner: undefined, run }, ms);
    };
    const deadline = this.#world.limits.copyDeadlineMs;
    if (this.#quiet || !random.chance(this.#world.pendingTroubles)) {
      end('success', random.between(1, deadline / 3));
      return;
    }
    this.#troubles++;
    this.#troubled.add(copyId);
    const fails = random.chance(0.5);
    this.#count(fails ? 'copy fails' : 'copy hangs');
    if (fails) end('failed', random.between(1, deadline));
    else if (random.chance(0.5)) end('success', random.between(deadline, 20 * deadline));
  }

  #changed(change: Change): void {
    this.#note(
      `${change.operation} done on ${change.account.alias} ${change.container}/${change.name} → ${change.after?.etag}`,
    );
    this.#witness.see(change);
    if (change.operation === 'copy failed') this.#count('copy failed');
    if (change.operation === 'AbortCopyBlob') this.#count('copy aborted');
    if (change.operation === 'SnapshotBlob') this.#count('snapshot');
  }

  #pages(size: number): Pick<Traits, 'page'> {
    return {
      page: (limit) => (this.#random.chance(0.1) ? 0 : Math.min(limit, this.#random.between(1, size))),
    };
  }

  #note(what: string, who?: string): void {
    const time = new Date(this.#scheduler.now).toISOString().slice(11, 23);
    this.#trace.push(`${time} ${who === undefined ? '' : `${who}: `}${what}`);
  }

  #count(what: string): void {
    this.#statistics[what] = (this.#statistics[what] ?? 0) + 1;
  }
}
