import type { Answer } from '../../../ui/model/answer.ts';
import type { State } from '../state.ts';
import { ADMIN, BEFORE, job, NIGHTLY, overview, problem, READER } from './answers.ts';

type Condition = Answer<'overview'>['conditions'][number];

const OVERDUE: Condition = {
  ...{ id: 'overdue/backup/tables', condition: 'overdue', severity: 'error', job: 'tables' },
  since: '2026-11-30T03:00:00.000Z',
  title: 'tables: the backup is overdue',
  message: `It was due at 2026-11-30T01:00:00.000Z. It did not start: run ${NIGHTLY} was in progress.`,
  hint: 'Look into GET /api/health/details and GET /api/runs?job=tables, or start it: POST /api/jobs/tables/runs.',
};
const BRAKE: Condition = {
  ...{ id: 'brake/nightly', condition: 'brake', severity: 'error', job: 'nightly', run: BEFORE },
  since: '2026-11-21T22:40:00.000Z',
  title: 'nightly: the safety brake is engaged',
  message: 'A run changed or lost too much of images. Prunes delete nothing there until an operator releases it.',
  hint: `Find out why, then release it: POST /api/restore-points/${BEFORE}/release.`,
};

const runs = job().runs;
const TABLES = job({ name: 'tables', state: 'overdue', severity: 'error' });
const RULE: Answer<'overview'>['archives'][number] = {
  ...{ name: 'uploads', state: 'ok', severity: 'warning', paused: null, running: [], problem: null },
  runs: [{ ...runs[0]!, kind: 'reconcile', next: '2026-11-30T13:00:00.000Z' }],
  failedPermanently: 3,
};

const of = (name: string, answer: object, says: State['says'], more: Partial<State> = {}): State => ({
  ...{ name: `overview-${name}`, path: '/', says },
  answers: { 'GET /api/whoami': ADMIN, 'GET /api/overview': answer },
  ...more,
});

/** How everything may stand. */
export const OVERVIEW_STATES: readonly State[] = [
  of('all-well', overview(), [
    'Everything is backed up',
    '5,018 blobs',
    'verified',
    'Tue 10 Nov: failed, 1 backup',
    'Wed 11 Nov: 1 missed',
    'In VAULT: 1.9 GB',
  ]),
  of(
    'attention',
    overview({ conditions: [OVERDUE, BRAKE], jobs: [job({ severity: 'error' }), TABLES], archives: [RULE] }),
    ['2 things need attention', 'the backup is overdue', 'the safety brake is engaged', '3 uploads failed permanently'],
  ),
  of(
    'running',
    overview({
      jobs: [
        job({
          state: 'running',
          running: [
            {
              ...{ id: NIGHTLY, mode: 'incremental', startedAt: '2026-11-30T11:54:00.000Z', isSilent: false },
              ...{ phase: 'copying', fraction: 0.62, secondsLeft: 240 },
            },
          ],
        }),
      ],
    }),
    ['nightly is being backed up', 'backing up', '62 %, about 4 min left'],
  ),
  of('first', overview({ jobs: [job({ state: 'never', restorePoint: null, runs: [] })] }), [
    'Nothing has been backed up yet',
    'Start the first backup of nightly',
    'Check the set-up',
  ]),
  of(
    'reader',
    overview({ conditions: [OVERDUE], jobs: [TABLES] }),
    ['1 thing needs attention', 'it needs the role operator or admin'],
    {
      answers: { 'GET /api/whoami': READER, 'GET /api/overview': overview({ conditions: [OVERDUE], jobs: [TABLES] }) },
    },
  ),
  of(
    'unknown',
    overview({
      jobs: [
        job({
          ...{ state: 'unknown', runs: [], restorePoint: null },
          problem: { code: 'unreachable', message: 'VAULT does not answer', hint: 'Check its network rules.' },
        }),
      ],
    }),
    ['1 thing needs attention', 'VAULT does not answer', 'not known'],
  ),
  of(
    'paused',
    overview({ jobs: [job({ state: 'paused', paused: { since: '2026-11-29T09:00:00.000Z', until: null } })] }),
    ['nightly is paused'],
  ),
  of('not-allowed', problem(403, 'not-allowed', { needs: 'read' }), ['Why it is not-allowed', 'What to do'], {
    expects: /403/,
  }),
  of('out-of-reach', problem(503, 'unreachable'), ['Why it is unreachable', 'Trying again in', 'Try now'], {
    expects: /503/,
  }),
];
