import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { type BrakePolicy, brakeOf, changesSince, completedBy, goesBackEnough } from '#domain/prune/safety-brake.ts';
import { kindOfPath, runsPrefix } from '#domain/run/control-paths.ts';
import { standingOf } from '#domain/run/lock.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { incompleteness, type ListedPart, partEntries, reportOf } from '#domain/run/report.ts';
import { withProof } from '#domain/run/restore-point.ts';
import {
  type ContainerReport,
  isBackup,
  leftBy,
  type PartEntry,
  type RunRef,
  type RunReport,
  type RunStatus,
  type RunSummary,
} from '#domain/run/run.ts';
import { SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { proofOf } from '#domain/verify/verify.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';

export interface PublishRunInput {
  run: RunRef;
  /** How many containers the run set out to back up, those with problems among them. */
  containers: number;
  /** Problems of whole containers, and of the run. */
  problems: Problem[];
  cancelled: boolean;
  /** Requests that no part accounts for. */
  requests: Record<string, number>;
}

export interface PublishRunResult {
  status: RunStatus | 'superseded';
}

/**
 * Ends a run: adds up what its parts in storage say, judges it, and writes its summary. That one create-only write
 * makes the restore point. Then the catalog is brought up to date and the lock released. Safe to run twice.
 */
export function makePublishRun(deps: Dependencies) {
  return async function publishRun(input: PublishRunInput): Promise<PublishRunResult> {
    const { run } = input;
    const place = jobContextOf(deps, run.job);
    const { control } = place;
    const requests = { ...input.requests };
    return countingRequests(requests, async () => {
      let summary = await control.readSummary(run);
      if (!summary) {
        const lock = await control.readLock(run.job);
        if (standingOf(lock?.value, run) === 'superseded') return { status: 'superseded' as const };
        const parts = await control.listParts(run);
        const troubled = new Set(input.problems.map(({ container }) => container));
        const sound = parts.filter(({ tally }) => !troubled.has(tally.container));
        const earlier = run.mode === 'retry' ? await earlierParts(control, run, sound) : [];
        const plan = run.mode === 'prune' ? await control.readPrunePlan(run) : undefined;
        const judged = () => judge(input, place, parts, earlier, withRest(requests), deps.now());
        // Before there is a restore point: whatever happens now, none can be there without its brake.
        await engageBrake(deps, place, judged());
        summary = { ...judged(), ...(plan && { plan }) };
        if (!(await control.writeSummary(summary))) {
          summary = (await control.readSummary(run))!;
        }
      }
      await noteProof(deps, place, run, summary);
      await noteInCatalog(deps, place.vault.alias, catalogRowOf(summary));
      await control.releaseLock(run, deps.now(), leftBy(summary));
      deps.telemetry.runFinished(summary);
      return { status: summary.status };
    });
  };
}

/** The requests with those still to come: the summary, the catalog's row, and reading and writing the lock. */
function withRest(requests: Record<string, number>): Record<string, number> {
  const { PutBlob = 0, InsertOrReplaceEntity = 0, GetBlob = 0 } = requests;
  return { ...requests, PutBlob: PutBlob + 2, InsertOrReplaceEntity: InsertOrReplaceEntity + 1, GetBlob: GetBlob + 1 };
}

/** Pure but for nothing: from the parts and problems to the summary. */
function judge(
  input: PublishRunInput,
  place: JobContext,
  parts: ListedPart[],
  earlier: PartEntry[],
  requests: Record<string, number>,
  now: Date,
): RunSummary {
  const { run } = input;
  const problems = [...input.problems];
  const troubled = new Set(problems.map(({ container }) => container).filter((name) => name !== undefined));
  const sound = parts.filter(({ tally }) => !troubled.has(tally.container));
  let status: RunStatus;
  const reason = input.cancelled ? undefined : missing(input, sound, troubled);
  if (input.cancelled) {
    status = 'cancelled';
  } else if (reason !== undefined) {
    problems.push(problemOf('inconsistent', 0, undefined, reason));
    status = 'failed';
  } else if (
    problems.some(({ container }) => container === undefined) ||
    (troubled.size > 0 && troubled.size >= input.containers)
  ) {
    status = 'failed';
  } else {
    status = troubled.size > 0 || sound.some(({ tally }) => tally.failed > 0) ? 'completed-with-failures' : 'succeeded';
  }
  const report: RunReport = reportOf(run, parts, { status, now, finishedAt: now, problems, requests });
  for (const name of troubled) {
    if (report.containers.some(({ container }) => container === name)) continue;
    const own = problems.filter(({ container }) => container === name);
    report.containers.push({
      container: name,
      destination: '',
      status: 'failed',
      counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 },
      bytes: { listed: 0, copied: 0 },
      requests: {},
      problems: own,
    });
    report.problems.push(...own);
  }
  return {
    format: SUMMARY_FORMAT,
    ...report,
    source: place.source.endpoint,
    vault: place.vault.endpoint,
    destination: { container: place.job.destination.container, prefix: place.job.destination.prefix },
    restorePoint: isBackup(run.mode) && !run.dryRun && (status === 'succeeded' || status === 'completed-with-failures'),
    parts: run.dryRun ? [] : [...earlier, ...partEntries(sound)],
  };
}

