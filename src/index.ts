import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import pLimit from 'p-limit';
import { makeActivities } from './activities/index.ts';
import type { Dependencies } from './app/dependencies.ts';
import { asJob } from './app/job-context.ts';
import { type ArchiveRule, type Job, readConfiguration } from './config/configuration.ts';
import { readLimits } from './config/limits.ts';
import { hostSchedule } from './domain/run/schedule.ts';
import { blobEventHandler, queueEventsHandler } from './functions/archive/archive-events.ts';
import { queuesOf } from './functions/archive/event-queues.ts';
import { listPoisonHandler } from './functions/archive/list-poison.ts';
import { listReceiptsHandler } from './functions/archive/list-receipts.ts';
import { BLOB_POISON_QUEUE, blobPoisonHandler, queuePoisonHandler } from './functions/archive/poison-events.ts';
import { startReconcileHandler, startReprocessHandler } from './functions/archive/start-archiving.ts';
import { healthHandler } from './functions/health.ts';
import { startPruneHandler } from './functions/prune/start-prune.ts';
import { rebuildCatalogHandler } from './functions/rebuild-catalog.ts';
import { startRestoreHandler } from './functions/restore/start-restore.ts';
import { blobHistoryHandler } from './functions/restore-points/blob-history.ts';
import { getRestorePointHandler } from './functions/restore-points/get-restore-point.ts';
import { listPointBlobsHandler } from './functions/restore-points/list-point-blobs.ts';
import { listRestorePointsHandler } from './functions/restore-points/list-restore-points.ts';
import { holdHandler, releaseHandler, unholdHandler } from './functions/restore-points/note-restore-point.ts';
import { cancelRunHandler } from './functions/run/cancel-run.ts';
import { getRunHandler } from './functions/run/get-run.ts';
import { listOutcomesHandler } from './functions/run/list-outcomes.ts';
import { listRunsHandler } from './functions/run/list-runs.ts';
import { retryRunHandler } from './functions/run/retry-run.ts';
import { startRunHandler } from './functions/run/start-run.ts';
import { type Scheduled, timerHandler } from './functions/run-on-schedule.ts';
import { startVerificationHandler } from './functions/verify/start-verification.ts';
import { backUpTable } from './orchestrations/back-up-table.ts';
import { finishUpload } from './orchestrations/finish-upload.ts';
import { processContainer } from './orchestrations/process-container.ts';
import { processGroup } from './orchestrations/process-group.ts';
import { runJob } from './orchestrations/run-job.ts';
import { connectBlobAccount, connectCatalog, connectTableAccount } from './storage/azure/connect.ts';
import type { BlobAccount } from './storage/blob-account.ts';
import type { Catalog } from './storage/catalog.ts';
import type { TableAccount } from './storage/table-account.ts';
import { Telemetry, type TelemetrySink } from './telemetry/telemetry.ts';

const configuration = readConfiguration({ env: process.env, cwd: process.cwd(), appRoot: join(__dirname, '..') });
const limits = readLimits(process.env.STRONGROOM_LIMITS);
const retries = { firstDelay: limits.retryDelayMs, timeout: limits.requestMs };
const telemetry = new Telemetry((line) => console.log(line), applicationInsights());

const deps: Dependencies = {
  configuration,
  limits,
  telemetry,
  copySlots: pLimit(limits.copiesAtOnce),
  blobs: once<BlobAccount>((alias) => connectBlobAccount(configuration.accounts.get(alias)!, retries)),
  tables: once<TableAccount>((alias) => connectTableAccount(configuration.accounts.get(alias)!, retries)),
  catalog: once<Catalog>((alias) => connectCatalog(configuration.accounts.get(alias)!, undefined, retries)),
  now: () => new Date(),
  random: () =>
    BigInt(`0x${randomBytes(8).toString('hex')}`)
      .toString(36)
      .padStart(6, '0')
      .slice(-6),
};

const activities = makeActivities(deps);
for (const [name, handler] of Object.entries(activities)) {
  df.app.activity(name, { handler: handler as (input: unknown) => Promise<unknown> });
}
for (const [name, orchestration] of Object.entries({
  runJob,
  processGroup,
  processContainer,
  backUpTable,
  finishUpload,
})) {
  df.app.orchestration(name, orchestration);
}

