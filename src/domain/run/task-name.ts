/** Precedes a table's name wherever tables and containers are listed together. No container name has a dot. */
const PREFIX = 'table.';

/** The name under which a table's share of a run goes: `table.orders`. */
export function taskOfTable(table: string): string {
  return PREFIX + table;
}

/** What those tables go by that a pattern may mean, while nobody can say which there are. */
export const ALL_TABLES = `${PREFIX}*`;

/** The table whose share goes by this name, or undefined for that of a container. */
export function tableOfTask(share: string): string | undefined {
  return share.startsWith(PREFIX) ? share.slice(PREFIX.length) : undefined;
}
