import type { Configuration } from '#config/configuration.ts';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import { orchestrations } from '#orchestrations/index.ts';
import { checkMemory } from '../../test/support/builders/memory-check.ts';
import { Random } from '../../test/support/builders/random.ts';
import type { Orchestrator } from '../memory/durable.ts';
import { HostileWriter } from '../memory/hostile-writer.ts';
import { LivingRuns } from '../memory/living-runs.ts';
import type { Change, MemoryAccount } from '../memory/memory-account.ts';
import type { Call } from '../memory/memory-blobs.ts';
import { NAME_ORDERS } from '../memory/name-orders.ts';
import { type Answer, SimulatedApp } from '../memory/simulated-app.ts';
import type { Activity, Handlers } from '../memory/worker.ts';
import type { Played } from '../seeds/played.ts';
import { as, Owner, Stranger } from './bystanders.ts';
import { drawHardships } from './hardships.ts';
import { MixedSetups, withSetup } from './setups.ts';
import { type Entry, type Summary, Witness } from './witness.ts';
import { drawWorld, type World } from './world.ts';

/** Ways to break the app on purpose, to see that the witness notices. */
export interface Sabotage {
  storage?: (storage: { source: MemoryAccount; vault: MemoryAccount }) => void;
  activities?: (activities: Record<string, Activity>) => Record<string, Activity>;
}

interface Beginning {
  troubles: number;
  changes: number;
  hindered: boolean;
}

const CRITICAL = /^PutBlob VAULT strongroom\/(?:locks|.*run\.json)|^start of/;
/** The documents that are written when a run starts, is cancelled or ends. */
const CONTESTED = /^(?:locks\/.+|.+\/run\.json)$/;
/** Steps after which a play counts as endless. */
const MOST_STEPS = 60_000;
const BEGINNING = Date.UTC(2026, 4, 1);
/** How a blob fails that no request was sent for. */
const UNTRIED = /^Not tried after \d+ failures in a row/;
/** As many runs as the widest window has blobs of which each run tries one. */
const MOST_ROUNDS = 48;
/** Refusals in a row after which a run tries some of the blobs ahead before the rest. */
const DOUBTFUL_AFTER = 15;
/** What says why a run ended before its work was done. */
const ENDED_EARLY = new Set(['setup-changed', 'orchestration-failed', 'run-lost', 'run-stalled']);
/** Requests that start a run. */
const STARTS = new Set(['start', 'retry', 'restore', 'verify']);
/** Mishaps that must do no harm even in the calmest of worlds. */
const HARMLESS = /^(?:activity (?:executed|ended)|answer of an activity)/;
const MINUTE = 60_000;

/** Plays one seed to its end. The same seed gives the same trace. */
export async function simulate(seed: number, sabotage: Sabotage = {}): Promise<Played> {
  return new Simulation(seed, sabotage).play();
}

class Simulation {
  readonly #random: Random;
  /** For what the hardships need, so that other draws do not depend on them. */
  readonly #fate: Random;
  /** Source blobs that are denied for good, by container and name. */
  readonly #denied: ReadonlySet<string>;
  readonly #world: World;
  readonly #app: SimulatedApp;
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #witness: Witness;
  readonly #owner: Owner;
  readonly #stranger: Stranger;
  readonly #hostile: HostileWriter;
  readonly #destinations: ReadonlySet<string>;
  /** The number of events that disturb the app. */
  #troubles = 0;
  /** The state when a run got the lock. */
  readonly #before = new Map<string, Beginning>();
  /** Copies that will fail or hang. */
  readonly #troubled = new Set<string>();
  readonly #accepted = new Set<string>();
  readonly #cancelled = new Set<string>();
  /** The end that the API reported for each run. */
  readonly #said = new Map<string, string>();
  readonly #living: LivingRuns;
  /** Which of two selections of the same blobs a process has that starts now. */
  #setup = 0;
  #setups: number;
  readonly #mixed = new MixedSetups();
  #disasters: number;
  #rivals: number;
  /** The number of restores and verifications that are still to come. */
  #readers: number;

