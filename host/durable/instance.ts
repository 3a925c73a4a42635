import {
  completedId,
  type Decision,
  EventType,
  executionStarted,
  type HistoryEvent,
  type Message,
  orchestratorCompleted,
  orchestratorStarted,
  subOrchestrationCompleted,
  subOrchestrationFailed,
} from './history.ts';

export type RuntimeStatus = 'Pending' | 'Running' | 'Completed' | 'Failed' | 'Terminated';

export interface Parent {
  id: string;
  executionId: string;
  taskId: number;
}

export interface Instance {
  id: string;
  /** Changes with every continue-as-new. The host drops messages for an earlier execution. */
  executionId: string;
  name: string;
  /** JSON text, like all inputs, outputs and custom statuses here. */
  input: string;
  output: string;
  customStatus: string;
  status: RuntimeStatus;
  createdTime: string;
  lastUpdatedTime: string;
  parent?: Parent;
  /** The events that the orchestrator has read; empty once it has ended. */
  history: HistoryEvent[];
  /** Journaled messages that no turn has read yet. */
  inbox: Message[];
  /** Decisions without a completion, by id. */
  open: Map<number, Decision>;
}

/** A record of the journal. The state of all instances is the result of applying all records in order. */
export type JournalRecord =
  | { type: 'start'; at: string; id: string; executionId: string; name: string; input: string; parent?: Parent }
  | { type: 'message'; at: string; id: string; executionId: string; message: Message }
  | { type: 'turn'; at: string; id: string; executionId: string; turn: Turn }
  | { type: 'terminate'; at: string; id: string; reason: string }
  | { type: 'purge'; ids: string[] }
  | { type: 'instance'; instance: Omit<Instance, 'open'> & { open: Decision[] } };

export interface Turn {
  /** How many messages of the inbox this turn has read. */
  consumed: number;
  decisions: Decision[];
  customStatus: string;
  end?:
    | { status: 'Completed' | 'Failed'; output: string }
    | { status: 'ContinuedAsNew'; input: string; executionId: string };
}

export type Instances = Map<string, Instance>;

export const ENDED: ReadonlySet<RuntimeStatus> = new Set(['Completed', 'Failed', 'Terminated']);

export function hasEnded({ status }: Instance): boolean {
  return ENDED.has(status);
}

/** Applies a record and returns the ids of the instances that it changes. */
export function apply(instances: Instances, record: JournalRecord): string[] {
  switch (record.type) {
    case 'instance':
      instances.set(record.instance.id, {
        ...record.instance,
        open: new Map(record.instance.open.map((decision) => [decision.EventId, decision])),
      });
      return [record.instance.id];
    case 'start':
      return startInstance(instances, record);
    case 'purge':
      return purge(instances, record.ids);
    default:
      return change(instances, record);
  }
}

/** An instance of this id that has begun since stays. */
function purge(instances: Instances, ids: readonly string[]): string[] {
  const ended = ids.filter((id) => {
    const instance = instances.get(id);
    return instance !== undefined && hasEnded(instance);
  });
  for (const id of ended) instances.delete(id);
  return ended;
}

function change(
  instances: Instances,
  record: Extract<JournalRecord, { type: 'message' | 'turn' | 'terminate' }>,
): string[] {
  const instance = instances.get(record.id);
  if (instance === undefined || hasEnded(instance)) return [];
  if ('executionId' in record && record.executionId !== instance.executionId) return [];
  instance.lastUpdatedTime = record.at;
  switch (record.type) {
    case 'turn':
      return [record.id, ...applyTurn(instances, instance, record.at, record.turn)];
    case 'message':
      return deliver(instance, record.message);
    case 'terminate':
      return [record.id, ...end(instances, instance, record.at, 'Terminated', JSON.stringify(record.reason))];
  }
}

function startInstance(instances: Instances, start: Extract<JournalRecord, { type: 'start' }>): string[] {
  const existing = instances.get(start.id);
  if (existing !== undefined && !hasEnded(existing)) {
    const { parent } = start;
    if (parent === undefined) return [];
    const reason = `An instance "${start.id}" is already running.`;
    return notifyParent(instances, parent, subOrchestrationFailed(start.at, parent.taskId, reason, ''));
  }
  instances.set(start.id, {
    id: start.id,
    executionId: start.executionId,
    name: start.name,
    input: start.input,
    output: 'null',
    customStatus: 'null',
    status: 'Pending',
    createdTime: start.at,
    lastUpdatedTime: start.at,
    ...(start.parent === undefined ? {} : { parent: start.parent }),
    history: [],
    inbox: [executionStarted(start.at, start.name, start.input)],
    open: new Map(),
  });
  return [start.id];
}

/** Ignores the completion of a decision that is not open: it is late or a duplicate. */
function deliver(instance: Instance, message: Message): string[] {
  const id = completedId(message);
  if (id !== undefined && !instance.open.delete(id)) return [];
  instance.inbox.push(message);
  return [instance.id];
}

function applyTurn(instances: Instances, instance: Instance, at: string, turn: Turn): string[] {
  const messages = instance.inbox.splice(0, turn.consumed);
  const seen = [orchestratorStarted(at), ...messages, ...turn.decisions, orchestratorCompleted(at)];
  for (const event of seen) event.IsPlayed = true;
  instance.history.push(...seen);
  instance.status = 'Running';
  instance.customStatus = turn.customStatus;
  for (const decision of turn.decisions) instance.open.set(decision.EventId, decision);

  const changed: string[] = [];
  for (const decision of turn.decisions) {
    if (decision.EventType !== EventType.SubOrchestrationInstanceCreated) continue;
    const { InstanceId: id, Name: name, Input: input, EventId: taskId } = decision;
    const parent = { id: instance.id, executionId: instance.executionId, taskId };
    changed.push(
      ...startInstance(instances, { type: 'start', at, id, executionId: childExecution(parent), name, input, parent }),
    );
  }
  if (turn.end === undefined) return changed;
  if (turn.end.status !== 'ContinuedAsNew') {
    return [...changed, ...end(instances, instance, at, turn.end.status, turn.end.output)];
  }
  instance.executionId = turn.end.executionId;
  instance.input = turn.end.input;
  instance.history = [];
  instance.open.clear();
  instance.inbox = [executionStarted(at, instance.name, instance.input)];
  return changed;
}

/** Derived, not random: applying the same journal again must result in the same state. */
function childExecution(parent: Parent): string {
  return `${parent.executionId}:${parent.taskId}`;
}

function end(instances: Instances, instance: Instance, at: string, status: RuntimeStatus, output: string): string[] {
  instance.status = status;
  instance.output = output;
  instance.history = [];
  instance.inbox = [];
  instance.open.clear();
  const { parent } = instance;
  if (parent === undefined) return [];
  const message =
    status === 'Completed'
      ? subOrchestrationCompleted(at, parent.taskId, output)
      : subOrchestrationFailed(
          at,
          parent.taskId,
          `Sub-orchestration "${instance.name}" ${status.toLowerCase()}`,
          plain(output),
        );
  return notifyParent(instances, parent, message);
}

function notifyParent(instances: Instances, { id, executionId }: Parent, message: Message): string[] {
  const parent = instances.get(id);
  if (parent === undefined || hasEnded(parent) || parent.executionId !== executionId) return [];
  return deliver(parent, message);
}

function plain(json: string): string {
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : json;
}
