import { type Action, ActionType, type RetryOptions } from './action.ts';
import { completedId, type Decision, EventType, type HistoryEvent, isDecision, isFailure } from './history.ts';

export interface ScheduleInput {
  /** The actions that the orchestrator has asked for. */
  actions: Action[];
  /** Up to and including the messages of this turn. */
  history: HistoryEvent[];
  /** The time of this turn. */
  now: string;
  /** Names sub-orchestrations that have no instance id. */
  newInstanceId: (taskId: number) => string;
}

/** The code of the orchestrator does not match its own history: it has changed, or it is not deterministic. */
export class NonDeterministicError extends Error {
  override readonly name = 'NonDeterministicError';
}

/** The SDK and the real extension split longer timers, too. */
const LONGEST_TIMER = 6 * 86_400_000;
const LONG_TIMER_INTERVAL = 3 * 86_400_000;

/** Called once when the awaited task has ended. The SDK stops waiting at a failure, too. */
type Settle = (failed: boolean) => void;

/** Returns the decisions of this turn: those that are not in the history yet, in order. */
export function schedule(input: ScheduleInput): Decision[] {
  return new Replay(input).run();
}

/**
 * Numbers decisions as the SDK does. The SDK numbers its tasks in the order in which it starts to wait for them. A
 * retry takes further numbers (one for its timer, one for its next attempt) when the SDK reads the failure, or the
 * timer, from the history. So the replay walks through the history and starts each action when the previous one has
 * ended.
 */
class Replay {
  readonly #actions: Action[];
  readonly #history: HistoryEvent[];
  readonly #now: string;
  readonly #newInstanceId: (taskId: number) => string;
  /** The decisions in the history. */
  readonly #recorded: Decision[];
  readonly #decisions: Decision[] = [];
  /** What to do when a task ends, by id of its decision. */
  readonly #open = new Map<number, (event: HistoryEvent) => void>();
  #clock: string;
  #nextId = 0;
  #nextAction = 0;
  #waiting = false;

  constructor({ actions, history, now, newInstanceId }: ScheduleInput) {
    this.#actions = actions;
    this.#history = history;
    this.#now = now;
    this.#newInstanceId = newInstanceId;
    this.#recorded = history.filter(isDecision);
    this.#clock = history.find((event) => event.EventType === EventType.OrchestratorStarted)?.Timestamp ?? now;
  }

