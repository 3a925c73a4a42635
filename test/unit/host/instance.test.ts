import { beforeEach, describe, expect, test } from 'vitest';
import { type Decision, EventType, taskCompleted } from '../../../host/durable/history.ts';
import { apply, type Instances, type JournalRecord, type Turn } from '../../../host/durable/instance.ts';

const at = '2026-01-01T00:00:00.000Z';
const task = (id: number): Decision => ({
  EventType: EventType.TaskScheduled,
  EventId: id,
  IsPlayed: false,
  Timestamp: at,
  Name: 'a',
  Input: '[1]',
});
const child = (id: number, InstanceId: string): Decision => ({
  EventType: EventType.SubOrchestrationInstanceCreated,
  EventId: id,
  IsPlayed: false,
  Timestamp: at,
  Name: 'child',
  InstanceId,
  Input: '{}',
});
const turn = (id: string, executionId: string, change: Partial<Turn>): JournalRecord => ({
  type: 'turn',
  at,
  id,
  executionId,
  turn: { consumed: 1, decisions: [], customStatus: 'null', ...change },
});

describe('an instance', () => {
  let instances: Instances;
  const applyAll = (...records: JournalRecord[]) => records.map((record) => apply(instances, structuredClone(record)));
  const inbox = (id: string) => instances.get(id)?.inbox.map(({ EventType: type }) => type);

  beforeEach(() => {
    instances = new Map();
    applyAll({ type: 'start', at, id: 'i', executionId: 'e1', name: 'o', input: '{"a":1}' });
  });

  test('accepts the completion of a task once, and ignores one of a task that it does not have', () => {
    const done = (id: number): JournalRecord => ({
      type: 'message',
      at,
      id: 'i',
      executionId: 'e1',
      message: taskCompleted(at, id, '1'),
    });
    const touched = applyAll(turn('i', 'e1', { decisions: [task(0)] }), done(0), done(0), done(7));
    expect(touched).toEqual([['i'], ['i'], [], []]);
    expect(inbox('i')).toEqual([EventType.TaskCompleted]);
  });

  test('starts a new execution with continue-as-new, and drops messages for the previous one', () => {
    applyAll(
      turn('i', 'e1', { decisions: [task(0)] }),
      { type: 'message', at, id: 'i', executionId: 'e1', message: taskCompleted(at, 0, '1') },
      turn('i', 'e1', { end: { status: 'ContinuedAsNew', input: '{"a":2}', executionId: 'e2' } }),
      { type: 'message', at, id: 'i', executionId: 'e1', message: taskCompleted(at, 0, '2') },
    );
    expect(instances.get('i')).toMatchObject({ executionId: 'e2', input: '{"a":2}', history: [], status: 'Running' });
    expect(inbox('i')).toEqual([EventType.ExecutionStarted]);
  });

  test('that an operator terminates during a turn stays terminated, and starts nothing', () => {
    applyAll({ type: 'terminate', at, id: 'i', reason: 'why' }, turn('i', 'e1', { decisions: [child(0, 'c')] }));
    expect(instances.get('i')).toMatchObject({ status: 'Terminated', output: '"why"' });
    expect(instances.has('c')).toBe(false);
  });

  test('reports its end to its parent, unless the parent has ended', () => {
    const [touched] = applyAll(turn('i', 'e1', { decisions: [child(0, 'c'), child(1, 'd')] }));
    expect(touched).toEqual(['i', 'c', 'd']);
    applyAll(turn('c', 'e1:0', { end: { status: 'Completed', output: '7' } }), {
      type: 'terminate',
      at,
      id: 'd',
      reason: '',
    });
    expect(inbox('i')).toEqual([EventType.SubOrchestrationInstanceCompleted, EventType.SubOrchestrationInstanceFailed]);
    applyAll(
      { type: 'start', at, id: 'i2', executionId: 'x', name: 'o', input: '{}' },
      turn('i2', 'x', { decisions: [child(0, 'c')] }),
    );
    applyAll({ type: 'terminate', at, id: 'i2', reason: '' });
    expect(applyAll(turn('c', 'x:0', { end: { status: 'Completed', output: '7' } }))).toEqual([['c']]);
  });

  test('cannot be started as a sub-orchestration while it runs: the parent gets an error', () => {
    applyAll(
      { type: 'start', at, id: 'other', executionId: 'x', name: 'o', input: '{}' },
      turn('other', 'x', { decisions: [child(0, 'i')] }),
    );
    expect(inbox('other')).toEqual([EventType.SubOrchestrationInstanceFailed]);
    expect(instances.get('i')).toMatchObject({ executionId: 'e1' });
  });

  test('the same records result in the same state, also from a snapshot in the middle', () => {
    const records = [
      turn('i', 'e1', { decisions: [task(0), child(1, 'c')] }),
      turn('c', 'e1:1', { end: { status: 'Failed', output: '"no"' } }),
    ];
    applyAll(records[0]!);
    const copies = [...instances.values()].map(
      (instance): JournalRecord => ({
        type: 'instance',
        instance: { ...structuredClone(instance), open: [...instance.open.values()] },
      }),
    );
    const copy: Instances = new Map();
    for (const record of [...copies, records[1]!]) apply(copy, structuredClone(record));
    applyAll(records[1]!);
    expect(copy).toEqual(instances);
  });
});
