import { expect, test } from 'vitest';
import { factsOf, policyText, type ShownJob, seriesOf } from '../../../ui/model/job.ts';
import { rulesOf, settlesAt, trialText } from '../../../ui/model/retention.ts';

const JOB: ShownJob = {
  ...{ name: 'nightly', mode: 'incremental', method: 'auto', timeZone: 'UTC', schedules: [] },
  source: {
    account: 'SOURCE',
    containers: ['*'],
    prefix: '',
    include: [],
    exclude: [],
    tables: [],
    tableDeletions: false,
  },
  destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
  ...{ retention: null, verify: null, expect: { grace: null, every: null }, ping: null },
};
const textOf = (job: ShownJob, name: string) => factsOf(job).find((fact) => fact.name === name);

test('a setting that the file does not have is a default', () => {
  expect(textOf(JOB, 'From')).toEqual({ name: 'From', text: 'SOURCE: all containers', isDefault: false });
  expect(textOf(JOB, 'Keeps')).toEqual({ name: 'Keeps', text: 'every restore point', isDefault: true });
  expect(textOf(JOB, 'Verifies')?.isDefault).toBe(true);
});

test('what a job chooses is in words', () => {
  const source = { ...JOB.source, containers: ['images', 'tenant-*'], tables: ['orders'], exclude: ['**/*.tmp'] };
  expect(textOf({ ...JOB, source }, 'From')?.text).toBe('SOURCE: containers images and tenant-* and tables orders');
  expect(textOf({ ...JOB, source }, 'Blobs')?.text).toBe('without **/*.tmp');
});

test('a policy is in words', () => {
  expect(policyText({ keepDaily: 14, keepWeekly: 8, keepWithin: '30d' })).toBe(
    '14 daily, 8 weekly and everything of 30d',
  );
});

test.each([
  [{ keepDaily: 14 }, 'about 14 restore points, the oldest about 14 days old'],
  [{ keepLast: 3, keepDaily: 14 }, 'about 14 restore points'],
  [{ keepDaily: 14, keepWeekly: 8, keepMonthly: 12 }, 'about 31 restore points, the oldest about a year old'],
  [{ keepWithin: '48h' }, 'about 2 restore points'],
  [{ keepYearly: 3 }, 'about 3 restore points, the oldest about 3 years old'],
])('%j settles at %s', (policy, words) => {
  expect(settlesAt(policy)).toContain(words);
});

test('without a policy, nothing settles', () => {
  expect(settlesAt(null)).toBe('');
});

test('a trial is a sentence', () => {
  const trial = { job: 'nightly', isComplete: true, restorePoints: [], problem: null };
  expect(trialText({ ...trial, policy: null, isInForce: true, keeps: 3, removes: 0 })).toBe(
    'The job has no policy: all 3 restore points stay.',
  );
  expect(trialText({ ...trial, policy: { keepDaily: 1 }, isInForce: false, keeps: 1, removes: 2 })).toBe(
    'This policy, 1 daily, keeps 1 restore point and marks 2.',
  );
});

test('only rules are taken from the address', () => {
  expect(rulesOf(new URLSearchParams('keepDaily=3&keepWithin=&x=1'))).toEqual({ keepDaily: '3' });
});

test('series are of backups that ended, oldest first, and only if there is something to see', () => {
  const run = (id: string, more: object) => ({
    ...{ id, job: 'nightly', mode: 'incremental', trigger: 'timer', status: 'succeeded', dryRun: false },
    ...{ startedAt: id, seconds: 5, requests: 1, problem: null, problems: 0, point: null, held: null },
    bytes: { copied: 0 },
    ...more,
  });
  const series = seriesOf([
    run('3', { status: 'running', seconds: null }),
    run('2', { status: 'failed', counts: { failed: 2 } }),
    run('x', { mode: 'verify' }),
    run('1', { counts: { failed: 0 } }),
  ]);
  expect(series.map(({ name, bars }) => [name, bars.map(({ run: id, isBad }) => [id, isBad])])).toEqual([
    [
      'Duration',
      [
        ['1', false],
        ['2', true],
      ],
    ],
    [
      'Failed',
      [
        ['1', false],
        ['2', true],
      ],
    ],
  ]);
});
