/**
 * History events in the form that the Durable Functions SDK reads: PascalCase names, numeric `EventType`, ISO times. A
 * turn of an orchestration is OrchestratorStarted, the messages it reacts to, its decisions, and OrchestratorCompleted.
 */
export const EventType = {
  ExecutionStarted: 0,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
} as const;

interface Base {
  EventId: number;
  IsPlayed: boolean;
  Timestamp: string;
}

/** A decision of an orchestration, which the host executes. Its completion refers to `EventId`. */
export type Decision =
  | (Base & { EventType: typeof EventType.TaskScheduled; Name: string; Input: string })
  | (Base & {
      EventType: typeof EventType.SubOrchestrationInstanceCreated;
      Name: string;
      InstanceId: string;
      Input: string;
    })
  | (Base & { EventType: typeof EventType.TimerCreated; FireAt: string });

/** The decision to run an activity. */
export type ScheduledTask = Extract<Decision, { EventType: typeof EventType.TaskScheduled }>;

/** A message to an orchestration. The host journals it before a turn reads it. */
export type Message =
  | (Base & { EventType: typeof EventType.ExecutionStarted; Name: string; Input: string })
  | (Base & { EventType: typeof EventType.TaskCompleted; TaskScheduledId: number; Result: string })
  | (Base & { EventType: typeof EventType.TaskFailed; TaskScheduledId: number; Reason: string; Details: string })
  | (Base & { EventType: typeof EventType.SubOrchestrationInstanceCompleted; TaskScheduledId: number; Result: string })
  | (Base & {
      EventType: typeof EventType.SubOrchestrationInstanceFailed;
      TaskScheduledId: number;
      Reason: string;
      Details: string;
    })
  | (Base & { EventType: typeof EventType.TimerFired; TimerId: number; FireAt: string });

export type HistoryEvent =
  | Decision
  | Message
  | (Base & { EventType: typeof EventType.OrchestratorStarted | typeof EventType.OrchestratorCompleted });

/** The id of messages. Decisions have ids from 0. */
const NO_ID = -1;

function base(at: string): Base {
  return { EventId: NO_ID, IsPlayed: false, Timestamp: at };
}

export function orchestratorStarted(at: string): HistoryEvent {
  return { ...base(at), EventType: EventType.OrchestratorStarted };
}

export function orchestratorCompleted(at: string): HistoryEvent {
  return { ...base(at), EventType: EventType.OrchestratorCompleted };
}

export function executionStarted(at: string, name: string, input: string): Message {
  return { ...base(at), EventType: EventType.ExecutionStarted, Name: name, Input: input };
}

export function taskCompleted(at: string, id: number, result: string): Message {
  return { ...base(at), EventType: EventType.TaskCompleted, TaskScheduledId: id, Result: result };
}

export function taskFailed(at: string, id: number, reason: string, details: string): Message {
  return { ...base(at), EventType: EventType.TaskFailed, TaskScheduledId: id, Reason: reason, Details: details };
}

export function subOrchestrationCompleted(at: string, id: number, result: string): Message {
  return { ...base(at), EventType: EventType.SubOrchestrationInstanceCompleted, TaskScheduledId: id, Result: result };
}

export function subOrchestrationFailed(at: string, id: number, reason: string, details: string): Message {
  return {
    ...base(at),
    EventType: EventType.SubOrchestrationInstanceFailed,
    TaskScheduledId: id,
    Reason: reason,
    Details: details,
  };
}

export function timerFired(at: string, id: number, fireAt: string): Message {
  return { ...base(at), EventType: EventType.TimerFired, TimerId: id, FireAt: fireAt };
}

/** The id of the decision that an event completes; undefined for other events. */
export function completedId(event: HistoryEvent): number | undefined {
  switch (event.EventType) {
    case EventType.TaskCompleted:
    case EventType.TaskFailed:
    case EventType.SubOrchestrationInstanceCompleted:
    case EventType.SubOrchestrationInstanceFailed:
      return event.TaskScheduledId;
    case EventType.TimerFired:
      return event.TimerId;
    default:
      return undefined;
  }
}

export function isFailure(event: HistoryEvent): boolean {
  return event.EventType === EventType.TaskFailed || event.EventType === EventType.SubOrchestrationInstanceFailed;
}

export function isDecision(event: HistoryEvent): event is Decision {
  return (
    event.EventType === EventType.TaskScheduled ||
    event.EventType === EventType.SubOrchestrationInstanceCreated ||
    event.EventType === EventType.TimerCreated
  );
}
