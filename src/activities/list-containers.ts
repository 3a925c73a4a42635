import { isLiteral, matches } from '../domain/container-pattern.ts';
import { expand, isValidContainerName } from '../domain/container-template.ts';
import { CONTROL_CONTAINER } from '../domain/control-paths.ts';
import { problemOf } from '../domain/report.ts';
import type { Problem, RunRef } from '../domain/run.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import type { Share } from './copy-place.ts';
import { type Dependencies, type Workplace, workplaceOf } from './dependencies.ts';
import { pointOf } from './find-point.ts';
import { fromVault } from './list-mirrors.ts';
import { problemCodeOf } from './problem-code.ts';

export interface ListContainersInput {
  run: RunRef;
  /** Where to go on in the account's list of containers. */
  from?: string;
}

export interface ContainerPair extends Omit<Share, 'run'> {
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
      return fromEarlierRun(deps, run);
    default:
      return fromSource(deps, input);
  }
}

/** The containers of the restore point that a restore or a verification works on. */
async function fromPoint(deps: Dependencies, run: RunRef): Promise<Omit<ListContainersResult, 'requests'>> {
  const { control } = workplaceOf(deps, run.job);
  const { restore } = run;
  const id = (restore ?? run.verify)!.point;
  const point = await pointOf(control, run.job, id);
  const patterns = restore?.containers ?? [];
  const mirrors = new Map(point.parts.map(({ container, destination }) => [container, destination]));
  const wanted = [...mirrors].filter(
    ([container]) => patterns.length === 0 || patterns.some((pattern) => matches(pattern, container)),
  );
  const found = wanted.map(([container, inVault]): ContainerPair | Problem => {
    const mirror = { container: inVault, prefix: expand(point.destination.prefix, container) };
    const destination = restore ? expand(restore.container, container) : inVault;
    if (isValidContainerName(destination)) return { container, destination, mirror };
    return problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid container name`);
  });
  const missing = patterns
    .filter((pattern) => isLiteral(pattern) && !mirrors.has(pattern))
    .map((name) => problemOf('container-not-held', 0, name, `Restore point ${id} has no container "${name}"`));
  const all = sorted([...found, ...missing]);
  if (run.retryOf === undefined) return all;
  const earlier = await control.readSummary({ job: run.job, id: run.retryOf });
  if (!earlier) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
  const status = new Map(earlier.containers.map((report) => [report.container, report.status]));
  return {
    containers: all.containers.flatMap((pair) => {
      const ended = status.get(pair.container);
      if (ended === 'succeeded') return [];
      return ended === 'completed-with-failures' ? [pair] : [{ ...pair, scan: true }];
    }),
    problems: all.problems,
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
