import { PROBLEMS, type ProblemCode, problemOf } from '#domain/run/problems.ts';
import type { State } from '../state.ts';
import { ADMIN, BEFORE, CONTAINERS, NAMES, NIGHTLY, problem, READER, report, row } from './answers.ts';

const HOSTILE = '<script>alert(1)</script>/../‮gnp.exe\u0000';

const found = (code: ProblemCode, count: number, container?: string) => {
  const { hint: _hint, ...rest } = problemOf(code, count, container);
  return rest;
};

const ROWS = [
  row({
    status: 'running',
    seconds: null,
    requests: null,
    counts: { listed: 5020, copied: 3100, unchanged: 0, skipped: 0, failed: 0 },
    point: null,
    problems: null,
  }),
  row({
    ...{ id: 'nightly-20261127T223000Z-f1', status: 'failed', mode: 'full', point: null, problems: 2 },
    problem: found('access-denied-source', 0, 'images'),
  }),
  row({
    ...{ id: 'nightly-20261126T223000Z-f2', status: 'completed-with-failures', problems: 2 },
    counts: { listed: 5020, copied: 3100, unchanged: 1906, skipped: 0, failed: 14 },
    problem: found('destination-leased', 14, 'images'),
  }),
  row({
    ...{
      id: 'nightly-20261126T100200Z-r1',
      mode: 'restore',
      trigger: 'http',
      by: { name: 'ada@example.net', via: 'entra' },
    },
    restore: {
      point: BEFORE,
      account: 'SOURCE',
      container: '{container}-restored',
      prefix: '',
      table: '{table}',
      existing: 'skip',
    },
    counts: { listed: 1204, copied: 1204, unchanged: 0, skipped: 0, failed: 0 },
    point: null,
  }),
  row({
    ...{ id: 'tables-20261126T040000Z-n1', job: 'tables', mode: 'verify', status: 'not-started', point: null },
    ...{ seconds: null, requests: null, counts: undefined, bytes: undefined },
    problem: found('run-in-progress', 0),
  } as Parameters<typeof row>[0]),
  row({
    ...{ id: 'nightly-20261126T030000Z-p1', mode: 'prune', dryRun: true, prune: { plan: null }, point: null },
    ...{
      counts: { listed: 9, copied: 0, unchanged: 0, skipped: 0, failed: 0, planned: 1207 },
      bytes: { listed: 0, copied: 0, planned: 3_200_000_000 },
    },
  }),
  row({
    id: 'nightly-20261125T223000Z-c1',
    status: 'cancelled',
    point: null,
    trigger: 'http',
    by: { name: 'ci', via: 'key' },
  }),
];

const list = (name: string, answer: object, says: State['says'], more: Partial<State> = {}): State => ({
  ...{ name: `runs-${name}`, path: '/runs', says },
  answers: { 'GET /api/whoami': ADMIN, 'GET /api/runs': answer, ...NAMES },
  ...more,
});

/** The list of runs. */
export const RUNS_STATES: readonly State[] = [
  list('all', { runs: ROWS, next: 'more' }, [
    'access-denied-source',
    'destination-leased',
    'restore into SOURCE / {container}-restored',
    'not started',
    '1,207 to delete',
    'by the key ci',
    'Show earlier runs',
  ]),
  list('none', { runs: [], next: null }, ['Nothing has run yet']),
  list('none-match', { runs: [], next: null }, ['No run matches', 'Clear the filters'], {
    path: '/runs?job=nightly&status=failed&days=7',
  }),
  list('of-a-day', { runs: ROWS.slice(1, 2), next: null }, ['access-denied-source'], {
    path: '/runs?job=nightly&day=2026-11-27',
    // The job is in Berlin.
    answers: {
      'GET /api/whoami': ADMIN,
      'GET /api/runs?job=nightly&from=2026-11-26T23%3A00%3A00.000Z&to=2026-11-27T22%3A59%3A59.999Z&dryRun=false&limit=50':
        { runs: ROWS.slice(1, 2), next: null },
      ...NAMES,
    },
  }),
  list(
    'from-the-vault',
    {
      runs: [row()],
      next: null,
      problems: [
        {
          code: 'catalog-unavailable',
          account: 'VAULT',
          message: 'The catalog does not answer',
          hint: PROBLEMS['catalog-unavailable'].hint,
        },
      ],
    },
    ['The catalog does not answer', 'the settings'],
  ),
];

const run = (
  name: string,
  answer: ReturnType<typeof report>,
  says: State['says'],
  more: Partial<State> = {},
): State => ({
  ...{ name: `run-${name}`, path: `/runs/${NIGHTLY}`, says },
  answers: {
    'GET /api/whoami': ADMIN,
    [`GET /api/runs/${NIGHTLY}`]: answer,
    [`GET /api/runs/${NIGHTLY}?containers=all`]: { ...answer, containers: CONTAINERS },
    'GET /api/restore-points': { restorePoints: [], next: null },
  },
  ...more,
});

