import { appendToChain } from '#app/append-to-chain.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { type BrakePolicy, brakeOf, changesSince, completedBy, goesBackEnough } from '#domain/prune/safety-brake.ts';
import { incompleteness } from '#domain/run/completeness.ts';
import { kindOfPath, runsPrefix } from '#domain/run/control-paths.ts';
import { standingOf } from '#domain/run/lock.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import { addRequests } from '#domain/run/request-counts.ts';
import {
  type ContainerReport,
  isBackup,
  leftBy,
  type PartEntry,
  type RetryRef,
  type RunRef,
  type RunReport,
  type RunStatus,
  type RunSummary,
} from '#domain/run/run.ts';
import { SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';

export interface PublishRunInput {
  run: RunRef;
  /** How many containers the run works on, including those with problems. */
  containers: number;
  /** Problems of whole containers, and of the run. */
  problems: Problem[];
  cancelled: boolean;
  /** Requests that no part counts. */
  requests: Record<string, number>;
}

export interface PublishRunResult {
  status: RunStatus | 'superseded';
}

/**
 * Ends a run: adds up its parts in storage, judges it, and writes its summary. That one create-only write makes the
 * restore point. Then it adds to the chain, updates the catalog and releases the lock. Safe to run twice.
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
      const parts = await control.listParts(run);
      const troubled = new Set(input.problems.map(({ container }) => container));
      const sound = parts.filter(({ tally }) => !troubled.has(tally.container));
      const earlier = run.mode === 'retry' ? await earlierParts(control, run, sound) : [];
      const plan = run.mode === 'prune' ? await control.readPrunePlan(run) : undefined;
      const judged = () => judge(input, context, parts, earlier, withRest(requests), deps.now());
      // Before the restore point exists, so that it cannot be there without its safety brake.
      await engageBrake(deps, context, judged());
      summary = { ...judged(), ...(plan && { plan }) };
      if (!(await control.writeSummary(summary))) {
        summary = (await control.readSummary(run))!;
      }
    }
    await appendToChain(deps, context.vault, summary);
    await noteInCatalog(deps, context.vault.alias, catalogRowOf(summary));
    await control.releaseLock(run, deps.now(), leftBy(summary));
    deps.telemetry.runFinished(summary);
    return { status: summary.status };
  });
}

/** With the requests still to come: for the summary, the chain, the row in the catalog, and the lock. */
function withRest(requests: Record<string, number>): Record<string, number> {
  const all = { ...requests };
  addRequests(all, { PutBlob: 3, GetBlob: 4, ListBlobs: 1, InsertOrReplaceEntity: 1 });
  return all;
}

/** The summary, from the parts and problems. */
function judge(
  input: PublishRunInput,
  context: JobContext,
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
    source: context.source.endpoint,
    vault: context.vault.endpoint,
    destination: { container: context.job.destination.container, prefix: context.job.destination.prefix },
    restorePoint: isBackup(run.mode) && !run.dryRun && (status === 'succeeded' || status === 'completed-with-failures'),
    parts: run.dryRun ? [] : [...earlier, ...partEntries(sound)],
  };
}

/** Why there can be no restore point, or undefined. */
function missing(input: PublishRunInput, sound: ListedPart[], troubled: Set<string>): string | undefined {
  // A plan alone does not prove a scan: a scan that was cut short leaves one behind.
  const scans = sound.filter(({ path }) => ['slice', 'range'].includes(kindOfPath(path)?.kind ?? ''));
  const found = new Set(scans.map(({ tally }) => tally.container)).size;
  if (found + troubled.size !== input.containers) {
    return `${input.containers} containers were to be backed up; ${found} left parts and ${troubled.size} had problems`;
  }
  return incompleteness(sound, input.run.dryRun);
}

/** A retry completes an earlier restore point, whose parts still count, except for containers that it listed again. */
async function earlierParts(control: ControlStore, run: RetryRef, parts: ListedPart[]): Promise<PartEntry[]> {
  const earlier = await control.readSummary({ job: run.job, id: run.retryOf });
  const listedAgain = new Set(
    (earlier?.containers ?? [])
      .filter(({ status }) => status === 'failed' || status === 'cancelled')
      .map(({ container }) => container),
  );
  // The parts that a retry writes of a table are complete on their own.
  const isReplaced = (container: string) => listedAgain.has(container) || tableOfTask(container) !== undefined;
  const replaced = new Set(parts.map(({ tally }) => tally.container).filter(isReplaced));
  return (earlier?.parts ?? []).filter(({ container }) => !replaced.has(container));
}

const DEFAULT_BRAKE = { percent: 50, blobs: 100 };

/** Engages the safety brake if the run, or those it builds on, found too much changed or lost. */
async function engageBrake(deps: Dependencies, { control, job }: JobContext, summary: RunSummary): Promise<void> {
  if (!summary.restorePoint) return;
  const reason = await brakeOn(control, summary, job.retention?.brake ?? DEFAULT_BRAKE);
  if (reason === undefined) return;
  const before = await control.readNotes(summary);
  if (before.brake) return;
  await control.changeNotes(summary, (notes) => (notes.brake ? notes : { ...notes, brake: { reason } }));
  deps.telemetry.brakeEngaged(summary, reason);
}

/** Why the changes since the restore point before engage the safety brake, or undefined. */
async function brakeOn(control: ControlStore, summary: RunSummary, policy: BrakePolicy): Promise<string | undefined> {
  const previous = (await control.readLock(summary.job))?.value.point;
  if (previous === undefined) return undefined;
  const { containers, begunBy } = await foundBy(control, summary);
  const earlier = await backupsBefore(control, { job: summary.job, id: begunBy }, previous);
  const reasons = brakeOf(changesSince(earlier, containers), policy).map(({ reason }) => reason);
  return reasons.length === 0 ? undefined : reasons.join('; ').slice(0, 500);
}

/**
 * What a backup found in the source; for a retry, together with the runs that it completes. The first listed
 * everything.
 */
async function foundBy(
  control: ControlStore,
  { job, id, mode, retryOf, containers }: RunSummary,
): Promise<{ containers: ContainerReport[]; begunBy: string }> {
  const isRetry = mode === 'retry' && retryOf !== undefined;
  const completed = isRetry ? await readableSummary(control, { job, id: retryOf }) : undefined;
  if (!completed) return { containers, begunBy: id };
  const first = await foundBy(control, completed);
  return { containers: completedBy(first.containers, containers), begunBy: first.begunBy };
}

/** The most summaries to read, for a container that has failed again and again. */
const MOST_SUMMARIES = 50;

/** The backups before this one, newest first, as far back as necessary to know the earlier state of each container. */
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
  // After a clock was set back, it may seem to be later.
  if (previous !== begunBy) ids.add(previous);
  const earlier: RunSummary[] = [];
  for (const id of [...ids].sort().reverse().slice(0, MOST_SUMMARIES)) {
    const summary = await readableSummary(control, { job, id });
    if (summary && isBackup(summary.mode) && !summary.dryRun) earlier.push(summary);
    if (goesBackEnough(earlier)) break;
  }
  return earlier;
}

/** A damaged summary must not keep this run from ending. No run prunes while there is one. */
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
