import type { Answer } from '../../../ui/model/answer.ts';
import type { State } from '../state.ts';
import { ADMIN, READER } from './answers.ts';
import { idOf, job } from './restore-answers.ts';

type Run = Answer<'getRun'>;

const PLAN = 'nightly-20261130T115700Z-p7x2m4';
const plan: NonNullable<Run['plan']> = {
  ...{ job: 'nightly', at: '2026-11-30T11:57:00.000Z', before: '2026-11-29T11:57:00.000Z', marginMs: 86_400_000 },
  decisions: [
    ...Array.from({ length: 17 }, (_, index) => ({
      ...{ id: idOf(29 - index), keep: true },
      reasons: index === 0 ? ['newest', 'last good', 'daily 2026-11-29'] : [`daily 2026-11-${29 - index}`],
    })),
    { id: idOf(12), keep: false, reasons: ['no rule keeps it'] },
    { id: idOf(11), keep: true, reasons: ['held: audit 2026'] },
    { id: idOf(10), keep: false, reasons: ['no rule keeps it'] },
  ],
  ...{ remove: [idOf(12), idOf(10)], expired: ['nightly-20261028T233000Z-k3f9q2'], keeps: [], braked: [], reading: [] },
  ...{ source: 'https://shop.blob.core.windows.net', hash: '3f0c9a52e1b74d868f2a6c1d0e9b8a77' },
  summary: {
    ...{ keeps: 18, removes: 2, empties: 1, items: 1207, bytes: 3_200_000_000 },
    emptiesFrom: '2026-12-01T11:57:00.000Z',
    held: null,
  },
};

const counts = { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0, planned: 1207 };
const refused = { may: false as const, code: 'run-ended', why: 'The run has ended' };
const run: Run = {
  ...{ id: PLAN, job: 'nightly', mode: 'prune', trigger: 'http', dryRun: true, prune: {}, status: 'succeeded' },
  by: { name: 'ada@example.net', via: 'entra' },
  ...{ phase: 'ended', cancelling: false, startedAt: plan.at, finishedAt: plan.at, progressAt: plan.at, counts },
  bytes: { listed: 0, copied: 0, planned: 3_200_000_000 },
  progress: { fraction: 1, blobsPerSecond: 0, bytesPerSecond: 0, secondsLeft: 0 },
  ...{ requests: {}, containers: [], containersTotal: null, problems: [] },
  actions: { cancel: refused, retry: refused },
  plan,
  ...{ point: null, followedBy: null },
  cost: {
    currency: 'USD',
    asOf: '2026-11',
    region: 'example',
    source: 'example prices',
    total: 0,
    parts: [],
    unknown: [],
  },
};
const { planned: _, ...done } = counts;

const common = { 'GET /api/whoami': ADMIN };
const jobs = (part: object) => ({ 'GET /api/jobs': { jobs: [job('nightly', part), job('tables')] } });
const retention = {
  ...{ keepDaily: 14, keepWeekly: 8, keepMonthly: 12, marginHours: 24, account: 'VAULT', ping: null },
  brake: { percent: 50, blobs: 100, days: 30 },
};
const row = {
  ...{ id: PLAN, job: 'nightly', mode: 'prune', trigger: 'http', status: 'succeeded', dryRun: true },
  ...{ startedAt: plan.at, finishedAt: plan.at, seconds: 9, requests: 40, counts, bytes: run.bytes },
  ...{ by: run.by, problem: null, problems: 0, point: null, held: null },
};
const stale = { code: 'plan-stale', count: 1, message: 'the plan is out of date' };

/** What would be deleted, and what stands before it. */
export const PRUNE_STATES: readonly State[] = [
  {
    name: 'prune-of-a-job',
    path: '/prune',
    answers: {
      ...common,
      ...jobs({
        retention,
        schedules: [{ kind: 'prune', schedule: '0 0 4 * * *', words: 'every day at 04:00', next: [] }],
      }),
      'GET /api/runs': {
        runs: [
          row,
          {
            ...row,
            id: 'nightly-20261129T040000Z-aaaaaa',
            dryRun: false,
            status: 'failed',
            problem: stale,
            problems: 1,
            counts: done,
          },
        ],
        next: null,
      },
    },
    says: [
      'It keeps 14 daily, 8 weekly and 12 monthly',
      'every day at 04:00',
      'Make a plan',
      '1,207 items, 3.2 GB',
      'the plan is out of date',
    ],
  },
  {
    name: 'prune-without-policy',
    path: '/prune?job=tables',
    answers: { ...common, 'GET /api/whoami': READER, ...jobs({}), 'GET /api/runs': { runs: [], next: null } },
    says: ['Everything: the job has no retention policy', 'No plan yet', 'it needs the role operator or admin'],
  },
  {
    name: 'plan-ready',
    path: `/prune/${PLAN}`,
    answers: {
      ...common,
      [`GET /api/runs/${PLAN}`]: run,
      [`GET /api/runs/${PLAN}/outcomes`]: {
        items: [
          {
            ...{ container: 'images', destination: 'imagesbackup', name: '2026/\u202egnp.exe', status: 'planned' },
            ...{ size: 4096, reason: 'not-needed', snapshotOrVersion: { snapshot: '2026-11-20T10:00:00.0000000Z' } },
          },
          {
            container: 'docs',
            destination: 'docsbackup',
            name: '<script>',
            status: 'planned',
            size: 1,
            reason: 'source-gone',
          },
        ],
        ...{ next: null, total: 1207 },
      },
    },
    does: (page) => page.getByRole('button', { name: 'Show the names of 1,207 items' }).click(),
    says: [
      'Plan for nightly',
      '18 restore points stay',
      '2 would be marked',
      'cannot be undone',
      'Mark 2 restore points and delete 1,207 items',
      'no rule keeps it',
      'on hold: audit 2026',
      'Hold it …',
      'no restore point needs it',
    ],
  },
  {
    name: 'plan-not-allowed',
    path: `/prune/${PLAN}`,
    answers: { ...common, 'GET /api/whoami': READER, [`GET /api/runs/${PLAN}`]: run },
    says: ['You may not do this: it needs the role pruner or admin.'],
  },
  {
    name: 'plan-old',
    path: `/prune/${PLAN}`,
    answers: { ...common, [`GET /api/runs/${PLAN}`]: { ...run, plan: { ...plan, at: '2026-11-30T10:57:00.000Z' } } },
    says: ['more than an hour old', 'Make a new plan'],
  },
  {
    name: 'prune-stale',
    path: `/prune/${PLAN}`,
    answers: {
      ...common,
      [`GET /api/runs/${PLAN}`]: {
        ...run,
        ...{ dryRun: false, status: 'failed', plan: undefined, counts: done },
        problems: [{ ...stale, hint: 'Make a new plan: POST /api/prunes.' }],
      },
    },
    says: ['Prune of nightly', 'the plan is out of date', 'Make a new plan'],
  },
];
