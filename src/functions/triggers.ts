import { app } from '@azure/functions';
import * as df from 'durable-functions';
import type { Activities } from '#activities/index.ts';
import { OPERATIONS, type OperationId } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { asJob } from '#app/job-context.ts';
import type { ArchiveRule, Job } from '#config/configuration.ts';
import type { Scheduled } from '#domain/run/occurrence.ts';
import { hostSchedule } from '#domain/run/schedule.ts';
import { blobEventHandler, queueEventsHandler } from './archive/archive-events.ts';
import { queuesOf } from './archive/event-queues.ts';
import { BLOB_POISON_QUEUE, blobPoisonHandler, queuePoisonHandler } from './archive/poison-events.ts';
import { HANDLERS } from './handlers.ts';
import { registrationOf } from './http/registration.ts';
import { purgeHistoriesHandler } from './purge-histories.ts';
import { runOnScheduleHandler } from './run-on-schedule.ts';
import { sendMetricsHandler } from './watch/send-metrics.ts';
import { watchHandler } from './watch/watch.ts';

/** Registers a function whose handler has been made. */
export type Registration = () => void;

/** Every operation of the HTTP API. */
export function routes(deps: Dependencies): Registration[] {
  return (Object.keys(OPERATIONS) as OperationId[]).map((id) => {
    const handler = HANDLERS[id](deps);
    return () => df.app.client.http(id, { ...registrationOf(OPERATIONS[id], deps.configuration.access), handler });
  });
}

/** At night in UTC, and not on the hour, when the runs of many jobs begin. */
const PURGE_SCHEDULE = '0 17 3 * * *';

/**
 * The name of a function. Without hyphens, so that the app setting `AzureWebJobs.{name}.Disabled` can switch it off: on
 * Linux, names of settings have none. Names of jobs, rules and queues have no underscores, so no two become alike.
 */
export function functionName(...parts: string[]): string {
  return parts.join('_').replaceAll('-', '_');
}

/**
 * A timer for every schedule of the configuration, one for the watch, one for the purge of histories, and with a
 * collector one for metrics.
 */
export function timers(deps: Dependencies): Registration[] {
  const { jobs, archives, notify } = deps.configuration;
  const timer = (job: Job, expression: string | undefined, what: Scheduled): Registration[] => {
    if (expression === undefined) return [];
    const handler = runOnScheduleHandler(deps, job, expression, what);
    const schedule = hostSchedule(expression, job.timeZone);
    return [() => df.app.client.timer(functionName(what, job.name), { schedule, handler })];
  };
  const purge = purgeHistoriesHandler(deps);
  const watch = watchHandler(deps);
  const send = deps.sendSamples && sendMetricsHandler(deps, deps.sendSamples);
  return [
    () => df.app.client.timer('purge_histories', { schedule: PURGE_SCHEDULE, handler: purge }),
    () => app.timer('watch', { schedule: notify.every, handler: watch }),
    ...(send ? [() => df.app.client.timer('send_metrics', { schedule: notify.every, handler: send })] : []),
    ...jobs.flatMap((job) => [
      ...timer(job, job.schedule, 'backup'),
      ...timer(job, job.verify?.schedule, 'verify'),
      ...timer(job, job.retention?.schedule, 'prune'),
    ]),
    ...archives.flatMap((rule) => timer(asJob(rule), rule.reconcile, 'reconcile')),
  ];
}

/** The queues that receive upload events, and their poison queues. */
export function queues(deps: Dependencies, activities: Activities): Registration[] {
  return queuesOf(deps.configuration.archives).flatMap(({ id, queue: queueName, connection, rules }) => {
    const handler = queueEventsHandler(deps, activities, queueName, rules);
    const poison = `${queueName}-poison`;
    const keep = queuePoisonHandler(deps, activities, poison, rules);
    return [
      () => df.app.client.storageQueue(functionName('archive_queue', id), { queueName, connection, handler }),
      () => app.storageQueue(functionName('archive_poison', id), { queueName: poison, connection, handler: keep }),
    ];
  });
}

/** The blob triggers of archive rules. The host has one poison queue per source account for all of them. */
export function blobTriggers(deps: Dependencies, activities: Activities): Registration[] {
  const rules = deps.configuration.archives.filter(({ events }) => events?.blobTrigger !== undefined);
  const functionOf = ({ name }: ArchiveRule) => functionName('archive_blob', name);
  const sources = new Set(rules.map(({ source }) => source.account));
  return [
    ...rules.map((rule) => {
      const { account: connection, container } = rule.source;
      const source = rule.events?.blobTrigger === 'event-grid' ? 'EventGrid' : 'LogsAndContainerScan';
      const handler = blobEventHandler(deps, activities, rule);
      const path = `${container}/{name}`;
      return () => df.app.client.storageBlob(functionOf(rule), { path, connection, source, handler });
    }),
    ...[...sources].map((connection) => {
      const handler = blobPoisonHandler(deps, activities, rules, functionOf);
      const name = functionName('archive_blobs_poison', connection);
      return () => df.app.client.storageQueue(name, { queueName: BLOB_POISON_QUEUE, connection, handler });
    }),
  ];
}
