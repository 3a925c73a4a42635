import type { DurableClient, OrchestrationContext, Task } from 'durable-functions';
import type { Random } from '../../test/support/builders/random.ts';
import type { Scheduler } from './scheduler.ts';

export type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;

/** Likelihoods of what the engine does beyond what an orchestration requests. */
export interface Mishaps {
  /** An activity is executed a second time, at the same time or later. */
  twice: number;
  /** The answer of an activity is lost, and the activity is executed again. */
  answerLost: number;
  /** An activity is reported as failed from outside, while it continues. */
  ended: number;
  /** When a process dies, its activities are reported as failed, rather than executed again. */
  endedByDeath: number;
}

export const NO_MISHAPS: Mishaps = { twice: 0, answerLost: 0, ended: 0, endedByDeath: 0 };

export interface ActivityHost {
  /**
   * Executes an activity in any process. False if there is no process at present. If the process dies, `died` learns
   * whether the host reports its activities as failed.
   */
  execute(name: string, input: unknown, ended: (settled: Settled) => void, died: (fails: boolean) => void): boolean;
  met(what: string): void;
  /** Reports what an orchestration must never do. */
  broken(message: string): void;
  finished(instance: { id: string; name: string; state: string; output: unknown }): void;
}

export type Settled = { value: unknown } | { error: string };

interface Leaf {
  kind: 'activity' | 'orchestration' | 'timer';
  name: string;
  input: unknown;
  /** The id of an orchestration, unless the engine chooses it. */
  id?: string;
  /** Its number among all scheduled tasks, once it is scheduled. */
  index?: number;
}

interface All {
  all: Leaf[];
}

interface Scheduled {
  about: string;
  settled?: Settled;
  /** When the orchestration first saw the result, and in which order. */
  seenAt?: number;
  order?: number;
}

interface Instance {
  id: string;
  name: string;
  input: unknown;
  parent: { id: string; generation: number; index: number } | undefined;
  state: 'Running' | 'Completed' | 'Failed' | 'Terminated';
  stuck: boolean;
  generation: number;
  began: number;
  scheduled: Scheduled[];
  arrivals: number;
  turnIsQueued: boolean;
  customStatus: unknown;
}

/**
 * Durable orchestrations as the documentation describes them: generators that are replayed from the answers so far,
 * activities that are executed at least once, sub-orchestrations that outlive the termination of their parent.
 */
export class Durable {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #orchestrators: Record<string, Orchestrator>;
  readonly #host: ActivityHost;
  readonly #instances = new Map<string, Instance>();
  mishaps: Mishaps = NO_MISHAPS;