http('startRun', 'POST', 'jobs/{job}/runs', startRunHandler(deps));
http('listRuns', 'GET', 'runs', listRunsHandler(deps));
http('getRun', 'GET', 'runs/{id}', getRunHandler(deps));
http('listOutcomes', 'GET', 'runs/{id}/outcomes', listOutcomesHandler(deps));
http('cancelRun', 'POST', 'runs/{id}/cancel', cancelRunHandler(deps));
http('retryRun', 'POST', 'runs/{id}/retry', retryRunHandler(deps));
http('startPrune', 'POST', 'prunes', startPruneHandler(deps));
http('startRestore', 'POST', 'restores', startRestoreHandler(deps));
http('startVerification', 'POST', 'verifications', startVerificationHandler(deps));
http('listRestorePoints', 'GET', 'restore-points', listRestorePointsHandler(deps));
http('getRestorePoint', 'GET', 'restore-points/{id}', getRestorePointHandler(deps));
http('listPointBlobs', 'GET', 'restore-points/{id}/blobs', listPointBlobsHandler(deps));
http('holdRestorePoint', 'POST', 'restore-points/{id}/hold', holdHandler(deps));
http('unholdRestorePoint', 'POST', 'restore-points/{id}/unhold', unholdHandler(deps));
http('releaseRestorePoint', 'POST', 'restore-points/{id}/release', releaseHandler(deps));
http('blobHistory', 'GET', 'blobs/history', blobHistoryHandler(deps));
http('startReconcile', 'POST', 'archives/{rule}/reconcile', startReconcileHandler(deps));
http('listReceipts', 'GET', 'archives/{rule}/receipts', listReceiptsHandler(deps));
http('listPoison', 'GET', 'archives/{rule}/poison', listPoisonHandler(deps));
http('startReprocess', 'POST', 'archives/{rule}/reprocess', startReprocessHandler(deps));
http('rebuildCatalog', 'POST', 'catalog/rebuild', rebuildCatalogHandler(deps));
http('health', 'GET', 'health', healthHandler(deps), 'anonymous');

for (const job of configuration.jobs) {
  schedule(`timer-${job.name}`, job, job.schedule, 'backup');
  schedule(`verify-${job.name}`, job, job.verify?.schedule, 'verify');
  schedule(`prune-${job.name}`, job, job.retention?.schedule, 'prune');
}

for (const rule of configuration.archives) {
  schedule(`reconcile-${rule.name}`, asJob(rule), rule.reconcile, 'reconcile');
}
for (const { id, queue, connection, rules } of queuesOf(configuration.archives)) {
  const handler = queueEventsHandler(deps, activities, queue, rules);
  df.app.client.storageQueue(`archive-queue-${id}`, { queueName: queue, connection, handler });
  const poison = `${queue}-poison`;
  app.storageQueue(`archive-poison-${id}`, {
    queueName: poison,
    connection,
    handler: queuePoisonHandler(deps, activities, poison, rules),
  });
}
const triggered = configuration.archives.filter(({ events }) => events?.blobTrigger !== undefined);
const blobFunction = ({ name }: ArchiveRule) => `archive-blob-${name}`;
for (const rule of triggered) {
  df.app.client.storageBlob(blobFunction(rule), {
    path: `${rule.source.container}/{name}`,
    connection: rule.source.account,
    source: rule.events?.blobTrigger === 'event-grid' ? 'EventGrid' : 'LogsAndContainerScan',
    handler: blobEventHandler(deps, activities, rule),
  });
}
// The host puts what it gives up into a queue of the account that the blobs are in.
for (const connection of new Set(triggered.map(({ source }) => source.account))) {
  app.storageQueue(`archive-blob-poison-${connection}`, {
    queueName: BLOB_POISON_QUEUE,
    connection,
    handler: blobPoisonHandler(deps, activities, triggered, blobFunction),
  });
}

app.hook.appTerminate(() => telemetry.flush());

function schedule(name: string, job: Job, expression: string | undefined, what: Scheduled): void {
  if (expression === undefined) return;
  df.app.client.timer(name, {
    schedule: hostSchedule(expression, job.timeZone),
    handler: timerHandler(deps, job, expression, what),
  });
}

function http(
  name: string,
  method: 'GET' | 'POST',
  route: string,
  handler: ReturnType<typeof startRunHandler>,
  authLevel: 'function' | 'anonymous' = 'function',
): void {
  df.app.client.http(name, { methods: [method], route, authLevel, handler });
}

/** One connection per account for the whole process. */
function once<T>(make: (alias: string) => T): (alias: string) => T {
  const made = new Map<string, T>();
  return (alias) => {
    const known = made.get(alias) ?? make(alias);
    made.set(alias, known);
    return known;
  };
}

function applicationInsights(): TelemetrySink | undefined {
  const connectionString = process.env.APPLICATIONINSIGHTS_CONNECTION_STRING;
  if (!connectionString) return undefined;
  // Its own bundle, beside this one: loading it takes longer than everything else together.
  const bundle = require('./applicationinsights.cjs') as typeof import('./telemetry/application-insights.ts');
  return bundle.connectApplicationInsights(connectionString, process.env.APPLICATIONINSIGHTS_AUTHENTICATION_STRING);
}
