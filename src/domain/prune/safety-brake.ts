import { type Baseline, type BrakeState, SMALL_CONTAINERS } from '../run/brake-state.ts';
import { tableOfTask } from '../run/task-name.ts';

/** How much a run may change or lose of a container or table before prunes wait for an operator. */
export interface BrakePolicy {
  /** More than this percentage of the blobs or entities that a restore point held, */
  percent: number;
  /** and at least this many, */
  blobs: number;
  /** since any restore point of this many days. */
  days: number;
}

export const DEFAULT_BRAKE: BrakePolicy = { percent: 50, blobs: 100, days: 30 };

/** What a run has changed or lost of a container or table. */
export interface Loss {
  task: string;
  /** Of what each baseline held, in their order; the last number is of what the restore point before held. */
  lost: readonly number[];
}

/** The run that is measured, and the restore point before it. */
export interface Measured {
  run: string;
  /** Milliseconds. */
  now: number;
  previous: { run: string; at: string };
}

export interface Trip {
  task: string;
  lost: number;
  of: number;
  reason: string;
}

const BASELINES_IN_WINDOW = 4;
const MOST_RECENT = 32;
const DAY = 24 * 3_600_000;

/** The state of a container or table that was not there before, or was not compared. */
export function stateWithout(before: BrakeState | undefined, held: number): BrakeState {
  return before ? { ...before, held } : { held, baselines: [], recent: [], accepted: 0 };
}

/**
 * The state after a run, and whether the run engages the brake. Losses count from what a restore point held, so nothing
 * that is added later dilutes them; and from restore points up to some weeks old, so that an attack in many small steps
 * is one attack. Of the blobs of a baseline, each counts once, however often it changes.
 *
 * While the brake is on, nothing engages it again, but losses count on from the run that engaged it.
 */
export function afterRun(
  before: BrakeState,
  { task, lost }: Loss,
  held: number,
  policy: BrakePolicy,
  measured: Measured,
): { state: BrakeState; trip?: Trip } {
  const { run, previous } = measured;
  const accepted = Math.min(before.accepted, median(before.recent));
  const counted = (baseline: Baseline, more = 0): Baseline => ({
    ...baseline,
    // Blobs that were written while its run was in progress may count, and it did not hold them.
    lost: Math.min(baseline.held, baseline.lost + unexpected(more, baseline.held, accepted, 1)),
    runs: baseline.runs + 1,
  });
  const sincePrevious = counted({ ...previous, held: before.held, lost: 0, runs: 0 }, lost.at(-1));
  const known = before.baselines.map((baseline, index) => counted(baseline, lost[index]));
  const baselines = withNewest(known, sincePrevious, policy, measured.now);
  const isTable = tableOfTask(task) !== undefined;
  const state: BrakeState = {
    ...before,
    held,
    // Which entities of a table are old is not known: every change would count again.
    baselines: isTable ? [] : baselines,
    recent: withTurnover(before.recent, before.held, lost.at(-1) ?? 0),
  };
  if (before.engagedBy !== undefined) return { state };
  const [worst] = [sincePrevious, ...state.baselines]
    .filter((baseline) => isTooMuch(baseline, policy))
    .sort((a, b) => b.lost / b.held - a.lost / a.held);
  if (!worst) return { state };
  const trip = { task, lost: worst.lost, of: worst.held, reason: reasonOf(task, worst, policy) };
  return { state: { ...state, baselines: [], engagedBy: run }, trip };
}

/** The state once an operator has released the brake: as much per run as it was by then is normal. */
export function afterRelease({ engagedBy: _, ...state }: BrakeState): BrakeState {
  const accepted = median(state.recent);
  const baselines = state.baselines.map((baseline) => ({
    ...baseline,
    lost: unexpected(baseline.lost, baseline.held, accepted, baseline.runs),
  }));
  return { ...state, baselines, accepted };
}

/** What an operator has not accepted of a loss. */
function unexpected(lost: number, held: number, accepted: number, runs: number): number {
  return Math.max(0, lost - Math.floor((accepted * held * runs) / 1000));
}

function withNewest(
  known: readonly Baseline[],
  sincePrevious: Baseline,
  { days }: BrakePolicy,
  now: number,
): Baseline[] {
  const isWithin = ({ at }: Baseline, window: number) => now - Date.parse(at) <= window;
  const within = known.filter((baseline) => isWithin(baseline, days * DAY));
  // The newest one from before that time covers all of it.
  const older = known.filter((baseline) => !within.includes(baseline)).slice(-1);
  const newest = known.at(-1);
  const isDue = newest === undefined || !isWithin(newest, (days * DAY) / BASELINES_IN_WINDOW);
  // Under a policy of fewer days there were more.
  return [...older, ...within, ...(isDue ? [sincePrevious] : [])].slice(-BASELINES_IN_WINDOW - 1);
}

/** A container that held nothing had nothing to lose. */
function withTurnover(recent: readonly number[], held: number, lost: number): number[] {
  if (held === 0) return [...recent];
  return [...recent, Math.min(1000, Math.round((lost * 1000) / held))].slice(-MOST_RECENT);
}

function isTooMuch({ held, lost }: Baseline, { percent, blobs }: BrakePolicy): boolean {
  // In whole numbers: 0.29 * 100 is a little less than 29.
  return lost * 100 > percent * held && lost >= blobs;
}

/** Fewer runs are no rule: those that are missing count as quiet. */
const LEAST_RUNS = 3;

/** The lower one of two in the middle: a single run is not the rule. */
function median(known: readonly number[]): number {
  const values = [...known, ...Array<number>(Math.max(0, LEAST_RUNS - known.length)).fill(0)];
  return values.sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? 0;
}

function reasonOf(task: string, { held, lost, run }: Baseline, { percent }: BrakePolicy): string {
  const table = tableOfTask(task);
  const container = task === SMALL_CONTAINERS ? 'all small containers' : task;
  const [where, one, many] =
    table === undefined ? [container, 'blob', 'blobs'] : [`table ${table}`, 'entity', 'entities'];
  return `${where}: ${lost} of ${held} ${held === 1 ? one : many} changed or lost since ${run}, more than ${percent}%`;
}
