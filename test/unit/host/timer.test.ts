import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { timerListener } from '../../../host/triggers/timer.ts';
import type { HostedFunction, Listener, TriggerHost } from '../../../host/triggers/trigger.ts';

const NEVER = '0001-01-01T00:00:00+00:00';
const at = (text: string) => `2026-07-01T${text}Z`;

let dataDirectory: string;
let listener: Listener | undefined;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'strongroom-timer-'));
  vi.useFakeTimers({ now: new Date(at('11:50:00.000')) });
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(dataDirectory, { recursive: true, force: true });
});

interface Given {
  ScheduleStatus: { Last: string; Next: string; LastUpdated: string } | null;
  IsPastDue: boolean;
}

/** Starts the timer as a process of the host does. Returns what its function is given from then on. */
function start(schedule: string, { work = 0, more = {} } = {}): Given[] {
  const given: Given[] = [];
  const invoke = async ({ json }: { json?: string | null }) => {
    given.push(JSON.parse(json!));
    if (work > 0) await new Promise((resolve) => setTimeout(resolve, work));
    return {};
  };
  const hosted = { name: 'f', trigger: { type: 'timerTrigger', schedule, ...more }, bindings: {}, invoke };
  listener = timerListener([hosted as unknown as HostedFunction], { dataDirectory } as TriggerHost);
  void listener.start?.();
  return given;
}

const stored = () => JSON.parse(readFileSync(join(dataDirectory, 'timers.json'), 'utf8')).f;
const until = (time: string) => vi.advanceTimersByTimeAsync(Date.parse(at(time)) - Date.now());

/** The process ends, and the next one starts at this time. */
async function restart(time: string, schedule: string): Promise<Given[]> {
  await listener?.stop?.();
  vi.setSystemTime(new Date(at(time)));
  const given = start(schedule);
  await vi.advanceTimersByTimeAsync(0);
  return given;
}

describe('a timer, as that of the Functions host', () => {
  test('records its next time at its first start, fires nothing, and tells its first tick nothing of the past', async () => {
    const given = start('0 0 * * * *');
    await until('11:59:59.999');
    expect(given).toEqual([]);
    const next = at('12:00:00.000');
    expect(stored()).toEqual({ Last: NEVER, Next: next, LastUpdated: at('11:50:00.000') });
    await until('12:00:00.000');
    const ScheduleStatus = { Last: NEVER, Next: next, LastUpdated: NEVER };
    expect(given).toMatchObject([{ ScheduleStatus, IsPastDue: false }]);
    expect(stored()).toEqual({ Last: next, Next: at('13:00:00.000'), LastUpdated: next });
  });

  test('after a stop fires once for all that it has missed, past due', async () => {
    start('0 0 * * * *');
    await until('12:00:01.000');
    const given = await restart('16:20:00.000', '0 0 * * * *');
    const [Last, Next] = [at('12:00:00.000'), at('13:00:00.000')];
    expect(given).toEqual([
      { Schedule: { AdjustForDST: true }, ScheduleStatus: { Last, Next, LastUpdated: Last }, IsPastDue: true },
    ]);
    expect(stored()).toMatchObject({ Last: at('16:20:00.000'), Next: at('17:00:00.000') });
  });

  test('that missed its first time of all fires past due, and tells since when it has been there', async () => {
    start('0 0 * * * *');
    const given = await restart('12:40:00.000', '0 0 * * * *');
    const LastUpdated = at('11:50:00.000');
    expect(given).toMatchObject([{ ScheduleStatus: { Last: NEVER, LastUpdated }, IsPastDue: true }]);
  });

  test('does not fire for the past of a schedule that has changed', async () => {
    start('0 0 * * * *');
    await until('12:00:01.000');
    const given = await restart('12:20:00.000', '0 10 * * * *');
    await until('13:09:59.000');
    expect(given).toEqual([]);
    const status = { Last: NEVER, Next: at('13:10:00.000'), LastUpdated: at('12:20:00.000') };
    expect(stored()).toEqual(status);
    await until('13:10:00.000');
    expect(given).toMatchObject([{ ScheduleStatus: status, IsPastDue: false }]);
  });

  test('starts anew where its clock was ahead before', async () => {
    start('0 0 * * * *');
    await until('12:00:01.000');
    await restart('09:30:00.000', '0 0 * * * *');
    expect(stored()).toMatchObject({ Last: NEVER, Next: at('10:00:00.000') });
  });

  test('fires for one time that passed during an invocation at once, not past due, and for no other', async () => {
    const given = start('0 */10 * * * *', { work: 35 * 60_000 });
    await until('12:34:59.000');
    expect(given).toHaveLength(1);
    await until('12:35:00.010');
    expect(given).toMatchObject([{}, { ScheduleStatus: { Last: at('12:00:00.000') }, IsPastDue: false }]);
    await until('13:10:00.020');
    expect(given).toMatchObject([{}, {}, { ScheduleStatus: { Last: expect.stringContaining('T12:35:00') } }]);
  });

  test('that recurs within a minute gets no status, and nothing is stored', async () => {
    vi.setSystemTime(new Date(at('11:50:05.000')));
    const given = start('*/30 * * * * *');
    await until('11:51:00.000');
    expect(given).toMatchObject([{ ScheduleStatus: null }, { ScheduleStatus: null }]);
    expect(stored).toThrow('ENOENT');
  });

  test('that runs at the start of its process is not past due, and its first time follows', async () => {
    const given = start('0 0 * * * *', { more: { runOnStartup: true } });
    await until('12:00:00.000');
    expect(given).toMatchObject([
      { ScheduleStatus: { Last: NEVER }, IsPastDue: false },
      { ScheduleStatus: { Last: at('11:50:00.000') }, IsPastDue: false },
    ]);
  });
});