  run(): Decision[] {
    for (const event of this.#history) this.#read(event);
    const unmatched = this.#recorded[this.#nextId];
    if (unmatched !== undefined) {
      throw new NonDeterministicError(
        `its history has ${describe(unmatched)} as task ${this.#nextId}, but its code no longer asks for it. ` +
          'The code has changed during the run, or it is not deterministic',
      );
    }
    return this.#decisions;
  }

  #read(event: HistoryEvent): void {
    if (event.EventType === EventType.OrchestratorStarted) {
      if (event.Timestamp > this.#clock) this.#clock = event.Timestamp;
    } else if (event.EventType === EventType.ExecutionStarted) {
      this.#startNext();
    } else {
      const id = completedId(event);
      if (id === undefined) return;
      const complete = this.#open.get(id);
      this.#open.delete(id);
      complete?.(event);
      this.#startNext();
    }
  }

  #startNext(): void {
    while (!this.#waiting && this.#nextAction < this.#actions.length) {
      const action = this.#actions[this.#nextAction++]!;
      this.#waiting = true;
      this.#start(action, () => {
        this.#waiting = false;
      });
    }
  }

  #start(action: Action, settle: Settle): void {
    switch (action.actionType) {
      case ActionType.CallActivity:
      case ActionType.CallSubOrchestrator:
        this.#decide(this.#call(action), (event) => settle(isFailure(event)));
        break;
      case ActionType.CallActivityWithRetry:
        this.#startWithRetry(action, settle);
        break;
      case ActionType.CreateTimer:
        this.#startTimer(Date.parse(action.fireAt), settle);
        break;
      case ActionType.WhenAll:
        this.#startAll(action.compoundActions, settle);
        break;
      default:
        // Continue-as-new: there is nothing to wait for.
        settle(false);
    }
  }

  /** Settles at the first failure, or when all actions have ended. */
  #startAll(actions: Action[], settle: Settle): void {
    let left = actions.length;
    let settled = false;
    const child: Settle = (failed) => {
      if (settled) return;
      left--;
      if (!failed && left > 0) return;
      settled = true;
      settle(failed);
    };
    for (const action of actions) this.#start(action, child);
  }

  #startWithRetry(action: Extract<Action, { retryOptions: RetryOptions }>, settle: Settle): void {
    const { retryOptions } = action;
    let attempt = 1;
    const start = () =>
      this.#decide(this.#call(action), (event) => {
        if (!isFailure(event)) return settle(false);
        // The SDK waits for a timer after the last attempt, too.
        const delay = attempt < retryOptions.maxNumberOfAttempts ? retryDelay(retryOptions, attempt) : 0;
        attempt++;
        this.#decide(this.#timer(later(this.#clock, delay)), () => {
          if (attempt > retryOptions.maxNumberOfAttempts) settle(true);
          else start();
        });
      });
    start();
  }

  #startTimer(fireAt: number, settle: Settle): void {
    const isLong = fireAt - Date.parse(this.#clock) > LONGEST_TIMER;
    const at = isLong ? later(this.#clock, LONG_TIMER_INTERVAL) : new Date(fireAt).toISOString();
    this.#decide(this.#timer(at), () => {
      if (fireAt > Date.parse(this.#clock)) this.#startTimer(fireAt, settle);
      else settle(false);
    });
  }

  #decide(make: (id: number) => Decision, complete: (event: HistoryEvent) => void): void {
    const id = this.#nextId++;
    const known = this.#recorded[id];
    const wanted = make(id);
    if (known === undefined) this.#decisions.push(wanted);
    else if (!sameDecision(known, wanted)) {
      throw new NonDeterministicError(
        `its history has ${describe(known)} as task ${id}, but its code now asks for ${describe(wanted)}. ` +
          'The code has changed during the run, or it is not deterministic',
      );
    }
    this.#open.set(id, complete);
  }

  #timer(fireAt: string): (id: number) => Decision {
    return (id) => ({
      EventType: EventType.TimerCreated,
      EventId: id,
      IsPlayed: false,
      Timestamp: this.#now,
      FireAt: fireAt,
    });
  }

  #call(action: Extract<Action, { functionName: string }>): (id: number) => Decision {
    return (id) => {
      const common = { EventId: id, IsPlayed: false, Timestamp: this.#now, Name: action.functionName };
      if (action.actionType !== ActionType.CallSubOrchestrator) {
        return { ...common, EventType: EventType.TaskScheduled, Input: `[${encodedInput(action.input)}]` };
      }
      return {
        ...common,
        EventType: EventType.SubOrchestrationInstanceCreated,
        InstanceId: action.instanceId || this.#newInstanceId(id),
        Input: JSON.stringify(action.input ?? null),
      };
    };
  }
}

/** The SDK has already encoded a string input of an activity or of continue-as-new as JSON, but no other input. */
export function encodedInput(input: unknown): string {
  return typeof input === 'string' ? input : JSON.stringify(input ?? null);
}

function retryDelay(options: RetryOptions, attempt: number): number {
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (attempt - 1);
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.POSITIVE_INFINITY);
}

function later(time: string, milliseconds: number): string {
  return new Date(Date.parse(time) + milliseconds).toISOString();
}

function sameDecision(known: Decision, wanted: Decision): boolean {
  if (known.EventType !== wanted.EventType) return false;
  return !('Name' in known) || !('Name' in wanted) || known.Name === wanted.Name;
}

function describe(decision: Decision): string {
  if (decision.EventType === EventType.TimerCreated) return 'a timer';
  const kind = decision.EventType === EventType.TaskScheduled ? 'activity' : 'sub-orchestration';
  return `${kind} "${decision.Name}"`;
}
