/**
 * History events as the Durable Functions SDK reads them: PascalCase, `EventType` a number, times ISO strings.
 * One turn of an orchestration is OrchestratorStarted, the messages it reacts to, its decisions, OrchestratorCompleted.
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
  EventRaised: 15,
} as const;

interface Base {
  EventId: number;
  IsPlayed: boolean;
  Timestamp: string;
}

/** What an orchestration decided, to be carried out by the host. `EventId` is the id its completion refers to. */
export type Decision =
  | (Base & { EventType: typeof EventType.TaskScheduled; Name: string; Input: string })
  | (Base & {
      EventType: typeof EventType.SubOrchestrationInstanceCreated;
      Name: string;
      InstanceId: string;
      Input: string;
    })
  | (Base & { EventType: typeof EventType.TimerCreated; FireAt: string });

/** What an orchestration is told: each message is journaled before a turn sees it. */
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
  | (Base & { EventType: typeof EventType.TimerFired; TimerId: number; FireAt: string })
  | (Base & { EventType: typeof EventType.EventRaised; Name: string; Input: string });

export type HistoryEvent =
  | Decision
  | Message
  | (Base & { EventType: typeof EventType.OrchestratorStarted | typeof EventType.OrchestratorCompleted });

/** Messages have no id of their own; decisions have one from 0. */
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

export type TaskFailed = Extract<Message, { EventType: typeof EventType.TaskFailed }>;

export function taskFailed(at: string, id: number, reason: string, details: string): TaskFailed {
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

export function eventRaised(at: string, name: string, input: string): Message {
  return { ...base(at), EventType: EventType.EventRaised, Name: name, Input: input };
}

/** The id of the decision that a message completes; none for events that answer no decision. */
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
