import { isLiteral, matches } from '../domain/container-pattern.ts';
import { expand, isValidContainerName } from '../domain/container-template.ts';
import { CONTROL_CONTAINER } from '../domain/control-paths.ts';
import { problemOf } from '../domain/report.ts';
import type { Problem, RunRef } from '../domain/run.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { type Dependencies, type Workplace, workplaceOf } from './dependencies.ts';
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
  const place = workplaceOf(deps, input.run.job);
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

/** The containers of the run that is retried in which anything failed. */
async function fromEarlierRun(deps: Dependencies, run: RunRef): Promise<Omit<ListContainersResult, 'requests'>> {
  const place = workplaceOf(deps, run.job);
  const found = await place.control.readSummary({ job: run.job, id: run.retryOf! });
  if (!found) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
  const unfinished = found.containers.filter(({ status }) => status !== 'succeeded');
  return sorted(
    unfinished.map(({ container, destination, status }) =>
      status === 'completed-with-failures' ? { container, destination } : { ...pairOf(place, container), scan: true },
    ),
  );
}

/** Where a container's mirror lies, or why it cannot have one. */
function pairOf({ job, source, vault }: Workplace, container: string): ContainerPair | Problem {
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
