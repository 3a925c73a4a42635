import { describe, expect, it, test } from 'vitest';
import { accountConditions, conditionsOf } from '#domain/watch/conditions.ts';
import { type EndedRun, type JobFacts, type OtherRun, withoutContainer, withoutNames } from '#domain/watch/facts.ts';
import { missedStartId, withMissed } from '#domain/watch/missed-start.ts';
import { isPaused, pauseEnd } from '#domain/watch/pause.ts';
import { rated, type Severities } from '#domain/watch/severities.ts';

const NOW = new Date('2026-03-03T12:00:00Z');
const HOUR = 3_600_000;
const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR);
const text = (hours: number) => ago(hours).toISOString();

const run = (status: EndedRun['status'], more: Partial<EndedRun> = {}): EndedRun => ({
  id: 'nightly-20260302T233000Z-aaaaaa',
  status,
  startedAt: text(12.5),
  finishedAt: text(12),
  failed: 0,
  listed: 100,
  ...more,
});
const FAILED = run('failed', { problem: { code: 'access-denied-source', count: 0, container: 'images' } });
const PARTLY = run('completed-with-failures', { failed: 14, problem: { code: 'destination-leased', count: 14 } });
const LATE = { state: 'overdue', dueAt: ago(12), overdueAt: ago(10) } as const;
const SILENT = { id: 'r', what: 'backup', startedAt: text(2), silentMs: HOUR } as const;
const missed = (code: 'unreachable' | 'run-in-progress', more: object = {}) => ({
  backup: { id: 'm', job: 'nightly', what: 'backup' as const, due: text(12), at: text(11.9), code, ...more },
});

const QUIET = { id: 'o', dryRun: false, startedAt: text(2) };
const other = (mode: string, more: Partial<OtherRun> = {}): OtherRun => ({ ...QUIET, mode, silentMs: HOUR, ...more });

const factsOf = (more: Partial<JobFacts>): JobFacts => ({
  job: 'nightly',
  accounts: { source: 'SOURCE', vault: 'VAULT' },
  standings: {},
  ended: {},
  running: [],
  others: [],
  missed: {},
  brakes: [],
  proofs: [],
  ...more,
});
const proof = (failed: number, hours: number) => ({
  run: 'v',
  at: text(hours),
  kind: 'deep' as const,
  items: 9,
  read: 9,
  failed,
});

