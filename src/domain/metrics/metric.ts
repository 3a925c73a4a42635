/** A metric of GET /api/metrics. Each is a gauge: its value comes from the vaults, whichever process is asked. */
export interface Metric {
  help: string;
  labels: readonly string[];
}

/**
 * Every metric, in the order of the page. Prometheus itself sets the labels `job` and `instance`, and renames those of
 * an app, so a job or archive rule is `job_name`.
 */
export const METRICS = {
  strongroom_info: { help: 'The version of the app. The value is always 1.', labels: ['version'] },
  strongroom_account_up: { help: 'Whether the account answers: 1 or 0.', labels: ['account'] },
  strongroom_vault_bytes: {
    help: 'What the jobs of a vault held when their last prunes were planned. Absent if that of one is not known.',
    labels: ['account'],
  },
  strongroom_vault_objects: {
    help: 'The same in objects: blobs, or what is kept of earlier ones as snapshots and versions.',
    labels: ['account', 'what'],
  },
  strongroom_vault_counted_timestamp_seconds: {
    help: 'When the oldest of these prunes was planned.',
    labels: ['account'],
  },
  strongroom_open_conditions: { help: 'How many conditions of the watch are open.', labels: ['severity'] },
  strongroom_condition: {
    help: '1 for each condition of the watch that is open. It has one of the labels job_name, account and channel.',
    labels: ['id', 'condition', 'severity', 'job_name', 'account', 'channel'],
  },
  strongroom_job_readable: {
    help: 'Whether the vault shows how the job is: 1 or 0. If it is 0, the job has no other metric.',
    labels: ['job_name'],
  },
  strongroom_job_paused: { help: 'Whether the schedules of the job are paused: 1 or 0.', labels: ['job_name'] },
  strongroom_job_next_timestamp_seconds: {
    help: 'When a schedule of the job next starts a run. Absent without a schedule, and during a pause without an end.',
    labels: ['job_name', 'kind'],
  },
  strongroom_job_overdue: {
    help: 'Whether a run that is due has not succeeded within its grace: 1 or 0. Absent if nothing is expected.',
    labels: ['job_name', 'kind'],
  },
  strongroom_job_brake_engaged: {
    help: 'Whether the safety brake of a restore point is engaged: 1 or 0.',
    labels: ['job_name'],
  },
  strongroom_job_poison_uploads: {
    help: 'Uploads of an archive rule that failed permanently and are open.',
    labels: ['job_name'],
  },
  strongroom_job_restore_point_timestamp_seconds: {
    help: 'When the run of the newest restore point started.',
    labels: ['job_name'],
  },
  strongroom_job_verified_timestamp_seconds: {
    help: 'When the last verification of each kind ended: quick, deep or drill.',
    labels: ['job_name', 'verification'],
  },
  strongroom_job_verified_failed_items: {
    help: 'Items that this verification found missing or different.',
    labels: ['job_name', 'verification'],
  },
  strongroom_last_success_timestamp_seconds: {
    help: 'When the newest run that succeeded ended.',
    labels: ['job_name', 'kind'],
  },
  strongroom_last_run_started_timestamp_seconds: {
    help: 'When the newest run that has ended started.',
    labels: ['job_name', 'kind'],
  },
  strongroom_last_run_ended_timestamp_seconds: { help: 'When it ended.', labels: ['job_name', 'kind'] },
  strongroom_last_run_status: {
    help: 'How it ended: 1 for its status, and 0 for each other one.',
    labels: ['job_name', 'kind', 'status'],
  },
  strongroom_last_run_duration_seconds: { help: 'How long it took.', labels: ['job_name', 'kind'] },
  strongroom_last_run_listed_items: {
    help: 'Blobs, entities or uploads that it listed.',
    labels: ['job_name', 'kind'],
  },
  strongroom_last_run_items: {
    help: 'What became of them: copied, unchanged, skipped, failed, or removed by a prune.',
    labels: ['job_name', 'kind', 'outcome'],
  },
  strongroom_last_run_listed_bytes: { help: 'Size of the blobs that it listed.', labels: ['job_name', 'kind'] },
  strongroom_last_run_copied_bytes: { help: 'Bytes that it copied.', labels: ['job_name', 'kind'] },
  strongroom_last_run_removed_bytes: { help: 'Bytes that a prune removed.', labels: ['job_name', 'kind'] },
  strongroom_last_run_requests: {
    help: 'Storage requests that it sent, every attempt counted.',
    labels: ['job_name', 'kind'],
  },
  strongroom_last_run_cost: {
    help: 'What it cost by the price table, as far as it is known.',
    labels: ['job_name', 'kind', 'currency'],
  },
  strongroom_runs_in_progress: { help: 'Runs that are in progress.', labels: ['job_name', 'kind'] },
  strongroom_run_started_timestamp_seconds: {
    help: 'When the newest run in progress started.',
    labels: ['job_name', 'kind'],
  },
  strongroom_run_progress_ratio: {
    help: 'How much of it is done, from 0 to 1. Absent while that is not known.',
    labels: ['job_name', 'kind'],
  },
  strongroom_run_progress_timestamp_seconds: {
    help: 'When it last wrote a result to the vault.',
    labels: ['job_name', 'kind'],
  },
  strongroom_run_sign_timestamp_seconds: {
    help: 'When it last gave a sign of life.',
    labels: ['job_name', 'kind'],
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** A value of a metric. Prometheus takes a label that is empty for absent. */
export interface Sample {
  metric: MetricName;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]['labels'][number], string>>;

/** A sample, with exactly the labels of its metric. */
export function sample<Name extends MetricName>(metric: Name, labels: LabelsOf<Name>, value: number | boolean): Sample {
  return { metric, labels, value: Number(value) };
}
