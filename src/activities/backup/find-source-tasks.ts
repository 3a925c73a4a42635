import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { isLiteral, matches } from '#domain/blobs/container-pattern.ts';
import { expand, isValidContainerName } from '#domain/blobs/container-template.ts';
import { CONTROL_CONTAINER, entityFilesPrefix } from '#domain/run/control-paths.ts';
import { patternsUnmatched } from '#domain/run/nothing-matched.ts';
import { type PatternSearch, searchOn } from '#domain/run/pattern-search.ts';
import { type Problem, type ProblemCode, problemOf } from '#domain/run/problems.ts';
import { ALL_TABLES, taskOfTable } from '#domain/run/task-name.ts';
import { isSameTable, matchesTable } from '#domain/tables/table-name.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { type ContainerPair, type FoundTasks, foundTasks } from '../run/container-task.ts';

/** The prefix of a position in the account's list of tables, which follows its list of containers. */
const TABLES = 'tables:';

/** Where a page begins, and what the pages before it say of the patterns. */
export interface TaskPage {
  from?: string;
  search?: PatternSearch;
}

/** The containers and tables of the source that a job names, a page of the account's lists at a time. */
export async function findSourceTasks(deps: Dependencies, job: string, page: TaskPage): Promise<FoundTasks> {
  const context = jobContextOf(deps, job);
  if (page.from?.startsWith(TABLES)) return findSourceTables(deps, job, page);
  const { containers, tables } = context.job.source;
  const found = containers.length > 0 ? await findSourceContainers(context, page) : foundTasks([]);
  if (found.next !== undefined || tables.length === 0) return found;
  const first = await findSourceTables(deps, job, {});
  return {
    ...first,
    containers: [...found.containers, ...first.containers],
    problems: [...found.problems, ...first.problems],
    remarks: [...(found.remarks ?? []), ...(first.remarks ?? [])],
  };
}

async function findSourceContainers(context: JobContext, { from, search }: TaskPage): Promise<FoundTasks> {
  const patterns = context.job.source.containers;
  const literals = new Set(patterns.filter(isLiteral));
  // Literal names need no listing. The scan finds a container that is missing.
  if (literals.size === patterns.length) return foundTasks([...literals].map((name) => containerPair(context, name)));
  try {
    const page = await context.source.listContainers(from);
    const listed = page.names.filter(
      (name) => !literals.has(name) && patterns.some((pattern) => matches(pattern, name)),
    );
    const named = from === undefined ? [...literals] : [];
    const found = foundTasks([
      ...named.map((name) => containerPair(context, name)),
      ...listed.map((name) => containerPair(context, name, 'container-skipped')),
    ]);
    const begun = from === undefined ? { left: patterns.filter((pattern) => !isLiteral(pattern)) } : search;
    return { ...found, ...searched('container', begun && searchOn(begun, patterns, page.names, matches), page.next) };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { containers: [], problems: [problemOf(problemCodeOf(error, 'source'), 0, undefined, error.message)] };
  }
}

/** The tables alone; `from` is a `next` of this function, or absent for the first page. */
export async function findSourceTables(
  deps: Dependencies,
  job: string,
  { from, search }: TaskPage,
): Promise<FoundTasks> {
  const { source } = jobContextOf(deps, job).job;
  const patterns = source.tables;
  const pairOf = (table: string): ContainerPair => tablePair(job, table);
  // The service ignores the case of table names.
  const named = patterns.filter(isLiteral);
  const literals = named.filter((name, index) => named.findIndex((other) => isSameTable(name, other)) === index);
  const first = from === undefined ? literals : [];
  if (patterns.every(isLiteral)) return foundTasks(first.map(pairOf));
  try {
    const page = await deps.tables(source.account).listTables(from?.slice(TABLES.length));
    const listed = page.names.filter(
      (name) =>
        !literals.some((literal) => isSameTable(literal, name)) &&
        patterns.some((pattern) => matchesTable(pattern, name)),
    );
    const next = page.next === undefined ? undefined : TABLES + page.next;
    const begun = from === undefined ? { left: patterns.filter((pattern) => !isLiteral(pattern)) } : search;
    return {
      ...foundTasks([...first, ...listed].map(pairOf)),
      ...searched('table', begun && searchOn(begun, patterns, page.names, matchesTable), next),
    };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // The run still backs up containers, and tables with literal names.
    const code = problemCodeOf(error, 'source');
    return { containers: first.map(pairOf), problems: [problemOf(code, 0, ALL_TABLES, error.message)] };
  }
}

/** The search for the next page, or what it has found. Runs that an earlier version began have none. */
function searched(what: 'container' | 'table', search: PatternSearch | undefined, next: string | undefined) {
  if (next !== undefined) return { next, ...(search && { search }) };
  return { remarks: search ? patternsUnmatched(what, search) : [] };
}

export function tablePair(job: string, table: string): ContainerPair {
  const files = entityFilesPrefix(job, table).replace(/\/$/, '');
  return { container: taskOfTable(table), destination: `${CONTROL_CONTAINER}/${files}` };
}

/** A container with its backup container, or why it cannot have one. */
export function containerPair(
  { job, source, vault }: JobContext,
  container: string,
  ifInvalid: ProblemCode = 'container-name-invalid',
): ContainerPair | Problem {
  const destination = expand(job.destination.container, container);
  if (!isValidContainerName(destination)) {
    const message = `Its backup container would be "${destination}", which is not a valid name`;
    return problemOf(ifInvalid, 0, container, message);
  }
  if (source.endpoint === vault.endpoint && (destination === container || container === CONTROL_CONTAINER)) {
    return problemOf('container-name-invalid', 0, container, 'It would be backed up into itself');
  }
  return { container, destination };
}
