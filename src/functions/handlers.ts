import type { OperationId } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { checkRightsHandler } from './accounts/check-rights.ts';
import { listAccountContainersHandler, listAccountTablesHandler } from './accounts/list-names.ts';
import { listPoisonHandler } from './archive/list-poison.ts';
import { listReceiptsHandler } from './archive/list-receipts.ts';
import { settlePoisonHandler } from './archive/settle-poison.ts';
import { getArchiveHandler, listArchivesHandler } from './archive/show-archives.ts';
import { startReconcileHandler, startReprocessHandler } from './archive/start-archiving.ts';
import { checkConfigurationHandler } from './check-configuration.ts';
import { healthDetailsHandler, healthHandler, liveHandler } from './health.ts';
import type { Handler } from './http/answering.ts';
import { openApiHandler } from './openapi.ts';
import { startPruneHandler } from './prune/start-prune.ts';
import { tryRetentionHandler } from './prune/try-retention.ts';
import { rebuildCatalogHandler } from './rebuild-catalog.ts';
import { previewRestoreHandler } from './restore/preview-restore.ts';
import { startRestoreHandler } from './restore/start-restore.ts';
import { blobHistoryHandler } from './restore-points/blob-history.ts';
import { forgetHandler } from './restore-points/forget-restore-point.ts';
import { getRestorePointHandler } from './restore-points/get-restore-point.ts';
import { listPointBlobsHandler } from './restore-points/list-point-blobs.ts';
import { listRestorePointsHandler } from './restore-points/list-restore-points.ts';
import { holdHandler, releaseHandler, unholdHandler, unmarkHandler } from './restore-points/note-restore-point.ts';
import { searchNamesHandler } from './restore-points/search-names.ts';
import { showChainHandler } from './restore-points/show-chain.ts';
import { showProofHandler } from './restore-points/show-proof.ts';
import { cancelRunHandler } from './run/cancel-run.ts';
import { getRunHandler } from './run/get-run.ts';
import { getJobHandler, listJobsHandler } from './run/list-jobs.ts';
import { listOutcomesHandler } from './run/list-outcomes.ts';
import { listRunsHandler } from './run/list-runs.ts';
import { retryRunHandler } from './run/retry-run.ts';
import { showCostHandler } from './run/show-cost.ts';
import { startRunHandler } from './run/start-run.ts';
import { startVerificationHandler } from './verify/start-verification.ts';
import { overviewHandler } from './watch/overview.ts';
import { pauseJobHandler } from './watch/pause-job.ts';
import { resumeJobHandler } from './watch/resume-job.ts';
import { showMetricsHandler } from './watch/show-metrics.ts';
import { testChannelHandler } from './watch/test-channel.ts';
import { whoAmIHandler } from './who-am-i.ts';

/** Who answers each operation. */
export const HANDLERS: Readonly<Record<OperationId, (deps: Dependencies) => Handler>> = {
  startRun: startRunHandler,
  showChain: showChainHandler,
  listRuns: listRunsHandler,
  getRun: getRunHandler,
  listOutcomes: listOutcomesHandler,
  cancelRun: cancelRunHandler,
  retryRun: retryRunHandler,
  startPrune: startPruneHandler,
  startRestore: startRestoreHandler,
  previewRestore: previewRestoreHandler,
  startVerification: startVerificationHandler,
  listRestorePoints: listRestorePointsHandler,
  getRestorePoint: getRestorePointHandler,
  listPointBlobs: listPointBlobsHandler,
  holdRestorePoint: holdHandler,
  unholdRestorePoint: unholdHandler,
  unmarkRestorePoint: unmarkHandler,
  forgetRestorePoint: forgetHandler,
  releaseRestorePoint: releaseHandler,
  showProof: showProofHandler,
  blobHistory: blobHistoryHandler,
  searchNames: searchNamesHandler,
  listArchives: listArchivesHandler,
  getArchive: getArchiveHandler,
  startReconcile: startReconcileHandler,
  listReceipts: listReceiptsHandler,
  listPoison: listPoisonHandler,
  settlePoison: settlePoisonHandler,
  startReprocess: startReprocessHandler,
  metrics: showMetricsHandler,
  showCost: showCostHandler,
  overview: overviewHandler,
  listJobs: listJobsHandler,
  getJob: getJobHandler,
  tryRetention: tryRetentionHandler,
  checkRights: checkRightsHandler,
  listAccountContainers: listAccountContainersHandler,
  listAccountTables: listAccountTablesHandler,
  pauseJob: pauseJobHandler,
  resumeJob: resumeJobHandler,
  testChannel: testChannelHandler,
  checkConfiguration: checkConfigurationHandler,
  rebuildCatalog: rebuildCatalogHandler,
  health: healthHandler,
  healthDetails: healthDetailsHandler,
  live: liveHandler,
  whoAmI: whoAmIHandler,
  openApi: openApiHandler,
};