describe('the conditions of a job', () => {
  it.each<[string, Partial<JobFacts>, string[]]>([
    ['nothing is wrong', { ended: { backup: run('succeeded') } }, []],
    ['failed', { ended: { backup: FAILED } }, ['error failed/backup/nightly']],
    ['a verification failed', { ended: { verify: FAILED } }, ['warning failed/verify/nightly']],
    ['incomplete', { ended: { backup: PARTLY } }, ['warning incomplete/backup/nightly']],
    ['what a verification found is damage', { ended: { verify: PARTLY } }, []],
    ['overdue', { standings: { backup: LATE } }, ['error overdue/backup/nightly']],
    ['overdue prune', { standings: { prune: LATE } }, ['warning overdue/prune/nightly']],
    [
      'of one kind, only the first is told',
      { ended: { backup: FAILED }, standings: { backup: LATE }, running: [SILENT] },
      ['error failed/backup/nightly'],
    ],
    [
      'stalled comes before overdue',
      { standings: { backup: LATE }, running: [SILENT] },
      ['error stalled/backup/nightly'],
    ],
    [
      'kinds have conditions of their own',
      { ended: { backup: FAILED }, standings: { verify: LATE } },
      ['error failed/backup/nightly', 'warning overdue/verify/nightly'],
    ],
    [
      'not started',
      { standings: { backup: LATE }, missed: missed('unreachable') },
      ['error not-started/backup/nightly'],
    ],
    [
      'not started, within the grace',
      { standings: { backup: { ...LATE, state: 'due' } }, missed: missed('unreachable') },
      ['error not-started/backup/nightly'],
    ],
    ['made up for', { standings: { backup: { state: 'ok' } }, missed: missed('unreachable') }, []],
    ['being made up for', { standings: { backup: { ...LATE, state: 'running' } }, missed: missed('unreachable') }, []],
    [
      'made up for, and failed',
      { ended: { backup: FAILED }, standings: { backup: LATE }, missed: missed('unreachable') },
      ['error failed/backup/nightly'],
    ],
    [
      'made up for, and cancelled',
      {
        ended: { backup: run('succeeded', { startedAt: text(1) }) },
        standings: { backup: LATE },
        missed: missed('unreachable'),
      },
      ['error overdue/backup/nightly'],
    ],
    [
      'another run is in the way for a while',
      { standings: { backup: { ...LATE, state: 'due' } }, missed: missed('run-in-progress') },
      [],
    ],
    [
      'another run is in the way for long',
      { standings: { backup: LATE }, missed: missed('run-in-progress', { run: 'x' }) },
      ['error overdue/backup/nightly'],
    ],
    [
      'an earlier occurrence was not started',
      { standings: { backup: LATE }, missed: missed('unreachable', { due: text(36) }) },
      ['error overdue/backup/nightly'],
    ],
    [
      'slow',
      { running: [{ id: 'r', what: 'backup', startedAt: text(2), usualMs: HOUR / 2 }] },
      ['info slow/backup/nightly'],
    ],
    [
      'three times as long as usual, and short',
      { running: [{ id: 'r', what: 'backup', startedAt: text(0.4), usualMs: 1000 }] },
      [],
    ],
    ['nothing is usual yet', { running: [{ id: 'r', what: 'backup', startedAt: text(20) }] }, []],
    ['a restore that is silent', { others: [other('restore')] }, ['error stalled/restore/o']],
    [
      'two restores that are silent',
      { others: [other('restore'), other('restore', { id: 'p' })] },
      ['error stalled/restore/o', 'error stalled/restore/p'],
    ],
    ['a restore that gives signs of life', { others: [{ ...QUIET, mode: 'restore' }] }, []],
    [
      'a silent restore hides nothing of the backups',
      { ended: { backup: FAILED }, others: [other('restore')] },
      ['error failed/backup/nightly', 'error stalled/restore/o'],
    ],
    ['brake', { brakes: [{ point: 'p', containers: ['images'] }] }, ['error brake/nightly']],
    [
      'the newest restore point is lost',
      { lostPoint: { id: 'p', message: 'p has no summary' } },
      ['critical damaged/point/nightly'],
    ],
    ['damaged', { proofs: [proof(2, 5)] }, ['critical damaged/deep/nightly']],
    ['sound', { proofs: [proof(0, 5)], proofWithin: { ms: 24 * HOUR, since: ago(99) } }, []],
    [
      'unproved',
      { proofs: [proof(0, 30)], proofWithin: { ms: 24 * HOUR, since: ago(99) } },
      ['warning unproved/nightly'],
    ],
    ['never proved', { proofWithin: { ms: 24 * HOUR, since: ago(25) } }, ['warning unproved/nightly']],
    ['not proved yet', { proofWithin: { ms: 24 * HOUR, since: ago(23) } }, []],
    [
      'damage proves nothing',
      { proofs: [proof(1, 1)], proofWithin: { ms: 24 * HOUR, since: ago(99) } },
      ['critical damaged/deep/nightly', 'warning unproved/nightly'],
    ],
    ['poison', { poison: 3 }, ['warning poison/nightly']],
    ['paused, and not overdue', { standings: { backup: LATE }, pause: { at: text(2), reason: 'x' } }, []],
    ['paused for long', { pause: { at: text(25), reason: 'x' } }, ['warning paused/nightly']],
    [
      'resumed',
      { standings: { backup: LATE }, pause: { at: text(25), reason: 'x', resumed: text(13) } },
      ['error overdue/backup/nightly'],
    ],
  ])('%s', (_, facts, wanted) => {
    expect(conditionsOf(factsOf(facts), NOW).map(({ severity, id }) => `${severity} ${id}`)).toEqual(wanted);
  });

  it('says what was wrong, without names of blobs, and what to do', () => {
    const [condition] = conditionsOf(factsOf({ ended: { backup: PARTLY } }), NOW);
    expect(condition).toMatchObject({
      title: 'nightly: 14 of 100 failed in the backup: leased at the destination',
      since: text(12),
      run: PARTLY.id,
    });
    expect(condition!.message).toContain('14 blobs: ');
    expect(condition!.hint).toContain('lease');
  });

  it('of a run that ended says in sentences what was wrong, between which accounts, and where its report is', () => {
    const whole = run('failed', { problem: { code: 'unreachable', count: 0 } });
    const [backup, verification] = conditionsOf(factsOf({ ended: { backup: whole, verify: whole } }), NOW);
    const { id, finishedAt } = FAILED;
    expect(backup!.message).toBe(
      `Run ${id} from SOURCE to VAULT ended at ${finishedAt}. The run: no connection to the service.`,
    );
    expect(verification!.message).toMatch(/^Run \S+ in VAULT ended/);
    expect(backup!.hint).toMatch(new RegExp(`See GET /api/runs/${id}\\.$`));
    const [ofContainer] = conditionsOf(factsOf({ ended: { backup: FAILED } }), NOW);
    expect(ofContainer!.message).toMatch(/\. images: the source account denies access\.$/);
    const start = conditionsOf(factsOf({ standings: { backup: LATE }, missed: missed('unreachable') }), NOW)[0];
    expect(start!.message).toMatch(/^No connection to the service; the vault is VAULT\. /);
    const stalled = conditionsOf(factsOf({ running: [SILENT] }), NOW)[0];
    expect(stalled!.hint).toContain('See GET /api/runs/r.');
  });

  it('of a brake names the first five containers', () => {
    const containers = ['a1', 'b2', 'c3', 'd4', 'e5', 'f6'];
    const [found] = conditionsOf(factsOf({ brakes: [{ point: 'p', containers }] }), NOW);
    expect(found!.message).toContain('too much of a1, b2, c3, d4, e5, or could not');
  });

  it('an overdue backup names the run that was in its way', () => {
    const facts = factsOf({ standings: { backup: LATE }, missed: missed('run-in-progress', { run: 'nightly-x' }) });
    expect(conditionsOf(facts, NOW)[0]!.message).toContain('run nightly-x was in progress');
  });
});

