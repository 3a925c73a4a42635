import type { HeldContent } from '../run/held-content.ts';
import type { Scheduled } from '../run/occurrence.ts';
import { type Condition, SEVERITIES } from '../watch/conditions.ts';
import type { JobFacts } from '../watch/facts.ts';
import { isPaused } from '../watch/pause.ts';
import { type LabelsOf, type MetricName, type Sample, sample } from './metric.ts';

/** What is known of the whole app. */
export interface AppMeasures {
  version: string;
  /** Whether each account answers. */
  accounts: ReadonlyMap<string, boolean>;
  conditions: readonly Condition[];
  /** What vaults hold, and when that was counted; without those of which it is not known. */
  held: ReadonlyMap<string, HeldContent & { at: string }>;
  /** Undefined for a job that cannot be read. */
  jobs: ReadonlyMap<string, JobMeasures | undefined>;
}

/** Schedules start no restores: nothing is expected of them, but how the last one ended. */
export type MeasuredKind = Scheduled | 'restore';

/** What is known of a job or archive rule. */
export interface JobMeasures {
  facts: JobFacts;
  /** The kinds of runs that it may have. */
  kinds: readonly Scheduled[];
  /** When its schedules next start something. */
  next: Partial<Record<Scheduled, Date>>;
  /** The newest run of each kind that has ended, however. */
  last: Partial<Record<MeasuredKind, LastRun>>;
  /** When the newest run of each kind that succeeded ended. ISO 8601. */
  succeededAt: Partial<Record<MeasuredKind, string>>;
  /** When the run of the newest restore point started. ISO 8601. */
  restorePointAt?: string;
  /** Of runs in progress, by id. */
  progress: ReadonlyMap<string, Progress>;
}

/** A run that has ended; less is known of one whose summary and row are gone. */
export interface LastRun {
  status: string;
  finishedAt: string;
  startedAt?: string;
  counts?: Readonly<Record<string, number>>;
  bytes?: Readonly<Record<string, number>>;
  requests?: number;
  cost?: { total: number; currency: string };
}

export interface Progress {
  fraction: number | null;
  /** ISO 8601. */
  progressAt: string | null;
  lastSign: string | null;
}

const STATUSES = ['succeeded', 'completed-with-failures', 'failed', 'cancelled'];
const OUTCOMES = ['copied', 'unchanged', 'skipped', 'failed', 'removed'];

/** Everything that GET /api/metrics shows. */
export function samplesOf({ version, accounts, conditions, held, jobs }: AppMeasures, now: Date): Sample[] {
  return [
    sample('strongroom_info', { version }, 1),
    ...[...accounts].map(([account, isUp]) => sample('strongroom_account_up', { account }, isUp)),
    ...[...held].flatMap(([account, { blobs, kept, bytes, at: time }]) => [
      sample('strongroom_vault_bytes', { account }, bytes),
      sample('strongroom_vault_objects', { account, what: 'blobs' }, blobs),
      sample('strongroom_vault_objects', { account, what: 'kept' }, kept),
      ...at('strongroom_vault_counted_timestamp_seconds', { account }, time),
    ]),
    ...SEVERITIES.map((severity) =>
      sample(
        'strongroom_open_conditions',
        { severity },
        conditions.filter((each) => each.severity === severity).length,
      ),
    ),
    ...conditions.map(({ id, condition, severity, job = '', account = '', channel = '' }) =>
      sample('strongroom_condition', { id, condition, severity, job_name: job, account, channel }, 1),
    ),
    ...[...jobs].flatMap(([job_name, measures]) => [
      sample('strongroom_job_readable', { job_name }, measures !== undefined),
      ...(measures ? ofJob(job_name, measures, now) : []),
    ]),
  ];
}

