import type { OrchestrationContext, Task } from 'durable-functions';

/**
 * Runs orchestrators without a host: functions answer for activities, timers only move the clock, sub-orchestrations
 * run in the same way, and continue-as-new starts a new generation. Inputs and results pass through JSON, as in
 * storage. Each generation is then replayed from its history, and must schedule the same tasks again.
 */
export type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;
export type AnyActivity = (input: never) => unknown;

export interface Scheduled {
  kind: 'activity' | 'orchestration' | 'timer';
  name: string;
  input: unknown;
}

/** One generation of an orchestration: the tasks of each `yield`, their results, and its end. */
export interface Generation {
  name: string;
  input: unknown;
  began: string;
  yields: Scheduled[][];
  answers: Answered[];
  /** JSON of its result, of the error that it threw, or of the input that it continued with. */
  end: string;
}

/** The result of a task; of several, also the result of each if one failed. */
interface Answered {
  at: string;
  value?: unknown;
  error?: string;
  each?: Answered[];
}

interface FakeTask extends Scheduled {
  all?: FakeTask[];
  /** Once it has ended. An orchestration may wait for it again. */
  settled?: Settled;
}

type Settled = { value: unknown } | { error: Error };

export class OrchestrationHarness {
  readonly generations: Generation[] = [];
  now = new Date('2026-05-01T00:00:00.000Z');
  readonly #orchestrators: Record<string, Orchestrator>;
  readonly #activities: Record<string, AnyActivity>;

  constructor(orchestrators: Record<string, Orchestrator>, activities: Record<string, AnyActivity>) {
    this.#orchestrators = orchestrators;
    this.#activities = activities;
  }

