import type { JobState } from '#domain/watch/job-state.ts';

/** The color of something; never alone: a shape and a word say the same. */
export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'quiet';
export type Shape =
  | 'check'
  | 'half'
  | 'cross'
  | 'square'
  | 'dot'
  | 'dash'
  | 'clock'
  | 'pause'
  | 'question'
  | 'triangle'
  | 'info';

/** How something stands: a shape, a color and a word. */
export interface Mark {
  tone: Tone;
  shape: Shape;
  word: string;
}

const mark = (tone: Tone, shape: Shape, word: string): Mark => ({ tone, shape, word });

const UNKNOWN = mark('quiet', 'question', 'unknown');

/** How a run stands, by its `status`. */
const OF_RUNS: Readonly<Record<string, Mark>> = {
  succeeded: mark('good', 'check', 'succeeded'),
  'completed-with-failures': mark('warn', 'half', 'incomplete'),
  failed: mark('bad', 'cross', 'failed'),
  cancelled: mark('quiet', 'square', 'cancelled'),
  running: mark('busy', 'dot', 'running'),
  'not-started': mark('quiet', 'dash', 'not started'),
};

export function markOfRun(status: string): Mark {
  return OF_RUNS[status] ?? { ...UNKNOWN, word: status };
}

/** How the backups of a job, or the reconciliations of a rule, stand. */
const OF_JOBS: Readonly<Record<JobState, Mark>> = {
  ok: mark('good', 'check', 'up to date'),
  due: mark('quiet', 'clock', 'due now'),
  running: mark('busy', 'dot', 'running'),
  stalled: mark('bad', 'triangle', 'no sign of life'),
  paused: mark('quiet', 'pause', 'paused'),
  failed: mark('bad', 'cross', 'failed'),
  'not-started': mark('bad', 'dash', 'could not start'),
  overdue: mark('bad', 'clock', 'overdue'),
  incomplete: mark('warn', 'half', 'incomplete'),
  never: mark('quiet', 'dash', 'no backup yet'),
  unwatched: mark('quiet', 'dash', 'no schedule'),
  unknown: mark('bad', 'question', 'not known'),
};

export function markOfJob(state: string): Mark {
  return OF_JOBS[state as JobState] ?? { ...UNKNOWN, word: state };
}

const OF_SEVERITIES: Readonly<Record<string, Mark>> = {
  critical: mark('bad', 'triangle', 'critical'),
  error: mark('bad', 'cross', 'error'),
  warning: mark('warn', 'triangle', 'warning'),
  info: mark('quiet', 'info', 'note'),
};

export function markOfSeverity(severity: string): Mark {
  return OF_SEVERITIES[severity] ?? { ...UNKNOWN, word: severity };
}
