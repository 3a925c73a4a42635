import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { isLiteral, matches } from '#domain/blobs/container-pattern.ts';
import { expand, isValidContainerName } from '#domain/blobs/container-template.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { CONTROL_CONTAINER, entityFilesPrefix } from '#domain/run/control-paths.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { ContainerReport, RunRef } from '#domain/run/run.ts';
import { ALL_TABLES, tableOfTask, taskOfTable } from '#domain/run/task-name.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { expandTable, isSameTable, isValidTableName, matchesTable } from '#domain/tables/table-name.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { fromVault } from '../prune/decide-prune.ts';
import type { ContainerPair, ListContainersResult } from '../run/container-task.ts';
import { pointOf } from '../run/restore-point-summary.ts';

export interface ListContainersInput {
  run: RunRef;
  /** Where to go on in the account's list of containers. */
  from?: string;
}

/** Finds the containers a run is to work on, some thousand names at a time. */
export function makeListContainers(deps: Dependencies) {
  return async function listContainers(input: ListContainersInput): Promise<ListContainersResult> {
    const requests: Record<string, number> = {};
    return countingRequests(requests, async () => {
      return { ...(await find(deps, input)), requests };
    });
  };
}

function find(deps: Dependencies, input: ListContainersInput): Promise<Omit<ListContainersResult, 'requests'>> {
  const { run } = input;
  switch (run.mode) {
    case 'restore':
    case 'verify':
      return fromPoint(deps, run);
    case 'prune':
      return fromVault(deps, run);
    case 'retry':
      return fromEarlierRun(deps, input);
    default:
      return fromSource(deps, input);
  }
}

/** The containers of the restore point that a restore or a verification works on. */
async function fromPoint(deps: Dependencies, run: RunRef): Promise<Omit<ListContainersResult, 'requests'>> {
  const { control } = jobContextOf(deps, run.job);
  const { restore } = run;
  const id = (restore ?? run.verify)!.point;
  if (restore?.file) return sorted(tablesOf(restore.tables, id, restore));
  const point = await pointOf(control, run.job, id);
  const patterns = restore?.containers ?? [];
  const held = [...new Map(point.parts.map(({ container, destination }) => [container, destination]))];
  const mirrors = new Map(held.filter(([container]) => tableOfTask(container) === undefined));
  const wanted = [...mirrors].filter(([container]) => !restore || isRestored(restore, container));
  const found = wanted.map(([container, inVault]): ContainerPair | Problem => {
    const mirror = { container: inVault, prefix: expand(point.destination.prefix, container) };
    const destination = restore ? expand(restore.container, container) : inVault;
    if (isValidContainerName(destination)) return { container, destination, vaultLocation: mirror };
    return problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid container name`);
  });
  const tables = tablesOf(
    held.flatMap(([share]) => tableOfTask(share) ?? []),
    id,
    restore,
  );
  const missing = patterns
    .filter((pattern) => isLiteral(pattern) && !mirrors.has(pattern))
    .map((name) => problemOf('container-not-held', 0, name, `Restore point ${id} has no container "${name}"`));
  const all = sorted([...found, ...missing, ...tables]);
  if (run.retryOf === undefined) return all;
  const earlier = await control.readSummary({ job: run.job, id: run.retryOf });
  if (!earlier) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
  const status = new Map(earlier.containers.map((report) => [report.container, report.status]));
  return {
    containers: all.containers.flatMap((pair) => {
      const ended = status.get(pair.container);
      if (ended === 'succeeded') return [];
      const isWhole = ended === 'completed-with-failures' && tableOfTask(pair.container) === undefined;
      return isWhole ? [pair] : [{ ...pair, scan: true }];
    }),
    problems: all.problems,
  };
}

/** The tables of a restore point that are wanted, each with the table to write to. */
function tablesOf(there: string[], id: string, restore: RestoreTask | undefined): (ContainerPair | Problem)[] {
  const found = there
    .filter((table) => !restore || isRestored(restore, taskOfTable(table)))
    .map((table): ContainerPair | Problem => {
      const container = taskOfTable(table);
      const destination = restore ? expandTable(restore.table, table) : table;
      if (isValidTableName(destination)) return { container, destination };
      return problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid table name`);
    });
  const missing = (restore?.tables ?? [])
    .filter((pattern) => isLiteral(pattern) && !there.some((table) => isSameTable(pattern, table)))
    .map((name) => problemOf('container-not-held', 0, taskOfTable(name), `Restore point ${id} has no table "${name}"`));
  return [...found, ...missing];
}

/** In front of where to go on in the account's list of tables, which comes after that of its containers. */
const TABLES = 'tables:';

async function fromSource(
  deps: Dependencies,
  input: ListContainersInput,
): Promise<Omit<ListContainersResult, 'requests'>> {
  const { from } = input;
  const { job } = jobContextOf(deps, input.run.job);
  if (from?.startsWith(TABLES)) return tablesInSource(deps, input.run, from.slice(TABLES.length));
  const containers = job.source.containers.length > 0 ? await containersInSource(deps, input) : nothing();
  if (containers.next !== undefined || job.source.tables.length === 0) return containers;
  const tables = await tablesInSource(deps, input.run, undefined);
  return {
    ...tables,
    containers: [...containers.containers, ...tables.containers],
    problems: [...containers.problems, ...tables.problems],
  };
}

