import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { Invoke } from '../worker/invoke.ts';
import { runActivity } from './activity.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { readInstances, snapshot } from './compaction.ts';
import { FairQueue } from './fair-queue.ts';
import { EventType, type Message, type ScheduledTask } from './history.ts';
import { apply, hasEnded, type Instance, type Instances, type JournalRecord } from './instance.ts';
import { Journal } from './journal.ts';
import { takeTurn } from './orchestrator.ts';
import { DurableTimers } from './timers.ts';
import type { Unfinished } from './unfinished.ts';

export interface DurableFunctions {
  orchestrators: ReadonlyMap<string, Invoke>;
  activities: ReadonlyMap<string, Invoke>;
}

export interface EngineOptions extends DurableFunctions {
  journalFile: string;
  maxConcurrentActivities: number;
  maxConcurrentOrchestrators: number;
  /** Called if the journal cannot be written. The host must stop then. */
  fatal: (error: HostError) => void;
}

/** The longest wait for further completions before a turn, in milliseconds. */
const LONGEST_PAUSE = 100;

export interface PurgeFilter {
  /** ISO 8601 in UTC, both included. */
  from: string;
  to: string;
  states: ReadonlySet<string>;
}

export type StartOutcome = 'accepted' | 'exists' | 'no-such-function';
export type TerminateOutcome = 'accepted' | 'not-found' | 'ended';

/**
 * Executes orchestrations. Every change of state is a journal record, which the engine applies once it is on disk.
 * Every action (to start an activity, arm a timer, take a turn) follows from the state alone. A restart applies the
 * journal again, and continues with the same code as normal operation.
 */
export class DurableEngine {
  readonly #options: EngineOptions;
  readonly #instances: Instances;
  /** By the root of their orchestration: a large run must not keep the steps of a small one waiting. */
  readonly #activities: FairQueue;
  readonly #turns: BoundedQueue;
  readonly #timers: DurableTimers;
  /** Activities that are queued or running, by execution and task id. */
  readonly #started = new Set<string>();
  /** Instances whose turn is queued or running. */
  readonly #turning = new Set<string>();
  /** Milliseconds that the last turn of an instance took. */
  readonly #turnCost = new Map<string, number>();
  #journal!: Journal<JournalRecord>;
  /** What the last activity of an orchestration failed with, until one succeeds. */
  readonly #failures = new Map<string, string>();
  #stopping = false;

  private constructor(options: EngineOptions, instances: Instances) {
    this.#options = options;
    this.#instances = instances;
    this.#activities = new FairQueue(options.maxConcurrentActivities);
    this.#turns = new BoundedQueue(options.maxConcurrentOrchestrators);
    this.#timers = new DurableTimers(({ id, executionId }, message) => void this.#deliver(id, executionId, message));
  }

