import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { ContainerReport, RetryRef } from '#domain/run/run.ts';
import { ALL_TABLES, tableOfTask } from '#domain/run/task-name.ts';
import { isSameTable } from '#domain/tables/table-name.ts';
import { type ContainerPair, type FoundTasks, foundTasks } from '../run/container-task.ts';
import { containerPair, findSourceTables, type TaskPage, tablePair } from './find-source-tasks.ts';

/** The containers and tables of the retried run in which anything failed, and the tables that it could not list. */
export async function findFailedTasks(
  deps: Dependencies,
  { job, retryOf }: RetryRef,
  page: TaskPage,
): Promise<FoundTasks> {
  const context = jobContextOf(deps, job);
  const earlier = await context.control.readRecordedSummary({ job, id: retryOf });
  if (!earlier) throw new Error(`The run to retry, ${retryOf}, has no summary`);
  const unfinished = earlier.containers.filter(({ status }) => status !== 'succeeded' && status !== 'skipped');
  const named = unfinished.filter(({ container }) => container !== ALL_TABLES);
  const again = foundTasks(page.from === undefined ? named.map((report) => pairAgain(context, report)) : []);
  if (named.length === unfinished.length) return again;
  const tables = await findSourceTables(deps, job, page);
  const isNew = ({ container }: ContainerPair) =>
    !earlier.containers.some((each) => isSameTable(each.container, container));
  return {
    ...tables,
    containers: [...again.containers, ...tables.containers.filter(isNew).map((pair) => ({ ...pair, scan: true }))],
    problems: [...again.problems, ...tables.problems],
  };
}

/** A retry scans what failed as a whole. Of the rest, it tries only the failures again. */
function pairAgain(context: JobContext, { container, destination, status }: ContainerReport): ContainerPair | Problem {
  const scan = status !== 'completed-with-failures';
  const table = tableOfTask(container);
  if (table !== undefined) return { ...tablePair(context.job.name, table), ...(scan && { scan }) };
  if (!scan) return { container, destination };
  const pair = containerPair(context, container);
  return 'code' in pair ? pair : { ...pair, scan };
}
