import { createHash } from 'node:crypto';
import { DRILL_CONTAINER_PREFIX } from '../run/control-paths.ts';

const NAME = new RegExp(`^${DRILL_CONTAINER_PREFIX}([a-z0-9]{6})-[0-9a-f]{8}$`);

/** The container that a piece of a drill restores to. Each piece of each run has its own. */
export function scratchContainer(run: string, piece: string): string {
  return `${DRILL_CONTAINER_PREFIX}${run.slice(-6)}-${createHash('sha256').update(piece).digest('hex').slice(0, 8)}`;
}

/** The end of the id of the drill that such a container belongs to; undefined for any other name. */
export function drillOf(container: string): string | undefined {
  return NAME.exec(container)?.[1];
}
