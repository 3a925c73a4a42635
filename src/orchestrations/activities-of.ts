import type { PlanActivity, WorkActivity } from '#activities/modes/process-tasks.ts';
import { carriesOutPlan, type RunMode, type RunRef, retriedRun } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';

export interface TaskActivities {
  plan: PlanActivity;
  work: WorkActivity;
  /** Nothing is processed before everything is planned. */
  planFirst?: boolean;
}

/** `backUpTable`: an orchestration of its own backs up a table. Archive rules have no tables. */
type TableActivities = TaskActivities | 'backUpTable' | undefined;

/** What a run does with a task: a mode, a restore that tries another again, or a prune that carries out a plan. */
type Kind = RunMode | 'retried-restore' | 'carry-out';

// Nothing is written to a table before every file that it needs has been checked.
const TABLE_RESTORE: TaskActivities = { plan: 'planTableRestore', work: 'writeEntities', planFirst: true };
const BACKUP: TaskActivities = { plan: 'scanSlice', work: 'copyChunk' };
const CARRY_OUT: TaskActivities = { plan: 'takePlan', work: 'deleteChunk' };

const ACTIVITIES: Record<Kind, { container: TaskActivities; table: TableActivities }> = {
  full: { container: BACKUP, table: 'backUpTable' },
  incremental: { container: BACKUP, table: 'backUpTable' },
  retry: { container: { plan: 'planRetry', work: 'copyChunk' }, table: 'backUpTable' },
  restore: { container: { plan: 'planRestore', work: 'copyChunk' }, table: TABLE_RESTORE },
  'retried-restore': { container: { plan: 'planRetry', work: 'copyChunk' }, table: TABLE_RESTORE },
  verify: {
    container: { plan: 'verifySlice', work: 'readChunk' },
    table: { plan: 'verifyTable', work: 'readChunk' },
  },
  prune: {
    container: { plan: 'planPrune', work: 'deleteChunk' },
    table: { plan: 'planTablePrune', work: 'deleteChunk' },
  },
  'carry-out': { container: CARRY_OUT, table: CARRY_OUT },
  reconcile: { container: { plan: 'findUnarchived', work: 'copyChunk' }, table: undefined },
  reprocess: { container: { plan: 'planReprocess', work: 'copyChunk' }, table: undefined },
};

/** A retry scans a task like a backup if the earlier run did not list it to its end (`scan`). */
function kindOf(run: RunRef, scan: boolean): Kind {
  if (carriesOutPlan(run)) return 'carry-out';
  if (retriedRun(run) === undefined) return run.mode;
  if (run.mode === 'restore') return scan ? 'restore' : 'retried-restore';
  return scan ? 'incremental' : 'retry';
}

/** The orchestration that works on a container or table of a run. */
export function orchestrationOf(run: RunRef, container: string): 'processContainer' | 'backUpTable' {
  const isTable = tableOfTask(container) !== undefined;
  return isTable && ACTIVITIES[kindOf(run, false)].table === 'backUpTable' ? 'backUpTable' : 'processContainer';
}

/** The activities that `processContainer` schedules for a container or table of a run. */
export function activitiesOf(run: RunRef, container: string, scan = false): TaskActivities {
  const { container: ofContainer, table } = ACTIVITIES[kindOf(run, scan)];
  const isTable = tableOfTask(container) !== undefined;
  return isTable && table !== undefined && table !== 'backUpTable' ? table : ofContainer;
}
