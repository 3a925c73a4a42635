import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { redact } from '#domain/redact.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { archiveUpload, type Upload } from './archive/archive-upload.ts';
import { makeFindUnarchived } from './archive/find-unarchived.ts';
import { type KeepPoisonInput, keepPoison } from './archive/keep-poison.ts';
import { makePlanReprocess } from './archive/plan-reprocess.ts';
import { makeTidyArchive } from './archive/tidy-archive.ts';
import { makePlanRetry } from './backup/plan-retry.ts';
import { makeScanSlice } from './backup/scan-slice.ts';
import { makeAbortCopies } from './modes/abort-copies.ts';
import { makeConfirmCopies } from './modes/confirm-copies.ts';
import { makeCopyChunk } from './modes/copy-chunk.ts';
import { makeListContainers } from './modes/list-containers.ts';
import { makeDeleteChunk } from './prune/delete-chunk.ts';
import { makePlanPrune } from './prune/plan-prune.ts';
import { makeRemovePoints } from './prune/remove-points.ts';
import { makeTakePlan } from './prune/take-plan.ts';
import { makePlanRestore } from './restore/plan-restore.ts';
import { makeBeginNext } from './run/begin-next.ts';
import { makePublishRun } from './run/publish-run.ts';
import { makePlanTable } from './tables/plan-table.ts';
import { makePlanTablePrune } from './tables/plan-table-prune.ts';
import { makePlanTableRestore } from './tables/plan-table-restore.ts';
import { makeReadRange } from './tables/read-range.ts';
import { makeSplitRange } from './tables/split-range.ts';
import { makeUpdateSegments } from './tables/update-segments.ts';
import { makeVerifyTable } from './tables/verify-table.ts';
import { makeWriteEntities } from './tables/write-entities.ts';
import { makeReadChunk } from './verify/read-chunk.ts';
import { makeVerifySlice } from './verify/verify-slice.ts';

/** Every activity by its registered name. Orchestrations know them by this type alone. */
export function makeActivities(deps: Dependencies) {
  return {
    listContainers: failuresAsProblems(deps, makeListContainers(deps)),
    scanSlice: failuresAsProblems(deps, makeScanSlice(deps)),
    planTable: failuresAsProblems(deps, makePlanTable(deps)),
    readRange: failuresAsProblems(deps, makeReadRange(deps)),
    updateSegments: failuresAsProblems(deps, makeUpdateSegments(deps)),
    planTableRestore: failuresAsProblems(deps, makePlanTableRestore(deps)),
    writeEntities: failuresAsProblems(deps, makeWriteEntities(deps)),
    planTablePrune: failuresAsProblems(deps, makePlanTablePrune(deps)),
    verifyTable: failuresAsProblems(deps, makeVerifyTable(deps)),
    splitRange: failuresAsProblems(deps, makeSplitRange(deps)),
    planRetry: failuresAsProblems(deps, makePlanRetry(deps)),
    planRestore: failuresAsProblems(deps, makePlanRestore(deps)),
    verifySlice: failuresAsProblems(deps, makeVerifySlice(deps)),
    readChunk: failuresAsProblems(deps, makeReadChunk(deps)),
    planPrune: failuresAsProblems(deps, makePlanPrune(deps)),
    takePlan: failuresAsProblems(deps, makeTakePlan(deps)),
    deleteChunk: failuresAsProblems(deps, makeDeleteChunk(deps)),
    findUnarchived: failuresAsProblems(deps, makeFindUnarchived(deps)),
    planReprocess: failuresAsProblems(deps, makePlanReprocess(deps)),
    tidyArchive: failuresAsProblems(deps, makeTidyArchive(deps)),
    copyChunk: failuresAsProblems(deps, makeCopyChunk(deps)),
    confirmCopies: failuresAsProblems(deps, makeConfirmCopies(deps)),
    abortCopies: failuresAsProblems(deps, makeAbortCopies(deps)),
    beginNext: failuresAsProblems(deps, makeBeginNext(deps)),
    removePoints: failuresAsProblems(deps, makeRemovePoints(deps)),
    // Throws when the vault cannot be written: then the orchestration waits and calls it again.
    publishRun: makePublishRun(deps),
    archiveUpload: (upload: Upload) => archiveUpload(deps, upload),
    keepPoison: async (input: KeepPoisonInput) => {
      await keepPoison(deps, input);
      return {};
    },
  };
}

export type Activities = ReturnType<typeof makeActivities>;

/**
 * A thrown error would be retried or lost by the orchestration; a returned problem is shown in the run's report. What
 * was worth a retry has been retried by the storage adapter already.
 */
function failuresAsProblems<
  Input extends { run: { id: string; job: string }; container?: string },
  Result extends object,
>(
  deps: Dependencies,
  activity: (input: Input) => Promise<Result>,
): (input: Input) => Promise<Partial<Result> & { problem?: Problem }> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      deps.telemetry.failure(activity.name, error, {
        run: input.run.id,
        job: input.run.job,
        container: input.container,
      });
      // Kept in histories and in the vault, and not always our own words.
      const message = redact(error instanceof Error ? error.message : String(error));
      const problem = problemOf(problemCodeOf(error, 'destination'), 0, input.container, message);
      return { problem } as Partial<Result> & { problem: Problem };
    }
  };
}
