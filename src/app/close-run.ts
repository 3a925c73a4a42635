import { usageOf } from '#domain/cost/usage.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { reportOf } from '#domain/run/report.ts';
import { leftBy, type RunSummary, type UnlockedRun } from '#domain/run/run.ts';
import { SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { traceOfRun } from '#domain/run/trace.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { appendToChain } from './append-to-chain.ts';
import type { Dependencies } from './dependencies.ts';
import { runsAs } from './job-context.ts';
import { noteInCatalog } from './note-in-catalog.ts';
import { runTotal } from './run-prices.ts';

/** A run and its vault. Its job may no longer be configured. */
export interface RunInVault {
  run: UnlockedRun;
  /** Alias. */
  vault: string;
}

/**
 * Writes the summary of a run that is no longer in progress and did not write one, before another run takes its lock,
 * with the problem that says why if it failed. If the run publishes at the same moment, the first of the two summaries
 * counts. Returns that one.
 */
export async function closeRun(
  deps: Dependencies,
  { run, vault }: RunInVault,
  status: 'failed' | 'cancelled',
  problem: Problem = problemOf('run-lost', 0),
): Promise<RunSummary> {
  const control = new ControlStore(deps.blobs(vault));
  const job = runsAs(deps).find(({ name }) => name === run.job);
  const now = deps.now();
  const problems = status === 'failed' ? [problem] : [];
  const parts = await control.listParts(run);
  const summary: RunSummary = {
    format: SUMMARY_FORMAT,
    ...reportOf(run, parts, { status, now, finishedAt: now, problems, requests: {} }),
    source: job ? deps.blobs(job.source.account).endpoint : '',
    vault: deps.blobs(vault).endpoint,
    destination: { container: job?.destination.container ?? '', prefix: job?.destination.prefix ?? '' },
    restorePoint: false,
    parts: [],
    compared: [],
  };
  if (!(await control.writeSummary(summary))) return (await control.readSummary(run))!;
  await noteInCatalog(deps, vault, catalogRowOf(summary));
  deps.telemetry.runFinished(summary, runTotal(deps, summary, usageOf(summary)), traceOfRun(run));
  return summary;
}

/** Closes a run and releases its lock. */
export async function endRun(
  deps: Dependencies,
  place: RunInVault,
  status: 'failed' | 'cancelled',
  problem?: Problem,
): Promise<RunSummary> {
  const { run, vault } = place;
  const summary = await closeRun(deps, place, status, problem);
  // The run may have published a restore point, or have removed restore points, before it was closed.
  await appendToChain(deps, deps.blobs(vault), summary, { late: true });
  await new ControlStore(deps.blobs(vault)).releaseLock(run, deps.now(), leftBy(summary));
  return summary;
}
