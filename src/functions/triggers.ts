import { app } from '@azure/functions';
import * as df from 'durable-functions';
import type { Activities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { asJob } from '#app/job-context.ts';
import type { ArchiveRule, Job } from '#config/configuration.ts';
import type { Scheduled } from '#domain/run/occurrence.ts';
import { hostSchedule } from '#domain/run/schedule.ts';
import { blobEventHandler, queueEventsHandler } from './archive/archive-events.ts';
import { queuesOf } from './archive/event-queues.ts';
import { BLOB_POISON_QUEUE, blobPoisonHandler, queuePoisonHandler } from './archive/poison-events.ts';
import { purgeHistoriesHandler } from './purge-histories.ts';
import { ROUTES } from './routes.ts';
import { runOnScheduleHandler } from './run-on-schedule.ts';

/** Registers every route of the HTTP API. */
export function registerRoutes(deps: Dependencies): void {
  for (const [name, method, route, makeHandler, authLevel = 'function'] of ROUTES) {
    df.app.client.http(name, { methods: [method], route, authLevel, handler: makeHandler(deps) });
  }
}

/** At night in UTC, and not on the hour, when the runs of many jobs begin. */
const PURGE_SCHEDULE = '0 17 3 * * *';

/** Registers a timer for every schedule of the configuration, and the purge of histories. */
export function registerTimers(deps: Dependencies): void {
  const { jobs, archives } = deps.configuration;
  const register = (name: string, job: Job, schedule: string | undefined, what: Scheduled) => {
    if (schedule === undefined) return;
    const handler = runOnScheduleHandler(deps, job, schedule, what);
    df.app.client.timer(name, { schedule: hostSchedule(schedule, job.timeZone), handler });
  };
  for (const job of jobs) {
    register(`backup-${job.name}`, job, job.schedule, 'backup');
    register(`verify-${job.name}`, job, job.verify?.schedule, 'verify');
    register(`prune-${job.name}`, job, job.retention?.schedule, 'prune');
  }
  df.app.client.timer('purge-histories', { schedule: PURGE_SCHEDULE, handler: purgeHistoriesHandler(deps) });
  for (const rule of archives) register(`reconcile-${rule.name}`, asJob(rule), rule.reconcile, 'reconcile');
}

/** Registers the queues that receive upload events, and their poison queues. */
export function registerQueues(deps: Dependencies, activities: Activities): void {
  for (const { id, queue: queueName, connection, rules } of queuesOf(deps.configuration.archives)) {
    const handler = queueEventsHandler(deps, activities, queueName, rules);
    df.app.client.storageQueue(`archive-queue-${id}`, { queueName, connection, handler });
    const poison = `${queueName}-poison`;
    const keep = queuePoisonHandler(deps, activities, poison, rules);
    app.storageQueue(`archive-poison-${id}`, { queueName: poison, connection, handler: keep });
  }
}

/** Registers the blob triggers of archive rules. The host has one poison queue per source account for all of them. */
export function registerBlobTriggers(deps: Dependencies, activities: Activities): void {
  const rules = deps.configuration.archives.filter(({ events }) => events?.blobTrigger !== undefined);
  const functionOf = ({ name }: ArchiveRule) => `archive-blob-${name}`;
  for (const rule of rules) {
    const { account: connection, container } = rule.source;
    df.app.client.storageBlob(functionOf(rule), {
      path: `${container}/{name}`,
      connection,
      source: rule.events?.blobTrigger === 'event-grid' ? 'EventGrid' : 'LogsAndContainerScan',
      handler: blobEventHandler(deps, activities, rule),
    });
  }
  for (const connection of new Set(rules.map(({ source }) => source.account))) {
    app.storageQueue(`archive-blob-poison-${connection}`, {
      queueName: BLOB_POISON_QUEUE,
      connection,
      handler: blobPoisonHandler(deps, activities, rules, functionOf),
    });
  }
}
