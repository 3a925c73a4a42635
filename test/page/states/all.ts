import type { State } from '../state.ts';
import { FRAME_STATES } from './frame.ts';
import { JOBS_STATES } from './jobs.ts';
import { OVERVIEW_STATES } from './overview.ts';
import { EVERY_PROBLEM, RUN_STATES, RUNS_STATES } from './runs.ts';
import { SETUP_STATES } from './setup.ts';

/** Every state of every screen. */
export const STATES: readonly State[] = [
  ...FRAME_STATES,
  ...OVERVIEW_STATES,
  ...RUNS_STATES,
  ...RUN_STATES,
  EVERY_PROBLEM,
  ...JOBS_STATES,
  ...SETUP_STATES,
];
