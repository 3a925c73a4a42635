import { describe, expect, test } from 'vitest';
import type { Action } from '../../../host/durable/action.ts';
import {
  EventType,
  eventRaised,
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

/** Takes turns one after the other, each with its messages, as the engine does; the decisions of each. */
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
    history.push(...result.decisions);
    return result;
  });
}

const brief = (result: ReturnType<typeof schedule>) =>
  result.decisions.map(
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
    expect(one?.decisions[0]).toMatchObject({ EventType: EventType.TaskScheduled, Input: '[{"a":1}]' });
  });

  test('a retry takes its numbers when the failure is read, with growing delay up to its limit', () => {
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
      // After its last try too, at once: the SDK waits for it before it gives up.
      ['8 timer 00:50'],
    ]);
  });

  test('an event that came before it was waited for counts, and what follows is scheduled at once', () => {
    const wait: Action = { actionType: 6, externalEventName: 'go' };
    const [, second, third] = turns(
      [[activity('a'), wait, activity('b')]],
      [],
      [eventRaised(T(1), 'go', '1')],
      [taskCompleted(T(1), 0, '1')],
    );
    expect(brief(second!)).toEqual([]);
    expect(brief(third!)).toEqual(['1 b']);
  });

  test('a timer longer than six days is made of several', () => {
    const fireAt = new Date(Date.UTC(2026, 0, 8)).toISOString();
    const timer: Action = { actionType: 5, fireAt, isCanceled: false };
    const history: HistoryEvent[] = [orchestratorStarted(T(0)), executionStarted(T(0), 'o', '')];
    const first = schedule({ actions: [timer], history, now: T(0), newInstanceId: String });
    expect(first.decisions).toMatchObject([{ EventId: 0, FireAt: '2026-01-04T00:00:00.000Z' }]);
    const later = '2026-01-04T00:00:00.000Z';
    history.push(...first.decisions, orchestratorStarted(later), timerFired(later, 0, later));
    const second = schedule({ actions: [timer, activity('a')], history, now: later, newInstanceId: String });
    expect(second.decisions).toMatchObject([{ EventId: 1, FireAt: fireAt }]);
  });

  test('a cancelled timer is named, and the one that won the race goes on', () => {
    const race = (isCanceled: boolean): Action => ({
      actionType: 11,
      compoundActions: [
        { actionType: 6, externalEventName: 'go' },
        { actionType: 5, fireAt: T(59), isCanceled },
      ],
    });
    const [one, two] = turns([[race(false)], [race(true), activity('a')]], [], [eventRaised(T(1), 'go', '1')]);
    expect([brief(one!), one?.cancelledTimers]).toEqual([['0 timer 00:59'], []]);
    expect([brief(two!), two?.cancelledTimers]).toEqual([['1 a'], [0]]);
  });

  test('sub-orchestrations without a name get one', () => {
    const sub = (instanceId?: string): Action => ({
      actionType: 2,
      functionName: 's',
      ...(instanceId ? { instanceId } : {}),
      input: 'text',
    });
    const [one] = turns([[{ actionType: 12, compoundActions: [sub(), sub('mine')] }]], []);
    expect(one?.decisions).toMatchObject([{ InstanceId: 'sub-0', Input: '"text"' }, { InstanceId: 'mine' }]);
  });

  test('code that does not fit its history is found out', () => {
    expect(() => turns([[activity('a')], [activity('b')]], [], [taskCompleted(T(1), 0, '1')])).toThrow(
      /activity "a" as task 0.*activity "b"/,
    );
    expect(() => turns([[activity('a')], []], [], [taskCompleted(T(1), 0, '1')])).toThrow(
      /does not ask for it any more/,
    );
  });
});
