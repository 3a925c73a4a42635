import { format } from 'node:util';
import { writeLog } from '../log.ts';

/**
 * As in Azure, what the app writes to the console belongs to no function: it has a category of its own, and the level
 * `information` whatever the app calls. Only the logger of an invocation gives a line its level.
 */
export function captureConsole(): void {
  for (const method of ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const) {
    console[method] = (...values: unknown[]) => writeLog('information', `Host.Function.Console: ${format(...values)}`);
  }
}
