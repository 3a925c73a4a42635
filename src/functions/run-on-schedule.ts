import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationContext, Timer } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { noteMissedStarts } from '#app/missed-start-notes.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { Job } from '#config/configuration.ts';
import { BY_SCHEDULE } from '#domain/run/by.ts';
import { dueAt, type Memory, type Occurrence, type Scheduled, type TimerStatus } from '#domain/run/occurrence.ts';
import { PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import { carriesOutPlan, type RequestedRun, type RunRef, type Without } from '#domain/run/run.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { missedStartId } from '#domain/watch/missed-start.ts';
import { isPaused, type Pause, pauseEnd } from '#domain/watch/pause.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { HttpError } from './http/http-error.ts';
import { choosePoint } from './restore-points/choose-restore-point.ts';
import { beginSchedule, memoryOf } from './run/schedule-memory.ts';
import { startRun } from './run/start-run.ts';

/** How long to wait after each failed start but the last, in retry delays of requests: three minutes in all. */
const WAITS = [16, 32, 64, 128];
/** A request to a service that does not answer takes minutes, and the function has a time limit. */
const LAST_TRY_AFTER_MS = 5 * 60_000;
/** The service reports whole seconds, at both ends of a silence. */
const ROUNDING_MS = 2_000;

type Wanted = Without<RequestedRun, 'job' | 'trigger' | 'by'>;

/** A timer fires more often than its schedule: this decides which ticks start a run. */
export function runOnScheduleHandler(deps: Dependencies, job: Job, schedule: string, what: Scheduled) {
  return async (timer: Timer, client: DurableClient, context: InvocationContext): Promise<void> => {
    const status = statusOf(timer);
    const began = deps.now();
    const named = { what, schedule: `${schedule} ${job.timeZone}` };
    const pause = await pauseOf(deps, job);
    const log = (about: object) => context.debug(`timer-tick ${JSON.stringify({ job: job.name, what, ...about })}`);
    if (pause !== 'unknown' && isPaused(pause, began)) return log({ pause });
    // Each request to a vault that does not answer may take minutes, so it is not asked twice.
    const memory = pause === 'unknown' ? undefined : await memoryOf(deps, job, named);
    const ended = pause === 'unknown' ? undefined : pauseEnd(pause, began);
    const at = dueAt(schedule, job.timeZone, began, status, sincePause(memory, ended));
    const ticked = at !== undefined && status.last !== undefined && at <= status.last;
    const due = at && { ...named, at, ticked };
    const result = due ? await startInTime(deps, client, job, due) : 'no occurrence is due';
    if (!memory) await beginSchedule(deps, job, { ...named, at: owedSince(due?.at, result) ?? began });
    log({ due: at, result });
  };
}

/** `unknown` if the vault does not answer: then no run can start, either. */
async function pauseOf(deps: Dependencies, { name, destination }: Job): Promise<Pause | undefined | 'unknown'> {
  try {
    return (await new WatchStore(deps.blobs(destination.account)).readPauses()).jobs[name];
  } catch (error) {
    if (isStorageError(error)) return 'unknown';
    throw error;
  }
}

/** What a pause covered is not made up for. */
function sincePause(memory: Memory | undefined, end: Date | undefined): Memory | undefined {
  return end && !(memory && memory.at > end) ? { at: end, isSettled: true } : memory;
}

/** What is due and could not start yet stays owed. */
function owedSince(due: Date | undefined, result: string): Date | undefined {
  return due && new Date(due.getTime() - (result.startsWith('served') ? 0 : 1));
}

/** The host writes a time that it does not know as one in the year 1, or gives no status at all. */
function statusOf({ scheduleStatus }: Timer): TimerStatus {
  const known = (text: string | undefined) => (Date.parse(String(text)) > 0 ? new Date(String(text)) : undefined);
  const { last, lastUpdated, next } = scheduleStatus ?? {};
  return { last: known(last), lastUpdated: known(lastUpdated), next: known(next) };
}

/** Starts the run of an occurrence. If that fails, tries again for some minutes. */
async function startInTime(deps: Dependencies, client: DurableClient, job: Job, due: Occurrence): Promise<string> {
  const time = () => deps.now().getTime();
  const began = time();
  let failedAt = Number.NEGATIVE_INFINITY;
  for (let failures = 0; ; ) {
    try {
      const result = await startDue(deps, client, job, due);
      // After a failure, another run may be that of the failed start: then it shows as lost from that time on.
      const certainIn = failedAt + patienceOf(deps.limits).begins + ROUNDING_MS - time();
      if (result.startsWith('started') || certainIn <= 0) return result;
      await sleep(certainIn);
    } catch (error) {
      const about = { job: job.name, what: due.what, due: due.at.toISOString(), message: (error as Error).message };
      if (failures === WAITS.length || time() > began + LAST_TRY_AFTER_MS) {
        deps.telemetry.startFailed(about);
        await noteMissed(deps, job, due, { code: codeOf(error) });
        throw error;
      }
      deps.telemetry.warn('start-retried', about);
      failedAt = time();
      await sleep(WAITS[failures++]! * deps.limits.retryDelayMs);
    }
  }
}

async function startDue(deps: Dependencies, client: DurableClient, job: Job, due: Occurrence): Promise<string> {
  const wanted = await wantedBy(deps, job, due.what);
  if (!wanted) return 'there is nothing to do';
  const result = await startRun(deps, client, { ...wanted, job: job.name, trigger: 'timer', by: BY_SCHEDULE }, due);
  if ('started' in result) return `started ${result.started.id}`;
  if ('served' in result) return `served by ${result.served}`;
  const { running, reason } = result;
  deps.telemetry.runNotStarted(job.name, running.id, reason);
  // The next tick tries again, unless the run in progress does the same.
  if (doesTheSame(running, wanted)) await jobContextOf(deps, job.name).control.markServed(running, due, deps.now());
  else await noteMissed(deps, job, due, { code: 'run-in-progress', run: running.id });
  return `not started, as ${running.id} is in progress`;
}

/** A vault that does not answer is not asked to take the note now: the watch does so when it answers. */
async function noteMissed(
  deps: Dependencies,
  job: Job,
  { what, at }: Occurrence,
  why: { code: ProblemCode; run?: string },
): Promise<void> {
  const id = missedStartId(job.name, what, at);
  const missed = { id, job: job.name, what, due: at.toISOString(), at: deps.now().toISOString(), ...why };
  deps.missedStarts.set(id, missed);
  if (why.code !== 'unreachable') await noteMissedStarts(deps);
}

function codeOf(error: unknown): ProblemCode {
  if (!(error instanceof HttpError)) return problemCodeOf(error, 'destination');
  return Object.hasOwn(PROBLEMS, error.code) ? (error.code as ProblemCode) : 'internal';
}

/** Whether a run in progress does what an occurrence asks for. A dry run and the retry of another run do less. */
function doesTheSame(running: RunRef, wanted: Wanted): boolean {
  switch (wanted.mode) {
    case 'prune':
      return running.mode === 'prune' && (running.prune.carryOut === true || carriesOutPlan(running));
    case 'verify':
      return running.mode === 'verify' && running.verify.kind === wanted.verify.kind;
    case 'reconcile':
      return running.mode === 'reconcile';
    default:
      return (running.mode === 'full' || running.mode === 'incremental') && !running.dryRun;
  }
}

async function wantedBy(deps: Dependencies, job: Job, what: Scheduled): Promise<Wanted | undefined> {
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
