import type { Configuration } from '#config/configuration.ts';
import { orchestrations } from '#orchestrations/index.ts';
import { checkMemory } from '../../test/support/builders/memory-check.ts';
import { Random } from '../../test/support/builders/random.ts';
import type { Orchestrator } from '../memory/durable.ts';
import { HostileWriter } from '../memory/hostile-writer.ts';
import { LivingRuns } from '../memory/living-runs.ts';
import type { Change, MemoryAccount, MemoryBlob, Traits } from '../memory/memory-account.ts';
import { NAME_ORDERS } from '../memory/name-orders.ts';
import { type Answer, SimulatedApp } from '../memory/simulated-app.ts';
import type { Activity, Handlers } from '../memory/worker.ts';
import type { Played } from '../seeds/played.ts';
import { Chronicle, isHeld, type Notes, type Run, SCRATCH, type Stage, type Summary } from './chronicle.ts';
import { Judge } from './judge.ts';
import { Owner } from './owner.ts';
import { type Damage, vandalize } from './vandal.ts';
import { drawLife, type LifeWorld } from './world.ts';

/** Ways to break the app on purpose, to see that the judge notices. */
export interface Sabotage {
  storage?: (storage: { vault: MemoryAccount }) => void;
  activities?: (activities: Record<string, Activity>) => Record<string, Activity>;
}

/** Steps after which a play counts as endless. */
const MOST_STEPS = 400_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Plays one life of a vault to its end: weeks of backups, restores, verifications and prunes. */
export async function live(seed: number, sabotage: Sabotage = {}): Promise<Played> {
  return new Life(seed, sabotage).play();
}

class Life {
  readonly #random: Random;
  readonly #world: LifeWorld;
  readonly #app: SimulatedApp;
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #target: MemoryAccount;
  readonly #chronicle: Chronicle;
  readonly #judge: Judge;
  readonly #owner: Owner;
  readonly #hostile: HostileWriter;
  readonly #accepted = new Set<string>();
  /** Plans that are not carried out yet. */
  readonly #plans: { run: string; hash: string }[] = [];
  readonly #living: LivingRuns;
  /** For what concerns hosts, so that other draws do not depend on them. */
  readonly #fate: Random;
  /** Whether another host, which knows none of these orchestrations, answers some of the requests. */
  readonly #otherHost: boolean;
  #leaptBack = false;
  #restoreIsAsked = false;
  #disasters: number;

