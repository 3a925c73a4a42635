import type { JobContext } from '#app/job-context.ts';
import { kindOfPath } from '#domain/run/control-paths.ts';
import { type Included, joinedIncluded } from '#domain/run/included.ts';
import { globsUnmatched } from '#domain/run/nothing-matched.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import { isSkip, type Problem } from '#domain/run/problems.ts';
import { retriedRun } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { PublishRunInput } from './run-findings.ts';

/**
 * The remark on globs of "include" that select nothing in any container. Only a run that has listed all of them knows;
 * an archive may have a glob for uploads that come later.
 */
export function unusedGlobs(
  { run, problems }: Pick<PublishRunInput, 'run' | 'problems'>,
  { job }: Pick<JobContext, 'job'>,
  parts: readonly ListedPart[],
): Problem[] {
  const selects = run.mode === 'full' || run.mode === 'incremental' || run.mode === 'restore';
  if (!selects || retriedRun(run) !== undefined) return [];
  const isUnlisted = problems.some((problem) => !isSkip(problem) && tableOfTask(problem.container ?? '') === undefined);
  const included = isUnlisted ? undefined : includedIn(parts);
  const { include } = run.mode === 'restore' ? run.restore : job.source;
  return included ? globsUnmatched(include, included) : [];
}

/** Undefined if a part does not say it: an earlier version wrote it, or the run has no such glob. */
function includedIn(parts: readonly ListedPart[]): Included | undefined {
  const slices = parts.filter(
    ({ path, tally }) => kindOfPath(path)?.kind === 'slice' && tableOfTask(tally.container) === undefined,
  );
  return slices
    .map(({ tally }) => tally.included)
    .reduce((sum, each) => sum && each && joinedIncluded(sum, each), slices[0]?.tally.included);
}