  constructor(scheduler: Scheduler, random: Random, orchestrators: Record<string, Orchestrator>, host: ActivityHost) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#orchestrators = orchestrators;
    this.#host = host;
  }

  start(name: string, id: string, input: unknown, parent?: Instance['parent']): void {
    const instance: Instance = {
      id,
      name,
      input: json(input),
      parent,
      state: 'Running',
      stuck: false,
      // Answers to an ended orchestration of the same id do not concern this one.
      generation: (this.#instances.get(id)?.generation ?? -1) + 1,
      began: Number.NaN,
      scheduled: [],
      arrivals: 0,
      turnIsQueued: false,
      customStatus: null,
    };
    this.#instances.set(id, instance);
    this.#queueTurn(instance);
  }

  stateOf(id: string): Pick<Instance, 'state' | 'customStatus' | 'input'> | undefined {
    const found = this.#instances.get(id);
    return found && { state: found.state, customStatus: found.customStatus, input: json(found.input) };
  }

  /** Orchestrations in progress, parents before their children. */
  get active(): { id: string; name: string; stuck: boolean }[] {
    return [...this.#instances.values()].filter(({ state }) => state === 'Running');
  }

  /** As in Azure: activities and sub-orchestrations continue, and the parent sees a failure. */
  terminate(id: string): void {
    const instance = this.#instances.get(id);
    if (instance?.state === 'Running') this.#end(instance, 'Terminated', { error: 'It was terminated' });
  }

  /** An orchestration fails, for example because its code has changed. What it started continues. */
  fail(id: string): void {
    const instance = this.#instances.get(id);
    if (instance?.state === 'Running') this.#end(instance, 'Failed', { error: 'Non-Deterministic workflow detected' });
  }

  /** Stops an orchestration for good, unless it is terminated. */
  stick(id: string): void {
    const instance = this.#instances.get(id);
    if (instance) instance.stuck = true;
  }

  /** Forgets every orchestration; activities in progress continue to their end. */
  loseAll(): void {
    this.#instances.clear();
  }

  #queueTurn(instance: Instance): void {
    if (instance.turnIsQueued) return;
    instance.turnIsQueued = true;
    this.#scheduler.add({
      label: `${instance.name} ${instance.id} continues`,
      owner: undefined,
      run: () => {
        instance.turnIsQueued = false;
        if (this.#instances.get(instance.id) !== instance || instance.state !== 'Running' || instance.stuck) return;
        this.#turn(instance);
      },
    });
  }

  #turn(instance: Instance): void {
    const time = this.#scheduler.now;
    if (Number.isNaN(instance.began)) instance.began = time;
    for (const task of instance.scheduled) if (task.settled) task.seenAt ??= time;
    let now = instance.began;
    let next: { input: unknown } | undefined;
    let index = 0;
    const context = {
      df: {
        getInput: () => json(instance.input),
        callActivity: (name: string, input: unknown): Leaf => ({ kind: 'activity', name, input: json(input) }),
        callSubOrchestrator: (name: string, input: unknown, id?: string): Leaf => ({
          kind: 'orchestration',
          name,
          input: json(input),
          ...(id !== undefined && { id }),
        }),
        createTimer: (at: Date): Leaf => ({ kind: 'timer', name: 'timer', input: at.getTime() }),
        Task: { all: (all: Leaf[]): All => ({ all }) },
        continueAsNew: (input: unknown) => {
          next = { input: json(input) };
        },
        setCustomStatus: (status: unknown) => {
          instance.customStatus = json(status);
        },
        get currentUtcDateTime() {
          return new Date(now);
        },
      },
    } as unknown as OrchestrationContext;
    const generator = this.#orchestrators[instance.name]!(context);
    let step: IteratorResult<Task, unknown>;
    try {
      step = generator.next();
      while (!step.done) {
        const task = step.value as unknown as Leaf | All;
        const leaves = 'all' in task ? task.all : [task];
        for (const leaf of leaves) leaf.index ??= this.#schedule(instance, leaf, index++);
        const seen = leaves.map((leaf) => instance.scheduled[leaf.index!]!);
        const settled = settledOf(seen, 'all' in task);
        if (!settled) return;
        now = Math.max(now, settledAt(seen, settled));
        step = 'error' in settled ? generator.throw(new Error(settled.error)) : generator.next(json(settled.value));
      }
    } catch (error) {
      this.#end(instance, 'Failed', { error: (error as Error).message });
      return;
    }
    if (index < instance.scheduled.length) {
      this.#host.broken(`${instance.name} scheduled less when it was replayed`);
    }
    if (!next) {
      this.#end(instance, 'Completed', { value: json(step.value) });
      return;
    }
    instance.generation++;
    Object.assign(instance, { input: next.input, scheduled: [], arrivals: 0, began: Number.NaN });
    this.#queueTurn(instance);
  }

  #schedule(instance: Instance, leaf: Leaf, index: number): number {
    const about = JSON.stringify([leaf.kind, leaf.name, leaf.input, leaf.id]);
    const known = instance.scheduled[index];
    if (known) {
      if (known.about !== about) {
        this.#host.broken(`${instance.name} is not deterministic: ${known.about} became ${about}`);
      }
      return index;
    }
    instance.scheduled.push({ about });
    const { id, generation } = instance;
    const settle = (settled: Settled) => this.#settle(id, generation, index, settled);
    if (leaf.kind === 'timer') {
      const after = Math.max((leaf.input as number) - this.#scheduler.now, 1);
      const run = () => settle({ value: undefined });
      this.#scheduler.add({ label: 'a durable timer fired', owner: undefined, run }, after);
    } else if (leaf.kind === 'orchestration') {
      this.start(leaf.name, leaf.id ?? `${id}:${generation}-${index}`, leaf.input, { id, generation, index });
    } else {
      this.#dispatch(leaf, settle, 0);
      if (this.#random.chance(this.mishaps.twice)) {
        this.#host.met('activity executed twice');
        this.#dispatch(leaf, settle, this.#random.chance(0.6) ? 0 : this.#random.between(1, 120_000));
      }
      if (this.#random.chance(this.mishaps.ended)) {
        const run = () => {
          if (settle({ error: 'The function was ended' })) this.#host.met('activity ended from outside');
        };
        const after = this.#random.pick([0, 1_000, this.#random.between(1, 120_000)]);
        this.#scheduler.add({ label: `${leaf.name} is ended from outside`, owner: undefined, run }, after);
      }
    }
    return index;
  }

  #dispatch(leaf: Leaf, settle: (settled: Settled) => boolean, after: number): void {
    const again = (ms: number) => this.#dispatch(leaf, settle, ms);
    const run = () => {
      const ended = (settled: Settled) => {
        if (this.#random.chance(this.mishaps.answerLost)) {
          this.#host.met('answer of an activity lost');
          again(this.#random.between(1, 60_000));
        } else settle(json(settled) as Settled);
      };
      const died = (fails: boolean) => {
        if (fails && settle({ error: 'WorkerProcessExitException: exited with code 134' })) {
          this.#host.met('activity ended by the death of its process');
        } else if (!fails) {
          this.#host.met('activity executed again after a crash');
          again(this.#random.between(1, 60_000));
        }
      };
      if (!this.#host.execute(leaf.name, json(leaf.input), ended, died)) again(1_000);
    };
    this.#scheduler.add({ label: `${leaf.name} begins`, owner: undefined, run }, after);
  }

  /** False if nothing waits for the result any more. */
  #settle(id: string, generation: number, index: number, settled: Settled): boolean {
    const instance = this.#instances.get(id);
    if (instance?.state !== 'Running' || instance.generation !== generation) return false;
    const task = instance.scheduled[index];
    if (!task || task.settled) return false;
    task.settled = settled;
    task.order = instance.arrivals++;
    this.#queueTurn(instance);
    return true;
  }

  #end(instance: Instance, state: 'Completed' | 'Failed' | 'Terminated', settled: Settled): void {
    instance.state = state;
    const output = 'value' in settled ? settled.value : settled.error;
    this.#host.finished({ id: instance.id, name: instance.name, state, output });
    const { parent } = instance;
    if (parent) this.#settle(parent.id, parent.generation, parent.index, settled);
  }
}

