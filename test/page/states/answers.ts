import type { Answer } from '../../../ui/model/answer.ts';

/** Answers that many states share. Times are before and after `NOW`. */

const caller = {
  name: 'ada@example.net',
  via: 'entra',
  signOut: '/.auth/logout',
  instance: 'production',
  version: '0.1.0',
};

export const ADMIN = {
  ...caller,
  roles: ['admin'],
  may: ['status', 'read', 'names', 'run', 'restore', 'prune', 'protect'],
};

export const READER = { ...caller, name: 'rita@example.net', roles: ['reader'], may: ['status', 'read', 'names'] };

export const OBSERVER = { ...caller, name: 'omar@example.net', roles: ['observer'], may: ['status'] };

export const problem = (status: number, code: string, more: object = {}) => ({
  status,
  body: {
    type: 'about:blank',
    title: 'Problem',
    status,
    code,
    detail: `Why it is ${code}`,
    hint: 'What to do',
    ...more,
  },
});

export const NIGHTLY = 'nightly-20261129T223000Z-k3f9q2';
export const BEFORE = 'nightly-20261128T223000Z-a1b2c3';

type JobOverview = Answer<'overview'>['jobs'][number];
type RunRow = Answer<'listRuns'>['runs'][number];
type Report = Answer<'getRun'>;

export function job(change: Partial<JobOverview> = {}): JobOverview {
  return {
    name: 'nightly',
    state: 'ok',
    severity: null,
    paused: null,
    running: [],
    runs: [
      {
        kind: 'backup',
        state: 'ok',
        due: null,
        overdueAt: null,
        next: '2026-11-30T22:30:00.000Z',
        last: { id: NIGHTLY, status: 'succeeded', finishedAt: '2026-11-29T22:41:07.114Z' },
        lastGood: { id: NIGHTLY, startedAt: '2026-11-29T22:30:00.000Z' },
      },
    ],
    problem: null,
    restorePoint: {
      ...{ id: NIGHTLY, time: '2026-11-29T22:30:00.000Z' },
      ...{ containers: 2, blobs: 5018, tables: 0, entities: 0, bytes: 188_252_160 },
      lacks: { skipped: 0, failed: 0, containers: [], tables: [] },
      ...{ isHeld: false, isBraked: false },
      verified: {
        run: 'v',
        at: '2026-11-29T22:50:00.000Z',
        kind: 'deep',
        portion: '5%',
        items: 5018,
        read: 251,
        failed: 0,
      },
    },
    size: { blobs: 5018, entities: 0, bytes: 188_252_160 },
    held: { blobs: 5104, kept: 1204, bytes: 1_900_000_000, at: '2026-11-30T03:00:00.000Z' },
    strip: STRIP,
    ...change,
  };
}

/** The last 30 days: today nothing is due yet, and two days before the first backup. */
const STRIP: JobOverview['strip'] = Array.from({ length: 30 }, (_, index) => {
  const isEmpty = index < 2 || index === 10 || index === 29;
  const worst = index === 9 ? 'failed' : index === 17 ? 'completed-with-failures' : 'succeeded';
  return {
    day: new Date(Date.UTC(2026, 10, 1 + index)).toISOString().slice(0, 10),
    ...(isEmpty ? { worst: null, runs: 0 } : { worst, runs: 1 }),
    missed: index === 10 ? 1 : 0,
  };
});

export function overview(change: Partial<Answer<'overview'>> = {}): Answer<'overview'> {
  const { jobs = [job()], archives = [], conditions = [] } = change;
  const ofSeverity = (severity: string) => conditions.filter((each) => each.severity === severity).length;
  return {
    instance: 'production',
    totals: {
      ...{ jobs: jobs.length, archives: archives.length, running: jobs.flatMap(({ running }) => running).length },
      conditions: {
        ...{ info: ofSeverity('info'), warning: ofSeverity('warning') },
        ...{ error: ofSeverity('error'), critical: ofSeverity('critical') },
      },
      held: { blobs: 5018, entities: 0, bytes: 188_252_160 },
    },
    conditions,
    jobs,
    archives,
    vaults: [
      { alias: 'VAULT', held: { blobs: 5104, kept: 1204, bytes: 1_900_000_000, at: '2026-11-30T03:00:00.000Z' } },
    ],
    ...change,
  };
}

