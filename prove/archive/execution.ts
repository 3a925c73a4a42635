import { createHash } from 'node:crypto';
import type { InvocationContext } from '@azure/functions';
import type { DurableClient, OrchestrationContext, Task } from 'durable-functions';
import { archiveUpload, type Upload, type UploadResult } from '#activities/archive/archive-upload.ts';
import { type KeepPoisonInput, keepPoison } from '#activities/archive/keep-poison.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import { queueEventsHandler } from '#functions/archive/archive-events.ts';
import { queuePoisonHandler } from '#functions/archive/poison-events.ts';
import { type FinishUploadInput, finishUpload } from '#orchestrations/finish-upload.ts';
import type { StoredObject } from '#storage/blob-account.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import { MemoryAccount, type MemoryBlob, type Traits } from '../memory/memory-account.ts';
import type { Call, Network } from '../memory/memory-blobs.ts';
import { NAME_ORDERS } from '../memory/name-orders.ts';
import { NumberedStorage } from './numbered-storage.ts';
import { lockFor, reconcile } from './reconcile.ts';
import type { Announcement, Fault, Scenario } from './scenario.ts';
import { ARCHIVE, CLAIM_MS, CONTROL, dependenciesOf, QUEUE, ruleWith, SOURCE } from './stage.ts';
import { ArchiveWitness } from './witness.ts';

/** Ways to break the storage or the activities on purpose, to see that the witness notices. */
export interface Sabotage {
  storage?: (storage: { source: MemoryAccount; vault: MemoryAccount }) => void;
  archiveUpload?: (archive: typeof archiveUpload) => typeof archiveUpload;
}

/** One step that may happen next. */
export interface Choice {
  /** Differs from those of all other choices of the same moment. */
  label: string;
  /** The process concerned. */
  actor: string;
  /** What it reads (false) or changes (true); undefined if it concerns everything. */
  touches: Record<string, boolean> | undefined;
  isFault: boolean;
  take(): void;
}

/** Whether the order of two choices makes no difference. */
export function areIndependent(a: Choice, b: Choice): boolean {
  if (!a.touches || !b.touches || a.actor === b.actor || (a.isFault && b.isFault)) return false;
  return Object.entries(a.touches).every(([what, writes]) => !(what in b.touches!) || (!writes && !b.touches![what]));
}

