import { DRILL_TABLE_PREFIX } from './table-name.ts';

const NAME = new RegExp(`^${DRILL_TABLE_PREFIX}([a-z0-9]{6})[a-z0-9]{6}$`, 'i');

/**
 * The table that a piece of a drill restores to. `attempt`, six characters, makes another one for each execution: a name cannot be
 * used again for a while after its table was deleted.
 */
export function scratchTable(run: string, attempt: string): string {
  return DRILL_TABLE_PREFIX + run.slice(-6) + attempt;
}

/** What the id of the drill ends in that such a table belongs to; undefined for any other name. */
export function tableDrillOf(table: string): string | undefined {
  return NAME.exec(table)?.[1];
}