export function row(change: Partial<RunRow> = {}): RunRow {
  return {
    ...{ id: NIGHTLY, job: 'nightly', mode: 'incremental', trigger: 'timer', status: 'succeeded', dryRun: false },
    by: { name: null, via: 'schedule' },
    ...{
      startedAt: '2026-11-29T22:30:00.000Z',
      finishedAt: '2026-11-29T22:41:07.114Z',
      seconds: 667.1,
      requests: 5038,
    },
    counts: { listed: 5020, copied: 3100, unchanged: 1920, skipped: 0, failed: 0 },
    bytes: { listed: 188_252_160, copied: 12_697_600 },
    ...{ problem: null, problems: 0, held: null },
    point: {
      ...{ containers: 2, blobs: 5018, tables: 0, entities: 0, bytes: 188_252_160 },
      lacks: { skipped: 0, failed: 0, containers: [], tables: [] },
    },
    ...change,
  };
}

export function report(change: Partial<Report> = {}): Report {
  return {
    ...{ id: NIGHTLY, job: 'nightly', mode: 'incremental', trigger: 'timer', dryRun: false },
    by: { name: null, via: 'schedule' },
    ...{ status: 'succeeded', phase: 'ended', cancelling: false },
    ...{ startedAt: '2026-11-29T22:30:00.000Z', finishedAt: '2026-11-29T22:41:07.114Z', progressAt: null },
    counts: { listed: 5020, copied: 3100, unchanged: 1920, skipped: 0, failed: 0, held: 5020 },
    bytes: { listed: 188_252_160, copied: 12_697_600 },
    progress: { fraction: 1, blobsPerSecond: 7.5, bytesPerSecond: 282_216, secondsLeft: 0 },
    requests: { ListBlobs: 8, CopyBlobFromURL: 3100, PutBlob: 9 },
    containers: [],
    ...{ containersTotal: 2, problems: [], point: null, followedBy: null },
    actions: {
      cancel: { may: false, code: 'run-ended', why: 'The run has ended' },
      retry: { may: false, code: 'nothing-to-retry', why: 'Nothing failed' },
    },
    cost: {
      ...{ currency: 'USD', asOf: '2026-09-30', region: 'East US', source: 'example prices' },
      ...{ total: 0.02, parts: [], unknown: [] },
    },
    ...change,
  } as Report;
}

export const CONTAINERS: Report['containers'] = ['images', 'documents'].map((container) => ({
  ...{ container, destination: `${container}backup`, status: 'succeeded' as const },
  counts: { listed: 2510, copied: 1550, unchanged: 960, skipped: 0, failed: 0 },
  bytes: { listed: 94_126_080, copied: 6_348_800 },
  requests: { ListBlobs: 4, CopyBlobFromURL: 1550 },
  problems: [],
}));

export const JOBS: Answer<'listJobs'> = {
  jobs: [
    {
      ...{ name: 'nightly', mode: 'incremental', method: 'auto', timeZone: 'Europe/Berlin' },
      schedules: [
        {
          ...{ kind: 'backup', schedule: '0 30 23 * * 1-5', words: 'Monday to Friday at 23:30' },
          next: ['2026-11-30T22:30:00.000Z', '2026-12-01T22:30:00.000Z', '2026-12-02T22:30:00.000Z'],
        },
        { kind: 'prune', schedule: '0 0 4 * * *', words: 'at 04:00', next: ['2026-12-01T03:00:00.000Z'] },
      ],
      source: {
        ...{ account: 'SOURCE', containers: ['images', 'tenant-*'], prefix: '', include: [], exclude: ['**/*.tmp'] },
        ...{ tables: ['orders'], tableDeletions: false },
      },
      destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
      retention: {
        ...{ keepDaily: 14, keepWeekly: 8, keepMonthly: 12, marginHours: 24, account: 'VAULT', ping: null },
        brake: { percent: 50, blobs: 100, days: 30 },
      },
      verify: { afterRun: 'quick', kind: 'quick', portion: '100%', expect: null, ping: null },
      ...{ expect: { grace: null, every: null }, ping: 'HC_NIGHTLY' },
    },
  ],
};

export const NO_RULES: Answer<'listArchives'> = { archives: [] };

/** For filters, which ask for the names of jobs and rules. */
export const NAMES = { 'GET /api/jobs': JOBS, 'GET /api/archives': NO_RULES };
