import { expect, test } from 'vitest';
import {
  attentionOf,
  headlineOf,
  jobLineOf,
  type OverviewAnswer,
  paceOf,
  ruleLineOf,
} from '../../../ui/model/overview.ts';

const NOW = new Date('2026-11-30T12:00:00.000Z');
type Job = OverviewAnswer['jobs'][number];
type Condition = OverviewAnswer['conditions'][number];

const POINT: NonNullable<Job['restorePoint']> = {
  ...{
    id: 'p',
    time: '2026-11-29T15:00:00.000Z',
    containers: 1,
    blobs: 5018,
    tables: 0,
    entities: 0,
    bytes: 188_252_160,
  },
  lacks: { skipped: 0, failed: 0, containers: [], tables: [] },
  ...{ isHeld: false, isBraked: false, verified: null },
};
const job = (change: Partial<Job> = {}): Job => ({
  ...{ name: 'nightly', state: 'ok', severity: null, paused: null, running: [], problem: null, restorePoint: POINT },
  ...{ size: null, held: null, strip: null },
  runs: [
    {
      ...{ kind: 'backup', state: 'ok', due: null, overdueAt: null, next: '2026-11-30T14:26:00.000Z' },
      last: { id: 'p', status: 'succeeded', finishedAt: '2026-11-29T15:11:00.000Z' },
      lastGood: null,
    },
  ],
  ...change,
});
const condition = (change: Partial<Condition> = {}): Condition => ({
  ...{ id: 'overdue/backup/nightly', condition: 'overdue', severity: 'error', job: 'nightly' },
  ...{ since: '2026-11-30T02:00:00.000Z', title: 'nightly: the backup is overdue', message: 'Due.', hint: 'Start it.' },
  ...change,
});
const overview = (change: Partial<OverviewAnswer> = {}): OverviewAnswer => ({
  instance: null,
  totals: {
    ...{ jobs: 1, archives: 0, running: 0 },
    conditions: { info: 0, warning: 0, error: 0, critical: 0 },
    held: { blobs: 5018, entities: 0, bytes: 188_252_160 },
  },
  ...{ conditions: [], jobs: [job()], archives: [], vaults: [] },
  ...change,
});
const PAUSED = { since: '2026-11-30T10:00:00.000Z', until: null };
const running = (mode: string, more: object = {}) => ({
  ...{ id: 'r', mode, startedAt: '2026-11-30T11:54:00.000Z', isSilent: false, phase: null },
  ...{ fraction: null, secondsLeft: null, ...more },
});

test.each<[string, Partial<OverviewAnswer>, string, string]>([
  ['all is well', {}, 'Everything is backed up', 'good'],
  ['something is overdue', { conditions: [condition()] }, '1 thing needs attention', 'bad'],
  ['two things are wrong', { conditions: [condition(), condition({ id: 'x' })] }, '2 things need attention', 'bad'],
  ['a warning is the worst', { conditions: [condition({ severity: 'warning' })] }, '1 thing needs attention', 'warn'],
  ['a note needs nobody', { conditions: [condition({ severity: 'info' })] }, 'Everything is backed up', 'good'],
  [
    'a backup runs',
    { jobs: [job({ state: 'running', running: [running('full')] })] },
    'nightly is being backed up',
    'busy',
  ],
  ['a restore runs', { jobs: [job({ running: [running('restore')] })] }, 'Everything is backed up', 'good'],
  [
    'what is wrong is more than what runs',
    { conditions: [condition()], jobs: [job({ running: [running('full')] })] },
    '1 thing needs attention',
    'bad',
  ],
  [
    'nothing has run',
    { jobs: [job({ state: 'never', restorePoint: null })] },
    'Nothing has been backed up yet',
    'quiet',
  ],
  [
    'one of two has not',
    { jobs: [job(), job({ name: 'tables', state: 'never', restorePoint: null })] },
    'tables has no backup yet',
    'quiet',
  ],
  ['it is paused', { jobs: [job({ state: 'paused', paused: PAUSED })] }, 'nightly is paused', 'quiet'],
  [
    'an archive rule is paused',
    { archives: [{ ...job({ name: 'uploads', paused: PAUSED }), failedPermanently: 0 }] },
    'uploads is paused',
    'quiet',
  ],
  [
    'one is paused, and one has no backup',
    {
      jobs: [
        job({ state: 'paused', paused: PAUSED }),
        job({ name: 'tables', state: 'failed', restorePoint: null }),
        job({ name: 'other' }),
      ],
    },
    'tables has no backup yet, nightly is paused',
    'quiet',
  ],
  [
    'the only job is paused, and has no backup',
    { jobs: [job({ state: 'paused', paused: PAUSED, restorePoint: null })] },
    'Nothing has been backed up yet',
    'quiet',
  ],
  [
    'a vault does not answer',
    { jobs: [job({ state: 'unknown', problem: { code: 'unreachable', message: 'No answer', hint: 'Look.' } })] },
    '1 thing needs attention',
    'bad',
  ],
  [
    'there are only rules',
    { jobs: [], archives: [{ ...job(), failedPermanently: 0 }] },
    'Every upload is archived',
    'good',
  ],
])('if %s', (_, change, text, tone) => {
  const headline = headlineOf(overview(change), NOW);
  expect([headline.text, headline.mark.tone]).toEqual([text, tone]);
});