  /** Runs an orchestration and returns its result. Throws what the orchestrator throws. */
  run(name: string, input: unknown): unknown {
    let next: { input: unknown } | undefined = { input };
    let result: unknown;
    while (next !== undefined) {
      if (this.generations.length > 10_000) throw new Error(`${name} does not come to an end`);
      ({ result, next } = this.#generation(name, json(next.input)));
    }
    return json(result);
  }

  /** Everything scheduled under this name, in order. */
  calls(name: string): Scheduled[] {
    return this.generations.flatMap(({ yields }) => yields.flat().filter((task) => task.name === name));
  }

  /** The duration of each timer, in seconds. */
  get waits(): number[] {
    return this.calls('timer').map(({ input }) => input as number);
  }

  /** Runs a recorded generation over its history, and returns the new recording. */
  replay(recorded: Generation): Generation {
    const { name, input, answers } = recorded;
    this.now = new Date(recorded.began);
    const yields: Scheduled[][] = [];
    const again = this.#drive(name, json(input), (task) => {
      const answer = answers[yields.length];
      yields.push(scheduledOf(task));
      if (!answer) return { error: new Error('The recorded history ends here') };
      this.now = new Date(answer.at);
      for (const [index, each] of (answer.each ?? []).entries()) task.all![index]!.settled = settledOf(each);
      return settledOf(answer);
    });
    return { ...recorded, yields: json(yields) as Scheduled[][], end: endOf(again) };
  }

  #generation(name: string, input: unknown): { result: unknown; next: { input: unknown } | undefined } {
    const began = this.now;
    const generation: Generation = { name, input, began: began.toISOString(), yields: [], answers: [], end: '' };
    this.generations.push(generation);
    const history: { at: Date; settled: Settled; each: Settled[] | undefined }[] = [];
    const live = this.#drive(name, input, (task) => {
      generation.yields.push(scheduledOf(task));
      const settled = this.#settle(task);
      const each = 'error' in settled ? task.all?.map((one) => one.settled!) : undefined;
      history.push({ at: this.now, settled, each });
      const at = this.now.toISOString();
      generation.answers.push({
        ...answeredOf(at, settled),
        ...(each && { each: each.map((one) => answeredOf(at, one)) }),
      });
      return settled;
    });
    generation.end = endOf(live);

    const ended = this.now;
    this.now = began;
    const replayed: Scheduled[][] = [];
    const again = this.#drive(name, input, (task) => {
      replayed.push(scheduledOf(task));
      const step = history[replayed.length - 1];
      if (!step) throw new Error(`${name} asks for more when it is replayed`);
      this.now = step.at;
      for (const [index, one] of (step.each ?? []).entries()) task.all![index]!.settled = one;
      return step.settled;
    });
    this.now = ended;
    const [first, second] = [JSON.stringify([generation.yields, live]), JSON.stringify([replayed, again])];
    if (first !== second) {
      const at = [...first].findIndex((character, index) => character !== second[index]);
      const [one, other] = [first, second].map((text) => text.slice(Math.max(at - 200, 0), at + 200));
      throw new Error(`${name} is not deterministic:\n… ${one}\n… ${other}`);
    }
    if ('error' in live.outcome) throw live.outcome.error;
    return { result: live.outcome.value, next: live.next };
  }

  #drive(name: string, input: unknown, settle: (task: FakeTask) => Settled) {
    const orchestrator = this.#orchestrators[name];
    if (!orchestrator) throw new Error(`There is no orchestrator ${name}`);
    let next: { input: unknown } | undefined;
    const generator = orchestrator(
      this.#context(input, (given) => {
        next = { input: given };
      }),
    );
    let outcome: Settled;
    try {
      let step = generator.next();
      while (!step.done) {
        const task = step.value as unknown as FakeTask;
        const settled = task.settled ?? settle(task);
        task.settled = settled;
        step = 'error' in settled ? generator.throw(settled.error) : generator.next(json(settled.value));
      }
      outcome = { value: step.value };
    } catch (error) {
      outcome = { error: error as Error };
    }
    return { outcome, next };
  }

  #context(input: unknown, continueAsNew: (input: unknown) => void): OrchestrationContext {
    const harness = this;
    const df = {
      getInput: () => json(input),
      callActivity: (name: string, given: unknown) => ({ kind: 'activity', name, input: json(given) }),
      callSubOrchestrator: (name: string, given: unknown) => ({ kind: 'orchestration', name, input: json(given) }),
      createTimer: (at: Date) => ({
        kind: 'timer',
        name: 'timer',
        input: (at.getTime() - harness.now.getTime()) / 1000,
      }),
      Task: { all: (tasks: FakeTask[]) => ({ kind: 'activity', name: 'all', input: undefined, all: tasks }) },
      continueAsNew,
      setCustomStatus: () => {},
      get currentUtcDateTime() {
        return new Date(harness.now);
      },
    };
    return { df } as unknown as OrchestrationContext;
  }

  /** As in Durable Functions, `Task.all` throws the first failure, and the other tasks still run. */
  #settle(task: FakeTask): Settled {
    if (task.all) {
      const settled = task.all.map((each) => {
        each.settled = this.#settle(each);
        return each.settled;
      });
      const failed = settled.find((each) => 'error' in each);
      return failed ?? { value: settled.map((each) => (each as { value: unknown }).value) };
    }
    try {
      if (task.kind === 'timer') {
        this.now = new Date(this.now.getTime() + (task.input as number) * 1000);
        return { value: undefined };
      }
      if (task.kind === 'orchestration') return { value: this.run(task.name, task.input) };
      const activity = this.#activities[task.name];
      if (!activity) throw new Error(`There is no activity ${task.name}`);
      return { value: json(activity(task.input as never)) };
    } catch (error) {
      return { error: error as Error };
    }
  }
}

function scheduledOf(task: FakeTask): Scheduled[] {
  return (task.all ?? [task]).map(({ kind, name, input }) => ({ kind, name, input }));
}

function answeredOf(at: string, settled: Settled): Answered {
  return 'error' in settled ? { at, error: settled.error.message } : { at, value: settled.value };
}

function settledOf({ value, error }: Answered): Settled {
  return error === undefined ? { value } : { error: new Error(error) };
}

function endOf({ outcome, next }: { outcome: Settled; next: { input: unknown } | undefined }): string {
  return JSON.stringify({ ...('error' in outcome ? { error: outcome.error.message } : outcome), next });
}

function json(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
