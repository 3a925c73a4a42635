import type { Dependencies } from '#app/dependencies.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { CompareInput, CompareResult } from '../backup/compare-container.ts';
import type { ChunkInput, ChunkResult } from '../run/chunk.ts';
import type { ContainerPair } from '../run/container-task.ts';
import type { ResultOrProblem } from '../run/failures-as-problems.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/** Plans the next slice of a task. */
export type PlanActivity =
  | 'scanSlice'
  | 'planRetry'
  | 'planRestore'
  | 'planTableRestore'
  | 'verifySlice'
  | 'verifyTable'
  | 'planPrune'
  | 'planTablePrune'
  | 'takePlan'
  | 'findUnarchived'
  | 'planReprocess';

/** Processes a chunk of a plan. */
export type WorkActivity = 'copyChunk' | 'writeEntities' | 'readChunk' | 'deleteChunk';

/** A task of a list, and the activities that it takes. */
export interface SharedTask extends Omit<ContainerPair, 'scan'> {
  /** Absent for a task that is only compared. */
  steps?: { plan: PlanActivity; work: WorkActivity };
  /** Whether the task is compared with the restore point before. */
  compared?: true;
}

export interface ProcessTasksInput {
  run: RunRef;
  tasks: SharedTask[];
}

/** The answers of the activities that a task has gone through, as far as it came. */
export interface TaskProgress {
  slice?: ResultOrProblem<SliceResult>;
  /** Of the only chunk of the slice. */
  piece?: PieceResult;
  compared?: ResultOrProblem<CompareResult>;
}

export interface ProcessTasksResult {
  /** Of the tasks that were begun, in the order of the list. */
  begun: TaskProgress[];
}

type PieceResult = ResultOrProblem<ChunkResult> | ResultOrProblem<ChunkResult & { problem?: Problem }>;
type Activity<Result> = (input: never) => Promise<Result>;

/** The activities that a list of tasks may name. They are looked up when they are needed. */
type Activities = Record<PlanActivity, Activity<ResultOrProblem<SliceResult>>> &
  Record<WorkActivity, Activity<PieceResult>> & { compareContainer: Activity<ResultOrProblem<CompareResult>> };

/**
 * Processes small tasks one after another: an orchestration and activities of its own would cost a task of a few blobs
 * more than its blobs do. A task that has more than one slice or chunk, a failure, or pending copies ends with what it
 * has so far. No task begins after the time of the list is over, and one that has begun comes to its end.
 */
export function makeProcessTasks(activities: Activities) {
  return async function processTasks(
    { now, limits }: Dependencies,
    { run, tasks }: ProcessTasksInput,
  ): Promise<ProcessTasksResult> {
    const deadline = now().getTime() + limits.tasksMs;
    const begun: TaskProgress[] = [];
    for (const task of tasks) {
      if (begun.length > 0 && now().getTime() >= deadline) break;
      const progress = await processTask(activities, run, task);
      begun.push(progress);
      if (Object.values(progress).some(({ stopped }) => stopped)) break;
    }
    return { begun };
  };
}

async function processTask(
  activities: Activities,
  run: RunRef,
  { steps, compared, gone, ...pair }: SharedTask,
): Promise<TaskProgress> {
  const task = { run, ...pair };
  const progress: TaskProgress = {};
  if (steps) {
    const slice: SliceInput = { ...task, slice: 0 };
    progress.slice = await activities[steps.plan](slice as never);
    const [chunk, ...more] = run.dryRun ? [] : (progress.slice.chunks ?? []);
    if (!isWhole(progress.slice) || more.length > 0) return progress;
    if (chunk) {
      const piece: ChunkInput = { ...task, chunk, from: 0 };
      progress.piece = await activities[steps.work](piece as never);
      if (!isWhole(progress.piece)) return progress;
    }
  }
  if (compared) {
    const part: CompareInput = { ...task, ...(gone && { gone }), part: 0, page: 0 };
    progress.compared = await activities.compareContainer(part as never);
  }
  return progress;
}

/** Whether an answer leaves nothing over. */
function isWhole(answer: ResultOrProblem<SliceResult> | PieceResult): boolean {
  const { problem, stopped, next, nextManifest, pendingFile } = answer as Partial<SliceResult & ChunkResult>;
  return [problem, stopped, next, nextManifest, pendingFile].every((each) => each === undefined);
}
