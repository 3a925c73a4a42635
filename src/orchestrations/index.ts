import type { OrchestrationContext, Task } from 'durable-functions';
import { isOfThisVersion, ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import type { RunRef } from '#domain/run/run.ts';
import { backUpTable } from './back-up-table.ts';
import { finishUpload } from './finish-upload.ts';
import { processContainer } from './process-container.ts';
import { processGroup } from './process-group.ts';
import { processRun } from './process-run.ts';
import { runJob } from './run-job.ts';

/**
 * Every orchestration by its registered name. `runJob` and `finishUpload` continue what any version began, so their
 * changes must fit the histories of all versions.
 */
export const orchestrations = {
  runJob,
  processRun: ofThisVersion(processRun),
  processGroup: ofThisVersion(processGroup),
  processContainer: ofThisVersion(processContainer),
  backUpTable: ofThisVersion(backUpTable),
  finishUpload,
};

type Orchestration<Result> = (context: OrchestrationContext) => Generator<Task, Result, unknown>;

/** Fails at once for a run of another version. Each orchestration above it does the same, up to `runJob`. */
function ofThisVersion<Result>(orchestration: Orchestration<Result>): Orchestration<Result> {
  return function* (context) {
    const { run } = context.df.getInput() as { run: RunRef };
    if (!isOfThisVersion(run)) {
      throw new Error(`The run was begun by version ${run.orchestrations ?? 1}, and this is ${ORCHESTRATION_VERSION}`);
    }
    return yield* orchestration(context);
  };
}
