import type { InvocationContext, Timer } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import type { Job } from '#config/configuration.ts';
import type { RequestedRun, Without } from '#domain/run/run.ts';
import { isDue } from '#domain/run/schedule.ts';
import { HttpError } from './http/http-error.ts';
import { choosePoint } from './restore-points/choose-restore-point.ts';
import { startRun } from './run/start-run.ts';

/** A schedule in a time zone is registered as one that fires at least hourly: a tick covers the time since the last. */
const HOURLY_WITH_SLACK_MS = 65 * 60_000;

/** What a schedule starts. Each has a timer function. */
export type Scheduled = 'backup' | 'verify' | 'prune' | 'reconcile';

export function runOnScheduleHandler(deps: Dependencies, job: Job, schedule: string, what: Scheduled) {
  return async (timer: Timer, client: DurableClient, _context: InvocationContext): Promise<void> => {
    if (!isTimeFor(schedule, job.timeZone, timer, deps.now())) return;
    const wanted = await wantedBy(deps, job, what);
    if (!wanted) return;
    const result = await startRun(deps, client, { ...wanted, job: job.name, trigger: 'timer' });
    if ('running' in result) deps.telemetry.runNotStarted(job.name, result.running.id, result.reason);
  };
}

async function wantedBy(
  deps: Dependencies,
  job: Job,
  what: Scheduled,
): Promise<Without<RequestedRun, 'job' | 'trigger'> | undefined> {
  switch (what) {
    case 'backup':
      return { mode: job.mode, dryRun: false };
    case 'reconcile':
      return { mode: 'reconcile', dryRun: false };
    case 'prune':
      // This run makes the plan, for operators to read later; another run carries it out at once.
      return { mode: 'prune', dryRun: true, prune: { carryOut: true } };
    case 'verify': {
      const { kind = 'quick', portion = '100%' } = job.verify ?? {};
      const point = await newestPoint(deps, job.name);
      if (point === undefined) return undefined;
      return { mode: 'verify', dryRun: false, verify: { point, kind, portion, turn: 0, sample: 0 } };
    }
  }
}

/** Undefined before the first backup. */
async function newestPoint(deps: Dependencies, job: string): Promise<string | undefined> {
  try {
    return (await choosePoint(deps, { job }, 'verify')).summary.id;
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return undefined;
    throw error;
  }
}

/** In UTC the host fires by the schedule of the job. In other time zones it fires more often, and this decides. */
function isTimeFor(schedule: string, timeZone: string, timer: Timer, now: Date): boolean {
  if (timeZone === 'UTC' || !timer.scheduleStatus) return true;
  const last = Date.parse(timer.scheduleStatus.last);
  const recent = now.getTime() - HOURLY_WITH_SLACK_MS;
  // After an outage, one tick covers all missed ones: the occurrence among them must not be lost.
  const from = Number.isNaN(last) || last <= 0 ? recent : timer.isPastDue ? last : Math.max(last, recent);
  return isDue(schedule, timeZone, new Date(from), now);
}
