import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import { statesAfter } from '#domain/prune/brake-states.ts';
import { afterRelease, DEFAULT_BRAKE, type Trip } from '#domain/prune/safety-brake.ts';
import { type BrakeState, SMALL_CONTAINERS } from '#domain/run/brake-state.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { unreadPrevious } from './judge-run.ts';
import type { Findings } from './run-findings.ts';

/** More names of containers have no room in the metadata of notes. */
const MOST_NAMES = 40;
/** Stands for every container and table in the notes of a brake. */
const ALL_TASKS = '*';

/**
 * Measures what a restore point has changed or lost since those before it, and engages the safety brake if that is too
 * much, or cannot be known. Returns the summary with the state of each container and table, and with a problem for each
 * reason; unchanged if the run leaves no restore point.
 */
export async function engageBrake(
  deps: Dependencies,
  { control, job }: JobContext,
  summary: RunSummary,
  findings: Pick<Findings, 'previous' | 'lost'>,
): Promise<RunSummary> {
  if (!summary.restorePoint) return summary;
  const { previous } = findings;
  const policy = job.retention?.brake ?? DEFAULT_BRAKE;
  const before = await statesBefore(control, summary.job, previous?.summary);
  const { states, trips } = statesAfter(summary, previous?.summary, before, policy);
  const [unknown] = unreadPrevious(findings);
  // What changed is not known: nothing may be deleted before an operator has looked.
  if (unknown) trips.push({ task: ALL_TASKS, lost: 0, of: 0, reason: unknown.message });
  if (trips.length > 0) await noteBrake(deps, control, summary, trips);
  return { ...summary, problems: [...summary.problems, ...trips.map(problemOfTrip)], brake: states };
}

function problemOfTrip({ task, reason }: Trip): Problem {
  const isOfSome = task === ALL_TASKS || task === SMALL_CONTAINERS;
  return problemOf('brake-engaged', 0, isOfSome ? undefined : task, reason);
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
  const isAll = trips.length > MOST_NAMES || trips.some(({ task }) => task === ALL_TASKS);
  const containers = isAll ? [ALL_TASKS] : trips.map(({ task }) => task);
  const known = await control.readNotes(summary);
  if (known.brake) return;
  await control.changeNotes(summary, (notes) => (notes.brake ? notes : { ...notes, brake: { reason, containers } }));
  deps.telemetry.brakeEngaged(summary, reason);
}
