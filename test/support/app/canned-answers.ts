import type { AnswerOf } from '../../../cli/connect/api.ts';

/** Answers of an app with a job and an archive rule, as docs/http-api.md shows them. */

export const POINT_ID = 'nightly-20261121T233000Z-k3f9q2';
const lacks = { skipped: 1, failed: 1, containers: ['tenant-7'], tables: [] };
const verified = {
  ...{ run: 'nightly-20261122T060000Z-p7x2m4', at: '2026-11-22T06:04:11.020Z', kind: 'deep' as const },
  ...{ portion: '5%', items: 5018, read: 251, failed: 0 },
};

export const ROW: AnswerOf<'listRuns'>['runs'][number] = {
  ...{ id: POINT_ID, job: 'nightly', mode: 'full', trigger: 'timer', status: 'completed-with-failures' },
  ...{ dryRun: false, startedAt: '2026-11-21T23:30:00.000Z', finishedAt: '2026-11-21T23:41:07.114Z' },
  by: { name: null, via: 'schedule' },
  ...{ seconds: 667.1, requests: 5038 },
  counts: { listed: 5020, copied: 5018, unchanged: 0, skipped: 1, failed: 1 },
  bytes: { listed: 188252160, copied: 188248064 },
  problem: { code: 'destination-leased', container: 'images', count: 1, message: '1 blob: leased at the destination' },
  problems: 2,
  point: { containers: 12, blobs: 5018, tables: 2, entities: 48211, bytes: 188252160, lacks },
  held: null,
};

export const RUNS: AnswerOf<'listRuns'> = {
  runs: [
    ROW,
    {
      ...{ id: 'nightly-20261120T233000Z-a1b2c3', job: 'nightly', mode: 'incremental', trigger: 'http' },
      ...{ status: 'succeeded', dryRun: false, startedAt: '2026-11-20T23:30:00.000Z' },
      ...{
        finishedAt: '2026-11-20T23:31:00.000Z',
        seconds: 60,
        requests: 12,
        problem: null,
        problems: 0,
        point: null,
        held: null,
      },
      counts: { listed: 5020, copied: 14, unchanged: 5006, skipped: 0, failed: 0 },
      bytes: { listed: 188252160, copied: 3565158 },
    },
  ],
  next: null,
};

export const POINTS: AnswerOf<'listRestorePoints'> = {
  restorePoints: [
    {
      ...{ id: POINT_ID, job: 'nightly', mode: 'incremental', status: 'completed-with-failures' },
      ...{ time: '2026-11-21T23:30:00.000Z', finishedAt: '2026-11-21T23:41:07.114Z' },
      ...{ containers: 12, blobs: 5018, tables: 2, entities: 48211, bytes: 188252160, lacks },
      hold: { at: '2026-11-22T09:00:00.000Z', reason: 'audit 2026', by: { name: 'ada', via: 'entra' } },
      ...{ brake: null, verified, verifications: [verified] },
    },
  ],
  next: null,
};

/** A run that has ended. */
export const REPORT: AnswerOf<'getRun'> = {
  ...{ id: POINT_ID, job: 'nightly', mode: 'incremental', trigger: 'http', dryRun: false },
  by: { name: 'ci', via: 'key' },
  ...{ status: 'completed-with-failures', phase: 'ended', cancelling: false, point: null, followedBy: null },
  ...{ startedAt: '2026-11-21T23:30:00.000Z', finishedAt: '2026-11-21T23:41:07.114Z', progressAt: null },
  counts: { listed: 5020, copied: 14, unchanged: 5005, skipped: 0, failed: 1 },
  bytes: { listed: 188252160, copied: 3565158 },
  progress: { fraction: 1, blobsPerSecond: 0, bytesPerSecond: 0, secondsLeft: 0 },
  requests: { ListBlobs: 8 },
  containers: [
    {
      ...{ container: 'images', destination: 'imagesbackup', status: 'completed-with-failures' },
      counts: { listed: 5020, copied: 14, unchanged: 5005, skipped: 0, failed: 1 },
      bytes: { listed: 188252160, copied: 3565158 },
      ...{ requests: {}, problems: [] },
    },
  ],
  containersTotal: 1,
  problems: [
    {
      ...{ code: 'destination-leased', container: 'images', count: 1, message: '1 blob: leased at the destination' },
      hint: 'Break the lease (az storage blob lease break), then retry.',
    },
  ],
  actions: { cancel: { may: false, code: 'run-ended', why: 'it has ended' }, retry: { may: true } },
  cost: {
    ...{
      currency: 'USD',
      asOf: '2026-09-30',
      region: 'East US',
      source: 'example',
      total: 0.02,
      parts: [],
      unknown: [],
    },
    stored: { total: 1.5, parts: [], unknown: [] },
  },
};

