import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { standingOf } from '#domain/run/lock.ts';
import { withProof } from '#domain/run/restore-point.ts';
import { leftBy, type RunRef, type RunStatus, type RunSummary } from '#domain/run/run.ts';
import { proofOf } from '#domain/verify/verify.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { engageBrake } from './engage-brake.ts';
import { judgeRun } from './judge-run.ts';
import { findingsOf, type PublishRunInput } from './run-findings.ts';

export interface PublishRunResult {
  status: RunStatus | 'superseded';
}

/**
 * Ends a run: adds up its parts in storage, judges it, and writes its summary. That one create-only write makes the
 * restore point. Then it updates the catalog and releases the lock. Safe to run twice.
 */
export async function publishRun(deps: Dependencies, input: PublishRunInput): Promise<PublishRunResult> {
  const { run } = input;
  const context = jobContextOf(deps, run.job);
  const { control } = context;
  const requests = { ...input.requests };
  return countingRequests(requests, async () => {
    let summary = await control.readSummary(run);
    if (!summary) {
      const lock = await control.readLock(run.job);
      if (standingOf(lock?.value, run) === 'superseded') return { status: 'superseded' as const };
      const findings = await findingsOf(context, input);
      const judged = () => judgeRun(input, context, findings, withRest(requests), deps.now());
      // Before the restore point exists, so that it cannot be there without its safety brake.
      const brake = await engageBrake(deps, context, judged(), findings.previous);
      summary = { ...judged(), ...(brake && { brake }), ...(findings.plan && { plan: findings.plan }) };
      if (!(await control.writeSummary(summary))) {
        summary = (await control.readSummary(run))!;
      }
    }
    await noteProof(deps, context, run, summary);
    await noteInCatalog(deps, context.vault.alias, catalogRowOf(summary));
    await control.releaseLock(run, deps.now(), leftBy(summary));
    deps.telemetry.runFinished(summary);
    return { status: summary.status };
  });
}

/** With the requests still to come: for the summary, for the row in the catalog, and to read and write the lock. */
function withRest(requests: Record<string, number>): Record<string, number> {
  const { PutBlob = 0, InsertOrReplaceEntity = 0, GetBlob = 0 } = requests;
  return { ...requests, PutBlob: PutBlob + 2, InsertOrReplaceEntity: InsertOrReplaceEntity + 1, GetBlob: GetBlob + 1 };
}

/** Notes the result of a verification in its restore point, before the lock is free. */
async function noteProof(deps: Dependencies, { control }: JobContext, run: RunRef, summary: RunSummary): Promise<void> {
  if (run.mode !== 'verify') return;
  const proof = proofOf(summary, run.verify);
  if (!proof) return;
  try {
    await control.changeNotes({ job: run.job, id: run.verify.point }, (notes) => withProof(notes, proof));
  } catch (error) {
    // The report has the result. Trying again for hours would only delay the runs after this one.
    if (!isStorageError(error, 'damaged')) throw error;
    deps.telemetry.warn('proof-not-noted', { job: run.job, run: run.id, message: error.message });
  }
}
