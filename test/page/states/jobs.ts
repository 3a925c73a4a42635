import type { State } from '../state.ts';
import { ADMIN, JOBS, job, NIGHTLY, overview, problem, READER, row } from './answers.ts';

const [NIGHTLY_JOB] = JOBS.jobs;
const ENDED = Array.from({ length: 30 }, (_, index) =>
  row({
    id: `nightly-${index}`,
    startedAt: new Date(Date.UTC(2026, 10, 29 - index, 22, 30)).toISOString(),
    seconds: 600 + ((index * 37) % 200),
    status: index === 4 ? 'completed-with-failures' : 'succeeded',
    counts: { listed: 5020, copied: 3100, unchanged: 1900, skipped: 0, failed: index === 4 ? 14 : 0 },
    bytes: { listed: 188_252_160, copied: 12_000_000 + ((index * 971) % 7) * 3_000_000 },
    point: { ...row().point!, bytes: 188_252_160 - index * 1_500_000 },
  }),
);

const ofJob = {
  'GET /api/whoami': ADMIN,
  'GET /api/jobs/nightly': NIGHTLY_JOB!,
  'GET /api/overview': overview(),
  'GET /api/runs': { runs: ENDED, next: null },
};

const TRIAL = {
  ...{ job: 'nightly', policy: { keepDaily: 14, keepWeekly: 8, keepMonthly: 12 }, isInForce: true, isComplete: true },
  ...{ keeps: 2, removes: 1, problem: null },
  restorePoints: [
    {
      id: NIGHTLY,
      time: '2026-11-29T22:30:00.000Z',
      status: 'succeeded',
      keep: true,
      reasons: ['newest', 'daily 2026-11-29'],
    },
    { id: 'b', time: '2026-11-20T22:30:00.000Z', status: 'succeeded', keep: true, reasons: ['safety brake'] },
    { id: 'c', time: '2026-11-12T22:30:00.000Z', status: 'succeeded', keep: false, reasons: ['no rule keeps it'] },
  ],
};

/** Jobs, one of them, and what another policy would keep. */
export const JOBS_STATES: readonly State[] = [
  {
    ...{ name: 'jobs', path: '/jobs', says: ['Jobs', 'containers images and tenant-*', 'Monday to Friday at 23:30'] },
    answers: { 'GET /api/whoami': ADMIN, 'GET /api/jobs': JOBS },
  },
  {
    ...{ name: 'jobs-none', path: '/jobs', says: ['There are no jobs'] },
    answers: { 'GET /api/whoami': ADMIN, 'GET /api/jobs': { jobs: [] } },
  },
  {
    ...{ name: 'job', path: '/jobs/nightly', answers: ofJob },
    says: [
      'nightly',
      'Back up now',
      'Protected',
      '188 MB',
      '14 daily, 8 weekly and 12 monthly',
      'up to date',
      '0 30 23 * * 1-5',
    ],
  },
  {
    ...{ name: 'job-paused', path: '/jobs/nightly', says: ['Its schedules are paused', 'Resume schedules'] },
    answers: {
      ...ofJob,
      'GET /api/overview': overview({
        jobs: [job({ state: 'paused', paused: { since: '2026-11-29T09:00:00.000Z', until: null } })],
      }),
    },
  },
  {
    ...{
      name: 'job-pause',
      path: '/jobs/nightly',
      says: ['Pause the schedules of nightly?', "strongroom jobs pause nightly '--reason=we move"],
      answers: ofJob,
    },
    does: async (page) => {
      await page.getByRole('button', { name: 'Pause schedules' }).click();
      await page.getByLabel('Why').fill('we move the data');
      await page.getByText('The same as a command').click();
    },
  },
  {
    ...{
      name: 'job-full',
      path: '/jobs/nightly',
      says: ['Start a full backup of nightly?', 'copies every blob'],
      answers: ofJob,
    },
    does: (page) => page.getByRole('button', { name: 'Full backup' }).click(),
  },
  {
    ...{ name: 'job-reader', path: '/jobs/nightly', says: ['it needs the role operator or admin'] },
    answers: { ...ofJob, 'GET /api/whoami': READER },
  },
  {
    ...{ name: 'job-not-found', path: '/jobs/nothing', says: ['Why it is job-not-found'], expects: /404/ },
    answers: {
      ...ofJob,
      'GET /api/jobs/nothing': problem(404, 'job-not-found'),
    },
  },
  {
    ...{ name: 'retention', path: '/jobs/nightly/retention' },
    says: ['keeps 2 restore points and marks 1', 'settles at about', 'no rule keeps it'],
    answers: { 'GET /api/whoami': ADMIN, 'GET /api/jobs/nightly/retention': TRIAL },
  },
  {
    ...{ name: 'retention-other', path: '/jobs/nightly/retention?keepDaily=3' },
    says: ['This policy, 3 daily', '"retention": {"keepDaily":3}'],
    answers: {
      'GET /api/whoami': ADMIN,
      'GET /api/jobs/nightly/retention?keepDaily=3': { ...TRIAL, policy: { keepDaily: 3 }, isInForce: false },
    },
  },
];
