import type { HttpMethod } from '@azure/functions';
import type { Dependencies } from '#app/dependencies.ts';
import { listPoisonHandler } from './archive/list-poison.ts';
import { listReceiptsHandler } from './archive/list-receipts.ts';
import { startReconcileHandler, startReprocessHandler } from './archive/start-archiving.ts';
import { healthHandler } from './health.ts';
import type { answering } from './http/answering.ts';
import { startPruneHandler } from './prune/start-prune.ts';
import { rebuildCatalogHandler } from './rebuild-catalog.ts';
import { startRestoreHandler } from './restore/start-restore.ts';
import { blobHistoryHandler } from './restore-points/blob-history.ts';
import { forgetHandler } from './restore-points/forget-restore-point.ts';
import { getRestorePointHandler } from './restore-points/get-restore-point.ts';
import { listPointBlobsHandler } from './restore-points/list-point-blobs.ts';
import { listRestorePointsHandler } from './restore-points/list-restore-points.ts';
import { holdHandler, releaseHandler, unholdHandler, unmarkHandler } from './restore-points/note-restore-point.ts';
import { showChainHandler } from './restore-points/show-chain.ts';
import { cancelRunHandler } from './run/cancel-run.ts';
import { getRunHandler } from './run/get-run.ts';
import { listOutcomesHandler } from './run/list-outcomes.ts';
import { listRunsHandler } from './run/list-runs.ts';
import { retryRunHandler } from './run/retry-run.ts';
import { startRunHandler } from './run/start-run.ts';
import { startVerificationHandler } from './verify/start-verification.ts';
import { pauseJobHandler } from './watch/pause-job.ts';
import { resumeJobHandler } from './watch/resume-job.ts';
import { testChannelHandler } from './watch/test-channel.ts';

type Route = readonly [
  name: string,
  method: HttpMethod,
  path: string,
  makeHandler: (deps: Dependencies) => ReturnType<typeof answering>,
  authLevel?: 'anonymous',
];

/** The HTTP API. In Azure, every route needs a function key unless it is anonymous. */
export const ROUTES: readonly Route[] = [
  ['startRun', 'POST', 'jobs/{job}/runs', startRunHandler],
  ['showChain', 'GET', 'jobs/{job}/chain', showChainHandler],
  ['pauseJob', 'POST', 'jobs/{job}/pause', pauseJobHandler],
  ['resumeJob', 'POST', 'jobs/{job}/resume', resumeJobHandler],
  ['listRuns', 'GET', 'runs', listRunsHandler],
  ['getRun', 'GET', 'runs/{id}', getRunHandler],
  ['listOutcomes', 'GET', 'runs/{id}/outcomes', listOutcomesHandler],
  ['cancelRun', 'POST', 'runs/{id}/cancel', cancelRunHandler],
  ['retryRun', 'POST', 'runs/{id}/retry', retryRunHandler],
  ['startPrune', 'POST', 'prunes', startPruneHandler],
  ['startRestore', 'POST', 'restores', startRestoreHandler],
  ['startVerification', 'POST', 'verifications', startVerificationHandler],
  ['listRestorePoints', 'GET', 'restore-points', listRestorePointsHandler],
  ['getRestorePoint', 'GET', 'restore-points/{id}', getRestorePointHandler],
  ['listPointBlobs', 'GET', 'restore-points/{id}/blobs', listPointBlobsHandler],
  ['holdRestorePoint', 'POST', 'restore-points/{id}/hold', holdHandler],
  ['unholdRestorePoint', 'POST', 'restore-points/{id}/unhold', unholdHandler],
  ['unmarkRestorePoint', 'POST', 'restore-points/{id}/unmark', unmarkHandler],
  ['forgetRestorePoint', 'POST', 'restore-points/{id}/forget', forgetHandler],
  ['releaseRestorePoint', 'POST', 'restore-points/{id}/release', releaseHandler],
  ['blobHistory', 'GET', 'blobs/history', blobHistoryHandler],
  ['startReconcile', 'POST', 'archives/{rule}/reconcile', startReconcileHandler],
  ['listReceipts', 'GET', 'archives/{rule}/receipts', listReceiptsHandler],
  ['listPoison', 'GET', 'archives/{rule}/poison', listPoisonHandler],
  ['startReprocess', 'POST', 'archives/{rule}/reprocess', startReprocessHandler],
  ['testChannel', 'POST', 'notify/test', testChannelHandler],
  ['rebuildCatalog', 'POST', 'catalog/rebuild', rebuildCatalogHandler],
  ['health', 'GET', 'health', healthHandler, 'anonymous'],
];
