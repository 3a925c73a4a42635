import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { Invoke } from '../worker/invoke.ts';
import { activityFailure, activityResult } from './activity.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { compact } from './compaction.ts';
import { type Decision, EventType, eventRaised, type Message, taskCompleted } from './history.ts';
import { apply, hasEnded, type Instance, type Instances, type JournalRecord } from './instance.ts';
import { Journal } from './journal.ts';
import { takeTurn } from './orchestrator.ts';
import { DurableTimers } from './timers.ts';

export interface DurableFunctions {
  orchestrators: ReadonlyMap<string, Invoke>;
  activities: ReadonlyMap<string, Invoke>;
}

export interface EngineOptions extends DurableFunctions {
  journalFile: string;
  maxConcurrentActivities: number;
  maxConcurrentOrchestrators: number;
  /** Nothing can go on: the journal cannot be written. */
  fatal: (error: HostError) => void;
}

/** In milliseconds. */
const LONGEST_PAUSE = 100;

export type Outcome = 'accepted' | 'not-found' | 'ended' | 'exists' | 'no-such-function';

/**
 * Carries orchestrations out. Every change of state is a journal record, applied once it is on disk; everything that
 * is done — starting an activity, arming a timer, taking a turn — is derived from the state alone. So a restart,
 * which only applies the journal again, carries on by the same code as normal running does.
 */
export class DurableEngine {
  readonly #options: EngineOptions;
  readonly #instances: Instances;
  readonly #activities: BoundedQueue;
  readonly #turns: BoundedQueue;
  readonly #timers: DurableTimers;
  /** Activities that are queued or running, by execution and task id. */
  readonly #started = new Set<string>();
  /** Instances whose turn is queued or running. */
  readonly #turning = new Set<string>();
  /** How many milliseconds the last turn of an instance took. */
  readonly #turnCost = new Map<string, number>();
  #journal!: Journal<JournalRecord>;
  #stopping = false;

  private constructor(options: EngineOptions, instances: Instances) {
    this.#options = options;
    this.#instances = instances;
    this.#activities = new BoundedQueue(options.maxConcurrentActivities);
    this.#turns = new BoundedQueue(options.maxConcurrentOrchestrators);
    this.#timers = new DurableTimers(({ id, executionId }, message) => void this.#tell(id, executionId, message));
  }

  /** Reads the journal; nothing is carried out before `start`. */
  static async open(options: EngineOptions): Promise<DurableEngine> {
    const { instances, crc } = await compact(options.journalFile, new Date());
    const engine = new DurableEngine(options, instances);
    engine.#journal = await Journal.open(options.journalFile, crc, (record) => engine.#applied(record), options.fatal);
    return engine;
  }

  /** Carries on with everything that was under way. Returns how many orchestrations that is. */
  start(): number {
    const running = [...this.#instances.values()].filter((instance) => !hasEnded(instance));
    for (const instance of running) this.#carryOn(instance);
    return running.length;
  }

  get(id: string): Instance | undefined {
    return this.#instances.get(id);
  }

  all(): Iterable<Instance> {
    return this.#instances.values();
  }

  async startNew(id: string, name: string, input: string): Promise<Outcome> {
    if (!this.#options.orchestrators.has(name)) return 'no-such-function';
    const existing = this.#instances.get(id);
    if (existing !== undefined && !hasEnded(existing)) return 'exists';
    const executionId = randomUUID().replaceAll('-', '');
    await this.#journal.append({ type: 'start', at: now(), id, executionId, name, input });
    // Of two that were asked for at the same moment, the first in the journal is the one that runs.
    return this.#instances.get(id)?.executionId === executionId ? 'accepted' : 'exists';
  }

  async raiseEvent(id: string, name: string, input: string): Promise<Outcome> {
    return this.#change(id, (at) => ({ type: 'message', at, id, message: eventRaised(at, name, input) }));
  }

  async terminate(id: string, reason: string): Promise<Outcome> {
    return this.#change(id, (at) => ({ type: 'terminate', at, id, reason }));
  }

  async suspend(id: string): Promise<Outcome> {
    return this.#change(id, (at) => ({ type: 'suspend', at, id }));
  }

  async resume(id: string): Promise<Outcome> {
    return this.#change(id, (at) => ({ type: 'resume', at, id }));
  }

  /** Forgets an instance that has ended; one that has not is left alone. */
  async purge(id: string): Promise<boolean> {
    const instance = this.#instances.get(id);
    if (instance === undefined || !hasEnded(instance)) return false;
    await this.#journal.append({ type: 'purge', id });
    return true;
  }

  async #change(id: string, record: (at: string) => JournalRecord): Promise<Outcome> {
    const instance = this.#instances.get(id);
    if (instance === undefined) return 'not-found';
    if (hasEnded(instance)) return 'ended';
    await this.#journal.append(record(now()));
    return 'accepted';
  }

  /** No new turn, no new activity; resolves when the running ones have ended and are journaled. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#timers.stop();
    await Promise.all([this.#activities.stop(), this.#turns.stop()]);
  }

  /** Everything that was journaled so far is on disk when this resolves. */
  async close(): Promise<void> {
    this.#stopping = true;
    await this.#journal.close();
  }

  #applied(record: JournalRecord): void {
    for (const id of apply(this.#instances, record)) {
      const instance = this.#instances.get(id);
      if (instance === undefined || hasEnded(instance)) this.#forget(id);
      // A message opens nothing new, and there are many: only a turn can follow from it.
      else if (record.type === 'message') this.#startTurn(instance);
      else this.#carryOn(instance);
    }
  }

  #forget(id: string): void {
    this.#timers.forget(id);
    this.#turnCost.delete(id);
  }