function ofJob(job_name: string, measures: JobMeasures, now: Date): Sample[] {
  const { facts, kinds, restorePointAt } = measures;
  const { brakes, poison, proofs, pause } = facts;
  return [
    sample('strongroom_job_paused', { job_name }, isPaused(pause, now)),
    sample('strongroom_job_brake_engaged', { job_name }, brakes.length > 0),
    ...(poison === undefined ? [] : [sample('strongroom_job_poison_uploads', { job_name }, poison)]),
    ...at('strongroom_job_restore_point_timestamp_seconds', { job_name }, restorePointAt),
    ...proofs.flatMap(({ kind: verification, at: time, failed }) => [
      ...at('strongroom_job_verified_timestamp_seconds', { job_name, verification }, time),
      sample('strongroom_job_verified_failed_items', { job_name, verification }, failed),
    ]),
    ...kinds.flatMap((kind) => ofKind(job_name, kind, measures, now)),
    ...ofEnded({ job_name, kind: 'restore' }, measures),
  ];
}

function ofKind(job_name: string, kind: Scheduled, measures: JobMeasures, now: Date): Sample[] {
  const { facts, next, progress } = measures;
  const standing = facts.standings[kind];
  const isExpected = standing !== undefined && standing.state !== 'unwatched';
  const isOverdue = standing?.state === 'overdue' && !isPaused(facts.pause, now);
  const labels = { job_name, kind };
  const running = facts.running.filter(({ what }) => what === kind);
  const [newest] = running.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  return [
    ...at('strongroom_job_next_timestamp_seconds', labels, next[kind]?.toISOString()),
    ...(isExpected ? [sample('strongroom_job_overdue', labels, isOverdue)] : []),
    ...ofEnded(labels, measures),
    sample('strongroom_runs_in_progress', labels, running.length),
    ...(newest ? ofRunInProgress(labels, newest.startedAt, progress.get(newest.id)) : []),
  ];
}

type OfKind = Record<'job_name' | 'kind', string>;

function ofEnded(labels: { job_name: string; kind: MeasuredKind }, { last, succeededAt }: JobMeasures): Sample[] {
  const run = last[labels.kind];
  return [
    ...at('strongroom_last_success_timestamp_seconds', labels, succeededAt[labels.kind]),
    ...(run ? ofLastRun(labels, run) : []),
  ];
}

function ofLastRun(labels: OfKind, run: LastRun): Sample[] {
  const { status, startedAt, finishedAt, counts = {}, bytes = {}, requests, cost } = run;
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt ?? '')) / 1000;
  return [
    ...at('strongroom_last_run_started_timestamp_seconds', labels, startedAt),
    ...at('strongroom_last_run_ended_timestamp_seconds', labels, finishedAt),
    ...STATUSES.map((each) => sample('strongroom_last_run_status', { ...labels, status: each }, each === status)),
    // It is negative if the clock was set back meanwhile.
    ...known('strongroom_last_run_duration_seconds', labels, Math.max(seconds, 0)),
    ...known('strongroom_last_run_listed_items', labels, counts.listed),
    ...OUTCOMES.flatMap((outcome) => known('strongroom_last_run_items', { ...labels, outcome }, counts[outcome])),
    ...known('strongroom_last_run_listed_bytes', labels, bytes.listed),
    ...known('strongroom_last_run_copied_bytes', labels, bytes.copied),
    ...known('strongroom_last_run_removed_bytes', labels, bytes.removed),
    ...known('strongroom_last_run_requests', labels, requests),
    ...(cost ? [sample('strongroom_last_run_cost', { ...labels, currency: cost.currency }, cost.total)] : []),
  ];
}

function ofRunInProgress(labels: OfKind, startedAt: string, progress: Progress | undefined): Sample[] {
  return [
    ...at('strongroom_run_started_timestamp_seconds', labels, startedAt),
    ...known('strongroom_run_progress_ratio', labels, progress?.fraction ?? undefined),
    ...at('strongroom_run_progress_timestamp_seconds', labels, progress?.progressAt ?? undefined),
    ...at('strongroom_run_sign_timestamp_seconds', labels, progress?.lastSign ?? undefined),
  ];
}

/** A value that is not known is absent: any number would be wrong. */
function known<Name extends MetricName>(metric: Name, labels: LabelsOf<Name>, value: number | undefined): Sample[] {
  return value === undefined || !Number.isFinite(value) ? [] : [sample(metric, labels, value)];
}

function at<Name extends MetricName>(metric: Name, labels: LabelsOf<Name>, time: string | undefined): Sample[] {
  return known(metric, labels, time === undefined ? undefined : Date.parse(time) / 1000);
}
