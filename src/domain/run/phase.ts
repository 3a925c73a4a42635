import { incompletenessOf, isGone, isListed } from './completeness.ts';
import { parseChunkKey } from './control-paths.ts';
import { byContainer, isChunk, isRange, isSlice, type ListedPart, type PlacedPart } from './placed-part.ts';

/**
 * What a run does. `copying` includes everything else that a run does to its items. `waiting`: only copies are left
 * that the service has accepted and not finished. `publishing`: every item has its outcome; a backup is compared with
 * the restore point before, and the run is published.
 */
export type Phase = 'starting' | 'listing' | 'copying' | 'waiting' | 'publishing' | 'ended';

/** The phase of a run in progress. `containers`: how many containers and tables it processes, if that is known. */
export function phaseOf(
  parts: readonly ListedPart[],
  { dryRun, containers = Number.POSITIVE_INFINITY }: { dryRun: boolean; containers?: number | undefined },
): Exclude<Phase, 'ended'> {
  const groups = byContainer(parts)
    .map(([, own]) => own)
    .filter((own) => !isGone(own));
  if (groups.length === 0) return 'starting';
  const stages = new Set(groups.map((own) => stageOf(own, dryRun)));
  if (stages.has('copying')) return 'copying';
  if (stages.has('listing')) return groups.some((own) => own.some(isChunk)) ? 'copying' : 'listing';
  if (stages.has('waiting')) return 'waiting';
  return groups.length >= containers ? 'publishing' : 'listing';
}

function stageOf(parts: readonly PlacedPart[], dryRun: boolean): 'listing' | 'copying' | 'waiting' | 'done' {
  if (incompletenessOf(parts, dryRun) === undefined) return 'done';
  // What is listed of a table is stored at once.
  if (parts.some(isRange)) return 'copying';
  if (!isListed(parts)) return 'listing';
  const planned = sumOf(parts.filter(isSlice));
  const taken = sumOf(parts.filter((part) => isChunk(part) && parseChunkKey(part.key) !== undefined));
  return taken < planned ? 'copying' : 'waiting';
}

function sumOf(parts: readonly PlacedPart[]): number {
  return parts.reduce((sum, { tally }) => sum + tally.planned, 0);
}