  #carryOn(instance: Instance): void {
    if (this.#stopping) return;
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
      // A turn replays the whole history, so completions that arrive together should be seen together: the longer
      // the last turn took, the longer the next one waits for company.
      await sleep(Math.min(this.#turnCost.get(id) ?? 0, LONGEST_PAUSE));
      const instance = this.#instances.get(id);
      if (this.#stopping) return;
      if (instance !== undefined && isReady(instance)) await this.#turn(instance);
      this.#turning.delete(id);
      const after = this.#instances.get(id);
      if (after !== undefined && !hasEnded(after)) this.#carryOn(after);
    });
  }

  async #turn(instance: Instance): Promise<void> {
    const { id, executionId, name } = instance;
    const at = notBefore(instance.lastUpdatedTime);
    const messages = [...instance.inbox];
    const invoke = this.#options.orchestrators.get(name);
    const missing: Invoke = () => Promise.reject(new Error(`there is no orchestrator of this name in the app`));
    const begin = performance.now();
    const turn = await takeTurn(invoke ?? missing, {
      instance,
      messages,
      at,
      newExecutionId: () => randomUUID().replaceAll('-', ''),
    });
    if (turn.end?.status === 'Failed') writeLog('error', `Orchestration ${id}: ${JSON.parse(turn.end.output)}`);
    this.#turnCost.set(id, performance.now() - begin);
    await this.#journal.append({ type: 'turn', at, id, executionId, turn });
  }

  #startActivity(
    { id, executionId }: Instance,
    task: Extract<Decision, { EventType: typeof EventType.TaskScheduled }>,
  ): void {
    const key = `${executionId}/${task.EventId}`;
    if (this.#started.has(key)) return;
    this.#started.add(key);
    this.#activities.add(async () => {
      const instance = this.#instances.get(id);
      if (instance?.executionId === executionId && instance.open.has(task.EventId)) {
        await this.#tell(id, executionId, await this.#runActivity(id, task));
      }
      this.#started.delete(key);
    });
  }

  async #runActivity(instanceId: string, task: Extract<Decision, { EventType: typeof EventType.TaskScheduled }>) {
    const { EventId: taskId, Name: name } = task;
    const invoke = this.#options.activities.get(name);
    if (invoke === undefined) {
      return activityFailure(now(), taskId, name, new Error('there is no activity of this name in the app'));
    }
    try {
      const input = task.Input.slice(1, -1);
      const { returnValue } = await invoke(input === 'null' ? {} : { string: input }, {
        instanceId: { string: JSON.stringify(instanceId) },
      });
      return taskCompleted(now(), taskId, activityResult(returnValue));
    } catch (error) {
      const failure = activityFailure(now(), taskId, name, error);
      writeLog('warning', `Orchestration ${instanceId}: ${failure.Reason}`);
      return failure;
    }
  }

  #tell(id: string, executionId: string, message: Message): Promise<void> {
    return this.#journal.append({ type: 'message', at: message.Timestamp, id, executionId, message });
  }
}

function isReady(instance: Instance): boolean {
  return instance.inbox.length > 0 && !instance.suspended && !hasEnded(instance);
}

function now(): string {
  return new Date().toISOString();
}

/** The time of an orchestration never goes back, even if the clock of the machine does. */
function notBefore(time: string): string {
  const current = now();
  return current > time ? current : time;
}
