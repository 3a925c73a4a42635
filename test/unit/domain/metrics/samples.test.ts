import { describe, expect, it, test } from 'vitest';
import { METRICS, type MetricName } from '#domain/metrics/metric.ts';
import { type AppMeasures, type JobMeasures, samplesOf } from '#domain/metrics/samples.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import type { JobFacts } from '#domain/watch/facts.ts';

const NOW = new Date('2026-05-10T12:00:00Z');
const at = (text: string) => Date.parse(text) / 1000;
const DUE = { dueAt: NOW, overdueAt: NOW };

const FACTS: JobFacts = {
  job: 'nightly',
  accounts: { source: 'SOURCE', vault: 'VAULT' },
  standings: { backup: { state: 'ok' }, verify: { state: 'overdue', ...DUE } },
  ended: {},
  others: [],
  running: [
    { id: 'older', what: 'verify', startedAt: '2026-05-10T10:00:00Z' },
    { id: 'newer', what: 'verify', startedAt: '2026-05-10T11:00:00Z' },
  ],
  missed: {},
  brakes: [{ point: 'a', containers: ['data'] }],
  proofs: [{ run: 'b', at: '2026-05-09T00:00:00Z', kind: 'deep', items: 9, read: 9, failed: 2 }],
};
const MEASURES: JobMeasures = {
  facts: FACTS,
  kinds: ['backup', 'verify', 'prune'],
  next: { backup: new Date('2026-05-11T00:00:00Z') },
  last: {
    backup: {
      ...{
        status: 'completed-with-failures',
        startedAt: '2026-05-10T00:00:00Z',
        finishedAt: '2026-05-10T00:01:30.500Z',
      },
      ...{ counts: { listed: 10, copied: 3, unchanged: 4, skipped: 1, failed: 2 }, bytes: { listed: 99, copied: 30 } },
      ...{ requests: 17, cost: { total: 0.25, currency: 'EUR' } },
    },
    prune: { status: 'failed', finishedAt: '2026-05-08T00:00:00Z' },
    restore: { status: 'cancelled', finishedAt: '2026-05-07T00:00:00Z' },
  },
  succeededAt: { backup: '2026-05-09T00:00:10Z', restore: '2026-05-06T00:00:00Z' },
  restorePointAt: '2026-05-10T00:00:00Z',
  progress: new Map([
    ['newer', { fraction: 0.5, progressAt: '2026-05-10T11:58:00Z', lastSign: '2026-05-10T11:59:00Z' }],
  ]),
};

function shown(job: JobMeasures | undefined = MEASURES, more: Partial<AppMeasures> = {}): Record<string, number> {
  const jobs = new Map([['nightly', job]]);
  const samples = samplesOf(
    { version: '1.2.3', accounts: new Map(), conditions: [], held: new Map(), jobs, ...more },
    NOW,
  );
  return Object.fromEntries(
    samples.map(({ metric, labels, value }) => [
      [
        metric.replace('strongroom_', ''),
        ...Object.values(labels).filter((text) => text !== '' && text !== 'nightly'),
      ].join(' '),
      value,
    ]),
  );
}

const withFacts = (facts: Partial<JobFacts>) => ({ ...MEASURES, facts: { ...FACTS, ...facts } });

test('everything that is known of a job is shown', () => {
  expect(shown()).toEqual({
    'info 1.2.3': 1,
    ...{ 'open_conditions info': 0, 'open_conditions warning': 0 },
    ...{ 'open_conditions error': 0, 'open_conditions critical': 0 },
    ...{ job_readable: 1, job_paused: 0, job_brake_engaged: 1 },
    job_restore_point_timestamp_seconds: at('2026-05-10T00:00:00Z'),
    'job_verified_timestamp_seconds deep': at('2026-05-09T00:00:00Z'),
    'job_verified_failed_items deep': 2,
    'job_next_timestamp_seconds backup': at('2026-05-11T00:00:00Z'),
    ...{ 'job_overdue backup': 0, 'job_overdue verify': 1 },
    'last_success_timestamp_seconds backup': at('2026-05-09T00:00:10Z'),
    'last_run_started_timestamp_seconds backup': at('2026-05-10T00:00:00Z'),
    'last_run_ended_timestamp_seconds backup': at('2026-05-10T00:01:30.500Z'),
    'last_run_ended_timestamp_seconds prune': at('2026-05-08T00:00:00Z'),
    ...{ 'last_run_status backup succeeded': 0, 'last_run_status backup completed-with-failures': 1 },
    ...{ 'last_run_status backup failed': 0, 'last_run_status backup cancelled': 0 },
    ...{ 'last_run_status prune succeeded': 0, 'last_run_status prune completed-with-failures': 0 },
    ...{ 'last_run_status prune failed': 1, 'last_run_status prune cancelled': 0 },
    'last_success_timestamp_seconds restore': at('2026-05-06T00:00:00Z'),
    'last_run_ended_timestamp_seconds restore': at('2026-05-07T00:00:00Z'),
    ...{ 'last_run_status restore succeeded': 0, 'last_run_status restore completed-with-failures': 0 },
    ...{ 'last_run_status restore failed': 0, 'last_run_status restore cancelled': 1 },
    'last_run_duration_seconds backup': 90.5,
    'last_run_listed_items backup': 10,
    ...{ 'last_run_items backup copied': 3, 'last_run_items backup unchanged': 4 },
    ...{ 'last_run_items backup skipped': 1, 'last_run_items backup failed': 2 },
    ...{ 'last_run_listed_bytes backup': 99, 'last_run_copied_bytes backup': 30 },
    ...{ 'last_run_requests backup': 17, 'last_run_cost backup EUR': 0.25 },
    ...{ 'runs_in_progress backup': 0, 'runs_in_progress verify': 2, 'runs_in_progress prune': 0 },
    'run_started_timestamp_seconds verify': at('2026-05-10T11:00:00Z'),
    'run_progress_ratio verify': 0.5,
    'run_progress_timestamp_seconds verify': at('2026-05-10T11:58:00Z'),
    'run_sign_timestamp_seconds verify': at('2026-05-10T11:59:00Z'),
  });
});

