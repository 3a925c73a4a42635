import type { Command } from '../command/command.ts';
import { ARCHIVES } from './archives.ts';
import { CHECK } from './check.ts';
import { COMPLETION } from './completion.ts';
import { CONFIG } from './config.ts';
import { CONTEXT } from './context.ts';
import { JOBS } from './jobs.ts';
import { NOTIFY } from './notify.ts';
import { POINTS } from './points.ts';
import { PRUNE } from './prune.ts';
import { RAW } from './raw.ts';
import { RESTORE } from './restore.ts';
import { RUNS } from './runs.ts';
import { SEARCH } from './search.ts';
import { STATUS } from './status.ts';

/** Every command. Help, completion and the page of commands are made from it. */
export const COMMANDS: readonly Command[] = [
  ...STATUS,
  ...RUNS,
  ...POINTS,
  ...SEARCH,
  ...RESTORE,
  ...PRUNE,
  ...ARCHIVES,
  ...JOBS,
  ...CONFIG,
  ...CHECK,
  ...NOTIFY,
  ...RAW,
  ...CONTEXT,
  ...COMPLETION,
];
