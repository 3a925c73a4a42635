import { stillInSource } from './comparison.ts';
import type { RunSummary } from './run.ts';
import { tableOfTask } from './task-name.ts';

/**
 * The containers and tables of which a restore point holds anything, or owes it because it could not be backed up; each
 * with its destination.
 */
export function heldTasks({ parts, compared }: Pick<RunSummary, 'parts' | 'compared'>): Map<string, string> {
  // A table may be empty, and is there all the same.
  const held = parts.filter(({ container, copied, unchanged }) => copied + unchanged > 0 || tableOfTask(container));
  const owed = compared.filter((part) => stillInSource(part) > 0);
  return new Map([...held, ...owed].map(({ container, destination }) => [container, destination]));
}
