import type { ComparedPart } from '#domain/run/comparison.ts';
import type { NotPreserved } from '#domain/run/not-preserved.ts';
import type { ContainerReport, RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';

/**
 * Whether a retry replaces what the earlier run has of a task that it works on: the parts that it writes of a table are
 * complete on their own, and so are those of a container that it lists again.
 */
export function isReplacedBy(earlier: RunSummary, container: string): boolean {
  const status = earlier.containers.find((each) => each.container === container)?.status;
  return tableOfTask(container) !== undefined || status === 'failed' || status === 'cancelled';
}

/**
 * The parts, of the manifest or with properties, of the run that a retry completes which still count. `own` are the
 * tasks that the retry has worked on.
 */
export function partsTakenOver<Part extends { container: string }>(
  earlier: RunSummary,
  parts: readonly Part[],
  own: ReadonlySet<string>,
): Part[] {
  return parts.filter(({ container }) => !own.has(container) || !isReplacedBy(earlier, container));
}

/** What the containers of the earlier run have that no backup holds, of those that still count. */
export function notPreservedTakenOver(earlier: RunSummary, own: ReadonlySet<string>): NotPreserved['containers'] {
  const counts = Object.entries(earlier.notPreserved?.containers ?? {});
  return Object.fromEntries(counts.filter(([container]) => !own.has(container) || !isReplacedBy(earlier, container)));
}

/** The reports on containers that the earlier run skipped as a whole, unless the retry has one of its own. */
export function skippedTakenOver(earlier: RunSummary, own: ReadonlySet<string | undefined>): ContainerReport[] {
  return earlier.containers.filter(({ status, container }) => status === 'skipped' && !own.has(container));
}

/**
 * The comparisons that still count. If the earlier run left a restore point, the retry was compared with that one. If
 * not, both were compared with the same one.
 */
export function comparisonsTakenOver(earlier: RunSummary, own: ReadonlySet<string>): ComparedPart[] {
  return earlier.restorePoint ? [] : earlier.compared.filter(({ container }) => !own.has(container));
}
