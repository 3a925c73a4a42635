import { type Action, ActionType, type RetryOptions } from './action.ts';
import { completedId, type Decision, EventType, type HistoryEvent, isDecision, isFailure } from './history.ts';

/**
 * From the actions an orchestrator asked for and its history to the decisions of this turn.
 *
 * The SDK numbers its tasks in the order it starts to wait for them, and a retried task takes further numbers
 * (one for its timer, one for its next attempt) at the moment the failure, or the timer, is read from the history.
 * To give every decision the number the SDK gives it, the history is walked through here in the same way: each
 * action is started when the one before it is finished.
 */
export interface Schedule {
  /** The decisions that are not in the history yet, in order. */
  decisions: Decision[];
  /** Ids of timers that the orchestrator has cancelled. */
  cancelledTimers: number[];
}

export interface ScheduleInput {
  actions: Action[];
  /** Up to and including the messages of this turn. */
  history: HistoryEvent[];
  /** The time of this turn. */
  now: string;
  /** Names sub-orchestrations that were given no instance id. */
  newInstanceId: (taskId: number) => string;
}

/** The orchestrator's code does not fit its own history: it was changed, or it is not deterministic. */
export class NonDeterministicError extends Error {
  override readonly name = 'NonDeterministicError';
}

/** Longer timers are made of several, as the SDK and the real extension have it. */
const LONGEST_TIMER = 6 * 86_400_000;
const LONG_TIMER_INTERVAL = 3 * 86_400_000;

/** Called once, when what was waited for is there; the SDK stops waiting at a failure, too. */
type Settle = (failed: boolean) => void;

