import { messageOf } from '../host-error.ts';
import type { Invoke } from '../worker/invoke.ts';
import { isContinueAsNew, type OrchestratorState, unsupportedFeature } from './action.ts';
import { EventType, type HistoryEvent, type Message, orchestratorStarted } from './history.ts';
import type { Instance, Turn } from './instance.ts';
import { encodedInput, NonDeterministicError, schedule } from './schedule.ts';

/** The SDK appends this label and the state to the error message of an orchestrator that failed. */
const STATE_LABEL = '\n\n$OutOfProcData$:';

/** Limits and schema versions that the SDK requires. The misspelling is part of the protocol. */
const PROTOCOL = {
  upperSchemaVersion: 1,
  upperSchemaVersionNew: 3,
  longRunningTimerIntervalDuration: '3.00:00:00',
  maximumShortTimerDuration: '6.00:00:00',
  defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
};

export interface TurnInput {
  instance: Instance;
  messages: Message[];
  /** The time of this turn. */
  at: string;
  newExecutionId: () => string;
}

/** Runs the orchestrator over its history and the new messages, and returns its decisions. */
export async function takeTurn(invoke: Invoke, { instance, messages, at, newExecutionId }: TurnInput): Promise<Turn> {
  const history = [...instance.history, orchestratorStarted(at), ...messages];
  const turn: Turn = {
    consumed: messages.length,
    decisions: [],
    customStatus: instance.customStatus,
  };
  const fail = (reason: string): Turn => ({
    ...turn,
    end: { status: 'Failed', output: JSON.stringify(`Orchestrator function '${instance.name}' failed: ${reason}`) },
  });

  const result = await run(invoke, instance, history);
  if ('broken' in result) return fail(result.broken);
  const { state } = result;
  const actions = state.actions.flat();
  const unsupported = unsupportedFeature(actions);
  if (unsupported !== undefined) return fail(`it uses ${unsupported}, which this host does not support`);

  try {
    const newInstanceId = (taskId: number) => `${instance.executionId}:${taskId.toString(16).padStart(4, '0')}`;
    turn.decisions = schedule({ actions, history, now: at, newInstanceId });
  } catch (error) {
    // Every attempt would fail like this. So the orchestration fails, and the host continues.
    const kind = error instanceof NonDeterministicError ? 'Non-deterministic orchestrator: ' : '';
    return fail(`${kind}${messageOf(error)}.`);
  }
  turn.customStatus = state.customStatus === undefined ? instance.customStatus : JSON.stringify(state.customStatus);
  if (!(state.isDone || state.error !== undefined) || hasOpenTasks(instance, turn)) return turn;
  if (state.error !== undefined) return fail(state.error);
  const renewed = actions.find(isContinueAsNew);
  if (renewed !== undefined) {
    turn.end = { status: 'ContinuedAsNew', input: encodedInput(renewed.input), executionId: newExecutionId() };
  } else {
    turn.end = { status: 'Completed', output: JSON.stringify(state.output ?? null) };
  }
  return turn;
}

/** As in Azure, an instance only ends when all its tasks have ended. A timer keeps it running. */
function hasOpenTasks(instance: Instance, turn: Turn): boolean {
  return instance.open.size > 0 || turn.decisions.length > 0;
}

async function run(
  invoke: Invoke,
  instance: Instance,
  history: HistoryEvent[],
): Promise<{ state: OrchestratorState } | { broken: string }> {
  const input = `{"input":${instance.input},${JSON.stringify({
    ...PROTOCOL,
    instanceId: instance.id,
    isReplaying: instance.history.length > 0,
    parentInstanceId: instance.parent?.id ?? null,
    sourceInstanceId: null,
    // The SDK changes the events that it gets, so it gets a copy. As in Azure, it does not get what activities got.
    history: history.map((event) => (event.EventType === EventType.TaskScheduled ? { ...event, Input: null } : event)),
  }).slice(1)}`;
  try {
    const { returnValue } = await invoke({ string: input });
    if (typeof returnValue?.json !== 'string') return { broken: 'it did not answer like an orchestrator' };
    return { state: JSON.parse(returnValue.json) as OrchestratorState };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const label = message.indexOf(STATE_LABEL);
    if (label < 0) return { broken: message };
    return { state: JSON.parse(message.slice(label + STATE_LABEL.length)) as OrchestratorState };
  }
}