test('below the sentence stands how old the newest restore points are, what comes next, and how much there is', () => {
  expect(headlineOf(overview(), NOW).facts).toEqual([
    'Newest restore point 21 h ago',
    'next backup: nightly in 2 h 26 min',
    '5,018 blobs, 188 MB protected',
  ]);
  const older = { ...POINT, time: '2026-11-20T15:00:00.000Z' };
  expect(headlineOf(overview({ jobs: [job(), job({ restorePoint: older })] }), NOW).facts[0]).toBe(
    'Oldest of the newest restore points 10 days ago',
  );
});

test.each<[Partial<Condition>, string, string | null]>([
  [{}, '/runs?job=nightly', 'nightly'],
  [{ run: 'r1', id: 'failed/backup/nightly', condition: 'failed' }, '/runs/r1', 'nightly'],
  [{ run: 'r1', id: 'failed/verify/nightly', condition: 'failed' }, '/runs/r1', null],
  [{ run: 'p1', id: 'brake/nightly', condition: 'brake' }, '/points/p1', null],
  [{ id: 'poison/uploads', condition: 'poison', job: 'uploads' }, '/archives/uploads', null],
  [{ id: 'paused/nightly', condition: 'paused' }, '/jobs/nightly', null],
])('the condition %j leads to %s', (change, to, start) => {
  const [first] = attentionOf(overview({ conditions: [condition(change)] }));
  expect([first!.to, first!.start]).toEqual([to, start]);
});

test('a job that is not known is told once, by its condition or by its problem', () => {
  const unknown = job({ state: 'unknown', problem: { code: 'unreachable', message: 'No answer', hint: 'Look.' } });
  expect(attentionOf(overview({ jobs: [unknown] })).map(({ id }) => id)).toEqual(['unknown/nightly']);
  const both = attentionOf(overview({ jobs: [unknown], conditions: [condition()] }));
  expect(both.map(({ id }) => id)).toEqual(['overdue/backup/nightly']);
});

test('the line of a job names what its restore point holds and lacks', () => {
  expect(jobLineOf(job(), NOW)).toMatchObject({
    ...{ detail: '21 h ago', run: 'p', next: '2026-11-30T14:26:00.000Z', verified: null, strip: null },
    point: { content: '5,018 blobs, 188 MB', lacks: '' },
  });
  const lacks = { skipped: 1, failed: 14, containers: ['images'], tables: [] };
  expect(jobLineOf(job({ restorePoint: { ...POINT, lacks } }), NOW).point!.lacks).toBe(
    '14 that failed, 1 that was skipped and the container images',
  );
});

test.each([
  [running('full'), 'started 6 min ago', null],
  [running('full', { phase: 'listing', fraction: null, secondsLeft: null }), 'listing', null],
  [running('full', { phase: 'copying', fraction: 0.629, secondsLeft: 240 }), '62 %, about 4 min left', 0.629],
  [running('full', { phase: 'publishing', fraction: 1, secondsLeft: 0 }), 'finishing', 1],
])('the line of a job with %j', (run, detail, fraction) => {
  expect(jobLineOf(job({ state: 'running', running: [run] }), NOW)).toMatchObject({
    detail,
    fraction,
    isRunning: true,
    run: 'r',
  });
});

test.each([
  ['ok', '21 h ago'],
  ['failed', '21 h ago'],
  ['overdue', 'last run 21 h ago'],
  ['paused', 'last run 21 h ago'],
] as const)('the line of a job that is %s says when what was: %s', (state, detail) => {
  expect(jobLineOf(job({ state }), NOW).detail).toBe(detail);
});

test('a verification that found damage is never green', () => {
  const verified = {
    run: 'v',
    at: '2026-11-30T02:00:00.000Z',
    kind: 'deep',
    portion: '5%',
    items: 9,
    read: 2,
  } as const;
  const of = (failed: number) =>
    jobLineOf(job({ restorePoint: { ...POINT, verified: { ...verified, failed } } }), NOW).verified!;
  expect([of(0).mark.tone, of(0).text]).toEqual(['good', 'deep 5%']);
  expect(of(1).mark).toMatchObject({ tone: 'bad', word: 'damaged' });
});

test('the line of a rule has its failed uploads, also if they are not known', () => {
  const rule = { ...job({ runs: [] }), failedPermanently: null };
  expect(ruleLineOf(rule, NOW)).toMatchObject({ failed: null, detail: '', next: null });
});

test('the overview is asked for more often while something runs', () => {
  const { totals } = overview();
  expect(paceOf(overview())).toBe(15_000);
  expect(paceOf(overview({ totals: { ...totals, running: 1 } }))).toBe(5_000);
});
