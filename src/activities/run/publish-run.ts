import { appendToChain } from '#app/append-to-chain.ts';
import { endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { pingEnd } from '#app/ping-check.ts';
import { runTotal } from '#app/run-prices.ts';
import { setupChange, vaultOfSetup } from '#app/run-setup.ts';
import { usageOf } from '#domain/cost/usage.ts';
import { standingOf } from '#domain/run/lock.ts';
import { addRequests } from '#domain/run/request-counts.ts';
import { leftBy, type RunRef, type RunStatus } from '#domain/run/run.ts';
import { type SetupChange, setupProblem } from '#domain/run/run-setup.ts';
import { traceOfRun } from '#domain/run/trace.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { countingRequests } from '#storage/requests.ts';
import { engageBrake } from './engage-brake.ts';
import { judgeRun } from './judge-run.ts';
import { findingsOf, type PublishRunInput } from './run-findings.ts';
import { givingSigns } from './signs-of-life.ts';

export interface PublishRunResult {
  status: RunStatus | 'superseded';
}

/**
 * Ends a run: adds up its parts in storage, judges it, and writes its summary. That one create-only write makes the
 * restore point. Then it adds to the chain, updates the catalog and releases the lock. Safe to run twice.
 */
export async function publishRun(deps: Dependencies, input: PublishRunInput): Promise<PublishRunResult> {
  const { run } = input;
  const change = setupChange(deps, run);
  if (change?.part === 'job') return publishWithoutJob(deps, run, change);
  const context = jobContextOf(deps, run.job);
  const { control } = context;
  const requests = { ...input.requests };
  return countingRequests(requests, async () => {
    let summary = await control.readSummary(run);
    if (!summary) {
      const lock = await control.readLockOf(run);
      // If the vault changed, its lock is in the earlier one, and this one tells that it has ended.
      const mayPublish = standingOf(lock?.value, run) !== 'superseded' || change?.part === 'vault';
      if (!mayPublish) return { status: 'superseded' as const };
      const given = change ? endedBy(change, input) : input;
      // Signs end before the summary: nothing of a run is written after it.
      summary = await givingSigns(deps, control, run, async () => {
        const findings = await findingsOf(deps, context, given);
        const judged = () => judgeRun(given, context, findings, withRest(requests), deps.now());
        // Before the restore point exists, so that it cannot be there without its safety brake.
        const { brake, problems } = await engageBrake(deps, context, judged(), findings);
        return { ...judged(), problems, ...(brake && { brake }), ...(findings.plan && { plan: findings.plan }) };
      });
      if (!(await control.writeSummary(summary))) {
        summary = (await control.readSummary(run))!;
      }
    }
    await appendToChain(deps, context.vault, summary);
    await noteInCatalog(deps, context.vault.alias, catalogRowOf(summary));
    await control.releaseLock(run, deps.now(), leftBy(summary));
    deps.telemetry.runFinished(summary, runTotal(deps, summary, usageOf(summary)), traceOfRun(run));
    await pingEnd(deps, summary);
    return { status: summary.status };
  });
}

/** Nothing else would end the run: no start of its job finds it silent. */
async function publishWithoutJob(deps: Dependencies, run: RunRef, change: SetupChange): Promise<PublishRunResult> {
  const vault = run.setup && vaultOfSetup(deps, run.setup);
  if (vault === undefined) throw new Error(`${change.message}, and no account is its vault`);
  return { status: (await endRun(deps, { run, vault }, 'failed', setupProblem(change))).status };
}

/** The whole run has the problem that its activities have had since the change. */
function endedBy(change: SetupChange, input: PublishRunInput): PublishRunInput {
  const others = input.problems.filter(({ code }) => code !== 'setup-changed');
  return { ...input, problems: [setupProblem(change), ...others] };
}

/** With the requests still to come: for the summary, the chain, the row in the catalog, and the lock. */
function withRest(requests: Record<string, number>): Record<string, number> {
  const all = { ...requests };
  addRequests(all, { PutBlob: 3, GetBlob: 4, ListBlobs: 1, InsertOrReplaceEntity: 1 });
  return all;
}
