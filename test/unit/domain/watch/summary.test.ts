import { expect, it } from 'vitest';
import type { Condition } from '#domain/watch/conditions.ts';
import type { JobFacts } from '#domain/watch/facts.ts';
import { type Found, summaryOf } from '#domain/watch/summary.ts';

const NOW = new Date('2026-03-03T12:00:00Z');
const AT = '2026-03-02T23:30:00.000Z';

const facts = (job: string, more: Partial<JobFacts> = {}): JobFacts => ({
  job,
  accounts: { source: 'SOURCE', vault: 'VAULT' },
  standings: {},
  ended: {
    backup: { id: 'r', status: 'succeeded', startedAt: AT, finishedAt: AT, failed: 0, listed: 5020 },
  },
  ...{ running: [], others: [], missed: {}, brakes: [], proofs: [] },
  ...more,
});
const condition = (more: Partial<Condition>): Condition => ({
  ...{ id: 'x', condition: 'failed', severity: 'error', job: 'a', since: AT },
  ...{ title: 'a: the backup failed', message: 'm', hint: 'h' },
  ...more,
});
const found = (more: Partial<Found> = {}): Found => ({
  ...{ facts: [facts('a'), facts('b')], rules: new Set<string>(), conditions: [], unread: [] },
  ...more,
});

const { job: _, ...ofNoJob } = condition({ title: 'SOURCE: the account is out of reach' });
const RULE = facts('uploads', { ended: {} });

it.each<[string, Found, string[] | undefined, string, string]>([
  ['nothing is open', found(), undefined, 'info', 'All is well: 2 jobs'],
  ['one job of two', found(), ['b'], 'info', 'All is well: 1 job'],
  [
    'a job and a rule',
    found({ facts: [facts('a'), RULE], rules: new Set(['uploads']) }),
    undefined,
    'info',
    'All is well: 1 job, 1 archive rule',
  ],
  ['nothing is configured', found({ facts: [] }), undefined, 'info', 'All is well: 0 jobs'],
  [
    'a condition is open',
    found({ conditions: [condition({})] }),
    undefined,
    'error',
    'Not all is well: 1 condition open',
  ],
  [
    'the worst severity counts',
    found({ conditions: [condition({}), condition({ severity: 'critical' })] }),
    undefined,
    'critical',
    'Not all is well: 2 conditions open',
  ],
  [
    'a slow run is no trouble',
    found({ conditions: [condition({ severity: 'info' })] }),
    undefined,
    'info',
    'All is well: 2 jobs',
  ],
  ['a condition of another job', found({ conditions: [condition({})] }), ['b'], 'info', 'All is well: 1 job'],
  [
    'an account may concern each job',
    found({ conditions: [ofNoJob] }),
    ['b'],
    'error',
    'Not all is well: 1 condition open',
  ],
  [
    'a vault was not read',
    found({ facts: [], unread: ['a', 'b'] }),
    undefined,
    'warning',
    'Not all is well: 2 jobs not read',
  ],
  [
    'a job has never been backed up, and nothing is expected of it',
    found({ facts: [facts('a'), facts('b', { ended: {}, isWithoutBackup: true })] }),
    undefined,
    'warning',
    'Not all is well: 1 job without a backup',
  ],
  [
    'another job has never been backed up',
    found({ facts: [facts('a'), facts('b', { ended: {}, isWithoutBackup: true })] }),
    ['a'],
    'info',
    'All is well: 1 job',
  ],
  [
    'a job is paused',
    found({ facts: [facts('a'), facts('b', { pause: { at: AT, reason: 'we move' } })] }),
    undefined,
    'info',
    'Not all is well: 1 paused',
  ],
  ['another job was not read', found({ facts: [facts('b')], unread: ['a'] }), ['b'], 'info', 'All is well: 1 job'],
  [
    'conditions are open, and a job was not read',
    found({ conditions: [condition({})], facts: [], unread: ['a'] }),
    undefined,
    'error',
    'Not all is well: 1 condition open, 1 job not read',
  ],
])('%s', (_, all, jobs, severity, title) => {
  const hint = title.startsWith('All') ? 'No action is needed.' : 'See GET /api/overview.';
  expect(summaryOf(all, jobs, NOW)).toMatchObject({ condition: 'summary', severity, title, hint });
});

it('says of each job how its newest run ended', () => {
  const pause = { at: AT, reason: 'we move' };
  const all = found({
    facts: [facts('a'), facts('b', { ended: {}, pause }), RULE],
    rules: new Set(['uploads']),
    unread: ['c'],
    conditions: [condition({})],
  });
  expect(summaryOf(all, undefined, NOW).message.split('\n')).toEqual([
    'a: the backup failed',
    'c: could not be read',
    'a: the backup of 2026-03-02T23:30:00.000Z succeeded, 5020 listed, 0 failed',
    'b: paused; no backup has ended yet',
    'uploads: no reconciliation has ended yet',
  ]);
});

it.each([
  ['completed-with-failures', 'completed with failures'],
  ['failed', 'failed'],
] as const)('of a run with the status %s says that it %s', (status, words) => {
  const backup = { id: 'r', status, startedAt: AT, finishedAt: AT, failed: 1, listed: 2 };
  const { message } = summaryOf(found({ facts: [facts('a', { ended: { backup } })] }), undefined, NOW);
  expect(message).toBe(`a: the backup of ${AT} ${words}, 2 listed, 1 failed`);
});

it('has room for many jobs', () => {
  const few = found({ facts: Array.from({ length: 20 }, (_, index) => facts(`j${index}`)) });
  expect(summaryOf(few, undefined, NOW).message.split('\n')).toHaveLength(20);
  const all = found({ facts: Array.from({ length: 50 }, (_, index) => facts(`j${index}`)) });
  const lines = summaryOf(all, undefined, NOW).message.split('\n');
  expect([lines.length, lines.at(-1)]).toEqual([21, 'and 30 more']);
});