/** The values of all tasks, or the first failure as soon as it arrives. */
function settledOf(tasks: Scheduled[], all: boolean): Settled | undefined {
  const seen = tasks.filter((task) => task.seenAt !== undefined);
  const failed = seen.filter(({ settled }) => 'error' in settled!).sort((a, b) => a.order! - b.order!)[0];
  if (failed) return failed.settled;
  if (seen.length < tasks.length) return undefined;
  const values = tasks.map(({ settled }) => (settled as { value: unknown }).value);
  return { value: all ? values : values[0] };
}

/** When the orchestration continued: at the failure, or with the last result. */
function settledAt(tasks: Scheduled[], settled: Settled): number {
  const decisive = 'error' in settled ? tasks.filter((task) => task.settled === settled) : tasks;
  return Math.max(...decisive.map(({ seenAt }) => seenAt ?? 0));
}

/** The client for the functions of one process. */
export function durableClient(
  durable: Durable,
  send: <T>(what: string, writes: boolean, carryOut: () => T) => Promise<T>,
): DurableClient {
  const client = {
    getStatus: (id: string) =>
      send('status of an orchestration', false, () => {
        const found = durable.stateOf(id);
        if (!found) throw new Error('The operation failed with an unexpected HTTP 404 status code');
        return { runtimeStatus: found.state, customStatus: found.customStatus, input: found.input };
      }),
    startNew: async (name: string, { instanceId, input }: { instanceId: string; input: unknown }) => {
      // The network repeats an attempt whose answer is lost, which the client of Durable Functions does not.
      let isStarted = false;
      await send('start of an orchestration', true, () => {
        // One that has ended is replaced.
        if (isStarted || durable.stateOf(instanceId)?.state === 'Running') return;
        durable.start(name, instanceId, input);
        isStarted = true;
      });
      if (!isStarted) throw new Error('HTTP 409: the instance is running');
      return instanceId;
    },
    terminate: (id: string) => send('termination of an orchestration', true, () => durable.terminate(id)),
  };
  return client as unknown as DurableClient;
}

function json(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