/** Why there can be no restore point, or undefined. */
function missing(input: PublishRunInput, sound: ListedPart[], troubled: Set<string>): string | undefined {
  // A plan alone proves no scan: one that was cut short leaves it behind.
  const scans = sound.filter(({ path }) => ['slice', 'range'].includes(kindOfPath(path)?.kind ?? ''));
  const found = new Set(scans.map(({ tally }) => tally.container)).size;
  if (found + troubled.size !== input.containers) {
    return `${input.containers} containers were to be backed up; ${found} left parts and ${troubled.size} had problems`;
  }
  return incompleteness(sound, input.run.dryRun);
}

/** A retry completes an earlier restore point: its parts count on, except for containers that were listed anew. */
async function earlierParts(control: ControlStore, run: RunRef, parts: ListedPart[]): Promise<PartEntry[]> {
  const earlier = await control.readSummary({ job: run.job, id: run.retryOf! });
  const listedAnew = new Set(
    (earlier?.containers ?? [])
      .filter(({ status }) => status === 'failed' || status === 'cancelled')
      .map(({ container }) => container),
  );
  // Of a table, what a retry leaves is whole in itself.
  const isReplaced = (container: string) => listedAnew.has(container) || tableOfTask(container) !== undefined;
  const replaced = new Set(parts.map(({ tally }) => tally.container).filter(isReplaced));
  return (earlier?.parts ?? []).filter(({ container }) => !replaced.has(container));
}

/** Before the lock is free: what a verification says of the restore point it looked at. */
async function noteProof(deps: Dependencies, { control }: JobContext, run: RunRef, summary: RunSummary): Promise<void> {
  const proof = run.verify && proofOf(summary, run.verify);
  if (!run.verify || !proof) return;
  try {
    await control.changeNotes({ job: run.job, id: run.verify.point }, (notes) => withProof(notes, proof));
  } catch (error) {
    // What it has found is in its report; trying again for hours would only hold up the runs after it.
    if (!isStorageError(error, 'damaged')) throw error;
    deps.telemetry.warn('proof-not-noted', { job: run.job, run: run.id, message: error.message });
  }
}

const DEFAULT_BRAKE = { percent: 50, blobs: 100 };

/** Notes of what is about to be a restore point that its run, or those it builds on, changed or lost too much. */
async function engageBrake(deps: Dependencies, { control, job }: JobContext, summary: RunSummary): Promise<void> {
  if (!summary.restorePoint) return;
  const reason = await brakeOn(control, summary, job.retention?.brake ?? DEFAULT_BRAKE);
  if (reason === undefined) return;
  const before = await control.readNotes(summary);
  if (before.brake) return;
  await control.changeNotes(summary, (notes) => (notes.brake ? notes : { ...notes, brake: { reason } }));
  deps.telemetry.brakeEngaged(summary, reason);
}

/** Why the brake is engaged by what has changed since the restore point before, or undefined. */
async function brakeOn(control: ControlStore, summary: RunSummary, policy: BrakePolicy): Promise<string | undefined> {
  const previous = (await control.readLock(summary.job))?.value.point;
  if (previous === undefined) return undefined;
  const { containers, begunBy } = await foundBy(control, summary);
  const earlier = await backupsBefore(control, { job: summary.job, id: begunBy }, previous);
  const reasons = brakeOf(changesSince(earlier, containers), policy).map(({ reason }) => reason);
  return reasons.length === 0 ? undefined : reasons.join('; ').slice(0, 500);
}

/** What a backup found in the source, for a retry together with the runs that it completes, of which the first listed it all. */
async function foundBy(
  control: ControlStore,
  { job, id, mode, retryOf, containers }: RunSummary,
): Promise<{ containers: ContainerReport[]; begunBy: string }> {
  const completed = mode === 'retry' ? await readableSummary(control, { job, id: retryOf! }) : undefined;
  if (!completed) return { containers, begunBy: id };
  const first = await foundBy(control, completed);
  return { containers: completedBy(first.containers, containers), begunBy: first.begunBy };
}

/** Summaries that are read at most where a container has failed again and again. */
const FAR_ENOUGH = 50;

/** The backups before this one, newest first, as far back as it takes to know how each container was. */
async function backupsBefore(
  control: ControlStore,
  { job, id: begunBy }: { job: string; id: string },
  previous: string,
): Promise<RunSummary[]> {
  const ids = new Set<string>();
  for await (const folder of control.foldersBelow(runsPrefix(job))) {
    const id = folder.split('/').at(-2)!;
    // Ids sort by time.
    if (id < begunBy) ids.add(id);
  }
  // After a clock was set back it may seem to be later.
  if (previous !== begunBy) ids.add(previous);
  const earlier: RunSummary[] = [];
  for (const id of [...ids].sort().reverse().slice(0, FAR_ENOUGH)) {
    const summary = await readableSummary(control, { job, id });
    if (summary && isBackup(summary.mode) && !summary.dryRun) earlier.push(summary);
    if (goesBackEnough(earlier)) break;
  }
  return earlier;
}

/** A summary that is damaged must not keep this run from its end; nothing is pruned while there is one. */
async function readableSummary(
  control: ControlStore,
  run: { job: string; id: string },
): Promise<RunSummary | undefined> {
  try {
    return await control.readSummary(run);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}
