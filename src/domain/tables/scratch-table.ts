import { DRILL_TABLE_PREFIX } from './table-name.ts';

const NAME = new RegExp(`^${DRILL_TABLE_PREFIX}([a-z0-9]{6})[a-z0-9]{6}$`, 'i');

/**
 * The table that a piece of a drill restores to. `attempt`, six characters, gives each execution its own: a deleted
 * table blocks its name for a while.
 */
export function scratchTable(run: string, attempt: string): string {
  return DRILL_TABLE_PREFIX + run.slice(-6) + attempt;
}

/** The end of the id of the drill that such a table belongs to; undefined for any other name. */
export function tableDrillOf(table: string): string | undefined {
  return NAME.exec(table)?.[1];
}