const RUNNING = report({
  ...{ status: 'running', phase: 'copying', finishedAt: null, startedAt: '2026-11-30T11:54:00.000Z' },
  progressAt: '2026-11-30T11:59:58.000Z',
  counts: { listed: 5011, copied: 3100, unchanged: 8, skipped: 1, failed: 0 },
  progress: { fraction: 0.62, blobsPerSecond: 516.8, bytesPerSecond: 2_116_266, secondsLeft: 240 },
  actions: { cancel: { may: true }, retry: { may: false, code: 'run-in-progress', why: 'It is in progress' } },
});

const FAILED = report({
  ...{ status: 'failed', counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 } },
  problems: [problemOf('access-denied-source', 0, 'images'), problemOf('access-denied-source', 0, 'documents')],
});

const INCOMPLETE = report({
  status: 'completed-with-failures',
  counts: { listed: 5020, copied: 3100, unchanged: 1906, skipped: 0, failed: 14, held: 5006 },
  problems: [
    problemOf('destination-leased', 12, 'images'),
    problemOf('source-changing', 2, 'documents'),
    problemOf('source-vanished', 3, 'images'),
  ],
  actions: { cancel: { may: false, code: 'run-ended', why: 'It has ended' }, retry: { may: true } },
  noLongerHeld: { deleted: 12, skipped: 0, failed: 14, notSelected: 0 },
  comparedWith: BEFORE,
  followedBy: [{ id: 'nightly-20261130T080000Z-r2t3r4', how: 'retries' }],
});

/** A run, in progress and ended. */
export const RUN_STATES: readonly State[] = [
  run('copying', RUNNING, ['Backing up nightly', '62 %', '3,109 of about 5,015', 'about 4 min left', 'Cancel']),
  run(
    'starting',
    report({
      ...RUNNING,
      phase: 'starting',
      progressAt: null,
      progress: { fraction: null, blobsPerSecond: 0, bytesPerSecond: 0, secondsLeft: null },
    }),
    ['Backing up nightly', '3,109 done'],
  ),
  run('silent', report({ ...RUNNING, progressAt: '2026-11-30T11:56:00.000Z' }), ['Nothing was written for 4 min']),
  run('stopping', report({ ...RUNNING, cancelling: true, progressAt: '2026-11-30T11:56:00.000Z' }), [
    'Stopping the backup of nightly',
    'End it by force',
  ]),
  run('asks-to-stop', RUNNING, ['Stop the backup of nightly?', 'This run leaves no restore point'], {
    does: (page) => page.getByRole('button', { name: 'Cancel' }).click(),
  }),
  run('succeeded', report(), [
    'nightly: backup succeeded',
    'It left a restore point',
    'Look at the restore point',
    'imagesbackup',
    '3,117 storage requests',
  ]),
  run('failed', FAILED, [
    'nightly: backup failed',
    'It left no restore point',
    'Check the rights',
    'access-denied-source',
  ]),
  run('incomplete', INCOMPLETE, [
    'nightly: backup incomplete',
    'Try the 14 that failed again',
    'destination-leased',
    'Nothing to do (1)',
    '12 deleted in the source',
  ]),
  run('reader', INCOMPLETE, ['Try the 14 that failed again', 'it needs the role operator or admin'], {
    answers: { ...run('', INCOMPLETE, []).answers, 'GET /api/whoami': READER },
  }),
  run('names', INCOMPLETE, ['images / <script>alert(1)</script>/../\\u202egnp.exe\\u0000'], {
    answers: {
      ...run('', INCOMPLETE, []).answers,
      [`GET /api/runs/${NIGHTLY}/outcomes`]: {
        items: [
          {
            container: 'images',
            destination: 'imagesbackup',
            name: HOSTILE,
            status: 'failed',
            code: 'destination-leased',
          },
        ],
        ...{ next: null, total: 12 },
      },
    },
    does: (page) => page.getByRole('button', { name: 'Show 12 names' }).click(),
  }),
  run(
    'verification',
    report({
      mode: 'verify',
      verify: { point: BEFORE, kind: 'drill', sample: 20 },
      counts: { listed: 20, copied: 0, unchanged: 0, skipped: 0, failed: 2 },
      status: 'completed-with-failures',
      problems: [problemOf('content-mismatch', 2, 'images')],
      verdict: 'a drill restored 18 blobs, 2 wrong or not checked',
    }),
    [
      'nightly: drill incomplete',
      'A drill restored 18 blobs, 2 wrong or not checked.',
      'Find it in other restore points',
    ],
  ),
  {
    ...{ name: 'run-not-found', path: '/runs/nothing', says: ['Why it is run-not-found'], expects: /404/ },
    answers: { 'GET /api/whoami': ADMIN, 'GET /api/runs/nothing': problem(404, 'run-not-found') },
  },
];

/** Each code of a problem: its meaning and hint are there, and nothing breaks. Only one of them is a state. */
export const EVERY_PROBLEM: State = run(
  'every-problem',
  report({
    status: 'completed-with-failures',
    problems: (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => problemOf(code, 1, 'images')),
  }),
  Object.keys(PROBLEMS),
  { does: (page) => page.getByText(/^Nothing to do \(\d+\)$/).click() },
);
