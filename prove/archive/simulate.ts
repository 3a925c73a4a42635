import type { InvocationContext } from '@azure/functions';
import type { Upload } from '#activities/archive/archive-upload.ts';
import type { KeepPoisonInput } from '#activities/archive/keep-poison.ts';
import type { makeActivities } from '#activities/index.ts';
import { queueEventsHandler } from '#functions/archive/archive-events.ts';
import { queuePoisonHandler } from '#functions/archive/poison-events.ts';
import { startRun } from '#functions/run/start-run.ts';
import { orchestrations } from '#orchestrations/index.ts';
import { Random } from '../../test/support/builders/random.ts';
import type { Orchestrator } from '../memory/durable.ts';
import type { Change, MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import { SimulatedApp } from '../memory/simulated-app.ts';
import type { Activity, Worker } from '../memory/worker.ts';
import type { Played } from '../seeds/played.ts';
import { ARCHIVE, CONTROL, QUEUE, RULE, SOURCE } from './stage.ts';
import { ArchiveWitness, COPYING } from './witness.ts';
import { type ArchiveWorld, drawArchiveWorld } from './world.ts';

export interface SimulationSabotage {
  storage?: (storage: { source: MemoryAccount; vault: MemoryAccount }) => void;
}

interface Message {
  id: string;
  name: string;
  text: string;
  /** The version at the time of sending, whether the message names it or not. */
  etag: string;
  tries: number;
  state: 'waits' | 'processed' | 'poison';
}

const MOST_STEPS = 60_000;
const BEGINNING = Date.UTC(2026, 4, 1, 22);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** As many as the host makes. */
const TRIES = 5;
const VISIBILITY = 10 * MINUTE;
/** The clocks of the processes. */
const SKEW = 5_000;
/** Two processes, and the whole seconds of the service. */
const CLOCKS_APART = 2 * SKEW + 1_000;

/** Plays one seed of uploads and messages, with faults, to its end. The same seed gives the same trace. */
export async function simulateArchiving(seed: number, sabotage: SimulationSabotage = {}): Promise<Played> {
  return new ArchiveSimulation(seed, sabotage).play();
}

class ArchiveSimulation {
  readonly #random: Random;
  readonly #world: ArchiveWorld;
  readonly #app: SimulatedApp;
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #witness: ArchiveWitness;
  readonly #messages: Message[] = [];
  /** Versions that no message announces any more. */
  readonly #silent = new Set<string>();
  #inProgress = 0;
  #crashes: number;
  #leaps: number;

  constructor(seed: number, sabotage: SimulationSabotage) {
    const random = new Random(seed);
    this.#random = random;
    const world = drawArchiveWorld(random);
    this.#world = world;
    this.#crashes = world.crashes;
    this.#leaps = world.leaps;
    this.#app = new SimulatedApp({
      ...{ random, beginning: BEGINNING, pace: world.pace, skew: SKEW, workers: world.workers, convergence: 'P3' },
      ...{ faults: world.faults, mishaps: world.mishaps, limits: world.limits },
      orchestrators: orchestrations as Record<string, Orchestrator>,
      configurationOf: () => ({
        jobs: [],
        archives: [world.rule],
        accounts: new Map(),
        otherAccounts: [],
        notify: { every: '', timeZone: 'UTC', channels: [], send: [], pings: new Map(), severity: {}, names: true },
      }),
      activities: (activities) => ({ ...activities, keepPoison: this.#observed(activities.keepPoison!) }),
      changed: (change) => this.#changed(change),
      beforeStep: () => this.#happen(),
      say: (promise, message, about) => this.#witness.say(promise, message, about),
      finished: ({ id, name, state, output }) => {
        this.#app.note(`${name} ${id} ended: ${state} ${JSON.stringify(output)}`);
        if (state === 'Failed') this.#witness.say('bug', `${name} failed: ${output}`, id);
      },
    });
    this.#source = this.#app.account('SOURCE', { clock: world.sourceClock, pageSize: world.page });
    this.#vault = this.#app.account('VAULT', {
      ...{ clock: world.vaultClock, pageSize: world.page },
      staysPending: () => random.chance(world.pending),
      started: (container, name, copyId) =>
        this.#app.endCopyLater(
          this.#vault,
          { container, name, copyId },
          { rate: world.pendingTroubles, deadlineMs: world.limits.copyDeadlineMs },
        ),
    });
    const { folders } = world.rule.destination;
    // Blocks are read before their commit: a version may be gone, be reported as missed, and arrive nevertheless.
    const comesLate = world.rule.method === 'blocks';
    this.#witness = new ArchiveWitness({ source: this.#source, vault: this.#vault, folders, comesLate });
    this.#witness.onViolation = ({ promise, message }) => this.#app.note(`!! ${promise}: ${message}`);
    this.#source.createContainer(SOURCE);
    for (const container of [ARCHIVE, CONTROL]) this.#vault.createContainer(container);
    sabotage.storage?.({ source: this.#source, vault: this.#vault });
  }

  async play(): Promise<Played> {
    return this.#app.play(() => this.#story(), MOST_STEPS, this.#vault, this.#witness.violations);
  }

  async #story(): Promise<void> {
    const random = this.#random;
    let { reconciles } = this.#world;
    for (let edit = 0; edit < this.#world.edits; edit++) {
      await this.#app.scheduler.sleep(random.between(1, this.#world.pause));
      if (random.chance(this.#world.growing)) await this.#grow();
      else this.#edit();
      if (reconciles > 0 && random.chance(0.3)) {
        reconciles--;
        void this.#reconcile();
      }
    }
    // The faults may end while uploads are in progress, or long after.
    await this.#app.scheduler.sleep(random.pick([1, MINUTE, 2 * HOUR]));
    this.#app.endFaults();
    while (this.#app.workforce.size < this.#world.workers) this.#app.workforce.hire();
    await this.#settled();
    const announced = [...this.#witness.present()].filter(({ etag }) => !this.#silent.has(etag));
    this.#witness.judge(announced, 'the events');
    const areAllReported = this.#silent.size === 0;
    const before = this.#made();
    await this.#app.scheduler.sleep(5 * HOUR);
    await this.#reconcile();
    await this.#settled();
    if (this.#made() > before) this.#app.count('reconciliation copied');
    else this.#app.count('reconciliation found nothing to do');
    if (areAllReported && this.#made() > before) {
      this.#witness.say('P3', 'a reconciliation copied uploads that the events had archived', '');
    }
    this.#witness.judgeAll('a reconciliation');
    this.#witness.judgeClaims();
    this.#witness.judgePoison();
    const after = this.#made();
    await this.#reconcile();
    await this.#settled();
    if (this.#made() > after) this.#witness.say('P3', 'a second reconciliation copied something', '');
    if (!this.#world.calm) return;
    this.#app.count('no trouble');
    this.#witness.judgeOnce();
  }

  /** Waits until no process works and no message waits. */
  async #settled(): Promise<void> {
    const isIdle = () =>
      this.#inProgress === 0 &&
      this.#messages.every(({ state }) => state !== 'waits') &&
      this.#app.durable.active.length === 0;
    while (!isIdle()) await this.#app.scheduler.sleep(10_000, 'the test checked for the end');
  }

  /** A blob grows for a while, and is never quiet meanwhile. */
  async #grow(): Promise<void> {
    const random = this.#random;
    const name = random.pick(this.#world.names);
    const quietMs = (this.#world.rule.quietMinutes ?? 0) * MINUTE;
    this.#app.count('blob grew');
    for (let times = random.between(3, 12); times > 0; times--) {
      this.#write(name);
      await this.#app.scheduler.sleep(random.between(1, quietMs / 2));
    }
  }

  #edit(): void {
    const random = this.#random;
    const name = random.chance(0.5) ? this.#world.names[0]! : random.pick(this.#world.names);
    if (this.#source.blob(SOURCE, name) && random.chance(0.15)) {
      this.#source.remove(SOURCE, name);
      this.#app.note(`the owner deleted ${name}`);
      return;
    }
    this.#write(name);
  }

  #write(name: string): void {
    const random = this.#random;
    // Of one length: only the ETag distinguishes versions.
    const body = Buffer.from(`content ${String(random.below(1e9)).padStart(9, '0')}`);
    const { etag } = this.#source.write(SOURCE, { name, body });
    this.#app.note(`the owner wrote ${name}: ${etag}`);
    if (random.chance(this.#world.dropped)) {
      this.#app.count('message lost');
      this.#silent.add(etag);
      return;
    }
    this.#send(name, etag);
    if (random.chance(this.#world.doubled)) {
      this.#app.count('message doubled');
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
    this.#app.later(`message ${id} arrives`, delay, () => this.#deliver(message));
  }

  #deliver(message: Message): void {
    if (message.state !== 'waits') return;
    const random = this.#random;
    message.tries++;
    const tried = message.tries;
    const again = (ms: number) => {
      this.#app.count('try failed');
      this.#app.later(`message ${message.id} shows again`, ms, () => {
        if (message.tries >= TRIES) this.#poison(message);
        else this.#deliver(message);
      });
    };
    if (random.chance(this.#world.redelivered) && !this.#app.isQuiet) {
      // The visibility of the message was not renewed.
      this.#app.count('delivered again during processing');
      this.#work(
        `message ${message.id} once more`,
        (worker) => this.#handle(worker, message),
        () => {},
        () => {},
      );
    }
    this.#work(
      `message ${message.id}, try ${tried}`,
      (worker) => this.#handle(worker, message),
      (error) => {
        if (error === undefined) message.state = 'processed';
        else again(random.between(1, 5_000));
      },
      () => again(VISIBILITY),
    );
  }

  #poison(message: Message): void {
    if (message.state !== 'waits') return;
    this.#app.count('poison message');
    this.#silent.add(message.etag);
    const again = () => this.#app.later('the poison queue', MINUTE, () => this.#poison(message));
    this.#work(
      `message ${message.id} becomes poison`,
      (worker) => {
        const keepPoison = (input: KeepPoisonInput) => worker.activities.keepPoison!(input) as Promise<object>;
        return queuePoisonHandler(worker.deps, { keepPoison }, `${QUEUE}-poison`, [this.#world.rule])(message.text);
      },
      (error) => {
        if (error === undefined) message.state = 'poison';
        else again();
      },
      again,
    );
  }

  async #handle(worker: Worker, message: Message): Promise<void> {
    const archiveUpload = async (upload: Upload) => {
      const result = (await worker.activities.archiveUpload!(upload)) as Awaited<
        ReturnType<ReturnType<typeof makeActivities>['archiveUpload']>
      >;
      this.#app.count(`upload: ${result.is}`);
      this.#app.note(`${message.id}: ${JSON.stringify(result)}`, worker.name);
      return result;
    };
    const handler = queueEventsHandler(worker.deps, { archiveUpload }, QUEUE, [this.#world.rule]);
    const context = { triggerMetadata: { id: message.id } } as unknown as InvocationContext;
    await handler(message.text, worker.client, context);
  }

  /** Starts a reconciliation, which continues on its own. */
  #reconcile(): Promise<void> {
    return new Promise((resolve) => {
      this.#app.count('reconciliation started');
      const again = () => {
        if (!this.#app.isQuiet) resolve();
        else this.#app.later('the reconciliation is started again', MINUTE, () => this.#reconcile().then(resolve));
      };
      this.#work(
        'a reconciliation is started',
        async ({ deps, client }) => {
          const wanted = { job: RULE, mode: 'reconcile', trigger: 'timer', dryRun: false } as const;
          const result = await startRun(deps, client, wanted);
          if ('running' in result && this.#app.isQuiet) throw new Error('Another run is in progress');
        },
        (error) => (error === undefined ? resolve() : again()),
        again,
      );
    });
  }

  /** Gives work to any process. `ended` receives what the work threw. */
  #work(what: string, work: (worker: Worker) => Promise<void>, ended: (error?: unknown) => void, died: () => void) {
    const worker = this.#app.workforce.any();
    if (!worker) {
      this.#app.later(`${what} finds no process`, 1_000, died);
      return;
    }
    this.#app.note(what, worker.name);
    this.#inProgress++;
    worker.do(
      () => work(worker),
      (outcome) => {
        this.#inProgress--;
        ended('thrown' in outcome ? (outcome.thrown ?? 'nothing') : undefined);
      },
      () => {
        this.#inProgress--;
        died();
      },
    );
  }

  /** Lets the witness observe what the app moves to the poison entries. */
  #observed(keepPoison: Activity): Activity {
    return async (input) => {
      const { name, etag, problem } = input as KeepPoisonInput;
      if (problem) {
        this.#app.count('upload failed permanently');
        for (const message of this.#messages) if (message.name === name) this.#silent.add(message.etag);
      }
      const result = await keepPoison(input);
      this.#witness.failedPermanently(name, etag);
      return result;
    };
  }

  /** Before every step: crashes and clocks that jump. */
  #happen(): void {
    const random = this.#random;
    if (this.#crashes > 0 && this.#app.workforce.size > 0 && random.chance(0.01)) {
      this.#crashes--;
      this.#app.crash();
    }
    if (this.#leaps > 0 && random.chance(0.003)) {
      this.#leaps--;
      const ms = random.pick([-3, -0.5, 0.2, 0.5, 2, 26]) * HOUR;
      this.#app.count('clock jumped');
      this.#app.note(`the clock jumps by ${ms / HOUR} hours`);
      this.#app.scheduler.leap(ms);
    }
  }

  #changed(change: Change): void {
    const { operation, account, container, name, after } = change;
    this.#app.note(`${operation} done on ${account.alias} ${container}/${name} → ${after?.etag}`);
    if (name.includes('/receipts/')) {
      if (after) this.#app.count(`receipt: ${JSON.parse(after.body.toString()).state}`);
      else this.#app.count('receipt removed');
    }
    if (operation === 'AbortCopyBlob') this.#app.count('copy aborted');
    if (operation === 'SnapshotBlob') this.#app.count('snapshot');
    this.#witness.see(change);
    if (account === this.#vault && container === ARCHIVE && after) this.#judgeQuiet(operation, after);
  }

  /** Without trouble, and with clocks that agree, no version is copied before its blob is quiet. */
  #judgeQuiet(operation: string, { metadata }: MemoryBlob): void {
    const { calm, rule, sourceClock } = this.#world;
    const modified = this.#source.blob(SOURCE, this.#witness.version(metadata.strongroom_etag ?? '')?.name ?? '');
    if (!calm || sourceClock !== 0 || !COPYING.has(operation) || modified?.etag !== metadata.strongroom_etag) return;
    const quietFor = this.#app.scheduler.now - modified!.modified;
    if (quietFor + CLOCKS_APART < (rule.quietMinutes ?? 0) * MINUTE) {
      this.#witness.say('P4', `${modified!.etag} was copied ${quietFor} ms after its blob had changed`, modified!.name);
    }
  }

  #made(): number {
    return [...this.#witness.copies.values()].reduce((sum, count) => sum + count, 0);
  }
}
