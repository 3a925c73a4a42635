import type { InvocationContext, Timer } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '../activities/dependencies.ts';
import type { Job } from '../config.ts';
import { isDue } from '../domain/schedule.ts';
import { startRun } from './start-run.ts';

/** A time-zone schedule is registered as one that fires at least hourly; a tick answers for the time since the last. */
const HOURLY_WITH_SLACK_MS = 65 * 60_000;

/** One timer function per job. */
export function timerHandler(deps: Dependencies, job: Job) {
  return async (timer: Timer, client: DurableClient, _context: InvocationContext): Promise<void> => {
    if (!isTimeFor(job, timer, deps.now())) return;
    const result = await startRun(deps, client, { job: job.name, mode: job.mode, trigger: 'timer', dryRun: false });
    if ('running' in result) deps.telemetry.runNotStarted(job.name, result.running.id);
  };
}

/** In UTC the host's own schedule is the job's; in any other zone it only comes often enough for us to decide. */
function isTimeFor(job: Job, timer: Timer, now: Date): boolean {
  if (job.schedule === undefined || job.timeZone === 'UTC' || !timer.scheduleStatus) return true;
  const last = Date.parse(timer.scheduleStatus.last);
  const recent = now.getTime() - HOURLY_WITH_SLACK_MS;
  // After an outage the ticks that were missed come as one; the occurrence among them must not be lost.
  const from = Number.isNaN(last) || last <= 0 ? recent : timer.isPastDue ? last : Math.max(last, recent);
  return isDue(job.schedule, job.timeZone, new Date(from), now);
}