describe('a value that is not known is absent', () => {
  it.each<[string, JobMeasures]>([
    [
      'run_progress_ratio verify',
      { ...MEASURES, progress: new Map([['newer', { fraction: null, progressAt: null, lastSign: null }]]) },
    ],
    ['run_sign_timestamp_seconds verify', { ...MEASURES, progress: new Map() }],
    ['job_overdue backup', withFacts({ standings: { backup: { state: 'unwatched' } } })],
    ['job_next_timestamp_seconds backup', { ...MEASURES, next: {} }],
    ['last_run_cost backup EUR', { ...MEASURES, last: { backup: { status: 'failed', finishedAt: 'x' } } }],
    [
      'last_run_ended_timestamp_seconds backup',
      { ...MEASURES, last: { backup: { status: 'failed', finishedAt: 'x' } } },
    ],
  ])('%s', (name, job) => {
    expect(shown()).toHaveProperty([name]);
    expect(shown(job)).not.toHaveProperty([name]);
  });
});

test('a job that cannot be read says so, and nothing else', () => {
  const names = Object.keys(shown(undefined, { jobs: new Map([['nightly', undefined]]) }));
  expect(names.filter((name) => name.startsWith('job') || name.includes('run'))).toEqual(['job_readable']);
  expect(shown(undefined, { jobs: new Map([['nightly', undefined]]) })).toMatchObject({ job_readable: 0 });
});

test('a pause ends what is overdue until it is over', () => {
  const paused = (until?: string) =>
    shown(withFacts({ pause: { at: '2026-05-10T00:00:00Z', reason: 'x', ...(until && { until }) } }));
  expect(paused()).toMatchObject({ job_paused: 1, 'job_overdue verify': 0 });
  expect(paused('2026-05-10T01:00:00Z')).toMatchObject({ job_paused: 0, 'job_overdue verify': 1 });
});

test('an archive rule has its poison uploads, also if there are none', () => {
  expect(shown(withFacts({ poison: 0 }))).toMatchObject({ job_poison_uploads: 0 });
  expect(shown()).not.toHaveProperty('job_poison_uploads');
});

const HELD = { blobs: 12, kept: 3, bytes: 99, at: '2026-05-10T04:00:00Z' };

test('what a vault holds is shown with the time at which it was counted', () => {
  expect(shown(MEASURES, { held: new Map([['VAULT', HELD]]) })).toMatchObject({
    'vault_bytes VAULT': 99,
    ...{ 'vault_objects VAULT blobs': 12, 'vault_objects VAULT kept': 3 },
    'vault_counted_timestamp_seconds VAULT': at('2026-05-10T04:00:00Z'),
  });
});

test('accounts and conditions are shown, each with what it concerns', () => {
  const condition = (id: string, more: Partial<Condition>) =>
    ({
      id,
      condition: 'overdue',
      severity: 'error',
      since: '',
      title: '',
      message: '',
      hint: '',
      ...more,
    }) as Condition;
  const conditions = [
    condition('overdue/backup/nightly', { job: 'nightly' }),
    condition('overdue/verify/nightly', { job: 'nightly', severity: 'warning' }),
    condition('out-of-reach/SOURCE', { condition: 'out-of-reach', account: 'SOURCE' }),
  ];
  const accounts = new Map([['SOURCE', false]]);
  const samples = samplesOf({ version: '1', accounts, conditions, held: new Map(), jobs: new Map() }, NOW);
  const of = (name: MetricName) => samples.filter(({ metric }) => metric === name);
  expect(of('strongroom_account_up')).toMatchObject([{ labels: { account: 'SOURCE' }, value: 0 }]);
  expect(of('strongroom_open_conditions').map(({ value }) => value)).toEqual([0, 1, 2, 0]);
  expect(of('strongroom_condition').map(({ labels }) => labels)).toMatchObject([
    { id: 'overdue/backup/nightly', job_name: 'nightly', account: '' },
    { id: 'overdue/verify/nightly', job_name: 'nightly', severity: 'warning' },
    { id: 'out-of-reach/SOURCE', job_name: '', account: 'SOURCE' },
  ]);
});

test('each sample has the labels of its metric, and no other', () => {
  const jobs = new Map([['nightly', withFacts({ poison: 3 })]]);
  const condition = { id: 'a', condition: 'brake', severity: 'error', job: 'nightly' } as Condition;
  const removed = { ...MEASURES.last.backup!, counts: { removed: 1 }, bytes: { removed: 1 } };
  jobs.set('weekly', { ...MEASURES, last: { prune: removed } });
  const held = new Map([['VAULT', HELD]]);
  const measures = { version: '1', accounts: new Map([['SOURCE', true]]), conditions: [condition], held, jobs };
  const samples = samplesOf(measures, NOW);
  for (const { metric, labels } of samples) expect(Object.keys(labels), metric).toEqual([...METRICS[metric].labels]);
  expect(new Set(samples.map(({ metric }) => metric))).toEqual(new Set(Object.keys(METRICS)));
});
