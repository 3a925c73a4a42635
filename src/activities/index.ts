import type { Dependencies } from '#app/dependencies.ts';
import { traceOfUpload } from '#domain/run/trace.ts';
import { inTrace } from '#telemetry/current-trace.ts';
import { archiveUpload, type Upload } from './archive/archive-upload.ts';
import { findUnarchived } from './archive/find-unarchived.ts';
import { type KeepPoisonInput, keepPoison } from './archive/keep-poison.ts';
import { planReprocess } from './archive/plan-reprocess.ts';
import { tidyArchive } from './archive/tidy-archive.ts';
import { makeCompareContainer } from './backup/compare-container.ts';
import { planRetry } from './backup/plan-retry.ts';
import { scanSlice } from './backup/scan-slice.ts';
import { abortCopies } from './modes/abort-copies.ts';
import { confirmCopies } from './modes/confirm-copies.ts';
import { copyChunk } from './modes/copy-chunk.ts';
import { listContainers } from './modes/list-containers.ts';
import { makeProcessTasks } from './modes/process-tasks.ts';
import { clearOldRuns } from './prune/clear-old-runs.ts';
import { deleteChunk } from './prune/delete-chunk.ts';
import { makePlanPrune } from './prune/plan-prune.ts';
import { removePoints } from './prune/remove-points.ts';
import { takePlan } from './prune/take-plan.ts';
import { planRestore } from './restore/plan-restore.ts';
import { beginNext } from './run/begin-next.ts';
import { failuresAsProblems } from './run/failures-as-problems.ts';
import { publishRun } from './run/publish-run.ts';
import type { PublishRunInput } from './run/run-findings.ts';
import { planTable } from './tables/plan-table.ts';
import { makePlanTablePrune } from './tables/plan-table-prune.ts';
import { planTableRestore } from './tables/plan-table-restore.ts';
import { readRange } from './tables/read-range.ts';
import { splitRange } from './tables/split-range.ts';
import { updateSegments } from './tables/update-segments.ts';
import { verifyTable } from './tables/verify-table.ts';
import { makeWriteEntities } from './tables/write-entities.ts';
import { makeReadChunk } from './verify/read-chunk.ts';
import { verifySlice } from './verify/verify-slice.ts';

/** Every activity by its registered name. Orchestrations know them by this type alone. */
export function makeActivities(deps: Dependencies) {
  const activities = {
    listContainers: failuresAsProblems(deps, listContainers),
    scanSlice: failuresAsProblems(deps, scanSlice),
    planTable: failuresAsProblems(deps, planTable),
    readRange: failuresAsProblems(deps, readRange),
    updateSegments: failuresAsProblems(deps, updateSegments),
    planTableRestore: failuresAsProblems(deps, planTableRestore),
    writeEntities: failuresAsProblems(deps, makeWriteEntities()),
    planTablePrune: failuresAsProblems(deps, makePlanTablePrune()),
    verifyTable: failuresAsProblems(deps, verifyTable),
    splitRange: failuresAsProblems(deps, splitRange),
    planRetry: failuresAsProblems(deps, planRetry),
    planRestore: failuresAsProblems(deps, planRestore),
    verifySlice: failuresAsProblems(deps, verifySlice),
    readChunk: failuresAsProblems(deps, makeReadChunk()),
    planPrune: failuresAsProblems(deps, makePlanPrune()),
    takePlan: failuresAsProblems(deps, takePlan),
    deleteChunk: failuresAsProblems(deps, deleteChunk),
    findUnarchived: failuresAsProblems(deps, findUnarchived),
    planReprocess: failuresAsProblems(deps, planReprocess),
    tidyArchive: failuresAsProblems(deps, tidyArchive),
    compareContainer: failuresAsProblems(deps, makeCompareContainer()),
    copyChunk: failuresAsProblems(deps, copyChunk),
    confirmCopies: failuresAsProblems(deps, confirmCopies),
    abortCopies: failuresAsProblems(deps, abortCopies),
    beginNext: failuresAsProblems(deps, beginNext),
    removePoints: failuresAsProblems(deps, removePoints),
    clearOldRuns: failuresAsProblems(deps, clearOldRuns),
    // Throws if the vault cannot be written: the orchestration then waits and calls it again.
    publishRun: (input: PublishRunInput) => publishRun(deps, input),
    archiveUpload: (upload: Upload) => inTrace(traceOfUpload(upload), () => archiveUpload(deps, upload)),
    keepPoison: async (input: KeepPoisonInput) => {
      await inTrace(input.trace, () => keepPoison(deps, input));
      return {};
    },
  };
  return Object.assign(activities, { processTasks: failuresAsProblems(deps, makeProcessTasks(activities)) });
}

export type Activities = ReturnType<typeof makeActivities>;
