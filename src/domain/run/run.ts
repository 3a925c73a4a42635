import type { BrakeState } from './brake-state.ts';
import type { By } from './by.ts';
import type { ChainLink } from './chain-link.ts';
import type { ComparedPart } from './comparison.ts';
import type { PropertiesPart } from './container-properties.ts';
import type { HeldContent } from './held-content.ts';
import type { NameRange } from './name-range.ts';
import type { NotPreserved, NotPreservedCounts } from './not-preserved.ts';
import type { Problem } from './problems.ts';
import type { PrunePlan } from './prune-plan.ts';
import type { RunSetup } from './run-setup.ts';
import type { SUMMARY_FORMAT } from './stored-format.ts';
import type { PlanName, PruneTask, RestoreTask, VerifyTask } from './tasks.ts';
import type { TracePlace } from './trace.ts';
import type { Transfers } from './transfers.ts';

/**
 * `full`, `incremental` and `retry` are backups; a retry completes another backup. `reconcile` and `reprocess` are runs
 * of an archive rule. One run of a job or rule is in progress at a time.
 */
export type RunMode = RunRef['mode'];
export type RunStatus = 'running' | 'succeeded' | 'completed-with-failures' | 'failed' | 'cancelled';

/** Fields of a run of any mode. */
interface AnyRunRef {
  id: string;
  job: string;
  /** `run`: it follows another run. */
  trigger: 'timer' | 'http' | 'run';
  /** Who started it, or the run that it follows; absent in runs of earlier versions. */
  by?: By;
  dryRun: boolean;
  startedAt: string;
  /** The epoch of the lock: an activity stops when its run no longer holds this epoch. */
  epoch: number;
  /** The version of the orchestrations that began it; absent in the first version. */
  orchestrations?: number;
  /** What it began with: it ends if that changes. Absent in earlier versions. */
  setup?: RunSetup;
  /** When this run has ended, another follows: a verification of its restore point, or the prune that it planned. */
  hasNext?: true;
  /** The run that this one follows. */
  follows?: string;
  /** What caused it, if that names a trace; `traceOfRun` returns the place of the run itself. */
  trace?: TracePlace;
}

export interface BackupRef extends AnyRunRef {
  mode: 'full' | 'incremental';
}

export interface RetryRef extends AnyRunRef {
  mode: 'retry';
  /** The run whose failures this one tries again. */
  retryOf: string;
}

export interface RestoreRef extends AnyRunRef {
  mode: 'restore';
  restore: RestoreTask;
  /** The restore whose failures this one tries again. */
  retryOf?: string;
}

/** A run that tries the failures of another again. */
export type RetryingRef = RetryRef | (RestoreRef & { retryOf: string });

export interface VerifyRef extends AnyRunRef {
  mode: 'verify';
  verify: VerifyTask;
}

export interface PruneRef extends AnyRunRef {
  mode: 'prune';
  prune: PruneTask;
}

/** A prune that deletes what an earlier prune planned. */
export type CarryOutRef = PruneRef & { prune: { plan: PlanName } };

export interface ReconcileRef extends AnyRunRef {
  mode: 'reconcile';
}

export interface ReprocessRef extends AnyRunRef {
  mode: 'reprocess';
  /** The one poisoned upload to process; without an id, all of them. */
  reprocess: { id?: string };
}

/** Names one run to every orchestration and activity. Small, without secrets: histories store it. */
export type RunRef = BackupRef | RetryRef | RestoreRef | VerifyRef | PruneRef | ReconcileRef | ReprocessRef;

/** `Omit` of each member of a union. */
export type Without<Ref, Field extends PropertyKey> = Ref extends unknown ? Omit<Ref, Field> : never;

/** A run that has no lock, or whose epoch is not known. */
export type UnlockedRun = Without<RunRef, 'epoch'>;

/** The fields of a run that a trigger decides. The start adds the others. */
export type RequestedRun = Without<
  RunRef,
  'id' | 'startedAt' | 'epoch' | 'orchestrations' | 'setup' | 'hasNext' | 'follows' | 'trace'
>;

/** The fields of a following run that the run before it decides. */
export type NextRun = Pick<VerifyRef, 'mode' | 'dryRun' | 'verify'> | Pick<PruneRef, 'mode' | 'dryRun' | 'prune'>;

