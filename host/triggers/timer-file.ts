import { readJsonFile } from '../data/json-file.ts';
import { EXIT } from '../exit-codes.ts';
import { HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { ScheduleStatus } from './timer-schedule.ts';

export interface StoredStatus extends ScheduleStatus {
  Schedule: string;
}

/**
 * When each timer last fired, by its name. A damaged file must not keep schedules from firing: without it, only
 * occurrences that the host missed while it was down are not caught up.
 */
export function readTimerFile(file: string): Record<string, StoredStatus> {
  let content: unknown;
  try {
    const found = readJsonFile(file);
    content = found === undefined ? {} : found;
  } catch (error) {
    if (!(error instanceof HostError) || error.exitCode === EXIT.disk) throw error;
  }
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
  const entries = isObject ? Object.entries(content as object) : [];
  const valid = entries.filter((entry): entry is [string, StoredStatus] => isStatus(entry[1]));
  if (!isObject || valid.length < entries.length) {
    writeLog(
      'warning',
      `${file} is damaged. The host replaces what it cannot read: schedules continue with their next time, and what ` +
        'they missed while the host was down does not start now.',
    );
  }
  return Object.fromEntries(valid);
}

function isStatus(value: unknown): value is StoredStatus {
  const { Schedule, Last, Next, LastUpdated }: Partial<Record<keyof StoredStatus, unknown>> = value ?? {};
  return (
    [Schedule, Last, Next, LastUpdated].every((each) => typeof each === 'string') &&
    !Number.isNaN(Date.parse(String(Last)))
  );
}