test('an account is out of reach after three passes', () => {
  const at = (passes: number) => accountConditions([{ alias: 'SOURCE', code: 'unreachable', passes }], NOW);
  expect(at(2)).toEqual([]);
  expect(at(3)).toMatchObject([{ id: 'out-of-reach/SOURCE', severity: 'error' }]);
});

test('a pause ends at its date or by a call, whichever is first', () => {
  expect(isPaused(undefined, NOW)).toBe(false);
  expect(isPaused({ at: text(1), reason: '' }, NOW)).toBe(true);
  expect(isPaused({ at: text(9), reason: '', until: text(1) }, NOW)).toBe(false);
  expect(isPaused({ at: text(9), reason: '', until: text(-1) }, NOW)).toBe(true);
  expect(pauseEnd({ at: text(9), reason: '', until: text(1), resumed: text(2) }, NOW)).toEqual(ago(2));
  expect(pauseEnd({ at: text(9), reason: '', until: text(-1) }, NOW)).toBeUndefined();
});

test('an occurrence that is not started is noted once, with its first time and its last reason', () => {
  const due = ago(12);
  const id = missedStartId('nightly', 'backup', due);
  expect(id).toBe(missedStartId('nightly', 'backup', due));
  expect(id).not.toBe(missedStartId('nightly', 'verify', due));
  const first = { id, job: 'nightly', what: 'backup', due: text(12), at: text(11), code: 'unreachable' } as const;
  const once = withMissed({ jobs: {} }, first);
  const twice = withMissed(once, { ...first, at: text(10), code: 'throttled' });
  expect(twice.jobs.nightly!.backup).toEqual({ ...first, code: 'throttled' });
  const older = withMissed(twice, { ...first, id: 'older', due: text(36) });
  expect(older).toBe(twice);
});

it.each([
  ['restore', false, 'nightly: a restore gives no sign of life'],
  ['reprocess', false, 'nightly: a reprocess run gives no sign of life'],
  ['incremental', true, 'nightly: a dry run of a backup gives no sign of life'],
])('a silent %s is named as people call it', (mode, dryRun, title) => {
  const [found] = conditionsOf(factsOf({ others: [other(mode, { dryRun })] }), NOW);
  expect(found).toMatchObject({ title, run: 'o', since: text(1) });
  expect(found!.hint).toContain('POST /api/runs/o/cancel');
});

test('names of containers and tables can be left out of every condition', () => {
  const name = 'very-secret-container';
  const problem = { code: 'access-denied-source' as const, count: 0, container: name };
  const facts = factsOf({
    ended: { backup: run('failed', { problem }), verify: run('failed', { problem }), prune: PARTLY },
    brakes: [{ point: 'p', containers: [name, 'table.secret'] }],
  });
  const said = JSON.stringify(conditionsOf(facts, NOW));
  expect(said).toContain(name);
  expect(said).toContain('table.secret');
  const without = conditionsOf(withoutNames(facts), NOW);
  expect(JSON.stringify(without)).not.toMatch(/secret/);
  expect(without.map(({ id }) => id)).toEqual(conditionsOf(facts, NOW).map(({ id }) => id));
  expect(without[0]!.message).toContain('The run: ');
  expect(withoutContainer({ problem }).problem).toEqual({ code: problem.code, count: 0 });
});

test('severities are those of the configuration', () => {
  const found = conditionsOf(factsOf({ ended: { backup: PARTLY }, brakes: [{ point: 'p', containers: [] }] }), NOW);
  const severities = (of: Severities) => rated(found, of).map(({ id, severity }) => `${severity} ${id}`);
  expect(severities({})).toEqual(['warning incomplete/backup/nightly', 'error brake/nightly']);
  expect(severities({ incomplete: 'error', restored: 'warning' })).toEqual([
    'error incomplete/backup/nightly',
    'error brake/nightly',
  ]);
});

test('a backup that could not be compared is incomplete for that reason, though nothing failed', () => {
  const backup = run('completed-with-failures', { problem: { code: 'damaged', count: 0 } });
  const [found] = conditionsOf(factsOf({ ended: { backup } }), NOW);
  expect(found!.title).toBe('nightly: the backup is incomplete: a stored object is damaged or missing');
});
