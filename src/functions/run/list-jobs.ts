import type { ShownJob } from '#api/jobs.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { Job } from '#config/configuration.ts';
import { scheduleWords } from '#domain/run/schedule-words.ts';
import { nextTimes } from '#domain/watch/next-start.ts';
import { settingOfCheck } from '#domain/watch/ping.ts';
import { answering, reply } from '../http/answering.ts';
import { configuredJob } from './configured-job.ts';

/** How many times of a schedule are shown. */
const TIMES = 5;

/** GET /api/jobs — the jobs as they are in force. Asks no storage. */
export function listJobsHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.listJobs, async () =>
    reply(200, { jobs: deps.configuration.jobs.map((job) => shownJob(job, deps.now())) }),
  );
}

/** GET /api/jobs/{job} */
export function getJobHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.getJob, async ({ params }) =>
    reply(200, shownJob(configuredJob(deps, params.job), deps.now())),
  );
}

function shownJob(job: Job, now: Date): ShownJob {
  const { name, mode, method, timeZone, schedule, source, destination, retention, verify, expect, ping } = job;
  const shown = (kind: ShownJob['schedules'][number]['kind'], expr: string | undefined) =>
    expr === undefined
      ? []
      : [
          {
            ...{ kind, schedule: expr, words: scheduleWords(expr) },
            next: nextTimes(expr, timeZone, now, TIMES).map((time) => time.toISOString()),
          },
        ];
  return {
    ...{ name, mode, method, timeZone },
    schedules: [
      ...shown('backup', schedule),
      ...shown('verify', verify?.schedule),
      ...shown('prune', retention?.schedule),
    ],
    source,
    destination,
    retention: retention ? shownRetention(retention, destination.account) : null,
    verify: verify
      ? {
          ...{ afterRun: verify.afterRun ?? null, kind: verify.kind, portion: verify.portion },
          ...{ expect: verify.expect ?? null, ping: verify.ping ?? null },
        }
      : null,
    expect: { grace: expect?.grace ?? null, every: expect?.every ?? null },
    ping: ping === undefined ? null : settingOfCheck(ping),
  };
}

function shownRetention({ schedule: _, ping, account, ...rest }: NonNullable<Job['retention']>, vault: string) {
  return { ...rest, account: account ?? vault, ping: ping === undefined ? null : settingOfCheck(ping) };
}
