import { fits, isLiteral, shortest } from '../blobs/star-pattern.ts';

/**
 * Names and patterns of tables: a name, or a name with stars, each for any run of characters. Names are
 * case-insensitive.
 */

/** The table of a vault's catalog of runs. A star never matches it. */
export const CATALOG_TABLE = 'strongroom';

/** Start of the names of tables that drills restore to, in lower case. A star never matches them. */
export const DRILL_TABLE_PREFIX = 'strongroomdrill';

/** Three to 63 letters and digits, starting with a letter. The service reserves `tables`. */
export function isValidTableName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9]{2,62}$/.test(name) && name.toLowerCase() !== 'tables';
}

/** Whether two names mean the same table. */
export function isSameTable(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** What is wrong with a pattern, in words for its author, or undefined. */
export function tablePatternProblem(pattern: string): string | undefined {
  const quoted = JSON.stringify(pattern);
  if (pattern.startsWith('$')) {
    return `${quoted} cannot match any table: names that start with "$" belong to the metrics of the service`;
  }
  if (isLiteral(pattern)) {
    if (isValidTableName(pattern)) return undefined;
    if (isSameTable(pattern, 'tables')) return `${quoted} is not a table name: the service reserves it`;
    return (
      `${quoted} is not a table name: use 3 to 63 letters and digits, starting with a letter, or a pattern such as ` +
      '"tenant*"'
    );
  }
  if (!/^[A-Za-z*][A-Za-z0-9*]*$/.test(pattern) || shortest(pattern) > 63) {
    return (
      `${quoted} cannot match any table: names have 3 to 63 letters and digits, start with a letter, and only "*" ` +
      'is special'
    );
  }
  if (pattern.toLowerCase().startsWith(DRILL_TABLE_PREFIX)) {
    return (
      `${quoted} matches nothing: drills restore to tables that start with "${DRILL_TABLE_PREFIX}", and "*" never ` +
      'matches them'
    );
  }
  return undefined;
}

/** Whether a pattern matches a table. Strongroom's own tables match only in full. */
export function matchesTable(pattern: string, name: string): boolean {
  const [wanted, table] = [pattern.toLowerCase(), name.toLowerCase()];
  if (isLiteral(wanted)) return wanted === table;
  return (
    isValidTableName(table) && table !== CATALOG_TABLE && !table.startsWith(DRILL_TABLE_PREFIX) && fits(wanted, table)
  );
}

const SLOT = '{table}';

/** The target of a table under a template such as `{table}Restored`; `{table}` stands for its name. */
export function expandTable(template: string, table: string): string {
  return template.split(SLOT).join(table);
}

/** What is wrong with a template for any table, or undefined. */
export function tableTemplateProblem(template: string): string | undefined {
  if (isValidTableName(expandTable(template, 'abc'))) return undefined;
  return (
    `${JSON.stringify(template)} does not make a table name: use 3 to 63 letters and digits, starting with a ` +
    'letter, where {table} stands for the name of the table, for example "{table}Restored"'
  );
}

/** Whether a template gives any two tables two targets. */
export function isInjectiveTable(template: string): boolean {
  return template.includes(SLOT);
}
