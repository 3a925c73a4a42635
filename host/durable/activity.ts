import { messageOf } from '../host-error.ts';
import type { TypedData } from '../worker/core-api.ts';
import { type TaskFailed, taskFailed } from './history.ts';

/** What an activity returned, as JSON text. */
export function activityResult(data: TypedData | null | undefined): string {
  if (data === null || data === undefined) return 'null';
  if (data.json !== undefined && data.json !== null) return data.json;
  if (data.string !== undefined && data.string !== null) return JSON.stringify(data.string);
  if (data.bytes !== undefined && data.bytes !== null)
    return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  return JSON.stringify(data.int ?? data.double ?? null);
}

/** A failure as the orchestrator sees it: its error's message is these two, joined. No stack: it would be kept. */
export function activityFailure(at: string, taskId: number, name: string, error: unknown): TaskFailed {
  const type = error instanceof Error ? error.name : 'Error';
  return taskFailed(at, taskId, `Activity function '${name}' failed: ${messageOf(error)}`, type);
}
