import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { matches } from '#domain/blobs/container-pattern.ts';
import type { Gone } from '#domain/run/comparison.ts';
import { heldTasks } from '#domain/run/held-tasks.ts';
import type { BackupRef, RetryRef, RunSummary } from '#domain/run/run.ts';
import { ALL_TABLES, tableOfTask, taskKey } from '#domain/run/task-name.ts';
import { matchesTable } from '#domain/tables/table-name.ts';
import type { ContainerPair, FoundTasks } from '../run/container-task.ts';
import { comparisonsTakenOver, partsTakenOver } from '../run/parts-taken-over.ts';
import { previousPoint } from '../run/previous-point.ts';
import { containerPair } from './find-source-tasks.ts';

/**
 * The containers and tables that the restore point before held or owed, and of which a backup has no task. They get
 * tasks that only compare. `last` is the last page of tasks; those of earlier pages may be among the result.
 */
export async function findGoneTasks(
  deps: Dependencies,
  run: BackupRef | RetryRef,
  last: FoundTasks,
): Promise<ContainerPair[]> {
  const context = jobContextOf(deps, run.job);
  const previous = (await previousPoint(context.control, run.job))?.summary;
  if (!previous) return [];
  const earlier =
    run.mode === 'retry' ? await context.control.readRecordedSummary({ job: run.job, id: run.retryOf }) : undefined;
  const named = [...last.containers, ...(earlier ? takenOver(earlier) : [])];
  const known = new Set(named.map(({ container }) => taskKey(container)));
  const areTablesUnlisted = last.problems.some(({ container }) => container === ALL_TABLES);
  return [...heldTasks(previous)]
    .filter(([container]) => !known.has(taskKey(container)))
    .map(([container, destination]) => ({
      ...{ container, destination },
      gone:
        areTablesUnlisted && isSelectedTable(context, container) ? { code: 'failed' } : goneFrom(context, container),
    }));
}

/** What a retry that works on nothing would take over. */
function takenOver(earlier: RunSummary): { container: string }[] {
  return [...partsTakenOver(earlier, earlier.parts, new Set()), ...comparisonsTakenOver(earlier, new Set())];
}

function goneFrom(context: JobContext, container: string): Gone {
  const isTable = tableOfTask(container) !== undefined;
  const isSelected = isTable ? isSelectedTable(context, container) : isSelectedContainer(context, container);
  if (!isSelected) return { code: 'not-selected' };
  const pair = isTable ? undefined : containerPair(context, container);
  return pair && 'code' in pair ? { code: 'failed', cause: pair.code } : { code: 'deleted' };
}

function isSelectedContainer({ job }: JobContext, container: string): boolean {
  return job.source.containers.some((pattern) => matches(pattern, container));
}

function isSelectedTable({ job }: JobContext, task: string): boolean {
  const table = tableOfTask(task);
  return table !== undefined && job.source.tables.some((pattern) => matchesTable(pattern, table));
}