/** The same run in progress. */
export const RUNNING: AnswerOf<'getRun'> = {
  ...REPORT,
  ...{ status: 'running', phase: 'copying', finishedAt: null, progressAt: '2026-11-21T23:30:05.000Z', problems: [] },
  counts: { listed: 5020, copied: 3100, unchanged: 0, skipped: 1, failed: 0 },
  progress: { fraction: 0.62, blobsPerSecond: 516.8, bytesPerSecond: 2116266, secondsLeft: 4 },
  actions: { cancel: { may: true }, retry: { may: false, code: 'run-in-progress', why: 'it is in progress' } },
};

const plan = {
  ...{ job: 'nightly', at: '2026-11-22T04:00:00.000Z' },
  decisions: [
    { id: POINT_ID, keep: true, reasons: ['last good', 'daily 2026-11-21'] },
    { id: 'nightly-20260101T233000Z-a1b2c3', keep: false, reasons: ['no rule keeps it'] },
  ],
  ...{ remove: ['nightly-20260101T233000Z-a1b2c3'], expired: ['nightly-20251231T233000Z-d4e5f6'], reading: [] },
  ...{ keeps: [{ job: 'nightly', id: POINT_ID }], braked: [], marginMs: 86400000 },
  ...{ before: '2026-11-21T04:00:00.000Z', source: 'https://a.blob.core.windows.net', hash: '3f0c9a52e1b74d86' },
  summary: {
    keeps: 1,
    removes: 1,
    empties: 1,
    items: 212,
    bytes: 8421376,
    emptiesFrom: '2026-11-23T04:00:00.000Z',
    held: null,
  },
};

/** The run that made a plan. */
export const PLANNED: AnswerOf<'getRun'> = {
  ...REPORT,
  ...{ id: 'nightly-20261122T040000Z-z9y8x7', mode: 'prune', dryRun: true, status: 'succeeded', problems: [] },
  ...{ prune: {}, plan, containers: [] },
  actions: { ...REPORT.actions, retry: { may: false, code: 'nothing-to-retry', why: 'it is a prune' } },
};

const counts = {
  ...{ items: 5019, bytes: 4194304, new: 12, replaced: 1, unchanged: 5005, skipped: 0, failed: 1, rehydrated: 0 },
};

export const PREVIEW: AnswerOf<'previewRestore'> = {
  restorePoint: { id: POINT_ID, time: '2026-11-21T23:30:00.000Z' },
  ...{ job: 'nightly', account: 'SOURCE', existing: 'if-different', totals: counts },
  containers: [
    {
      container: 'images',
      target: 'images',
      isNew: false,
      ...counts,
      failures: { 'content-archived': 1 },
      problem: null,
    },
  ],
  ...{ tables: [], leftOut: [] },
  examples: {
    replaced: [{ container: 'images', name: '2026/a.jpg' }],
    failed: [{ container: 'images', name: '2025/z.raw', code: 'content-archived' }],
  },
  next: null,
};

/** The newest restore point of the overview. */
const newest = {
  ...{ id: POINT_ID, time: '2026-11-21T23:30:00.000Z', containers: 1, blobs: 5019, tables: 0, entities: 0 },
  ...{ bytes: 188252160, lacks, isHeld: false, isBraked: false, verified },
};

export const OVERVIEW: AnswerOf<'overview'> = {
  instance: 'production',
  totals: {
    ...{ jobs: 1, archives: 0, running: 0, conditions: { info: 0, warning: 0, error: 1, critical: 0 } },
    held: { blobs: 5019, entities: 0, bytes: 188252160 },
  },
  conditions: [
    {
      ...{ id: 'overdue/backup/nightly', condition: 'overdue', severity: 'error', job: 'nightly' },
      since: '2026-11-22T01:30:00.000Z',
      title: 'nightly: the backup is overdue',
      message: 'It was due at 2026-11-21T23:30:00.000Z.',
      hint: 'Look into GET /api/runs?job=nightly, or start it: POST /api/jobs/nightly/runs.',
    },
  ],
  jobs: [
    {
      ...{ name: 'nightly', state: 'overdue', severity: 'error', paused: null, running: [], problem: null },
      runs: [
        {
          ...{ kind: 'backup', state: 'overdue', due: '2026-11-21T23:30:00.000Z' },
          ...{ overdueAt: '2026-11-22T01:30:00.000Z', next: '2026-11-22T23:30:00.000Z' },
          last: { id: POINT_ID, status: 'succeeded', finishedAt: '2026-11-21T23:41:07.114Z' },
          lastGood: { id: POINT_ID, startedAt: '2026-11-21T23:30:00.000Z' },
        },
      ],
      ...{ restorePoint: newest, size: null, held: null, strip: null },
    },
  ],
  archives: [],
  vaults: [],
};
