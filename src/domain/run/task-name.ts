/** Prefix of a table's name where tables and containers are in one list. Names of containers have no dot. */
const PREFIX = 'table.';

/** The name of a table's task in a run: `table.orders`. */
export function taskOfTable(table: string): string {
  return PREFIX + table;
}

/** The task of all tables that a pattern may match, while the tables cannot be listed. */
export const ALL_TABLES = `${PREFIX}*`;

/** The table of a task, or undefined if the task is a container. */
export function tableOfTask(task: string): string | undefined {
  return task.startsWith(PREFIX) ? task.slice(PREFIX.length) : undefined;
}

/** Identifies a task across runs: names of tables are case-insensitive, and a job may spell one differently later. */
export function taskKey(task: string): string {
  return tableOfTask(task) === undefined ? task : task.toLowerCase();
}