  /** Reads the journal. The engine executes nothing before `start`. */
  static async open(options: EngineOptions): Promise<DurableEngine> {
    const instances = await readInstances(options.journalFile);
    const engine = new DurableEngine(options, instances);
    engine.#journal = await Journal.open<JournalRecord>(options.journalFile, {
      apply: (record) => engine.#applied(record),
      snapshot: () => snapshot(instances, new Date()),
      failed: options.fatal,
    });
    return engine;
  }

  /** Resumes the running orchestrations that this chooses by their roots, and returns their number. */
  start(chosen: (root: string) => boolean = () => true): number {
    const running = [...this.#instances.values()].filter(
      (instance) => !hasEnded(instance) && chosen(this.#rootOf(instance)),
    );
    for (const instance of running) this.#resume(instance);
    return running.length;
  }

  /** The orchestrations that have not ended: by which each of them was started first, and what each is doing. */
  unfinished(): Unfinished[] {
    return [...this.#instances.values()]
      .filter((instance) => !hasEnded(instance))
      .map((instance) => {
        const failure = this.#failures.get(instance.id);
        return {
          ...{ id: instance.id, root: this.#rootOf(instance), hasOwnStep: hasOwnStep(instance) },
          ...(failure !== undefined && { failure }),
        };
      });
  }

  #rootOf({ id, parent }: Instance): string {
    const above = parent && this.#instances.get(parent.id);
    return above ? this.#rootOf(above) : id;
  }

  get(id: string): Instance | undefined {
    return this.#instances.get(id);
  }

  async startNew(id: string, name: string, input: string): Promise<StartOutcome> {
    if (!this.#options.orchestrators.has(name)) return 'no-such-function';
    const existing = this.#instances.get(id);
    if (existing !== undefined && !hasEnded(existing)) return 'exists';
    const executionId = randomUUID().replaceAll('-', '');
    await this.#journal.append({ type: 'start', at: now(), id, executionId, name, input });
    // If two callers start one id at the same time, the first record in the journal wins.
    return this.#instances.get(id)?.executionId === executionId ? 'accepted' : 'exists';
  }

  async terminate(id: string, reason: string): Promise<TerminateOutcome> {
    const instance = this.#instances.get(id);
    if (instance === undefined) return 'not-found';
    if (hasEnded(instance)) return 'ended';
    await this.#journal.append({ type: 'terminate', at: now(), id, reason });
    return 'accepted';
  }

  /** Forgets the ended instances of these times of creation and states. Returns their number. */
  async purge({ from, to, states }: PurgeFilter): Promise<number> {
    const ids = [...this.#instances.values()]
      .filter((instance) => hasEnded(instance) && states.has(instance.status))
      .filter(({ createdTime }) => createdTime >= from && createdTime <= to)
      .map(({ id }) => id);
    if (ids.length > 0) await this.#journal.append({ type: 'purge', ids });
    return ids.length;
  }

  /** Starts no more turns or activities, and resolves when the running ones have ended and are journaled. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#timers.stop();
    await Promise.all([this.#activities.stop(), this.#turns.stop()]);
  }

  /** Resolves when all journaled records are on disk. */
  async close(): Promise<void> {
    this.#stopping = true;
    await this.#journal.close();
  }

  #applied(record: JournalRecord): void {
    for (const id of apply(this.#instances, record)) {
      const instance = this.#instances.get(id);
      if (instance === undefined || hasEnded(instance)) this.#forget(id);
      // There are many messages. None opens a task, so only a turn can follow.
      else if (record.type === 'message') this.#startTurn(instance);
      else this.#resume(instance);
    }
  }

  #forget(id: string): void {
    this.#activities.leave(id);
    this.#timers.forget(id);
    this.#failures.delete(id);
    this.#turnCost.delete(id);
  }

  #resume(instance: Instance): void {
    if (this.#stopping) return;
    if (!instance.parent) this.#activities.enter(instance.id);
    this.#timers.reconcile(instance);
    for (const decision of instance.open.values()) {
      if (decision.EventType === EventType.TaskScheduled) this.#startActivity(instance, decision);
    }
    this.#startTurn(instance);
  }

  #startTurn(ready: Instance): void {
    const { id } = ready;
    if (this.#stopping || !isReady(ready) || this.#turning.has(id)) return;
    this.#turning.add(id);
    this.#turns.add(async () => {
      // A turn replays the whole history, so one turn should read as many completions as possible. The longer the last
      // turn took, the longer the next one waits for more of them.
      await sleep(Math.min(this.#turnCost.get(id) ?? 0, LONGEST_PAUSE));
      const instance = this.#instances.get(id);
      if (this.#stopping) return;
      if (instance !== undefined && isReady(instance)) await this.#turn(instance);
      this.#turning.delete(id);
      const after = this.#instances.get(id);
      if (after !== undefined && !hasEnded(after)) this.#resume(after);
    });
  }

  async #turn(instance: Instance): Promise<void> {
    const { id, executionId, name } = instance;
    const at = notBefore(instance.lastUpdatedTime);
    const messages = [...instance.inbox];
    const invoke = this.#options.orchestrators.get(name) ?? missingOrchestrator;
    const begin = performance.now();
    const turn = await takeTurn(invoke, {
      instance,
      messages,
      at,
      newExecutionId: () => randomUUID().replaceAll('-', ''),
    });
    if (turn.end?.status === 'Failed') writeLog('error', `Orchestration ${id}: ${JSON.parse(turn.end.output)}`);
    this.#turnCost.set(id, performance.now() - begin);
    await this.#journal.append({ type: 'turn', at, id, executionId, turn });
  }

  #startActivity(scheduling: Instance, task: ScheduledTask): void {
    const { id, executionId } = scheduling;
    const key = `${executionId}/${task.EventId}`;
    if (this.#started.has(key)) return;
    this.#started.add(key);
    this.#activities.add(this.#rootOf(scheduling), async () => {
      const instance = this.#instances.get(id);
      if (instance?.executionId === executionId && instance.open.has(task.EventId)) {
        const { message, failure } = await runActivity(this.#options.activities.get(task.Name), id, task);
        if (failure === undefined) this.#failures.delete(id);
        else this.#failures.set(id, failure);
        await this.#deliver(id, executionId, message);
      }
      this.#started.delete(key);
    });
  }

  #deliver(id: string, executionId: string, message: Message): Promise<void> {
    return this.#journal.append({ type: 'message', at: message.Timestamp, id, executionId, message });
  }
}

function hasOwnStep({ open }: Instance): boolean {
  return [...open.values()].some(({ EventType: type }) => type !== EventType.SubOrchestrationInstanceCreated);
}

function isReady(instance: Instance): boolean {
  return instance.inbox.length > 0 && !hasEnded(instance);
}

const missingOrchestrator: Invoke = () => Promise.reject(new Error('the app has no orchestrator of this name'));

function now(): string {
  return new Date().toISOString();
}

/** The time of an orchestration never moves backward, even if the clock of the machine does. */
function notBefore(time: string): string {
  const current = now();
  return current > time ? current : time;
}
