import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { RunLock } from '#domain/run/lock.ts';
import { hintFor, PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { Document } from '#storage/control/control-container.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { lossOfNewest } from './find-restore-point.ts';
import { findRun } from './find-run.ts';
import { silenceOf } from './holder-life.ts';

export interface JobHealth {
  /** What the next start of the job would meet, or what its last restore point lacks; null if there is nothing. */
  problem: HealthProblem | null;
  /** The run that holds the lock though it has ended without a summary: the next start closes it. */
  lostRun: string | null;
  /** The run that holds the lock, if it has given no sign of life for too long. */
  silent: { run: string; hint: string } | null;
}

export interface HealthProblem {
  code: ProblemCode;
  message: string;
  hint: string;
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
      const { point } = lock.value;
      const loss = point === undefined ? undefined : await lossOfNewest(context.control, { job, id: point });
      if (loss) throw loss;
      const held = containers && (await heldContainers(context, lock.value, known));
      const lost = held?.filter((name) => !containers?.has(name)) ?? [];
      if (lost.length > 0) health.problem = problem('content-missing', lostContainers(context, lock.value, lost));
    } catch (error) {
      if (!isStorageError(error)) throw error;
      health.problem = problem(problemCodeOf(error, 'destination'), shownMessage(context.vault.alias, error));
    }
    return health;
  };
}

export function problem(code: ProblemCode, message: string): HealthProblem {
  return { code, message, hint: PROBLEMS[code].hint };
}

/**
 * What anyone may read of an error. Of an object of the control container, the message has the path, which says no more
 * than the rest of the health check; others may have the address of an account, or the name of a blob.
 */
export function shownMessage(alias: string, error: StorageError): string {
  if (error.kind === 'damaged') return error.message;
  const meaning = PROBLEMS[problemCodeOf(error, 'destination')].meaning;
  return `${alias}: ${meaning}${error.code === '' ? '' : ` (${error.code})`}`;
}

function lostContainers({ vault }: JobContext, { point }: RunLock, lost: readonly string[]): string {
  const names = lost.slice(0, MOST_NAMED).map((name) => `"${name}"`);
  const more = lost.length > names.length ? ` and ${lost.length - names.length} more` : '';
  return `Restore point ${point} needs ${names.join(', ')}${more}, and ${vault.alias} does not have that container`;
}

const MOST_NAMED = 5;

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