  constructor(seed: number, sabotage: Sabotage) {
    const random = new Random(seed);
    this.#random = random;
    const fate = new Random(`hardships of ${seed}`);
    const hardships = drawHardships(fate);
    const world = drawWorld(random, hardships);
    this.#world = world;
    this.#fate = fate;
    // Signatures fail where the clock of the vault, from which a restore copies, is ahead by more.
    this.#readers = world.vaultClock > 12 * MINUTE ? 0 : hardships.readers;
    this.#denied = new Set(
      world.containers.flatMap((container) =>
        world.names.filter(() => fate.chance(hardships.denied)).map((name) => `${container}\n${name}`),
      ),
    );
    this.#living = new LivingRuns(world.limits.silentMs);
    this.#disasters = world.disasters;
    this.#setups = hardships.setups;
    this.#rivals = world.rivals;
    this.#app = new SimulatedApp({
      ...{ random, beginning: BEGINNING, pace: world.pace, skew: 5_000, workers: world.workers, convergence: 'I4' },
      ...{ faults: world.faults, faultsOnly: world.faultsOnly, mishaps: world.mishaps, limits: world.limits },
      orchestrators: orchestrations as Record<string, Orchestrator>,
      configurationOf: () =>
        ({
          ...{ jobs: [withSetup(world.job, this.#setup)], archives: [], otherAccounts: ['TARGET'] },
          accounts: new Map(['SOURCE', 'VAULT', 'TARGET'].map((alias) => [alias, {}])),
        }) as unknown as Configuration,
      activities: (activities) => this.#mixed.observed(this.#setup, sabotage.activities?.(activities) ?? activities),
      catalog: hardships.catalog,
      delay: (call) => this.#delay(call),
      changed: (change) => this.#changed(change),
      beforeStep: () => this.#happen(),
      say: (promise, message, about) => this.#witness.say(promise, message, about),
      disturbed: (what) => {
        if (!HARMLESS.test(what)) this.#troubles++;
      },
      finished: ({ id, name, state, output }) => this.#finished(id, name, state, output),
    });
    this.#source = this.#app.account('SOURCE', {
      ...{ clock: world.sourceClock, pageSize: world.sourcePage, tags: world.sourceTags },
      compare: NAME_ORDERS[world.sourceOrder],
      denies: (container, name) => this.#isDenied(container, name),
    });
    this.#vault = this.#app.account('VAULT', {
      ...{ clock: world.vaultClock, pageSize: world.vaultPage, tags: world.vaultTags },
      compare: NAME_ORDERS[world.vaultOrder],
      tiers: world.vaultTiers,
      unsupported: world.unsupported,
      isDeleting: (container) => this.#isDeleting(container),
      staysPending: () => random.chance(world.pending),
      started: (container, name, copyId) => this.#copyStarted(container, name, copyId),
    });
    const target: MemoryAccount = this.#app.account('TARGET', {
      pageSize: world.sourcePage,
      staysPending: () => fate.chance(world.pending),
      started: (container, name, copyId) =>
        this.#app.endCopyLater(target, { container, name, copyId }, { deadlineMs: world.limits.copyDeadlineMs }),
    });
    sabotage.storage?.({ source: this.#source, vault: this.#vault });
    const { destination, source } = world.job;
    const expand = (template: string, container: string) => template.replaceAll('{container}', container);
    const filter = blobFilter(source);
    this.#destinations = new Set(world.containers.map((container) => expand(destination.container, container)));
    this.#witness = new Witness({
      source: this.#source,
      vault: this.#vault,
      target,
      job: world.job.name,
      selects: (_container, name) => name.startsWith(source.prefix) && filter(name),
      backupOf: (container, name) => ({
        container: expand(destination.container, container),
        name: expand(destination.prefix, container) + name,
      }),
      destinations: this.#destinations,
      addressable: (name) => !/(?:^|\/)\.{1,2}(?:\/|$)|\\/.test(name),
      tags: world.sourceTags && world.vaultTags,
      isDenied: (container, name) => this.#isDenied(container, name),
    });
    this.#witness.onLock = (id) => {
      const hindered = this.#isHindered();
      this.#before.set(id, { troubles: this.#troubles, changes: this.#witness.changes, hindered });
    };
    this.#witness.onSummary = ({ id, summary }) => this.#ended(id, summary);
    this.#owner = new Owner(random, world, this.#source, this.#witness);
    this.#stranger = new Stranger(random, this.#vault, this.#witness);
    this.#hostile = new HostileWriter(random, this.#source);
  }

  async play(): Promise<Played> {
    this.#owner.fill();
    return this.#app.play(() => this.#story(), MOST_STEPS, this.#vault, this.#witness.violations);
  }

  /** A user starts runs, asks, cancels and retries; in the end, one run must put everything right. */
  async #story(): Promise<void> {
    const random = this.#random;
    let last: string | undefined;
    for (let index = 0; index < this.#world.runs; index++) {
      const starts = random.chance(0.25) ? random.between(2, 3) : 1;
      const retry = last !== undefined && random.chance(0.3) ? last : undefined;
      const body = { mode: random.pick(['full', 'incremental', 'incremental']), dryRun: random.chance(0.08) };
      const begin = () =>
        retry === undefined ? this.#ask('start', { job: 'nightly' }, body) : this.#ask('retry', { id: retry });
      const beside = this.#readBeside();
      const answers = await Promise.all(Array.from({ length: starts }, begin));
      const started = answers.flatMap(({ status, body: { id } }) => (status === 202 && id !== undefined ? [id] : []));
      if (retry !== undefined && started.length > 0) this.#app.count('retry started');
      // If a rival delays a start, another run may have ended before it.
      if (started.length > 1 && this.#troubles === 0 && this.#world.rivals === 0) {
        this.#witness.say('I3', `${started.length} runs were started at once, without any trouble`, started[0]!);
      }
      if (random.chance(0.15) && started[0]) {
        await this.#app.scheduler.sleep(random.between(1, 20_000));
        await this.#cancel(started[0], random.chance(0.3));
      }
      last = started[0] ?? last;
      await beside;
      await this.#app.untilEnded(20 * MINUTE);
      if (last) await this.#watch(last);
      await this.#app.scheduler.sleep(random.between(1, random.pick([1_000, 2 * MINUTE])), 'the user waited');
    }
    await this.#conclude();
  }

  /** Restores or verifies a restore point while backups are in progress. */
  async #readBeside(): Promise<void> {
    const fate = this.#fate;
    const points = [...this.#witness.runs.values()].filter(({ summary }) => summary?.restorePoint);
    if (this.#readers === 0 || points.length === 0) return;
    const container = `{container}-back-${this.#readers--}`;
    await this.#app.scheduler.sleep(fate.between(1, fate.pick([100, 2 * MINUTE])));
    const restorePoint = fate.pick(points).id;
    const kind = fate.pick(['restore', 'restore', 'quick', 'deep', 'drill']);
    const isBeside = this.#app.active.some(({ name, stuck }) => name === 'runJob' && !stuck);
    if (isBeside) this.#app.count(`${kind} beside a backup`);
    if (kind === 'restore') await this.#ask('restore', {}, { restorePoint, target: { account: 'TARGET', container } });
    else await this.#ask('verify', {}, { restorePoint, kind });
  }

  /** Whatever backups do meanwhile, a reader finds everything that its restore point holds. */
  #endedReader({ id, entries = [] }: { id: string; entries?: Entry[] }, summary: Summary): void {
    const { status, problems, counts, verify, restore } = summary;
    // What a stranger did may have harmed the restore point before.
    if (!this.#undisturbed(this.#before.get(id)) || this.#world.strangers > 0) return;
    // A process may have died between its lock and its orchestration.
    if (!(this.#app.durable.stateOf(id) ?? this.#app.elsewhere.stateOf(id))) return;
    this.#app.count('reader without any trouble');
    const isUnproved = problems.every(({ code }) => code === 'content-unproved');
    const holdsNothing = entries.every((entry) => entry.status === 'failed' || entry.status === 'skipped');
    // What the backup failed to copy, a reader reports again.
    const point = this.#witness.runs.get((verify ?? restore)?.point ?? '')?.summary;
    const failedBefore = status === 'completed-with-failures' && counts.failed <= (point?.counts.failed ?? 0);
    if (status === 'succeeded' || isUnproved || holdsNothing || failedBefore) return;
    // Whether another execution copied a base blob before it was overwritten shows in the times of both accounts.
    const failed = this.#failedIn(id);
    const isTakenForAnother = failed.length === counts.failed && failed.every(({ code }) => code === 'target-exists');
    if (this.#world.vaultClock !== 0 && failed.length > 0 && isTakenForAnother) return;
    const why = problems.map(({ code, message }) => `${code}: ${message}`).join('; ');
    this.#witness.say('restore', `reader ${id} ${status} without any trouble: ${why}`, id);
  }

  /** An earlier request may still start a run: then waits for that one. */
  async #startTheLast(): Promise<string | undefined> {
    let reported = '';
    for (let attempt = 0; attempt < 5; attempt++) {
      const { status, body } = await this.#ask('start', { job: 'nightly' }, { mode: 'incremental' });
      await this.#app.untilEnded(48 * 60 * MINUTE);
      if (status === 202) return body.id;
      reported = `${status} ${JSON.stringify(body)}`;
      await this.#app.scheduler.sleep(11 * MINUTE);
    }
    this.#witness.say('I4', `no run can be started when all is quiet: ${reported}`, '');
    return undefined;
  }

  /** Runs without faults, until they have tried every blob: each run tries others of those that others hide. */
  async #startTheLastRuns(): Promise<string | undefined> {
    for (let round = 0; ; round++) {
      const id = await this.#startTheLast();
      const failed = this.#failedIn(id ?? '');
      const isUntried = failed.some(({ message }) => UNTRIED.test(message ?? ''));
      if (id === undefined || !isUntried || !failed.some(({ container, name }) => !this.#isDenied(container, name)))
        return id;
      if (round === MOST_ROUNDS) {
        this.#witness.say('I4', `after ${round} runs without faults, blobs are not tried that could be copied`, id);
        return id;
      }
    }
  }

  /** The documented time counts from the last sign of life, which an activity may yet give that no run waits for. */
  async #untilSilentFor(time: number): Promise<void> {
    const { scheduler } = this.#app;
    const vault = this.#vault;
    const end = scheduler.now + 4 * time;
    for (let left = time; left > 0 && scheduler.now < end; ) {
      await scheduler.sleep(left);
      const signs = [...vault.blobs()].filter(({ blob }) => blob.name.endsWith('/signs'));
      left = Math.max(...signs.map(({ blob }) => blob.modified + time - vault.traits.now()), 0);
    }
  }

  /** After the documented time, whatever became of the last run, the next start is not refused. */
  async #judgeBlocked(): Promise<void> {
    const { status, body } = await this.#ask('start', { job: 'nightly' }, { mode: 'incremental' });
    if (status !== 202) {
      this.#witness.say('I4', `a start after the documented time is answered ${status} ${JSON.stringify(body)}`, '');
    }
    await this.#app.untilEnded(48 * 60 * MINUTE);
  }

  /** Without a catalog, lists come from the vault, and say so. */
  async #judgeList(last: string): Promise<void> {
    if (this.#world.hardships.catalog === undefined) return;
    const { status, body } = await this.#ask('list', {});
    const isListed = body.runs?.some(({ id }) => id === last);
    const isSaid = body.problems?.some(({ code }) => code === 'catalog-unavailable');
    if (status !== 200 || !isListed || !isSaid) {
      this.#witness.say('I3', `without a catalog, the list of runs answers ${status} ${JSON.stringify(body)}`, last);
    }
  }

  #failedIn(run: string) {
    return (this.#witness.runs.get(run)?.entries ?? []).filter(({ status }) => status === 'failed');
  }

  #isDenied(container: string, name: string): boolean {
    return this.#denied.has(`${container}\n${name}`);
  }

  /** Whether a run has everything but blobs that are denied for good, and says so. */
  #lacksOnlyDenied(run: string): boolean {
    const failed = this.#failedIn(run);
    return (
      failed.length > 0 && failed.every((entry) => this.#isDenied(entry.container, entry.name) && isSaidDenied(entry))
    );
  }

  #isDeleting(container: string): boolean {
    const isDeleting = this.#app.scheduler.now - BEGINNING < this.#world.hardships.deletion;
    if (isDeleting) this.#app.count('container being deleted');
    return isDeleting && container !== '';
  }

  /** Without faults and strangers, one run must put everything right. */
  async #conclude(): Promise<void> {
    this.#stranger.leave();
    this.#app.endFaults();
    // Those of an earlier setup are gone by then.
    if (this.#world.hardships.setups > 0) this.#app.replaceAll(() => 1);
    await this.#app.untilEnded(48 * 60 * MINUTE);
    for (const { id, name, stuck } of this.#app.active) {
      if (!stuck) this.#witness.say('I4', `${name} ${id} does not end`, id);
    }
    // Nothing else frees the lock of a run that is stuck, or whose host is gone.
    await this.#untilSilentFor((this.#app.active.length > 0 ? 61 : 11) * MINUTE);
    await this.#judgeBlocked();
    // A run must first abort a copy that hangs, and the account may not offer another method for that blob.
    if (this.#isHindered()) await this.#startTheLast();
    const last = await this.#startTheLastRuns();
    if (last === undefined) return;
    await this.#judgeList(last);
    const summary = this.#witness.runs.get(last)?.summary;
    const isNoneThere = ![...this.#source.blobs()].some(({ blob }) => this.#selection(blob.name));
    const isExcused =
      summary &&
      (this.#lacksOnlyDenied(last) || lacksOnlySkipped(summary) || (isNoneThere && this.#selectsNothing(summary)));
    if (summary?.status !== 'succeeded' && !isExcused) {
      this.#witness.say(
        'I4',
        `the last run, without any fault, ${summary?.status ?? 'left no summary'}: ${JSON.stringify(summary?.problems)}`,
        last,
      );
    }
    this.#witness.compareBackups();
    this.#witness.nothingPending();
    // The chain begins with the first restore point.
    const isEmpty = [...this.#witness.runs.values()].every(({ summary }) => !summary?.restorePoint);
    const { findings } = isEmpty ? { findings: [] } : await checkMemory(this.#vault, { job: 'nightly' });
    for (const { what, where, how } of findings) this.#witness.say('I6', `the check finds ${what}: ${how}`, where);
    if (this.#witness.lock()?.run) this.#witness.say('I4', 'the lock is not free in the end', last);
    for (const id of this.#accepted) {
      if (!this.#witness.runs.get(id)?.summary)
        this.#witness.say('I3', `run ${id} was started and has no run.json`, id);
      await this.#watch(id);
    }
  }

  /** Asks for a run: once it has ended, the answer must stay the same. */
  async #watch(id: string): Promise<void> {
    const what = this.#app.isQuiet ? 'get' : this.#random.pick(['get', 'get', 'outcomes', 'list', 'rebuild'] as const);
    // Only facts from before the request bind the answer.
    const before = this.#said.get(id);
    const summary = this.#witness.runs.get(id)?.summary;
    const quiet = this.#app.isQuiet;
    const { status, body } = await this.#ask(what, { id });
    if (what !== 'get' || status !== 200) {
      if (quiet && status !== 200) this.#witness.say('I3', `run ${id} is unknown in the end: ${status}`, id);
      return;
    }
    const reported = body.status!;
    if (summary && summary.status !== reported) {
      this.#witness.say('I3', `run ${id} is reported as ${reported} and was published as ${summary.status}`, id);
    }
    // A lost run that is not closed: its last activity may still publish it.
    if (reported === 'running' || body.problems?.some(({ code }) => code === 'run-lost')) return;
    if (before !== undefined && before !== reported) {
      this.#witness.say('I3', `run ${id} was reported as ${before}, and later as ${reported}`, id);
    }
    this.#said.set(id, reported);
  }

  async #ask(what: keyof Handlers, params: Record<string, string>, body: object = {}): Promise<Answer> {
    const elsewhere = this.#world.otherHost && this.#random.chance(0.4);
    if (elsewhere) this.#app.count('asked of another host');
    const answer = await this.#app.ask(what, params, body, elsewhere);
    if (STARTS.has(what) && answer.status === 202) this.#accepted.add(answer.body.id!);
    if (answer.status === 409) this.#app.count(`refused: ${answer.body.code}`);
    return answer;
  }

  async #cancel(id: string, force: boolean): Promise<void> {
    this.#cancelled.add(id);
    // Another start may find the run terminated, and close it as lost.
    if (force) this.#troubles++;
    await this.#ask('cancel', { id }, { force });
  }

  /** Delays a contested write, and lets a rival start a run or cancel one before it. */
  #delay({ container, name = '', writes }: Call): number {
    const random = this.#random;
    const isContested = writes && container === 'strongroom' && CONTESTED.test(name);
    if (!isContested || this.#rivals === 0 || random.chance(0.3)) return 0;
    this.#rivals--;
    this.#app.count('rival');
    this.#app.later('a rival acts', random.between(1, 1_000), () => {
      if (this.#app.isQuiet) return;
      const holder = this.#witness.lock()?.run?.id;
      if (holder !== undefined && random.chance(0.5)) void this.#cancel(holder, random.chance(0.1));
      else void this.#ask('start', { job: 'nightly' }, { mode: 'incremental' });
    });
    return random.between(1, random.pick([2_000, 20_000]));
  }

  /** Before every step: what other writers do, and what goes wrong. */
  #happen(): void {
    const random = this.#random;
    if (random.chance(this.#world.edits)) this.#app.note(this.#owner.act());
    if (random.chance(this.#world.hostility)) this.#attack();
    if (random.chance(this.#world.strangers)) {
      const deed = this.#stranger.act(this.#destinations);
      if (deed !== undefined) {
        this.#troubles++;
        this.#app.count('stranger in the vault');
        this.#app.note(deed);
      }
    }
    // A user watches the last run.
    const watched = random.chance(0.002) ? [...this.#accepted].at(-1) : undefined;
    if (watched !== undefined) void this.#watch(watched);
    if (this.#setups > 0 && this.#fate.chance(0.004)) this.#changeSetup();
    if (this.#disasters === 0) return;
    // The critical moments are the end of one run and the start of another.
    const critical = this.#app.scheduler.isWaiting(CRITICAL);
    if (random.chance(critical ? 0.05 : 0.003)) this.#disaster();
  }

  /** Harm that a writer of the source may do is no trouble: every promise holds all the same. */
  #attack(): void {
    const deed = as(this.#witness, 'owner', () => this.#hostile.act());
    if (deed === undefined) return;
    this.#app.count('hostile writer');
    this.#app.note(deed);
  }

  /** The processes that run keep what they began with, until each ends some time later. */
  #changeSetup(): void {
    this.#setups--;
    this.#troubles++;
    this.#setup = 1 - this.#setup;
    this.#app.count('setup changed');
    this.#app.note(`processes that start have setup ${this.#setup}`);
    const most = this.#fate.pick([1_000, 5 * MINUTE]);
    this.#app.replaceAll(() => this.#fate.between(1, most));
  }

  #disaster(): void {
    const random = this.#random;
    const runs = this.#app.durable.active.filter(({ name }) => name === 'runJob');
    const what = random.below(11);
    if (what === 10) {
      const others = this.#app.durable.active.filter(({ name }) => name !== 'runJob');
      if (others.length === 0) return;
      const { id, name } = random.pick(others);
      this.#strike('orchestration failed', `${name} ${id} fails`);
      this.#app.durable.fail(id);
    } else if (what < 6) {
      if (!this.#app.crash()) return;
      this.#disasters--;
      this.#troubles++;
    } else if (runs.length === 0) return;
    else if (what < 8) {
      const { id } = random.pick(runs);
      this.#strike('terminated', `run ${id} is terminated`);
      this.#app.durable.terminate(id);
      this.#startSoon(1);
    } else if (what === 8) {
      this.#strike('journal lost', 'the journal is lost');
      this.#app.durable.loseAll();
      this.#startSoon(10 * MINUTE + 1_000);
    } else {
      const { id } = random.pick(runs);
      this.#strike('stuck', `run ${id} gets stuck`);
      this.#app.durable.stick(id);
    }
  }

  /** An impatient user starts a run before the last one has ended. */
  #startSoon(ms: number): void {
    if (this.#random.chance(0.3)) return;
    this.#app.later('an impatient user', this.#random.between(ms, ms + 3_000), () => {
      if (!this.#app.isQuiet) void this.#ask('start', { job: 'nightly' }, { mode: 'incremental' });
    });
  }

  #strike(what: string, reported: string): void {
    this.#disasters--;
    this.#troubles++;
    this.#app.count(what);
    this.#app.note(reported);
  }

  #finished(id: string, name: string, state: string, output: unknown): void {
    if (name !== 'runJob') return;
    const status = state === 'Completed' ? (output as { status: string }).status : state;
    this.#app.note(`run ${id} ended: ${status}`);
    this.#app.count(`run ${status}`);
    const before = this.#before.get(id);
    if (state === 'Failed') {
      if (this.#undisturbed(before)) this.#witness.say('I1', `run ${id} broke without any trouble: ${output}`, id);
    } else if (state === 'Completed' && this.#undisturbed(before) && !this.#witness.runs.get(id)?.summary) {
      this.#witness.say('I1', `run ${id} ended as ${status} and left no summary, without any trouble`, id);
    }
  }

  /** Whether nothing disturbed a run since it began, and nothing earlier was still in its way. */
  #undisturbed(before: Beginning | undefined): boolean {
    return before?.troubles === this.#troubles && !before.hindered;
  }

  /** Whether the vault holds a stranger's lease, or a copy that will fail or hang. */
  #isHindered(): boolean {
    if (this.#stranger.isInTheWay) return true;
    for (const { blob } of this.#vault.blobs()) {
      if (blob.copy?.status === 'pending' && this.#troubled.has(blob.copy.id)) return true;
    }
    return false;
  }

  /** Without any trouble a run succeeds, except for blobs that change again and again during the run. */
  #ended(id: string, summary: Summary): void {
    const before = this.#before.get(id);
    this.#app.note(
      `run ${id} is published: ${summary.status} ${JSON.stringify(summary.counts)} ${summary.problems.map(({ code, message }) => `${code}: ${message}`).join('; ')}`,
    );
    const continues = this.#app.active.some((each) => each.id === id && !each.stuck);
    this.#living.noteEnd(id, summary.problems, this.#app.scheduler.now, continues);
    for (const { code } of summary.problems) this.#app.count(`problem: ${code}`);
    if (summary.restorePoint && this.#mixed.has(id)) {
      this.#witness.say('I2', `restore point ${id} is the work of two setups`, id);
    }
    // An answer of an activity can be lost, and the run end before another one says the same.
    if (summary.restorePoint && this.#mixed.hasStopped(id)) this.#app.count('setup changed back in time');
    const isSaid = summary.problems.some(({ code }) => ENDED_EARLY.has(code));
    if (summary.status === 'failed' && this.#mixed.hasStopped(id) && !isSaid) {
      const why = summary.problems.map(({ code, message }) => `${code}: ${message}`).join('; ');
      this.#witness.say('I3', `run ${id} was stopped by a change of its setup, and says only: ${why}`, id);
    }
    if (this.#failedIn(id).some(({ message }) => UNTRIED.test(message ?? '')))
      this.#app.count('blobs untried behind others');
    const point = this.#witness.pointOf(id);
    if (point) {
      this.#endedReader({ id, entries: point.entries ?? [] }, summary);
      return;
    }
    // Until the last process has the new setup, runs begin with one and continue with the other.
    if (this.#setups < this.#world.hardships.setups && summary.problems.some(({ code }) => code === 'setup-changed')) {
      return;
    }
    // A run whose start was lost with its process never had an orchestration.
    if (!this.#undisturbed(before) || !(this.#app.durable.stateOf(id) ?? this.#app.elsewhere.stateOf(id))) return;
    this.#app.count('run without any trouble');
    const { status } = summary;
    if (status === 'succeeded' || (status === 'cancelled' && this.#cancelled.has(id))) return;
    if (lacksOnlySkipped(summary) || this.#selectsNothing(summary)) return;
    const entries = this.#witness.runs.get(id)?.entries ?? [];
    const failed = entries.filter((entry) => entry.status === 'failed');
    const excused = failed.every((entry) => this.#isExcused(entry, before!));
    if (status !== 'completed-with-failures' || failed.length === 0 || !excused) {
      const why = summary.problems.map(({ code, message }) => `${code}: ${message}`).join('; ');
      this.#witness.say('I1', `run ${id} ${status} without any trouble: ${why}`, id);
    }
  }

  /** Two executions cannot recognize each other's copies of a blob without a record, and abort them. */
  #isExcused(entry: Entry, before: Beginning): boolean {
    const { container, name, message = '' } = entry;
    if (this.#isDenied(container, name)) {
      this.#app.count('blob denied for good');
      return isSaidDenied(entry);
    }
    // Many denied blobs in a row can hide others, until a later run.
    if (UNTRIED.test(message)) return this.#deniedIn(container) > DOUBTFUL_AFTER;
    return this.#witness.edits(container, name, before.changes) > 0 || !this.#witness.canCarryRecord(container, name);
  }

  #deniedIn(container: string): number {
    return [...this.#denied].filter((key) => key.startsWith(`${container}\n`)).length;
  }

  /** The run says that nothing is selected, and the world has names that are not. */
  #selectsNothing({ status, problems }: Summary): boolean {
    const isSelected = this.#selection;
    const isSaid = problems.some(({ code, container }) => code === 'nothing-matched' && container === undefined);
    return status === 'failed' && isSaid && this.#world.names.some((name) => !isSelected(name));
  }

  get #selection(): (name: string) => boolean {
    const { prefix, ...globs } = this.#world.job.source;
    const isChosen = blobFilter(globs);
    return (name) => name.startsWith(prefix) && isChosen(name);
  }

  #copyStarted(container: string, name: string, copyId: string): void {
    const { pendingTroubles: rate, limits } = this.#world;
    const copy = { container, name, copyId };
    if (!this.#app.endCopyLater(this.#vault, copy, { rate, deadlineMs: limits.copyDeadlineMs })) return;
    this.#troubles++;
    this.#troubled.add(copyId);
  }

  #noteLife(change: Change): void {
    const isSign = this.#living.noteSign(change, this.#app.scheduler.now);
    if (isSign) this.#app.count('sign of life');
    const from = this.#living.superseded(change);
    if (from !== undefined) {
      this.#witness.say('I4', `run ${from} gave signs of life, and another run took its lock`, from);
    }
  }

  #changed(change: Change): void {
    this.#noteLife(change);
    this.#app.note(
      `${change.operation} done on ${change.account.alias} ${change.container}/${change.name} → ${change.after?.etag}`,
    );
    this.#witness.see(change);
    if (change.operation === 'copy failed') this.#app.count('copy failed');
    if (change.operation === 'AbortCopyBlob') this.#app.count('copy aborted');
    if (change.operation === 'SnapshotBlob') this.#app.count('snapshot');
  }
}

/** A blob that is denied for good fails with a code that leads to the right that is missing. */
function isSaidDenied({ code = '' }: { code?: string }): boolean {
  return code.startsWith('access-denied-');
}

/** What is said beside everything else, and changes no status. */
const REMARKS = new Set(['order-unknown', 'pattern-unmatched', 'brake-engaged']);

/** The owner has moved to the archive tier what the vault held in another version: no run can do better. */
function lacksOnlySkipped({ status, counts, noLongerHeld, problems }: Summary): boolean {
  const isOther = problems.some(({ count, code, container }) => !REMARKS.has(code) && (count === 0 || !container));
  const isSkipped = (noLongerHeld?.skipped ?? 0) > 0 && noLongerHeld?.failed === 0;
  return status === 'completed-with-failures' && isSkipped && counts.failed === 0 && !isOther;
}
