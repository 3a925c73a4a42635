import { messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { TypedData } from '../worker/core-api.ts';
import type { Invoke } from '../worker/invoke.ts';
import { type Message, type ScheduledTask, taskCompleted, taskFailed } from './history.ts';

/** Runs an activity. Returns the message for its orchestration, and what it failed with. */
export async function runActivity(
  invoke: Invoke | undefined,
  instanceId: string,
  { EventId: taskId, Name: name, Input }: ScheduledTask,
): Promise<{ message: Message; failure?: string }> {
  try {
    if (invoke === undefined) throw new Error('the app has no activity of this name');
    const input = Input.slice(1, -1);
    const { returnValue } = await invoke(input === 'null' ? {} : { string: input }, {
      instanceId: { string: JSON.stringify(instanceId) },
    });
    return { message: taskCompleted(now(), taskId, resultOf(returnValue)) };
  } catch (error) {
    // Without a stack: the history would store it.
    const failure = messageOf(error);
    const reason = `Activity function '${name}' failed: ${failure}`;
    writeLog('warning', `Orchestration ${instanceId}: ${reason}`);
    return { message: taskFailed(now(), taskId, reason, error instanceof Error ? error.name : 'Error'), failure };
  }
}

/** The result of an activity as JSON text. */
function resultOf(data: TypedData | null | undefined): string {
  if (data === null || data === undefined) return 'null';
  if (data.json !== undefined && data.json !== null) return data.json;
  if (data.string !== undefined && data.string !== null) return JSON.stringify(data.string);
  if (data.bytes !== undefined && data.bytes !== null)
    return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  return JSON.stringify(data.int ?? data.double ?? null);
}

function now(): string {
  return new Date().toISOString();
}
