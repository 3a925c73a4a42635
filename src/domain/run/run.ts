import type { ChainLink } from './chain-link.ts';
import type { NameRange } from './name-range.ts';
import type { Problem } from './problems.ts';
import type { PrunePlan } from './prune-plan.ts';
import { SUMMARY_FORMAT } from './stored-format.ts';
import type { PlanName, PruneTask, RestoreTask, VerifyTask } from './tasks.ts';

/**
 * The first three are backups; a retry completes one. The last two are runs of an archive rule. A run belongs to its
 * job or rule, of which one run is in progress at a time.
 */
export type RunMode = RunRef['mode'];
export type RunStatus = 'running' | 'succeeded' | 'completed-with-failures' | 'failed' | 'cancelled';

/** Fields of a run of any mode. */
interface AnyRunRef {
  id: string;
  job: string;
  /** `run`: it follows another run. */
  trigger: 'timer' | 'http' | 'run';
  dryRun: boolean;
  startedAt: string;
  /** The epoch of the lock: an activity stops when its run no longer holds this epoch. */
  epoch: number;
  /** When this run has ended, another follows: a verification of its restore point, or the prune that it planned. */
  hasNext?: true;
  /** The run that this one follows. */
  follows?: string;
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

/** What a trigger decides of a run; its start adds the rest. */
export type RequestedRun = Without<RunRef, 'id' | 'startedAt' | 'epoch' | 'hasNext' | 'follows'>;

/** What the run before it decides of a run that follows. */
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

/** Of a container in backups: copies of blobs that the vault did not have, … */
export function isBackup(mode: RunMode): boolean {
  return mode === 'full' || mode === 'incremental' || mode === 'retry';
}

export interface Counts {
  listed: number;
  copied: number;
  unchanged: number;
  skipped: number;
  failed: number;
  /** … and of blobs that it had at another version. */
  added?: number;
  /** Of a table in backups: entities deleted since the restore point before. */
  changed?: number;
  /** Prunes only: snapshots, versions, blobs and files that were deleted. */
  deleted?: number;
  /** Dry runs only: what would be copied or removed. */
  removed?: number;
  /** The report on one task of a run: a container, or a table under a name such as `table.orders`. */
  planned?: number;
}

export interface ByteCounts {
  listed: number;
  copied: number;
  removed?: number;
  planned?: number;
}

/** Of a table in backups: the times between which it was read, by the clock of the service. ISO 8601. */
export interface ContainerReport {
  container: string;
  destination: string;
  /** The report on a run, in progress or ended. */
  window?: [from: string, to: string];
  status: RunStatus;
  counts: Counts;
  bytes: ByteCounts;
  requests: Record<string, number>;
  problems: Problem[];
}

/** Of a prune: its plan, once it is decided. */
export interface RunReport {
  id: string;
  job: string;
  mode: RunMode;
  trigger: string;
  dryRun: boolean;
  retryOf?: string;
  restore?: RestoreTask;
  verify?: VerifyTask;
  prune?: PruneTask;
  status: RunStatus;
  startedAt: string;
  finishedAt: string | null;
  counts: Counts;
  bytes: ByteCounts;
  progress: { fraction: number | null; blobsPerSecond: number; bytesPerSecond: number; secondsLeft: number | null };
  requests: Record<string, number>;
  containers: ContainerReport[];
  problems: Problem[];
  /** One part of a restore point's manifest, as the summary lists it. */
  plan?: PrunePlan;
  /** Answers of the API only: its record in the chain. No summary can name it, as it names the summary. */
  chain?: ChainLink;
}

/** Full name in the control container. A retry also lists parts of the run that it completes. */
export interface PartEntry {
  /** Full name in the control container; parts of an earlier run when a retry builds on it. */
  path: string;
  container: string;
  destination: string;
  copied: number;
  unchanged: number;
  skipped: number;
  failed: number;
  /** The range of the names in the part; absent if it is not known. */
  sha256: string;
  /** Of a part of a table: the times between which it was read, by the clock of the service. ISO 8601. */
  names?: NameRange;
  /** Of a part of a table: since when deletions are unknown, if they are. ISO 8601. */
  window?: [from: string, to: string];
  /** `run.json`, written last. With status `succeeded` or `completed-with-failures`, it is the restore point. */
  deletionsUnknownSince?: string;
}

/** Addresses of the source and the vault, so that the vault is readable without the configuration. */
export interface RunSummary extends RunReport {
  format: typeof SUMMARY_FORMAT;
  /**
   * The templates of the job at that time. A backup blob's name is the expanded prefix and the name of the source blob.
   */
  source: string;
  vault: string;
  /**
   * Whether this backup is now the one that may be retried. Dry runs, cancelled runs and lost runs leave nothing to
   * retry, and other modes leave no restore point to complete; the run before them may still be retried.
   */
  destination: { container: string; prefix: string };
  restorePoint: boolean;
  parts: PartEntry[];
}

/** What an ended run leaves in the lock. Dry runs and cancelled runs leave the fields as they were. */
export function canBeRetried({
  mode,
  dryRun,
  status,
  problems,
}: Pick<RunSummary, 'mode' | 'dryRun' | 'status' | 'problems'>): boolean {
  const lost = problems.some(({ code }) => code === 'run-lost');
  return isBackup(mode) && !dryRun && !lost && status !== 'cancelled' && status !== 'running';
}

/** A retry lists only what failed: later runs cannot compare their counts with it. */
export function leftBy(summary: RunSummary): { last?: string; point?: string } {
  const { id, mode, restorePoint } = summary;
  return {
    ...(canBeRetried(summary) && { last: id }),
    // Whether an object is the summary of this run.
    ...(restorePoint && (mode === 'full' || mode === 'incremental') && { point: id }),
  };
}

/** Whether what was read where this run's summary lies is one, and this run's. */
export function isSummary(value: unknown, run: { id: string; job: string }): value is RunSummary {
  if (typeof value !== 'object' || value === null) return false;
  const { format, id, job, status, counts, bytes, containers, problems, parts } = value as Partial<RunSummary>;
  return (
    format === SUMMARY_FORMAT &&
    id === run.id &&
    job === run.job &&
    typeof status === 'string' &&
    [counts, bytes].every(isObject) &&
    [containers, problems, parts].every((list) => Array.isArray(list) && list.every(isObject))
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
