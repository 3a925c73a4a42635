import type { DurableClient } from 'durable-functions';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { hasRecord } from '#domain/run/chain-record.ts';
import { defined } from '#domain/run/defined.ts';
import { hintFor, type Problem, problemOf } from '#domain/run/problems.ts';
import { reportOf } from '#domain/run/report.ts';
import { pointOfRun, type RunRef, type RunReport, type RunSummary, retriedRun } from '#domain/run/run.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { findRun } from './find-run.ts';
import { type HolderLife, silentFor } from './holder-life.ts';
import { listRows } from './list-rows.ts';

/** The report of a run, with the calls of its hints for this run. */
export async function readReport(deps: Dependencies, client: DurableClient, id: string): Promise<RunReport> {
  const report = await reportSoFar(deps, client, id);
  const ready = (problems: readonly Problem[]) =>
    problems.map((problem) => ({ ...problem, hint: hintFor(report, problem.hint) }));
  const containers = report.containers.map((each) => ({ ...each, problems: ready(each.problems) }));
  return { ...report, containers, problems: ready(report.problems) };
}

/** From its summary, or from its parts so far. */
async function reportSoFar(deps: Dependencies, client: DurableClient, id: string): Promise<RunReport> {
  const found = await findRun(deps, client, id);
  if (found.state === 'ended') {
    const { format, source, vault, destination, restorePoint, parts, compared, properties, brake, ...report } =
      found.summary;
    const chain = hasRecord(found.summary)
      ? await new ChainStore(deps.blobs(found.vault)).linkOfRun(report)
      : undefined;
    return { ...report, ...defined({ chain }) };
  }
  const now = deps.now();
  if (found.state === 'lost') {
    const problems = [problemOf('run-lost', 0)];
    return reportOf(found.run, found.parts, { status: 'failed', now, finishedAt: now, problems, requests: {} });
  }
  const [parts, expected] = await Promise.all([
    found.control.listParts(found.run),
    expectedOf(deps, found.vault, found.run),
  ]);
  const report = reportOf(found.run, parts, {
    status: 'running',
    now,
    problems: silentProblem(deps, found),
    requests: {},
    ...(expected !== undefined && { expected }),
    containers: found.containers ?? Number.POSITIVE_INFINITY,
  });
  return {
    ...report,
    lastSign: found.lastSign?.writtenAt.toISOString() ?? null,
    countsAsLostAt: new Date(now.getTime() + found.patience).toISOString(),
  };
}

function silentProblem({ limits }: Dependencies, { silence }: HolderLife): Problem[] {
  if (silence <= patienceOf(limits).reported) return [];
  return [problemOf('run-silent', 0, undefined, `The run has given no sign of life for ${silentFor(silence)}`)];
}

/**
 * How many blobs a run will probably list: a backup as many as the last one, a restore as many as its restore point
 * has.
 */
async function expectedOf(deps: Dependencies, vault: string, run: RunRef): Promise<number | undefined> {
  const { job, mode } = run;
  const point = pointOfRun(run);
  const restore = run.mode === 'restore' ? run.restore : undefined;
  try {
    if (retriedRun(run) !== undefined || mode === 'prune' || mode === 'reprocess') return undefined;
    if (point) return heldIn(await new ControlStore(deps.blobs(vault)).readSummary({ job, id: point }), restore);
    const { rows } = await listRows(deps, vault, { job, runsOnly: true, limit: 10 });
    const alike = mode === 'reconcile' ? ['reconcile'] : ['full', 'incremental'];
    const last = rows.find((row) => alike.includes(row.mode) && /^(succeeded|completed)/.test(row.status));
    return last?.counts?.listed;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/** Unknown if the restore selects only some names of a container, or some keys of a table. */
function heldIn(point: RunSummary | undefined, restore: RestoreTask | undefined): number | undefined {
  const isSome = restore && (restore.startsWith || restore.include.length || restore.exclude.length || restore.keys);
  if (!point || isSome) return undefined;
  return point.parts
    .filter(({ container }) => !restore || isRestored(restore, container))
    .reduce((sum, { copied, unchanged }) => sum + copied + unchanged, 0);
}

/** GET /api/runs/{id} */
export function getRunHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.getRun, async ({ params: { id } }, client) =>
    reply(200, await readReport(deps, client, id)),
  );
}
