import { redact } from '../domain/redact.ts';
import { problemOf } from '../domain/report.ts';
import type { Problem } from '../domain/run.ts';
import { makeAbortCopies } from './abort-copies.ts';
import { archiveUpload, type Upload } from './archive-upload.ts';
import { makeBeginNext } from './begin-next.ts';
import { makeConfirmCopies } from './confirm-copies.ts';
import { makeCopyChunk } from './copy-chunk.ts';
import { makeDeleteChunk } from './delete-chunk.ts';
import type { Dependencies } from './dependencies.ts';
import { makeFindUnarchived } from './find-unarchived.ts';
import { type KeepPoisonInput, keepPoison } from './keep-poison.ts';
import { makeListContainers } from './list-containers.ts';
import { makePlanPrune } from './plan-prune.ts';
import { makePlanRedrive } from './plan-redrive.ts';
import { makePlanRestore } from './plan-restore.ts';
import { makePlanRetry } from './plan-retry.ts';
import { makePlanTable } from './plan-table.ts';
import { makePlanTablePrune } from './plan-table-prune.ts';
import { makePlanTableRestore } from './plan-table-restore.ts';
import { problemCodeOf } from './problem-code.ts';
import { makePublishRun } from './publish-run.ts';
import { makeReadChunk } from './read-chunk.ts';
import { makeReadRange } from './read-range.ts';
import { makeRemovePoints } from './remove-points.ts';
import { makeScanSlice } from './scan-slice.ts';
import { makeSplitRange } from './split-range.ts';
import { makeTakePlan } from './take-plan.ts';
import { makeTidyArchive } from './tidy-archive.ts';
import { makeUpdateTiles } from './update-tiles.ts';
import { makeVerifySlice } from './verify-slice.ts';
import { makeVerifyTable } from './verify-table.ts';
import { makeWriteEntities } from './write-entities.ts';

/** Every activity by its registered name. Orchestrations know them by this type alone. */
export function makeActivities(deps: Dependencies) {
  return {
    listContainers: failuresAsProblems(deps, makeListContainers(deps)),
    scanSlice: failuresAsProblems(deps, makeScanSlice(deps)),
    planTable: failuresAsProblems(deps, makePlanTable(deps)),
    readRange: failuresAsProblems(deps, makeReadRange(deps)),
    updateTiles: failuresAsProblems(deps, makeUpdateTiles(deps)),
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
    planRedrive: failuresAsProblems(deps, makePlanRedrive(deps)),
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