function nothing(): Omit<ListContainersResult, 'requests'> {
  return { containers: [], problems: [] };
}

async function tablesInSource(
  deps: Dependencies,
  run: RunRef,
  from: string | undefined,
): Promise<Omit<ListContainersResult, 'requests'>> {
  const { job } = jobContextOf(deps, run.job);
  const patterns = job.source.tables;
  const pairOf = (table: string): ContainerPair => tablePair(run.job, table);
  // The service takes letters of either case for the same.
  const named = patterns.filter(isLiteral);
  const literals = named.filter((name, index) => named.findIndex((other) => isSameTable(name, other)) === index);
  const first = from === undefined ? literals : [];
  if (patterns.every(isLiteral)) return { containers: first.map(pairOf), problems: [] };
  try {
    const page = await deps.tables(job.source.account).listTables(from);
    const listed = page.names.filter(
      (name) =>
        !literals.some((literal) => isSameTable(literal, name)) &&
        patterns.some((pattern) => matchesTable(pattern, name)),
    );
    const next = page.next === undefined ? {} : { next: TABLES + page.next };
    return { containers: [...first, ...listed].map(pairOf), problems: [], ...next };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // Containers, and tables that are named in full, are backed up all the same.
    const code = problemCodeOf(error, 'source');
    return { containers: first.map(pairOf), problems: [problemOf(code, 0, ALL_TABLES, error.message)] };
  }
}

async function containersInSource(
  deps: Dependencies,
  input: ListContainersInput,
): Promise<Omit<ListContainersResult, 'requests'>> {
  const place = jobContextOf(deps, input.run.job);
  const patterns = place.job.source.containers;
  const literals = new Set(patterns.filter(isLiteral));
  // Names written out need no listing; a container that is missing shows when it is scanned.
  if (literals.size === patterns.length) return sorted([...literals].map((name) => pairOf(place, name)));
  try {
    const page = await place.source.listContainers(input.from);
    const listed = page.names.filter(
      (name) => !literals.has(name) && patterns.some((pattern) => matches(pattern, name)),
    );
    const names = input.from === undefined ? [...literals, ...listed] : listed;
    const pairs = sorted(names.map((name) => pairOf(place, name)));
    return { ...pairs, ...(page.next !== undefined && { next: page.next }) };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { containers: [], problems: [problemOf(problemCodeOf(error, 'source'), 0, undefined, error.message)] };
  }
}

/** The containers of the run that is retried in which anything failed, and the tables that it could not list. */
async function fromEarlierRun(
  deps: Dependencies,
  { run, from }: ListContainersInput,
): Promise<Omit<ListContainersResult, 'requests'>> {
  const place = jobContextOf(deps, run.job);
  const found = await place.control.readSummary({ job: run.job, id: run.retryOf! });
  if (!found) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
  const unfinished = found.containers.filter(({ status }) => status !== 'succeeded');
  const named = unfinished.filter(({ container }) => container !== ALL_TABLES);
  const again = sorted(from === undefined ? named.map((report) => pairAgain(place, report)) : []);
  if (named.length === unfinished.length) return again;
  const tables = await tablesInSource(deps, run, from?.slice(TABLES.length));
  const isNew = ({ container }: ContainerPair) =>
    !found.containers.some((each) => isSameTable(each.container, container));
  return {
    ...tables,
    containers: [...again.containers, ...tables.containers.filter(isNew).map((pair) => ({ ...pair, scan: true }))],
    problems: [...again.problems, ...tables.problems],
  };
}

/** What failed as a whole is listed anew; of the rest only what failed is tried again. */
function pairAgain(place: JobContext, { container, destination, status }: ContainerReport): ContainerPair | Problem {
  const scan = status !== 'completed-with-failures';
  const table = tableOfTask(container);
  if (table !== undefined) return { ...tablePair(place.job.name, table), ...(scan && { scan }) };
  if (!scan) return { container, destination };
  const pair = pairOf(place, container);
  return 'code' in pair ? pair : { ...pair, scan };
}

function tablePair(job: string, table: string): ContainerPair {
  const files = entityFilesPrefix(job, table).replace(/\/$/, '');
  return { container: taskOfTable(table), destination: `${CONTROL_CONTAINER}/${files}` };
}

/** Where a container's mirror lies, or why it cannot have one. */
function pairOf({ job, source, vault }: JobContext, container: string): ContainerPair | Problem {
  const destination = expand(job.destination.container, container);
  const problem = (message: string) => problemOf('container-name-invalid', 0, container, message);
  if (!isValidContainerName(destination)) return problem(`"${destination}" is not a valid container name`);
  if (source.endpoint === vault.endpoint && (destination === container || container === CONTROL_CONTAINER)) {
    return problem(`${container} would be backed up into itself`);
  }
  return { container, destination };
}

function sorted(found: (ContainerPair | Problem)[]): { containers: ContainerPair[]; problems: Problem[] } {
  return {
    containers: found.filter((each): each is ContainerPair => !('code' in each)),
    problems: found.filter((each): each is Problem => 'code' in each),
  };
}