/** The restore point that this run restores or verifies. */
export function pointOfRun(run: RunRef): string | undefined {
  return run.mode === 'restore' ? run.restore.point : run.mode === 'verify' ? run.verify.point : undefined;
}

/** The run whose failures this one tries again, if it is a retry. */
export function retriedRun(run: RunRef | UnlockedRun): string | undefined {
  return run.mode === 'retry' || run.mode === 'restore' ? run.retryOf : undefined;
}

/** Whether this run deletes what an earlier prune planned. */
export function carriesOutPlan(run: RunRef): run is CarryOutRef {
  return run.mode === 'prune' && run.prune.plan !== undefined;
}

/** Whether runs of this mode archive uploads. */
export function isArchiving(mode: RunMode): boolean {
  return mode === 'reconcile' || mode === 'reprocess';
}

/** Whether runs of this mode leave restore points. */
export function isBackup(mode: RunMode): boolean {
  return mode === 'full' || mode === 'incremental' || mode === 'retry';
}

export interface Counts {
  listed: number;
  copied: number;
  unchanged: number;
  skipped: number;
  failed: number;
  /** Backups only: what the restore point holds, once the run has ended. A retry counts what it takes over, too. */
  held?: number;
  /** Of a container or table, in backups: copies of what the vault did not have. */
  added?: number;
  /** In backups: held at another version than the restore point before did. */
  changed?: number;
  /** Of a table, in backups: entities deleted since the restore point before; absent if none were looked for. */
  deleted?: number;
  /** Prunes only: snapshots, versions, blobs and files that were deleted. */
  removed?: number;
  /** Dry runs only: what would be copied or removed. */
  planned?: number;
}

/** What the restore point before held and the run does not, by the code of its outcomes. */
export interface NoLongerHeldCounts {
  deleted: number;
  skipped: number;
  failed: number;
  notSelected: number;
}

export interface ByteCounts {
  listed: number;
  copied: number;
  removed?: number;
  planned?: number;
}

/** The report on one task of a run: a container, or a table under a name such as `table.orders`. */
export interface ContainerReport {
  container: string;
  destination: string;
  /** Of a table in backups: the times between which it was read, by the clock of the service. ISO 8601. */
  window?: [from: string, to: string];
  /** `skipped`: the template makes no valid name for the backup container. */
  status: RunStatus | 'skipped';
  counts: Counts;
  /** In backups, once the task is compared with the restore point before. */
  noLongerHeld?: NoLongerHeldCounts;
  /** True if the run only compared it: the source does not list it, or the job no longer selects it. */
  gone?: true;
  bytes: ByteCounts;
  /** What the run planned to copy or read, by tier; absent if it is nothing. */
  transfers?: Transfers;
  requests: Record<string, number>;
  problems: Problem[];
  /** In backups: what the source has and the run does not hold, as far as listings show it. */
  notPreserved?: NotPreservedCounts;
  /** In plans of prunes, once all of it is listed: what the vault has of it. */
  held?: HeldContent;
}

/** Whether a restore was to restore the access of a container or table, and the target refused it. */
export function hasRefusedAccess({ problems }: Pick<ContainerReport, 'problems'>): boolean {
  return problems.some(({ code }) => code === 'access-refused');
}

/** The report on a run, in progress or ended. */
export interface RunReport {
  id: string;
  job: string;
  mode: RunMode;
  trigger: string;
  /** Absent in runs of earlier versions. */
  by?: By;
  dryRun: boolean;
  retryOf?: string;
  /** The run that it follows; absent also in runs of earlier versions. */
  follows?: string;
  /** The id of its trace; absent in summaries of earlier versions. */
  trace?: string;
  restore?: RestoreTask;
  verify?: VerifyTask;
  prune?: PruneTask;
  status: RunStatus;
  startedAt: string;
  finishedAt: string | null;
  counts: Counts;
  noLongerHeld?: NoLongerHeldCounts;
  bytes: ByteCounts;
  progress: { fraction: number | null; blobsPerSecond: number; bytesPerSecond: number; secondsLeft: number | null };
  requests: Record<string, number>;
  containers: ContainerReport[];
  problems: Problem[];
  /** Of a prune: its plan, once it is decided. */
  plan?: PrunePlan;
  /** Answers of the API only: its record in the chain. No summary can name it, as it names the summary. */
  chain?: ChainLink;
  /** Answers of the API about a run in progress only: when it last gave a sign of life. ISO 8601. */
  lastSign?: string | null;
  /** Likewise: when the next start of its job no longer waits for it, if it gives no sign until then. ISO 8601. */
  countsAsLostAt?: string;
}