  constructor(seed: number, sabotage: Sabotage) {
    const random = new Random(seed);
    this.#random = random;
    const world = drawLife(random);
    this.#world = world;
    this.#disasters = world.disasters;
    this.#living = new LivingRuns(world.limits.silentMs);
    this.#fate = new Random(`hosts of ${seed}`);
    // A sign of life from the future would keep a run alive until then.
    this.#otherHost = !world.leaps && this.#fate.chance(0.4);
    this.#app = new SimulatedApp({
      ...{ random, beginning: world.beginning, pace: world.pace, skew: 3_000, workers: world.workers },
      ...{ faults: world.faults, mishaps: world.mishaps, limits: world.limits, convergence: 'I4' },
      orchestrators: orchestrations as Record<string, Orchestrator>,
      configurationOf: () =>
        ({
          archives: [],
          jobs: world.jobs,
          accounts: new Map(['SOURCE', 'VAULT', 'TARGET'].map((alias) => [alias, {}])),
          otherAccounts: ['TARGET'],
        }) as unknown as Configuration,
      activities: sabotage.activities,
      changed: (change) => this.#changed(change),
      beforeStep: () => this.#happen(),
      say: (promise, message, about) => this.#chronicle.say(promise, message, about),
      finished: ({ id, name, state, output }) => {
        if (name !== 'runJob') return;
        this.#app.note(`run ${id} ended: ${state === 'Completed' ? (output as { status: string }).status : state}`);
      },
    });
    const account = (alias: string, clock: number, traits: Partial<Traits>) => {
      const made: MemoryAccount = this.#app.account(alias, {
        ...{ clock, pageSize: world.page },
        staysPending: () => random.chance(world.pending),
        started: (container, name, copyId) =>
          this.#app.endCopyLater(made, { container, name, copyId }, { deadlineMs: world.limits.copyDeadlineMs }),
        ...traits,
      });
      return made;
    };
    this.#source = account('SOURCE', world.sourceClock, { compare: NAME_ORDERS[world.sourceOrder] });
    this.#target = account('TARGET', world.sourceClock, { compare: NAME_ORDERS[world.sourceOrder] });
    this.#vault = account('VAULT', world.vaultClock, {
      compare: NAME_ORDERS[world.vaultOrder],
      tiers: world.vaultTiers,
      tags: world.vaultTags,
    });
    sabotage.storage?.({ vault: this.#vault });
    const stage: Stage = {
      source: this.#source,
      vault: this.#vault,
      target: this.#target,
      jobs: world.jobs,
      outcomesMs: world.limits.outcomesMs,
      now: () => this.#app.scheduler.now,
      vaultNow: () => this.#vault.traits.now(),
    };
    this.#chronicle = new Chronicle(stage);
    this.#judge = new Judge(this.#chronicle, stage);
    this.#chronicle.onSummary = (run, summary) => this.#ended(run, summary);
    this.#chronicle.onCleared = () => this.#app.count('old run cleared');
    this.#chronicle.onNotes = (run, before) => this.#noted(run, before);
    this.#owner = new Owner(random, world, this.#source);
    this.#hostile = new HostileWriter(random, this.#source);
  }

  async play(): Promise<Played> {
    this.#byOwner(() => this.#owner.fill());
    return this.#app.play(() => this.#story(), MOST_STEPS, this.#vault, this.#chronicle.violations);
  }

  async #story(): Promise<void> {
    const random = this.#random;
    for (let round = 0; round < this.#world.rounds; round++) {
      if (this.#world.leaps && random.chance(0.2)) this.#leap();
      if (round > 1 && random.chance(0.12)) this.#app.note(this.#byOwner(() => this.#owner.disaster()));
      for (let edits = random.below(6); edits > 0; edits--) this.#app.note(this.#byOwner(() => this.#owner.edit()));
      if (random.chance(this.#world.hostility)) this.#attack();
      if (random.chance(0.1)) this.#byOwner(() => this.#leaveSomething());
      const deeds = this.#world.jobs.map(({ name }) => this.#deedsOf(name));
      await Promise.all(deeds);
      await this.#app.untilEnded(3 * DAY);
      await this.#app.scheduler.sleep(
        random.pick([HOUR, 8 * HOUR, DAY, DAY, 5 * DAY]) + random.below(HOUR),
        'days pass',
      );
    }
    await this.#conclude();
  }

  /** Between backups, a hostile writer does a few deeds. */
  #attack(): void {
    for (let deeds = this.#random.between(1, 8); deeds > 0; deeds--) {
      const deed = this.#byOwner(() => this.#hostile.act());
      if (deed === undefined) return;
      this.#app.count('hostile writer');
      this.#app.note(deed);
    }
  }

  /** One round of a job: usually a backup, then a few other runs. */
  async #deedsOf(job: string): Promise<void> {
    const random = this.#random;
    await this.#app.scheduler.sleep(random.between(1, random.pick([100, 10 * MINUTE])), 'a user has something to do');
    const beside = random.chance(0.5) ? this.#readBeside(job) : undefined;
    if (random.chance(0.85)) {
      const mode = random.pick(['full', 'incremental', 'incremental', 'incremental']);
      const letGo = random.chance(0.15) ? this.#lease() : undefined;
      const id = await this.#run('start', { job }, { mode, dryRun: random.chance(0.05) });
      if (letGo && random.chance(0.5)) await this.#prune(job);
      letGo?.();
      if (letGo && id !== undefined && random.chance(0.7)) await this.#run('retry', { id });
    }
    for (let deeds = random.between(0, 3); deeds > 0; deeds--) {
      const what = random.below(10);
      if (what < 2) await this.#retry(job);
      else if (what < 4) await this.#restore(job);
      else if (what === 4) await this.#verify(job);
      else if (what === 5) await this.#noteSomething(job);
      else await this.#prune(job);
    }
    await beside;
  }

  /** Restores or verifies while other runs of the job are in progress. */
  async #readBeside(job: string): Promise<void> {
    for (let reads = this.#random.between(1, 3); reads > 0; reads--) {
      await this.#app.scheduler.sleep(this.#random.between(1, this.#random.pick([100, 2 * MINUTE])));
      if (this.#holderOf(job) !== undefined) this.#app.count('reader beside another run');
      if (this.#random.chance(0.5)) await this.#restore(job);
      else await this.#verify(job);
    }
  }

  /** A stranger writes a blob of their own into a backup container. */
  #leaveSomething(): void {
    const blobs = this.#backupBlobs();
    if (blobs.length === 0) return;
    const { container, blob } = this.#random.pick(blobs);
    this.#vault.write(container, { name: `${blob.name}.own`, body: Buffer.from('not of the source') });
  }

  /** A stranger leases some backup blobs, so their changes cannot be copied. */
  #lease(): () => void {
    const some = this.#random.shuffled(this.#backupBlobs()).slice(0, 3);
    for (const { container, blob } of some) {
      this.#vault.alter(container, blob.name, { leased: true }, 'LeaseBlob');
      // The source has changed as well.
      const origin = this.#chronicle.sourceOf(container, blob);
      if (origin) this.#byOwner(() => this.#owner.rewrite(origin.etag));
    }
    return () => {
      for (const { container, blob } of some) {
        if (this.#vault.blob(container, blob.name)?.leased) {
          this.#vault.alter(container, blob.name, { leased: undefined }, 'BreakLease');
        }
      }
    };
  }

  #backupBlobs(): { container: string; blob: MemoryBlob }[] {
    return [...this.#vault.blobs()].filter(
      ({ container, blob }) =>
        container !== 'strongroom' && !container.startsWith(SCRATCH) && blob.copy?.status !== 'pending',
    );
  }

  async #retry(job: string): Promise<void> {
    const last = [...this.#chronicle.runs.values()].filter((run) => run.job === job && run.summary).at(-1);
    if (!last || (last.restore && this.#isRestoring())) return;
    if (last.restore) this.#restoreIsAsked = true;
    await this.#run('retry', { id: last.id });
    if (last.restore) this.#restoreIsAsked = false;
  }

  async #restore(job: string): Promise<void> {
    const random = this.#random;
    const kept = this.#chronicle.kept(job);
    const points = random.chance(0.05) ? this.#chronicle.points : kept;
    // Two restores into one place at once are a mistake of the user.
    if (points.length === 0 || this.#isRestoring()) return;
    const point = random.pick(points);
    const isOriginal = random.chance(0.25);
    const container = isOriginal ? '{container}' : random.pick(['{container}', '{container}-back']);
    const prefix = random.pick([undefined, undefined, 'was/']);
    const first = this.#world.containers[0]!;
    if (!isOriginal && random.chance(0.5)) {
      this.#byOwner(() => this.#owner.occupy(this.#target, container.replace('{container}', first)));
    }
    this.#restoreIsAsked = true;
    await this.#run(
      'restore',
      {},
      {
        restorePoint: point.id,
        target: { account: isOriginal ? 'SOURCE' : 'TARGET', container, ...(prefix !== undefined && { prefix }) },
        existing: random.pick(['fail', 'skip', 'overwrite', 'if-different']),
        ...(random.chance(0.2) && { containers: [first] }),
        ...(random.chance(0.2) && { prefix: 'a' }),
        ...(random.chance(0.05) && { dryRun: true }),
      },
    );
    this.#restoreIsAsked = false;
  }

  #isRestoring(): boolean {
    return this.#restoreIsAsked || [...this.#chronicle.runs.values()].some((run) => run.restore && !run.summary);
  }

  async #verify(job: string): Promise<void> {
    const points = this.#chronicle.kept(job);
    if (points.length === 0) return;
    const kind = this.#fate.chance(0.2) ? 'drill' : this.#random.pick(['quick', 'deep', 'deep']);
    if (kind === 'drill') this.#app.count('drill');
    const portion = this.#random.pick(['100%', '100%', '40%', '1/3']);
    await this.#run(
      'verify',
      {},
      { restorePoint: this.#random.pick(points).id, kind, ...(kind === 'deep' && { portion }) },
    );
  }

  async #noteSomething(job: string): Promise<void> {
    const random = this.#random;
    const points = this.#chronicle.kept(job);
    if (points.length === 0) return;
    const { id } = random.pick(points);
    const marked = this.#chronicle.points.filter((point) => point.job === job && point.notes.removed && !point.gone);
    if (marked.length > 0 && random.chance(0.5)) {
      const { status } = await this.#ask('unmark', { id: random.pick(marked).id });
      if (status === 200) this.#app.count('unmarked');
      return;
    }
    const what = random.pick(['hold', 'unhold', 'release'] as const);
    await this.#ask(what, { id }, what === 'hold' ? { reason: 'kept by hand' } : {});
  }

  /** Makes a plan, or carries out this one or an earlier one, now or on another day. */
  async #prune(job: string): Promise<void> {
    const random = this.#random;
    if (this.#plans.length > 0 && random.chance(0.4)) {
      const [late] = random.take(this.#plans, 1);
      await this.#run('prune', {}, { plan: late!.run, hash: late!.hash });
      return;
    }
    const plan = await this.#plan(job);
    if (!plan) return;
    if (random.chance(0.6)) await this.#run('prune', {}, { plan: plan.run, hash: plan.hash });
    else this.#plans.push(plan);
  }

  async #plan(job: string): Promise<{ run: string; hash: string; removes: number } | undefined> {
    const id = await this.#run('prune', {}, { job });
    const summary = id === undefined ? undefined : this.#chronicle.runs.get(id)?.summary;
    if (!summary?.plan || summary.status !== 'succeeded') return undefined;
    const { plan } = summary;
    this.#app.count(plan.remove.length > 0 ? 'plan that removes' : 'plan that removes nothing');
    if (plan.reading.length > 0) this.#app.count('plan that waits for a reader');
    return { run: summary.id, hash: plan.hash, removes: plan.remove.length };
  }

  /** Starts a run and waits until it has ended. Returns its id if it was started. */
  async #run(what: keyof Handlers, params: Record<string, string>, body: object = {}): Promise<string | undefined> {
    const answer = await this.#ask(what, params, body);
    const { id } = answer.body;
    if (answer.status !== 202 || id === undefined) return undefined;
    this.#accepted.add(id);
    if (!this.#app.isQuiet && this.#random.chance(0.04)) {
      await this.#app.scheduler.sleep(this.#random.between(1, 20_000));
      await this.#ask('cancel', { id }, { force: this.#random.chance(0.3) });
    }
    const end = this.#app.scheduler.now + 2 * DAY;
    while (this.#app.scheduler.now < end && this.#isRunning(id)) {
      await this.#app.scheduler.sleep(this.#random.between(1_000, 20_000), 'the user waited');
    }
    return id;
  }

  #isRunning(id: string): boolean {
    const { durable, elsewhere, active } = this.#app;
    if (active.some((each) => each.id === id && each.stuck)) return false;
    return (durable.stateOf(id) ?? elsewhere.stateOf(id))?.state === 'Running';
  }

  /** Without faults, one round of every kind must put everything right. */
  async #conclude(): Promise<void> {
    this.#app.endFaults();
    await this.#app.untilEnded(3 * DAY);
    for (const { id, name, stuck } of this.#app.active) {
      if (!stuck) this.#chronicle.say('I4', `${name} ${id} does not end`, id);
    }
    // What only its silence ends blocks the next run no longer than documented.
    await this.#app.scheduler.sleep(this.#silence());
    for (const { name } of this.#world.jobs) await this.#concludeBackups(name);
    // The clock of the vault may be behind: the last restore point must not be in its future.
    await this.#app.scheduler.sleep(2 * HOUR);
    // Waits for the margin between rounds, so a later prune deletes what an earlier one marked.
    for (let round = 0; round < 3; round++) {
      for (const { name } of this.#world.jobs) await this.#pruneWell(name);
      await this.#app.scheduler.sleep(51 * HOUR, 'the margin passes');
    }
    for (const { name } of this.#world.jobs) await this.#pruneInVain(name);
    // Blobs from the future count as young.
    if (!this.#leaptBack) this.#judge.judgeTidy();
    for (const point of this.#chronicle.kept()) await this.#restoreWhole(point);
    for (const { name } of this.#world.jobs) await this.#checkVault(name);
    await this.#concludeVerifications();
    for (const { name } of this.#world.jobs) {
      if (this.#holderOf(name) !== undefined) this.#chronicle.say('I4', 'the lock is not free in the end', name);
    }
    for (const id of this.#accepted) {
      const run = this.#chronicle.runs.get(id);
      if (!run?.summary) this.#chronicle.say('I3', `run ${id} was started and has no run.json`, id);
    }
  }

  /** Milliseconds after which a run that nothing continues counts as ended. */
  #silence(): number {
    if (this.#app.active.length > 0) return 61 * MINUTE;
    return this.#otherHost ? 11 * MINUTE : 5 * MINUTE;
  }

  /** The program that checks a vault without the app must find everything that the chain names, and nothing else. */
  async #checkVault(job: string): Promise<void> {
    const { findings } = await checkMemory(this.#vault, { job, content: true });
    for (const { what, where, how } of findings) this.#chronicle.say('I6', `the check finds ${what}: ${how}`, where);
  }

  #holderOf(job: string): string | undefined {
    const lock = this.#vault.blob('strongroom', `locks/${job}.json`);
    return lock && JSON.parse(lock.body.toString()).run?.id;
  }

  async #concludeBackups(job: string): Promise<void> {
    // What was held and cannot be read any more would be owed for ever.
    this.#byOwner(() => this.#owner.rehydrate());
    const id = await this.#run('start', { job }, { mode: 'incremental' });
    await this.#app.untilEnded(3 * DAY);
    const { status, problems } = this.#chronicle.runs.get(id ?? '')?.summary ?? {};
    // An empty source is reported as a failure.
    if (status === 'succeeded' || problems?.some(({ code }) => code === 'no-containers')) return;
    this.#chronicle.say('I4', `the last backup, without any fault, ${status}: ${JSON.stringify(problems)}`, id ?? job);
  }

  async #pruneWell(job: string): Promise<void> {
    const plan = await this.#plan(job);
    await this.#app.untilEnded(3 * DAY);
    if (!plan) {
      this.#chronicle.say('I4', `no prune of ${job} can be planned when all is quiet`, job);
      return;
    }
    const id = await this.#run('prune', {}, { plan: plan.run, hash: plan.hash });
    const summary = this.#chronicle.runs.get(id ?? '')?.summary;
    if (summary?.status === 'succeeded') return;
    const why = JSON.stringify(summary?.problems);
    this.#chronicle.say('I4', `a prune, without any fault, ${summary?.status ?? 'was not started'}: ${why}`, id ?? job);
  }

  /** After the last prune nothing is left to do; a plan may still name blobs that the prune finds in the source. */
  async #pruneInVain(job: string): Promise<void> {
    const plan = await this.#plan(job);
    const id = plan && (await this.#run('prune', {}, { plan: plan.run, hash: plan.hash }));
    const { removed } = this.#chronicle.runs.get(id ?? '')?.summary?.counts ?? {};
    if (plan?.removes === 0 && removed === 0) return;
    this.#chronicle.say('I3', `a prune after the last one removes ${plan?.removes} and deletes ${removed}`, id ?? job);
  }

  async #restoreWhole(point: Run): Promise<void> {
    this.#byOwner(() => {
      for (const container of this.#target.containerNames) this.#target.deleteContainer(container);
    });
    const id = await this.#run('restore', {}, { restorePoint: point.id, target: { account: 'TARGET' } });
    const summary = this.#chronicle.runs.get(id ?? '')?.summary;
    const isEmpty = ![...point.entries.values()].some(isHeld);
    if (summary?.status !== 'succeeded' && !isEmpty) {
      const why = JSON.stringify(summary?.problems);
      this.#chronicle.say('restore', `${point.id} cannot be restored: ${summary?.status} ${why}`, point.id);
    }
    this.#app.count('restored whole');
    this.#judge.compareInFull(point, this.#target);
    this.#judge.compareContainers(point, this.#target, summary);
  }

  /** A verification must report a sound vault as sound, and then find one damage. */
  async #concludeVerifications(): Promise<void> {
    const points = this.#chronicle.kept().filter(({ entries }) => [...entries.values()].some(isHeld));
    if (points.length === 0) return;
    const point = this.#random.pick(points);
    const verify = async (kind: string) => {
      const id = await this.#run(
        'verify',
        {},
        { restorePoint: point.id, kind, ...(kind === 'deep' && { portion: '100%' }) },
      );
      return this.#chronicle.runs.get(id ?? '')?.summary;
    };
    const sound = await verify('deep');
    if (sound?.status !== 'succeeded' && !sound?.problems.every(({ code }) => code === 'content-unproved')) {
      this.#chronicle.say(
        'verify',
        `a sound vault is reported as ${sound?.status}: ${JSON.stringify(sound?.problems)}`,
        point.id,
      );
    }
    const damage = this.#chronicle.as('vandal', () => vandalize(this.#random, this.#vault, this.#chronicle, point));
    if (!damage) return;
    this.#judge.vandalized = true;
    this.#app.note(`a vandal ${damage.words}`);
    this.#app.count(`damage: ${damage.kind}`);
    const kind = damage.showsInListing && this.#random.chance(0.5) ? 'quick' : 'deep';
    this.#judgeFound(await verify(kind), damage, kind);
  }

  #judgeFound(summary: Summary | undefined, { words, container, name }: Damage, kind: string): void {
    const lines = (summary?.parts ?? [])
      .filter((part) => part.container === container)
      .flatMap(({ path }) => this.#chronicle.linesOf(path))
      // Once the source has another version, only its Content-MD5 hints at the damage.
      .filter(({ status, message }) => status === 'failed' || /Content-MD5 was another/.test(message ?? ''));
    if (!lines.some((line) => line.name === name)) {
      this.#chronicle.say('verify', `a vandal ${words}, and a ${kind} verification does not find it`, name);
    }
    const other = lines.find((line) => line.name !== name);
    if (other)
      this.#chronicle.say(
        'verify',
        `a vandal ${words}, and the verification reports ${other.name} as ${other.code}`,
        name,
      );
  }

  async #ask(what: keyof Handlers, params: Record<string, string>, body: object = {}): Promise<Answer> {
    const elsewhere = this.#otherHost && this.#fate.chance(0.4);
    if (elsewhere) this.#app.count('asked of another host');
    const answer = await this.#app.ask(what, params, body, elsewhere);
    const { code, detail } = answer.body;
    if (answer.status >= 400) this.#app.count(`refused: ${code}`);
    if (answer.status === 400) this.#chronicle.say('simulation', `${what} was not understood: ${detail}`, '');
    return answer;
  }

  /** Before every step: what the owner does, and what goes wrong. */
  #happen(): void {
    const random = this.#random;
    const isBusy = this.#app.active.some(({ stuck }) => !stuck);
    if (isBusy && random.chance(this.#world.edits)) this.#app.note(this.#byOwner(() => this.#owner.edit()));
    if (isBusy && this.#disasters > 0 && random.chance(0.003)) this.#disaster();
  }

  #disaster(): void {
    const random = this.#random;
    const host = this.#otherHost && this.#fate.chance(0.5) ? this.#app.elsewhere : this.#app.durable;
    const runs = host.active.filter(({ name, stuck }) => name === 'runJob' && !stuck);
    const what = random.below(10);
    this.#disasters--;
    if (!this.#world.leaps && runs.length > 0 && this.#fate.chance(0.25)) {
      const { id } = this.#fate.pick(runs);
      this.#app.note(`run ${id} gets stuck`);
      this.#app.count('stuck');
      host.stick(id);
    } else if (what < 7) {
      this.#app.crash();
    } else if (what < 9 && runs.length > 0) {
      const { id } = random.pick(runs);
      this.#app.note(`run ${id} is terminated`);
      this.#app.count('terminated');
      host.terminate(id);
    } else {
      this.#app.note('the journal is lost');
      this.#app.count('journal lost');
      host.loseAll();
    }
  }

  #leap(): void {
    const days = this.#random.pick([365, -30, -1, 400, -400]);
    this.#app.note(`all clocks leap by ${days} days`);
    this.#app.count(days > 0 ? 'leap forward' : 'leap back');
    if (days < 0) this.#leaptBack = true;
    this.#app.scheduler.leap(days * DAY);
  }

  #ended(run: Run, summary: Summary): void {
    const { id, status, counts, problems } = summary;
    const reasons = problems.map(({ code, message }) => `${code}: ${message}`).join('; ');
    const continues = this.#app.active.some((each) => each.id === id && !each.stuck);
    this.#living.noteEnd(id, problems, this.#app.scheduler.now, continues);
    this.#app.note(`run ${id} is published: ${run.mode} ${status} ${JSON.stringify(counts)} ${reasons}`);
    this.#app.count(`${run.dryRun ? 'dry ' : ''}${run.mode} ${status}`);
    for (const { code } of problems) {
      this.#app.count(`problem: ${code}`);
      if (code === 'inconsistent') this.#chronicle.say('I1', `run ${id} does not add up: ${reasons}`, id);
    }
    this.#judge.judgeSummary(run, summary);
  }

  #changed(change: Change): void {
    const { account, container, name, operation, after, snapshot } = change;
    const about = snapshot ? `a snapshot of ${container}/${name}` : `${container}/${name}`;
    this.#app.note(`${operation} done on ${account.alias} ${about} → ${after?.etag}`);
    if (operation === 'DeleteBlob') this.#app.count(snapshot ? 'snapshot deleted' : 'blob deleted');
    if (this.#living.noteSign(change, this.#app.scheduler.now)) this.#app.count('sign of life');
    const superseded = this.#living.superseded(change);
    if (superseded !== undefined) {
      this.#chronicle.say('I4', `run ${superseded} gave signs of life, and another run took its lock`, superseded);
    }
    this.#chronicle.see(change);
    this.#judge.see(change);
  }

  #noted(run: Run, before: Notes): void {
    const { brake, hold } = run.notes;
    if (brake && !before.brake) this.#app.count('brake engaged');
    if (brake?.released && !before.brake?.released) this.#app.count('brake released');
    if (hold && !before.hold) this.#app.count('held');
    this.#judge.judgeNotes(run, before);
  }

  #byOwner<T>(work: () => T): T {
    return this.#chronicle.as('owner', work);
  }
}
