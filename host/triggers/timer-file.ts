import { readJsonFile } from '../data/json-file.ts';
import { EXIT } from '../exit-codes.ts';
import { HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { ScheduleStatus } from './timer-schedule.ts';

/**
 * When each timer last fired, by its name. A damaged file must not keep schedules from firing: without it, what
 * the host missed while it was down waits for the next time.
 */
export function readTimerFile(file: string): Record<string, ScheduleStatus> {
  let content: unknown;
  try {
    const found = readJsonFile(file);
    content = found === undefined ? {} : found;
  } catch (error) {
    if (!(error instanceof HostError) || error.exitCode === EXIT.disk) throw error;
  }
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
  const entries = isObject ? Object.entries(content as object) : [];
  const valid = entries.filter((entry): entry is [string, ScheduleStatus] => isStatus(entry[1]));
  if (!isObject || valid.length < entries.length) {
    writeLog(
      'warning',
      `${file} is damaged. The host replaces what it cannot read: schedules continue with their next time, and make ` +
        'up then for what they missed while the host was down.',
    );
  }
  return Object.fromEntries(valid);
}

function isStatus(value: unknown): value is ScheduleStatus {
  const { Last, Next, LastUpdated }: Partial<Record<keyof ScheduleStatus, unknown>> = value ?? {};
  const times = [Last, LastUpdated];
  return typeof Next === 'string' && times.every((each) => !Number.isNaN(Date.parse(String(each))));
}
