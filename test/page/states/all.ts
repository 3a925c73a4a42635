import type { State } from '../state.ts';
import { ARCHIVE_STATES } from './archives.ts';
import { FIND_STATES } from './find.ts';
import { FRAME_STATES } from './frame.ts';
import { JOBS_STATES } from './jobs.ts';
import { OVERVIEW_STATES } from './overview.ts';
import { POINT_STATES } from './points.ts';
import { PRUNE_STATES } from './prune.ts';
import { RESTORE_STATES } from './restore.ts';
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
  ...FIND_STATES,
  ...RESTORE_STATES,
  ...POINT_STATES,
  ...PRUNE_STATES,
  ...ARCHIVE_STATES,
];
