import type { State } from '../state.ts';
import { FIND_STATES } from './find.ts';
import { OVERVIEW_STATES } from './overview.ts';
import { RESTORE_STATES } from './restore.ts';
import { RUN_STATES } from './runs.ts';

/** The states that the documents show, and how high their pictures are. */
export const PICTURES: readonly (State & { height: number })[] = [
  { ...named(OVERVIEW_STATES, 'overview-attention'), name: 'overview', height: 720 },
  { ...named(RUN_STATES, 'run-incomplete'), name: 'run', height: 720 },
  { ...named(FIND_STATES, 'find-found'), name: 'find', height: 720 },
  { ...named(RESTORE_STATES, 'review-where-it-was'), name: 'review', height: 1000 },
];

function named(states: readonly State[], name: string): State {
  return states.find((state) => state.name === name)!;
}
