import { isLiteral, matches } from '../domain/container-pattern.ts';
import { expand, isValidContainerName } from '../domain/container-template.ts';
import { CONTROL_CONTAINER, summaryPath } from '../domain/control-paths.ts';
import { problemOf } from '../domain/report.ts';
import { type Problem, parseRunId, type RunRef, type RunSummary } from '../domain/run.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import { problemCodeOf } from './problem-code.ts';

export interface ListContainersInput {
  run: RunRef;
  /** Where to go on in the account's list of containers. */
  from?: string;
}

export interface ContainerPair {
  container: string;
  destination: string;
  /** A retry of a run in which this container was not listed to its end: it is scanned like in any run. */
  scan?: boolean;
}

export interface ListContainersResult {
  containers: ContainerPair[];
  problems: Problem[];
  next?: string;
  requests: Record<string, number>;
}

/** Finds the containers a run is to work on, some thousand names at a time. */
export function makeListContainers(deps: Dependencies) {
  return async function listContainers(input: ListContainersInput): Promise<ListContainersResult> {
    const requests: Record<string, number> = {};
    return countingRequests(requests, async () => {
      const result = await (input.run.mode === 'retry' ? fromEarlierRun(deps, input.run) : fromSource(deps, input));
      return { ...result, requests };
    });
  };
}

async function fromSource(
  deps: Dependencies,
  input: ListContainersInput,
): Promise<Omit<ListContainersResult, 'requests'>> {
  const { job, source, vault } = workplaceOf(deps, input.run.job);
  const patterns = job.source.containers;
  const problems: Problem[] = [];
  const containers: ContainerPair[] = [];
  const add = (container: string) => {
    const destination = expand(job.destination.container, container);
    if (!isValidContainerName(destination)) {
      problems.push(
        problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid container name`),
      );
    } else if (source.endpoint === vault.endpoint && (destination === container || container === CONTROL_CONTAINER)) {
      problems.push(problemOf('container-name-invalid', 0, container, `${container} would be backed up into itself`));
    } else {
      containers.push({ container, destination });
    }
  };
  // Names written out need no listing; a container that is missing shows when it is scanned.
  if (patterns.every(isLiteral)) {
    for (const name of new Set(patterns)) add(name);
    return { containers, problems };
  }
  try {
    const page = await source.listContainers(input.from);
    const listed = page.names.filter((name) => patterns.some((pattern) => matches(pattern, name)));
    if (input.from === undefined) for (const name of patterns.filter(isLiteral)) if (!listed.includes(name)) add(name);
    for (const name of listed) if (input.from === undefined || !patterns.includes(name)) add(name);
    return { containers, problems, ...(page.next !== undefined && { next: page.next }) };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { containers: [], problems: [problemOf(problemCodeOf(error, 'source'), 0, undefined, error.message)] };
  }
}

async function fromEarlierRun(deps: Dependencies, run: RunRef): Promise<Omit<ListContainersResult, 'requests'>> {
  const { control } = workplaceOf(deps, run.job);
  const earlier = parseRunId(run.retryOf!)!;
  const found = await control.readJson<RunSummary>(summaryPath({ job: earlier.job, id: run.retryOf! }));
  if (!found) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
  const containers = found.value.containers
    .filter((report) => report.status !== 'succeeded')
    .map(({ container, destination, status }) => ({
      container,
      destination,
      ...(status !== 'completed-with-failures' && { scan: true }),
    }));
  return { containers, problems: [] };
}
