import { type BrakeState, SMALL_CONTAINERS } from '../run/brake-state.ts';
import type { ContainerReport, RunSummary } from '../run/run.ts';
import { tableOfTask, taskKey } from '../run/task-name.ts';
import { afterRun, type BrakePolicy, type Loss, stateWithout, type Trip } from './safety-brake.ts';

/**
 * The state of the brake for each container and table after a run that leaves a restore point, and what engages it.
 * `before` are the states of the restore point before.
 */
export function statesAfter(
  summary: RunSummary,
  previous: RunSummary | undefined,
  before: ReadonlyMap<string, BrakeState>,
  policy: BrakePolicy,
): { states: Record<string, BrakeState>; trips: Trip[] } {
  const states: Record<string, BrakeState> = {};
  const trips: Trip[] = [];
  const held = heldAfter(summary, before, policy);
  const losses = lossesOf(summary, before, policy);
  const measured = previous && {
    run: summary.id,
    now: Date.parse(summary.finishedAt ?? summary.startedAt),
    previous: { run: previous.id, at: previous.finishedAt ?? previous.startedAt },
  };
  for (const task of new Set([...before.keys(), ...held.keys()])) {
    const known = before.get(task);
    const now = held.get(task) ?? 0;
    const loss = losses.get(task);
    const { state, trip } =
      known && loss && measured
        ? afterRun(known, loss, now, policy, measured)
        : { state: stateWithout(known, now), trip: undefined };
    if (trip) trips.push(trip);
    const smallAt = smallAtBaselines(task, known, policy, before, measured?.previous.at);
    // A container that is gone for good needs no state.
    if (state.held + state.baselines.length > 0 || state.engagedBy !== undefined) {
      states[task] = { ...state, ...(smallAt.length > 0 && { smallAt }) };
    }
  }
  return { states, trips };
}

/**
 * The baselines of all small containers together for which this container was one of them: the known ones, and the
 * restore point before, which may have become one.
 */
function smallAtBaselines(
  task: string,
  known: BrakeState | undefined,
  policy: BrakePolicy,
  before: ReadonlyMap<string, BrakeState>,
  previous: string | undefined,
): string[] {
  if (!known || task === SMALL_CONTAINERS) return [];
  const baselines = new Set(before.get(SMALL_CONTAINERS)?.baselines.map(({ at }) => at));
  const kept = (known.smallAt ?? []).filter((at) => baselines.has(at));
  const isNew = previous !== undefined && known.held > 0 && isSmall(task, known.held, policy);
  return isNew ? [...kept, previous] : kept;
}

/** How much of each task the restore point holds, or owes. */
function heldAfter(
  summary: RunSummary,
  before: ReadonlyMap<string, BrakeState>,
  policy: BrakePolicy,
): Map<string, number> {
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
  const small = [...held].filter(([task, count]) => isSmall(task, count, policy)).map(([, count]) => count);
  return held.set(
    SMALL_CONTAINERS,
    small.reduce((sum, count) => sum + count, 0),
  );
}

/** Whether a container cannot engage the brake on its own. */
function isSmall(task: string, held: number, { blobs }: BrakePolicy): boolean {
  return tableOfTask(task) === undefined && held < blobs;
}

function lossesOf(
  summary: RunSummary,
  before: ReadonlyMap<string, BrakeState>,
  policy: BrakePolicy,
): Map<string, Loss> {
  const losses = new Map<string, Loss>();
  for (const report of summary.containers) {
    if (tableOfTask(report.container) !== undefined && !report.gone) {
      losses.set(taskKey(report.container), tableLoss(report, before.get(taskKey(report.container))));
    }
  }
  const baselinesOf = (task: string) => before.get(taskKey(task))?.baselines.length ?? 0;
  const together = before.get(SMALL_CONTAINERS)?.baselines ?? [];
  for (const { container, lost } of summary.compared) {
    const own = baselinesOf(container);
    add(losses, container, [...lost.slice(0, own), lost.at(-1)!]);
    const { held = 0, smallAt = [] } = before.get(container) ?? {};
    const wasSmall = [...together.map(({ at }) => smallAt.includes(at)), isSmall(container, held, policy)];
    if (wasSmall.includes(true)) {
      const counted = lost.slice(own).map((count, index) => (wasSmall[index] ? count : 0));
      add(losses, SMALL_CONTAINERS, counted);
    }
  }
  return losses;
}

function add(losses: Map<string, Loss>, task: string, lost: readonly number[]): void {
  const known = losses.get(taskKey(task))?.lost ?? [];
  losses.set(taskKey(task), { task, lost: lost.map((count, index) => count + (known[index] ?? 0)) });
}

/** The entities of a table only count. One that was deleted and replaced by another offsets nothing. */
function tableLoss({ container, counts, status }: ContainerReport, before: BrakeState | undefined): Loss {
  const { copied, unchanged, failed, added = 0, changed = 0, deleted = 0 } = counts;
  const isRead = status !== 'failed' && failed === 0;
  const gone = isRead ? Math.max(0, (before?.held ?? 0) + added - (copied + unchanged)) : 0;
  // Where the run could not tell what is new, the difference shows less.
  return { task: container, lost: [changed + Math.max(gone, deleted)] };
}
