import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { RunLock } from '#domain/run/lock.ts';
import { hintFor, PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { Document } from '#storage/control/control-container.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { findRun } from './find-run.ts';
import { silenceOf } from './holder-life.ts';

export interface JobHealth {
  /** What the next start of the job would meet, or what its last restore point lacks; null if there is nothing. */
  problem: { code: ProblemCode; hint: string } | null;
  /** The run that holds the lock though it has ended without a summary: the next start closes it. */
  lostRun: string | null;
  /** The run that holds the lock, if it has given no sign of life for too long. */
  silent: { run: string; hint: string } | null;
}

/** The containers of a vault, if all are known. */
export type Containers = ReadonlySet<string> | undefined;

/** Looks at a job, or an archive rule, as a start of it would. */
export function jobHealth(deps: Dependencies) {
  /** By job: a summary is large, and a restore point keeps its containers. */
  const known = new Map<string, { point: string; containers: string[] }>();
  return async (client: DurableClient, job: string, containers: Containers): Promise<JobHealth> => {
    const context = jobContextOf(deps, job);
    const health: JobHealth = { problem: null, lostRun: null, silent: null };
    try {
      const lock = await context.control.readLock(job);
      if (!lock) return health;
      health.lostRun = await lostRunOf(deps, client, lock);
      health.silent = await silentRun(deps, context, lock);
      const held = containers && (await heldContainers(context, lock.value, known));
      if (held?.some((name) => !containers?.has(name))) health.problem = problem('content-missing');
    } catch (error) {
      if (!isStorageError(error)) throw error;
      health.problem = problem(problemCodeOf(error, 'destination'));
    }
    return health;
  };
}

export function problem(code: ProblemCode): { code: ProblemCode; hint: string } {
  return { code, hint: PROBLEMS[code].hint };
}

async function lostRunOf(deps: Dependencies, client: DurableClient, { value: { run } }: Document<RunLock>) {
  return run && (await findRun(deps, client, run.id)).state === 'lost' ? run.id : null;
}

async function silentRun(deps: Dependencies, { control }: JobContext, { value: { run }, age }: Document<RunLock>) {
  if (!run || (await silenceOf(control, run, age)) <= patienceOf(deps.limits).reported) return null;
  return { run: run.id, hint: hintFor(run, PROBLEMS['run-silent'].hint) };
}

/** The backup containers that the last restore point of a job needs. */
async function heldContainers(
  { control }: JobContext,
  { job, point }: RunLock,
  known: Map<string, { point: string; containers: string[] }>,
): Promise<string[]> {
  if (point === undefined) return [];
  const before = known.get(job);
  if (before?.point === point) return before.containers;
  const summary = await control.readSummary({ job, id: point }).catch((error) => {
    // It keeps no run from starting.
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  });
  const held = (summary?.parts ?? []).filter(
    ({ container, copied, unchanged }) => copied + unchanged > 0 && tableOfTask(container) === undefined,
  );
  const containers = [...new Set(held.map(({ destination }) => destination))];
  known.set(job, { point, containers });
  return containers;
}