/** One part of a restore point's manifest, as the summary lists it. */
export interface PartEntry {
  /** Full name in the control container. A retry also lists parts of the run that it completes. */
  path: string;
  container: string;
  destination: string;
  copied: number;
  unchanged: number;
  skipped: number;
  failed: number;
  /** Of the compressed bytes. */
  sha256: string;
  /** The range of the names in the part; absent if it is not known. */
  names?: NameRange;
  /** Of a part of a table: the times between which it was read, by the clock of the service. ISO 8601. */
  window?: [from: string, to: string];
  /** Of a part of a table: since when deletions are unknown, if they are. ISO 8601. */
  deletionsUnknownSince?: string;
}

/** `run.json`, written last. With status `succeeded` or `completed-with-failures`, it is the restore point. */
export interface RunSummary extends RunReport {
  format: typeof SUMMARY_FORMAT;
  /** Addresses of the source and the vault, so that the vault is readable without the configuration. */
  source: string;
  vault: string;
  /**
   * The templates of the job at that time. A backup blob's name is the expanded prefix and the name of the source blob.
   */
  destination: { container: string; prefix: string };
  restorePoint: boolean;
  /** Full names in the control container. A retry also lists parts of the run that it completes. */
  parts: PartEntry[];
  /** Of a backup: the restore point before, which it was compared with; absent if there is none. */
  comparedWith?: string;
  /** The parts of that comparison: no entries, but what is no longer held. */
  compared: ComparedPart[];
  /** The properties of its containers and tables, if they have any. A retry also lists those that it takes over. */
  properties?: PropertiesPart[];
  /** Of a restore point. */
  notPreserved?: NotPreserved;
  /** Of a restore point: the state of the safety brake of each container and table, by name. */
  brake?: Record<string, BrakeState>;
}

/**
 * Whether this backup is now the one that may be retried. Dry runs, cancelled runs and lost runs leave nothing to
 * retry, and other modes leave no restore point to complete; the run before them may still be retried.
 */
export function canBeRetried(run: Pick<RunSummary, 'mode' | 'dryRun' | 'status' | 'problems'>): boolean {
  const { mode, dryRun, status } = run;
  return isBackup(mode) && !dryRun && !wasLost(run) && status !== 'cancelled' && status !== 'running';
}

/** Whether the run never began, ended without a summary of its own, or lost the accounts or selection it began with. */
function wasLost({ problems }: Pick<RunSummary, 'problems'>): boolean {
  return problems.some(({ code }) => code === 'run-lost' || code === 'run-stalled' || code === 'setup-changed');
}

/**
 * Whether the occurrence of a schedule that a run was to serve is still owed: something ended the run before it could
 * do its work. An operator who cancels the run of a schedule does without it; one who cancels a run of their own, which
 * was in progress at the time of the schedule, does not.
 */
export function leavesOwed(summary: Pick<RunSummary, 'problems' | 'status' | 'trigger'>): boolean {
  const isOfOperator = summary.status === 'cancelled' && summary.trigger === 'http';
  return wasLost(summary) || isOfOperator || summary.problems.some(({ code }) => code === 'deployed-during-run');
}

/** What an ended run leaves in the lock. An absent field keeps its value. */
export function leftBy(summary: RunSummary): { last?: string; point?: string } {
  const { id, restorePoint } = summary;
  return { ...(canBeRetried(summary) && { last: id }), ...(restorePoint && { point: id }) };
}

/** The runs of the job whose objects a summary names: its own, and those that a retry builds on. */
export function runsNamedBy({ id, parts, compared, properties = [] }: RunSummary): string[] {
  const paths = [...parts, ...compared, ...properties].map(({ path }) => path);
  return [...new Set([id, ...paths.map((path) => path.split('/')[3]!)])];
}
