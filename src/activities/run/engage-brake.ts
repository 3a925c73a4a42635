import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import {
  afterRelease,
  afterRun,
  type BrakePolicy,
  type Loss,
  stateWithout,
  type Trip,
} from '#domain/prune/safety-brake.ts';
import type { BrakeState } from '#domain/run/brake-state.ts';
import type { ComparedPart } from '#domain/run/comparison.ts';
import type { ContainerReport, RunSummary } from '#domain/run/run.ts';
import { tableOfTask, taskKey } from '#domain/run/task-name.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import type { PreviousPoint } from './previous-point.ts';

const DEFAULT_BRAKE: BrakePolicy = { percent: 50, blobs: 100, days: 30 };
/** More names of containers have no room in the metadata of notes. */
const MOST_NAMES = 40;

/**
 * Measures what a restore point has changed or lost since those before it, and engages the safety brake if that is too
 * much. Returns the state of each container and table for the summary; undefined if the run leaves no restore point.
 */
export async function engageBrake(
  deps: Dependencies,
  { control, job }: JobContext,
  summary: RunSummary,
  previous: PreviousPoint | undefined,
): Promise<Record<string, BrakeState> | undefined> {
  if (!summary.restorePoint) return undefined;
  const policy = job.retention?.brake ?? DEFAULT_BRAKE;
  const before = await statesBefore(control, summary.job, previous?.summary);
  const { states, trips } = measure(summary, previous?.summary, before, policy);
  if (trips.length > 0) await noteBrake(deps, control, summary, trips);
  return states;
}

/** The states of the restore point before, with what operators have released since. */
async function statesBefore(
  control: ControlStore,
  job: string,
  previous: RunSummary | undefined,
): Promise<Map<string, BrakeState>> {
  const states = new Map(Object.entries(previous?.brake ?? {}));
  const released = new Map<string, boolean>();
  for (const [task, state] of states) {
    const { engagedBy } = state;
    if (engagedBy === undefined) continue;
    if (!released.has(engagedBy)) {
      const { brake } = await control.readNotes({ job, id: engagedBy });
      // A prune removes a restore point, with its notes, only after the release.
      released.set(engagedBy, brake === undefined || brake.released !== undefined);
    }
    if (released.get(engagedBy)) states.set(task, afterRelease(state));
  }
  return states;
}

function measure(
  summary: RunSummary,
  previous: RunSummary | undefined,
  before: ReadonlyMap<string, BrakeState>,
  policy: BrakePolicy,
): { states: Record<string, BrakeState>; trips: Trip[] } {
  const states: Record<string, BrakeState> = {};
  const trips: Trip[] = [];
  const held = heldAfter(summary, before);
  const losses = lossesOf(summary, before);
  for (const task of new Set([...before.keys(), ...held.keys()])) {
    const known = before.get(task);
    const now = held.get(task) ?? 0;
    const loss = losses.get(task);
    if (!known || !loss || !previous) {
      states[task] = stateWithout(known, now);
      continue;
    }
    const at = previous.finishedAt ?? previous.startedAt;
    const finished = Date.parse(summary.finishedAt ?? summary.startedAt);
    const measured = { run: summary.id, now: finished, previous: { run: previous.id, at } };
    const { state, trip } = afterRun(known, loss, now, policy, measured);
    if (trip) trips.push(trip);
    // A container that is gone for good needs no state.
    if (state.held + state.baselines.length > 0 || state.engagedBy !== undefined) states[task] = state;
  }
  return { states, trips };
}

/** How much of each task the restore point holds, or owes. */
function heldAfter(summary: RunSummary, before: ReadonlyMap<string, BrakeState>): Map<string, number> {
  const held = new Map<string, number>();
  const add = (task: string, count: number) => held.set(taskKey(task), (held.get(taskKey(task)) ?? 0) + count);
  for (const { container, copied, unchanged } of summary.parts) add(container, copied + unchanged);
  for (const { container, failed } of summary.compared) {
    if (tableOfTask(container) === undefined) add(container, failed);
    // A table that could not be backed up is owed as a whole.
    else if (failed > 0) held.set(taskKey(container), before.get(taskKey(container))?.held ?? 0);
  }
  for (const { container, failed } of summary.parts) {
    // How many entities a key range has that could not be read is not known.
    if (tableOfTask(container) === undefined || failed === 0) continue;
    const known = before.get(taskKey(container))?.held ?? 0;
    held.set(taskKey(container), Math.max(known, held.get(taskKey(container)) ?? 0));
  }
  return held;
}

function lossesOf(summary: RunSummary, before: ReadonlyMap<string, BrakeState>): Map<string, Loss> {
  const losses = new Map<string, Loss>();
  for (const report of summary.containers) {
    if (tableOfTask(report.container) !== undefined && !report.gone) {
      losses.set(taskKey(report.container), tableLoss(report, before.get(taskKey(report.container))));
    }
  }
  for (const { container, lost } of summary.compared) add(losses, container, lost);
  return losses;
}

function add(losses: Map<string, Loss>, task: string, lost: ComparedPart['lost']): void {
  const known = losses.get(taskKey(task))?.lost ?? [];
  losses.set(taskKey(task), { task, lost: lost.map((count, index) => count + (known[index] ?? 0)) });
}

/** The entities of a table only count. One that was deleted and replaced by another offsets nothing. */
function tableLoss({ container, counts, status }: ContainerReport, before: BrakeState | undefined): Loss {
  const { copied, unchanged, failed, added = 0, changed = 0 } = counts;
  const isRead = status !== 'failed' && failed === 0;
  const gone = isRead ? Math.max(0, (before?.held ?? 0) + added - (copied + unchanged)) : 0;
  return { task: container, lost: [changed + gone] };
}

async function noteBrake(
  deps: Dependencies,
  control: ControlStore,
  summary: RunSummary,
  trips: readonly Trip[],
): Promise<void> {
  const reason = trips
    .map((trip) => trip.reason)
    .join('; ')
    .slice(0, 500);
  const containers = trips.length > MOST_NAMES ? ['*'] : trips.map(({ task }) => task);
  const known = await control.readNotes(summary);
  if (known.brake) return;
  await control.changeNotes(summary, (notes) => (notes.brake ? notes : { ...notes, brake: { reason, containers } }));
  deps.telemetry.brakeEngaged(summary, reason);
}
