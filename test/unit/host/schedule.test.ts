import { describe, expect, test } from 'vitest';
import type { Action } from '../../../host/durable/action.ts';
import {
  EventType,
  executionStarted,
  type HistoryEvent,
  orchestratorStarted,
  taskCompleted,
  taskFailed,
  timerFired,
} from '../../../host/durable/history.ts';
import { schedule } from '../../../host/durable/schedule.ts';

const T = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const activity = (functionName: string): Action => ({ actionType: 0, functionName, input: { a: 1 } });
const retried = (functionName: string, maxNumberOfAttempts: number): Action => ({
  actionType: 1,
  functionName,
  retryOptions: {
    firstRetryIntervalInMilliseconds: 1000,
    maxNumberOfAttempts,
    backoffCoefficient: 3,
    maxRetryIntervalInMilliseconds: 5000,
  },
});

/** Takes turns with their messages one after another, as the engine does. Returns the decisions of each turn. */
function turns(actions: Action[][], ...messages: HistoryEvent[][]) {
  const history: HistoryEvent[] = [];
  return messages.map((arrived, index) => {
    const now = T(index * 10);
    history.push(orchestratorStarted(now), ...(index === 0 ? [executionStarted(now, 'o', '{}')] : []), ...arrived);
    const result = schedule({
      actions: actions[Math.min(index, actions.length - 1)] ?? [],
      history,
      now,
      newInstanceId: (id) => `sub-${id}`,
    });
    history.push(...result);
    return result;
  });
}

const brief = (result: ReturnType<typeof schedule>) =>
  result.map(
    (decision) =>
      `${decision.EventId} ${'Name' in decision ? decision.Name : `timer ${decision.FireAt.slice(14, 19)}`}`,
  );

describe('decisions', () => {
  test('are numbered in the order of scheduling, each action once', () => {
    const first: Action = { actionType: 12, compoundActions: [activity('a'), activity('b')] };
    const [one, two, three] = turns(
      [[first], [first], [first, activity('c')]],
      [],
      [taskCompleted(T(9), 0, '1')],
      [taskCompleted(T(19), 1, '2')],
    );
    expect(brief(one!)).toEqual(['0 a', '1 b']);
    expect(brief(two!)).toEqual([]);
    expect(brief(three!)).toEqual(['2 c']);
    expect(one?.[0]).toMatchObject({ EventType: EventType.TaskScheduled, Input: '[{"a":1}]' });
  });

  test('a retry gets its numbers when the failure is read, with a growing delay up to its limit', () => {
    const all: Action[] = [{ actionType: 12, compoundActions: [retried('a', 3), retried('b', 3)] }];
    const failed = (id: number) => taskFailed(T(0), id, 'no', '');
    const results = turns(
      [all],
      [],
      [failed(1), failed(0)],
      [timerFired(T(0), 3, ''), timerFired(T(0), 2, '')],
      [failed(4), taskCompleted(T(0), 5, '1')],
      [timerFired(T(0), 6, '')],
      [failed(7)],
    );
    expect(results.map(brief)).toEqual([
      ['0 a', '1 b'],
      // b failed first: its timer is 2. Both fire a second after the turn at 10 s.
      ['2 timer 00:11', '3 timer 00:11'],
      ['4 a', '5 b'],
      ['6 timer 00:33'],
      ['7 a'],
      // Also after the last attempt, without a delay: the SDK waits for this timer before the task fails.
      ['8 timer 00:50'],
    ]);
  });

  test('a timer longer than six days consists of several', () => {
    const fireAt = new Date(Date.UTC(2026, 0, 8)).toISOString();
    const timer: Action = { actionType: 5, fireAt, isCanceled: false };
    const history: HistoryEvent[] = [orchestratorStarted(T(0)), executionStarted(T(0), 'o', '')];
    const first = schedule({ actions: [timer], history, now: T(0), newInstanceId: String });
    expect(first).toMatchObject([{ EventId: 0, FireAt: '2026-01-04T00:00:00.000Z' }]);
    const later = '2026-01-04T00:00:00.000Z';
    history.push(...first, orchestratorStarted(later), timerFired(later, 0, later));
    const second = schedule({ actions: [timer, activity('a')], history, now: later, newInstanceId: String });
    expect(second).toMatchObject([{ EventId: 1, FireAt: fireAt }]);
  });

  test('sub-orchestrations without an instance id get one', () => {
    const sub = (instanceId?: string): Action => ({
      actionType: 2,
      functionName: 's',
      ...(instanceId ? { instanceId } : {}),
      input: 'text',
    });
    const [one] = turns([[{ actionType: 12, compoundActions: [sub(), sub('mine')] }]], []);
    expect(one).toMatchObject([{ InstanceId: 'sub-0', Input: '"text"' }, { InstanceId: 'mine' }]);
  });

  test('detects code that does not match its history', () => {
    expect(() => turns([[activity('a')], [activity('b')]], [], [taskCompleted(T(1), 0, '1')])).toThrow(
      /activity "a" as task 0.*activity "b"/,
    );
    expect(() => turns([[activity('a')], []], [], [taskCompleted(T(1), 0, '1')])).toThrow(/no longer asks for it/);
  });
});