export function schedule({ actions, history, now, newInstanceId }: ScheduleInput): Schedule {
  const recorded = history.filter(isDecision);
  const decisions: Decision[] = [];
  const cancelledTimers: number[] = [];
  const open = new Map<number, (event: HistoryEvent) => void>();
  const waitingForEvent = new Map<string, ((event: HistoryEvent) => void)[]>();
  const early = new Map<string, HistoryEvent[]>();
  let clock = history.find((event) => event.EventType === EventType.OrchestratorStarted)?.Timestamp ?? now;
  let nextId = 0;

  function decide(make: (id: number) => Decision, completed: (event: HistoryEvent) => void): number {
    const id = nextId++;
    const known = recorded[id];
    const wanted = make(id);
    if (known === undefined) decisions.push(wanted);
    else if (!sameDecision(known, wanted)) {
      throw new NonDeterministicError(
        `its history has ${describe(known)} as task ${id}, its code now asks for ${describe(wanted)}. The code was changed while it ran, or it is not deterministic`,
      );
    }
    open.set(id, completed);
    return id;
  }

  const call = (action: CallAction) => (id: number) => callDecision(action, id, now, newInstanceId);
  const timer =
    (fireAt: string) =>
    (id: number): Decision => ({
      EventType: EventType.TimerCreated,
      EventId: id,
      IsPlayed: false,
      Timestamp: now,
      FireAt: fireAt,
    });

  function start(action: Action, settle: Settle): void {
    switch (action.actionType) {
      case ActionType.CallActivity:
      case ActionType.CallSubOrchestrator:
        decide(call(action), (event) => settle(isFailure(event)));
        break;
      case ActionType.CallActivityWithRetry:
      case ActionType.CallSubOrchestratorWithRetry:
        startWithRetry(action, settle);
        break;
      case ActionType.CreateTimer:
        startTimer(action, settle);
        break;
      case ActionType.WaitForExternalEvent: {
        const name = action.externalEventName;
        if (early.get(name)?.shift() !== undefined) settle(false);
        else waitingForEvent.set(name, [...(waitingForEvent.get(name) ?? []), () => settle(false)]);
        break;
      }
      case ActionType.WhenAll: {
        let left = action.compoundActions.length;
        const child = oneByOne((failed) => {
          left--;
          if (failed || left === 0) settle(failed);
          return failed;
        });
        for (const inner of action.compoundActions) start(inner, child);
        break;
      }
      case ActionType.WhenAny: {
        const child = oneByOne(() => {
          settle(false);
          return true;
        });
        for (const inner of action.compoundActions) start(inner, child);
        break;
      }
      default:
        // Continue-as-new: nothing to wait for.
        settle(false);
    }
  }

  function startWithRetry(action: Extract<Action, { retryOptions: RetryOptions }>, settle: Settle): void {
    const { retryOptions } = action;
    let attempt = 1;
    const tryIt = () =>
      decide(call(action), (event) => {
        if (!isFailure(event)) return settle(false);
        // After the last attempt too: the SDK waits for one more timer before it gives up.
        const delay = attempt < retryOptions.maxNumberOfAttempts ? retryDelay(retryOptions, attempt) : 0;
        attempt++;
        decide(timer(later(clock, delay)), () => {
          if (attempt > retryOptions.maxNumberOfAttempts) settle(true);
          else tryIt();
        });
      });
    tryIt();
  }

  function startTimer(action: Extract<Action, { fireAt: string }>, settle: Settle): void {
    const fireAt = Date.parse(action.fireAt);
    const tryIt = () => {
      const isLong = fireAt - Date.parse(clock) > LONGEST_TIMER;
      const id = decide(timer(isLong ? later(clock, LONG_TIMER_INTERVAL) : new Date(fireAt).toISOString()), () => {
        if (fireAt > Date.parse(clock)) tryIt();
        else settle(false);
      });
      if (action.isCanceled) cancelledTimers.push(id);
    };
    tryIt();
  }

  let next = 0;
  let waiting = false;
  function advance(): void {
    while (!waiting && next < actions.length) {
      const action = actions[next++];
      if (action === undefined) continue;
      waiting = true;
      start(action, () => {
        waiting = false;
      });
    }
  }

  for (const event of history) {
    if (event.EventType === EventType.OrchestratorStarted) {
      if (event.Timestamp > clock) clock = event.Timestamp;
    } else if (event.EventType === EventType.ExecutionStarted) {
      advance();
    } else if (event.EventType === EventType.EventRaised) {
      // The SDK gives an event to the one that started to wait last, and keeps early events in order.
      const completed = waitingForEvent.get(event.Name)?.pop();
      if (completed !== undefined) completed(event);
      else early.set(event.Name, [...(early.get(event.Name) ?? []), event]);
      advance();
    } else {
      const id = completedId(event);
      if (id === undefined) continue;
      const completed = open.get(id);
      open.delete(id);
      completed?.(event);
      advance();
    }
  }
  const forgotten = recorded[nextId];
  if (forgotten !== undefined) {
    throw new NonDeterministicError(
      `its history has ${describe(forgotten)} as task ${nextId}, its code does not ask for it any more. The code was changed while it ran, or it is not deterministic`,
    );
  }
  return { decisions, cancelledTimers };
}

/** Passes children's results on until the given function says that it has heard enough. */
function oneByOne(heardEnough: (failed: boolean) => boolean): Settle {
  let enough = false;
  return (failed) => {
    if (!enough) enough = heardEnough(failed);
  };
}

type CallAction = Extract<Action, { functionName: string }>;

function callDecision(
  action: CallAction,
  id: number,
  now: string,
  newInstanceId: (taskId: number) => string,
): Decision {
  const common = { EventId: id, IsPlayed: false, Timestamp: now, Name: action.functionName };
  if (action.actionType === ActionType.CallActivity || action.actionType === ActionType.CallActivityWithRetry) {
    return { ...common, EventType: EventType.TaskScheduled, Input: `[${encodedInput(action.input)}]` };
  }
  return {
    ...common,
    EventType: EventType.SubOrchestrationInstanceCreated,
    InstanceId: action.instanceId || newInstanceId(id),
    Input: JSON.stringify(action.input ?? null),
  };
}

/** The SDK has already turned a string input of an activity, or of continue-as-new, into JSON; anything else it has not. */
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
  const what = decision.EventType === EventType.TaskScheduled ? 'activity' : 'sub-orchestration';
  return `${what} "${decision.Name}"`;
}