/** A request that waits for its answer. */
interface Pending {
  label: string;
  call: Call;
  carryOut(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A request that is on its way, though its sender no longer waits for it. */
type Orphan = Pick<Choice, 'label' | 'touches'> & Pick<Pending, 'carryOut'>;

/** One process with one task. */
interface Actor {
  name: string;
  pending: Pending[];
  /** All answers so far: they determine what it does next. */
  heard: { label: string; at: number; answer: unknown }[];
  deps: Dependencies;
  /** Called when the process has died. */
  died(forGood: boolean): void;
}

interface Message {
  id: string;
  text: string;
  etag: string;
  deliveries: number;
  state: 'in progress' | 'gone' | 'poison' | 'lost';
}

/** A `finishUpload` in progress. */
interface Waiting {
  id: string;
  generator: Generator<Task, unknown, unknown>;
  /** The timer or activity that it waits for. */
  task: { name: string; input: unknown } | undefined;
  looks: number;
  trail: string;
}

const NAME = 'a';
const WELL = 'all is well again';
const BEGINNING = Date.UTC(2026, 4, 1, 12);
const LEAP = CLAIM_MS + 61_000;
/** Beyond the end of every claim, and beyond any difference of clocks. */
const LONG = 5 * 3_600_000;
const LOOKS = 2;
const COPIES = new Set(['CopyBlobFromURL', 'CopyBlob', 'PutBlockFromURL', 'PutBlockList']);
const GONE = new StorageError('unreachable', 'The request got no answer: 0 ECONNRESET', 0, 'ECONNRESET');
const BUSY = new StorageError('throttled', 'The request was refused: 503 ServerBusy', 503, 'ServerBusy');
const DENIED = new StorageError('access-denied', 'The request was refused: 403', 403, 'AuthorizationFailure');
const UNVERIFIED = new StorageError('source-not-found', 'The request was refused: 404', 404, 'CannotVerifyCopySource');

/**
 * One history of a scenario, made of choices: which request is answered next, and which fault hits it. The code is the
 * app's own, and does nothing that matters between two requests. The same choices make the same history.
 */
export class Execution {
  readonly witness: ArchiveWitness;
  readonly trace: string[] = [];
  readonly #scenario: Scenario;
  readonly #sabotage: Sabotage;
  readonly #storage = new NumberedStorage();
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #rule: ArchiveRule;
  readonly #actors: Actor[] = [];
  readonly #messages: Message[] = [];
  readonly #waiting = new Map<string, Waiting>();
  readonly #orphans: Orphan[] = [];
  readonly #copies: { name: string; id: string }[] = [];
  #now = BEGINNING;
  #edits = 0;
  #faults: number;
  #leaps: number;
  /** Whether an event has happened that may cost a second copy. */
  #disturbed = false;
  /** Whether the service fails to find the source of a copy, although it exists. */
  #isHidden = false;
  #isHealing = false;
  /** Whether an upload has failed permanently in a `finishUpload`. */
  #hasFailedPermanently = false;
  #over = false;

  constructor(scenario: Scenario, sabotage: Sabotage = {}) {
    this.#scenario = scenario;
    this.#sabotage = sabotage;
    this.#faults = scenario.faults;
    this.#leaps = scenario.leaps;
    const { folders, method } = scenario;
    this.#rule = ruleWith({ folders, method });
    const traits: Traits = {
      compare: NAME_ORDERS.utf16,
      page: (limit) => limit,
      now: () => this.#now,
      tiers: ['Hot', 'Cool', 'Cold', 'Archive'],
      tags: true,
      unsupported: [],
      staysPending: () => scenario.pending === true && !this.#isHealing,
      started: (_container, name, id) => this.#copies.push({ name, id }),
      changed: (change) => this.witness.see(change),
    };
    this.#source = new MemoryAccount(this.#storage, 'SOURCE', traits);
    this.#vault = new MemoryAccount(this.#storage, 'VAULT', traits);
    this.witness = new ArchiveWitness({
      source: this.#source,
      vault: this.#vault,
      folders,
      comesLate: method === 'blocks',
    });
    this.witness.onViolation = ({ promise, message }) => this.trace.push(`!! ${promise}: ${message}`);
    this.#source.createContainer(SOURCE);
    for (const container of [ARCHIVE, CONTROL]) this.#vault.createContainer(container);
  }

  async begin(): Promise<void> {
    const { before, reconcile: reconciles } = this.#scenario;
    if (before) {
      const etag = this.#write();
      await archiveUpload(this.#healed('before'), { rule: this.#rule.name, name: NAME, etag, owner: 'before' });
      for (const copy of this.#pendingCopies()) this.#endCopy(copy, 'success');
      await archiveUpload(this.#healed('before'), { rule: this.#rule.name, name: NAME, etag, owner: 'before' });
    }
    this.#sabotage.storage?.({ source: this.#source, vault: this.#vault });
    this.#edit();
    if (reconciles) this.#beginReconcile();
    await still();
  }

  /** The possible next steps; none once the history has ended. */
  choices(): Choice[] {
    if (this.#over) return [];
    const choices: Choice[] = [];
    for (const actor of this.#actors) {
      for (const pending of actor.pending) {
        const act = () => this.#answer(actor, pending);
        choices.push(this.#choice(`${actor.name}: ${pending.label}`, actor.name, touchedBy(actor, pending.call), act));
      }
    }
    const isStill = choices.length === 0;
    if (this.#edits < this.#scenario.edits.length) {
      choices.push(this.#choice('the source', 'owner', { source: true }, () => this.#edit()));
    } else if (isStill) choices.push(this.#choice(WELL, 'all', undefined, () => {}));
    for (const orphan of this.#orphans) {
      const { label, touches } = orphan;
      choices.push(this.#choice(`late: ${label}`, `late ${label}`, touches, () => this.#carryOutLate(orphan)));
    }
    for (const copy of this.#pendingCopies()) {
      const act = () => this.#endCopy(copy, 'success');
      choices.push(this.#choice('the copy ends', 'service', { archive: true, source: false }, act));
    }
    for (const waiting of this.#waiting.values()) {
      if (waiting.task?.name !== 'timer' || waiting.looks >= LOOKS) continue;
      const act = () => this.#fire(waiting);
      choices.push(this.#choice(`${waiting.id}: its timer fires`, waiting.id, { host: true }, act));
    }
    if (this.#isHidden) {
      choices.push(this.#choice('the source is found again', 'source', { verified: true }, () => this.#hide(false)));
    }
    if (this.#leaps > 0) choices.push(this.#choice('claims expire', 'all', undefined, () => this.#leap()));
    if (this.#faults > 0) choices.push(...this.#mishaps());
    return choices;
  }

  /** Makes a choice, and lets all processes continue until they wait again. */
  async take(choice: Choice): Promise<void> {
    if (choice.label === WELL) {
      await this.#heal();
      return;
    }
    choice.take();
    await still();
  }

  /** Equal for executions with equal futures. */
  key(): string {
    const parts = [
      this.#now,
      this.#edits,
      this.#faults,
      this.#leaps,
      this.#disturbed,
      this.#isHidden,
      this.#hasFailedPermanently,
      [...this.witness.copies],
      [...this.witness.snapshots],
      this.#actors.map(({ name, heard, pending }) => [name, textOf(heard), pending.map(({ label }) => label)]),
      this.#messages.map(({ deliveries, state }) => [deliveries, state]),
      [...this.#waiting.values()].map(({ id, looks, trail, task }) => [id, looks, trail, task]),
      this.#orphans.map(({ label }) => label),
      [...this.#print(this.#source), ...this.#print(this.#vault)],
    ];
    return hash(JSON.stringify(parts));
  }

  #choice(label: string, actor: string, touches: Choice['touches'], act: () => void, isFault = false): Choice {
    const take = () => {
      this.trace.push(label);
      act();
    };
    return { label, actor, touches, isFault, take };
  }

  #mishaps(): Choice[] {
    const { kinds } = this.#scenario;
    const choices: Choice[] = [];
    const offer = (kind: Fault, label: string, actor: string, touches: Choice['touches'], act: () => void) => {
      if (kinds ? !kinds.includes(kind) : kind === 'denied') return;
      const strike = () => {
        this.#faults--;
        this.#disturbed = true;
        act();
      };
      choices.push(this.#choice(`${kind}: ${label}`, actor, touches, strike, true));
    };
    for (const actor of this.#actors) {
      for (const pending of actor.pending) {
        const label = `${actor.name}: ${pending.label}`;
        const { name } = actor;
        const touches = touchedBy(actor, pending.call);
        const own = touchedBy(actor, undefined);
        const drop = () => actor.pending.splice(actor.pending.indexOf(pending), 1);
        const fail = (error: StorageError) => {
          drop();
          actor.heard.push({ label: pending.label, at: this.#now, answer: error.code });
          pending.reject(error);
        };
        offer('refused', label, name, own, () => fail(BUSY));
        offer('denied', label, name, own, () => fail(DENIED));
        if (!pending.call.writes) continue;
        offer('repeated', label, name, touches, () => {
          quietly(pending.carryOut);
          pending.label += ', again';
        });
        offer('unheard', label, name, touches, () => {
          quietly(pending.carryOut);
          fail(GONE);
        });
        offer('late', label, name, own, () => {
          this.#orphans.push({ label, touches, carryOut: pending.carryOut });
          fail(GONE);
        });
      }
      if (actor.pending.length === 0) continue;
      const own = touchedBy(actor, undefined);
      offer('crash', actor.name, actor.name, own, () => this.#kill(actor, false));
      offer('lost', actor.name, actor.name, own, () => this.#kill(actor, true));
    }
    const mayHide = !this.#isHidden && this.#actors.length > 0;
    if (mayHide) offer('unverified', 'the source', 'source', { verified: true }, () => this.#hide(true));
    for (const copy of this.#pendingCopies()) {
      offer('copy failed', copy.name, 'service', { archive: true, source: false }, () => this.#endCopy(copy, 'failed'));
    }
    return choices;
  }

  #answer(actor: Actor, pending: Pending): void {
    actor.pending.splice(actor.pending.indexOf(pending), 1);
    const about = { label: pending.label, at: this.#now };
    try {
      if (this.#isHidden && COPIES.has(pending.call.operation)) throw UNVERIFIED;
      const answer = pending.carryOut();
      actor.heard.push({ ...about, answer });
      pending.resolve(answer);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      actor.heard.push({ ...about, answer: error.code });
      this.trace.push(`  ${error.message}`);
      pending.reject(error);
    }
  }

  #hide(isHidden: boolean): void {
    this.#isHidden = isHidden;
  }

  #kill(actor: Actor, forGood: boolean): void {
    this.#actors.splice(this.#actors.indexOf(actor), 1);
    actor.pending = [];
    actor.died(forGood);
  }

  #carryOutLate(orphan: Orphan): void {
    this.#orphans.splice(this.#orphans.indexOf(orphan), 1);
    quietly(orphan.carryOut);
  }

  #leap(): void {
    this.#leaps--;
    this.#disturbed = true;
    this.#now += LEAP;
  }

  #edit(): void {
    const edit = this.#scenario.edits[this.#edits++]!;
    if (edit === 'delete') {
      this.#storage.as('owner', () => this.#source.remove(SOURCE, NAME));
      return;
    }
    const etag = this.#write();
    this.trace.push(`  ${etag} is written`);
    for (const announcement of edit.write) this.#announce(announcement, etag);
  }

  #write(): string {
    const body = Buffer.from(`version ${this.#edits} of ${NAME}`);
    return this.#storage.as('owner', () => this.#source.write(SOURCE, { name: NAME, body })).etag;
  }

  #announce(announcement: Announcement, etag: string): void {
    const number = this.#messages.length + 1;
    const text = JSON.stringify({ container: SOURCE, name: NAME, ...(announcement.etag && { etag }) });
    const message: Message = {
      id: announcement.id ?? `message${number}`,
      text,
      etag: announcement.etag ? etag : '',
      deliveries: 0,
      state: 'in progress',
    };
    if (announcement.id !== undefined) this.#disturbed = true;
    this.#messages.push(message);
    this.#deliver(message, number);
  }

  #deliver(message: Message, number: number): void {
    message.deliveries++;
    const again = () => {
      const isLast = message.deliveries >= (this.#scenario.deliveries ?? 2);
      if (isLast) this.#giveUp(message, number);
      else this.#deliver(message, number);
    };
    this.#employ(`m${number}d${message.deliveries}`, {
      work: async (actor) => {
        const handler = queueEventsHandler(actor.deps, this.#archivingOf(actor), QUEUE, [this.#rule]);
        await handler(message.text, this.#clientOf(actor), contextOf(message.id));
        await this.#send(actor, { account: 'QUEUE', operation: 'delete the message', writes: true }, () => {
          message.state = 'gone';
        });
      },
      failed: again,
      died: (forGood) => {
        if (!forGood) again();
        else message.state = 'lost';
      },
    });
  }

  #giveUp(message: Message, number: number): void {
    message.state = 'poison';
    const work = async (actor: Actor) => {
      const keeping = { keepPoison: (input: KeepPoisonInput) => this.#keep(actor, input) };
      await queuePoisonHandler(actor.deps, keeping, `${QUEUE}-poison`, [this.#rule])(message.text);
    };
    const again = () => this.#giveUp(message, number);
    this.#employ(`p${number}d${message.deliveries++}`, { work, failed: again, died: again });
  }

  async #keep({ deps }: Actor, input: KeepPoisonInput): Promise<Record<string, never>> {
    await keepPoison(deps, input);
    this.witness.failedPermanently(input.name, input.etag);
    return {};
  }

  #beginReconcile(): void {
    const run = this.#storage.as('lock', () => lockFor(this.#vault, 'reconcile-1', this.#now));
    // It starts before the uploads it lists are archived; the next run follows one that breaks.
    this.#employ('reconcile1', {
      work: async ({ deps }) => {
        await reconcile(deps, run, () => {});
      },
      failed: () => {},
      died: () => {},
    });
  }

  #employ(
    name: string,
    job: { work(actor: Actor): Promise<void>; failed(error: unknown): void; died(forGood: boolean): void },
  ): void {
    const actor: Actor = { name, pending: [], heard: [], deps: undefined as unknown as Dependencies, died: job.died };
    const network: Network = (call, carryOut) => this.#send(actor, call, carryOut);
    actor.deps = this.#depsOf(network);
    this.#actors.push(actor);
    const leave = () => {
      const index = this.#actors.indexOf(actor);
      if (index >= 0) this.#actors.splice(index, 1);
      return index >= 0;
    };
    job.work(actor).then(
      () => leave(),
      (error: Error) => {
        if (!leave()) return;
        this.trace.push(`  ${name} failed: ${error.message}`);
        job.failed(error);
      },
    );
  }

  #depsOf(network: Network): Dependencies {
    return dependenciesOf({
      rule: this.#rule,
      source: this.#source,
      vault: this.#vault,
      network,
      now: () => this.#now,
    });
  }

  #send<T>(actor: Actor, call: Call, carryOut: () => T): Promise<T> {
    const own = () => this.#storage.as(actor.name, carryOut);
    if (this.#isHealing || isAside(call)) return Promise.resolve().then(own);
    return new Promise((resolve, reject) => {
      const label = `${call.operation} ${call.account}${call.name === undefined ? '' : ` ${placeOf(call)}`}`;
      actor.pending.push({ label, call, carryOut: own, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #archivingOf({ deps, heard }: Pick<Actor, 'deps' | 'heard'>) {
    const archive = this.#sabotage.archiveUpload?.(archiveUpload) ?? archiveUpload;
    return {
      archiveUpload: async (upload: Upload): Promise<UploadResult> => {
        const result = await archive(deps, upload);
        this.trace.push(`  ${upload.owner}: ${JSON.stringify(result)}`);
        if (result.is === 'held') this.#mustBeOthers(upload, heard);
        return result;
      },
    };
  }

  /** By the receipt at the time of its read. */
  #mustBeOthers({ owner }: Upload, heard: Actor['heard']): void {
    const last = heard.findLast(({ label }) => label.startsWith('GetBlob VAULT receipts'))?.answer as
      | StoredObject
      | undefined;
    const receipt = last?.body && JSON.parse(last.body.toString());
    if (receipt?.owner === owner) this.witness.say('P3', `${owner} is kept away by its own claim`, NAME);
  }

  #clientOf(actor: Actor): DurableClient {
    const start = { account: 'HOST', operation: 'start of an orchestration', writes: true };
    return {
      startNew: (_name: string, { instanceId, input }: { instanceId: string; input: FinishUploadInput }) =>
        this.#send(actor, start, () => {
          if (!this.#waiting.has(instanceId)) this.#wait(instanceId, input);
        }),
      getStatus: async (instanceId: string) => {
        if (this.#waiting.has(instanceId)) return { runtimeStatus: 'Running' };
        throw new Error('HTTP 404');
      },
    } as unknown as DurableClient;
  }

  #wait(instanceId: string, input: FinishUploadInput): void {
    const now = () => new Date(this.#now);
    let next: FinishUploadInput | undefined;
    const context = {
      df: {
        getInput: () => input,
        callActivity: (name: string, given: unknown) => ({ name, input: given }),
        createTimer: () => ({ name: 'timer', input: 0 }),
        continueAsNew: (given: FinishUploadInput) => {
          next = given;
        },
        get currentUtcDateTime() {
          return now();
        },
      },
    } as unknown as OrchestrationContext;
    const generator = finishUpload(context);
    const waiting: Waiting = { id: `w${instanceId.slice(7, 11)}`, generator, task: undefined, looks: 0, trail: '' };
    this.#waiting.set(instanceId, waiting);
    this.#goOn(
      waiting,
      () => generator.next(),
      () => {
        if (next) this.#wait(instanceId, next);
        else this.#waiting.delete(instanceId);
      },
    );
  }

  #goOn(waiting: Waiting, step: () => IteratorResult<Task, unknown>, ended?: () => void): void {
    const { value, done } = step();
    waiting.task = done ? undefined : (value as unknown as Waiting['task']);
    if (ended) this.#endings.set(waiting, ended);
    if (done) this.#endings.get(waiting)!();
    else if (waiting.task!.name !== 'timer') this.#perform(waiting);
  }

  readonly #endings = new Map<Waiting, () => void>();

  #fire(waiting: Waiting): void {
    waiting.looks++;
    this.#goOn(waiting, () => waiting.generator.next());
  }

  #perform(waiting: Waiting): void {
    const { name, input } = waiting.task!;
    const { generator } = waiting;
    this.#employ(`${waiting.id}l${waiting.trail.length}`, {
      work: async (actor) => {
        const value =
          name === 'keepPoison'
            ? await this.#keep(actor, input as KeepPoisonInput)
            : await this.#archivingOf(actor).archiveUpload(input as Upload);
        waiting.trail += JSON.stringify(value).slice(0, 20);
        if (name === 'keepPoison') this.#hasFailedPermanently = true;
        this.#goOn(waiting, () => generator.next(value));
      },
      failed: (error) => {
        waiting.trail += '!';
        this.#goOn(waiting, () => generator.throw(error));
      },
      died: () => {
        waiting.trail += '?';
        this.#perform(waiting);
      },
    });
  }

  #pendingCopies(): { name: string; id: string }[] {
    return this.#copies.filter(({ name, id }) => {
      const copy = this.#vault.blob(ARCHIVE, name)?.copy;
      return copy?.id === id && copy.status === 'pending';
    });
  }

  #endCopy({ name, id }: { name: string; id: string }, status: 'success' | 'failed'): void {
    this.#storage.as('service', () => this.#vault.endCopy(ARCHIVE, name, id, status));
  }

  /** Ends all faults: every process finishes, and then a reconciliation finds the rest. */
  async #heal(): Promise<void> {
    this.#over = true;
    this.#isHealing = true;
    this.#isHidden = false;
    this.trace.push(WELL);
    for (const orphan of [...this.#orphans]) this.#carryOutLate(orphan);
    for (let round = 0; round < 20 && this.#waiting.size > 0; round++) {
      this.#endCopies();
      this.#now += LEAP;
      for (const waiting of [...this.#waiting.values()]) if (waiting.task?.name === 'timer') this.#fire(waiting);
      await still();
    }
    if (this.#waiting.size > 0) this.witness.say('P3', 'an orchestration waits without end', NAME);
    const areAnnounced =
      !this.#hasFailedPermanently &&
      this.#messages.some(({ etag, state }) => state === 'gone' && this.#isOfPresent(etag));
    this.#endCopies();
    if (areAnnounced) this.witness.judgeAll('the events');
    this.#now += LONG;
    const before = this.#made();
    const run = this.#storage.as('lock', () => lockFor(this.#vault, 'reconcile-2', this.#now));
    await reconcile(this.#healed('reconcile2'), run, () => this.#endCopies());
    if (areAnnounced && this.#made() > before)
      this.witness.say('P3', 'a reconciliation copied uploads that the events had archived', NAME);
    this.witness.judgeAll('a reconciliation');
    this.witness.judgeClaims();
    this.witness.judgePoison();
    await this.#judgeDuplicates();
    if (!this.#disturbed) this.witness.judgeOnce();
  }

  /** A message without a version does not say which version it announced. */
  #isOfPresent(etag: string): boolean {
    return [...this.witness.present()].some((version) => version.etag === etag);
  }

  #made(): number {
    return [...this.witness.copies.values()].reduce((sum, count) => sum + count, 0);
  }

  #endCopies(): void {
    for (const copy of this.#pendingCopies()) this.#endCopy(copy, 'success');
  }

  async #judgeDuplicates(): Promise<void> {
    for (const { name, etag } of [...this.witness.present()]) {
      let requests = 0;
      const network: Network = async (call, carryOut) => {
        if (!isAside(call)) requests++;
        return carryOut();
      };
      const { archiveUpload: archive } = this.#archivingOf({ deps: this.#depsOf(network), heard: [] });
      const result = await archive({ rule: this.#rule.name, name, etag, owner: 'duplicate' });
      if (result.is !== 'duplicate' || requests !== 1) {
        this.witness.say('P4', `a duplicate of a done version was ${result.is} after ${requests} requests`, name);
      }
    }
  }

  #healed(name: string): Dependencies {
    return this.#depsOf(async (_call, carryOut) => this.#storage.as(name, carryOut));
  }

  *#print(account: MemoryAccount): Generator<string> {
    for (const { container, blob } of account.blobs()) {
      for (const each of account.all(container, blob.name)) yield `${container}/${printOf(each)}`;
    }
  }
}

/** Requests whose order never matters, as no other process touches the same object. */
function isAside({ operation, container, name }: Call): boolean {
  if (operation === 'GetUserDelegationKey') return true;
  return container === CONTROL && name !== undefined && !name.startsWith('archives/');
}

/** Activities share the answers of their orchestration. */
function touchedBy({ name }: Actor, call: Call | undefined): Choice['touches'] {
  const touches: Record<string, boolean> = name.startsWith('w') ? { host: true } : {};
  if (!call) return touches;
  const { account, container, operation, writes } = call;
  if (account === 'SOURCE') return { ...touches, source: false };
  if (account === 'QUEUE') return touches;
  if (account === 'HOST') return { ...touches, host: true };
  if (container !== CONTROL)
    return { ...touches, archive: writes, ...(COPIES.has(operation) && { source: false, verified: false }) };
  return call.name === undefined ? undefined : { ...touches, [call.name]: writes };
}

function placeOf({ container, name = '' }: Call): string {
  if (container !== CONTROL) return `${container}/${name}`;
  const [, , kind, ...rest] = name.split('/');
  return `${kind} ${rest.at(-1)}`;
}

function contextOf(id: string): InvocationContext {
  return { triggerMetadata: { id } } as unknown as InvocationContext;
}

function quietly(carryOut: () => unknown): void {
  try {
    carryOut();
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}

function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_key, each) => (each?.type === 'Buffer' ? Buffer.from(each.data).toString() : each)) ?? ''
  );
}

const prints = new WeakMap<MemoryBlob, string>();

function printOf(blob: MemoryBlob): string {
  let print = prints.get(blob);
  if (print === undefined) {
    const { name, etag, body, metadata, copy, modified } = blob;
    print = hash(JSON.stringify([name, etag, body.toString('latin1'), metadata, copy, modified]));
    prints.set(blob, print);
  }
  return print;
}

function hash(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}

/** Waits until everything that needs no answer has run: immediates run after all promises. */
function still(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
