import { describe, expect, it, test } from 'vitest';
import { PROBLEMS, type ProblemCode, problemOf } from '#domain/run/problems.ts';
import { problemAction } from '../../../ui/model/problem-action.ts';
import {
  extentOf,
  goneText,
  headOf,
  laterRuns,
  paceOfRun,
  problemGroups,
  progressOf,
  rateBetween,
  stepsOf,
  summaryText,
  taskLines,
} from '../../../ui/model/run.ts';
import type { Report } from '../../../ui/model/run-words.ts';

const NOW = new Date('2026-11-30T12:00:00.000Z');

const report = (change: Partial<Report> = {}): Report =>
  ({
    ...{
      id: 'r',
      job: 'nightly',
      mode: 'incremental',
      trigger: 'timer',
      dryRun: false,
      status: 'succeeded',
      phase: 'ended',
    },
    ...{
      cancelling: false,
      startedAt: '2026-11-30T11:54:00.000Z',
      finishedAt: '2026-11-30T11:58:00.000Z',
      progressAt: null,
    },
    counts: { listed: 5020, copied: 3100, unchanged: 1920, skipped: 0, failed: 0 },
    bytes: { listed: 9, copied: 9 },
    progress: { fraction: 1, blobsPerSecond: 0, bytesPerSecond: 0, secondsLeft: 0 },
    ...{ requests: {}, containers: [], containersTotal: 1, problems: [] },
    ...change,
  }) as Report;
const running = (change: Partial<Report> = {}) =>
  report({
    status: 'running',
    phase: 'copying',
    finishedAt: null,
    progress: { fraction: 0.5, blobsPerSecond: 10, bytesPerSecond: 2000, secondsLeft: 60 },
    ...change,
  });

describe('the head of a run', () => {
  it.each<[string, Report, string, string]>([
    ['a backup that succeeded', report(), 'nightly: backup succeeded', 'It left a restore point.'],
    [
      'a backup that failed',
      report({ status: 'failed' }),
      'nightly: backup failed',
      'It left no restore point. What it copied stays in the vault, and the next backup continues from there.',
    ],
    [
      'an incomplete one',
      report({
        status: 'completed-with-failures',
        counts: { listed: 9, copied: 1, unchanged: 0, skipped: 0, failed: 8 },
      }),
      'nightly: backup incomplete',
      'It left a restore point without the 8 that failed.',
    ],
    [
      'a preview',
      report({ dryRun: true }),
      'nightly: preview of a backup succeeded',
      'A preview decides everything and changes nothing.',
    ],
    [
      'a plan of a prune',
      report({ mode: 'prune', dryRun: true, prune: {} }),
      'nightly: plan of a prune succeeded',
      'A plan deletes nothing.',
    ],
    ['a backup in progress', running(), 'Backing up nightly', ''],
    ['one that stops', running({ cancelling: true }), 'Stopping the backup of nightly', ''],
    ['a drill', running({ mode: 'verify', verify: { point: 'p', kind: 'drill' } }), 'Running a drill of nightly', ''],
  ])('of %s', (_, of, title, meaning) => {
    expect(headOf(of)).toMatchObject({ title, meaning });
  });

  it('leads to what the run has left, and nowhere if that is nothing', () => {
    expect(headOf(report()).result?.to).toBe('/points/r');
    expect(headOf(report({ status: 'failed' })).result).toBeNull();
    expect(headOf(report({ dryRun: true })).result).toBeNull();
    expect(headOf(report({ mode: 'prune', dryRun: true, prune: {} })).result?.to).toBe('/prune/r');
    expect(headOf(report({ mode: 'verify', verify: { point: 'a b', kind: 'quick' } })).result?.to).toBe(
      '/points/a%20b',
    );
  });
});

describe('progress', () => {
  it('says "about" of what it only expects, and names no total that it does not know', () => {
    expect(progressOf(running(), undefined, NOW)).toMatchObject({
      amount: '5,020 of about 10,040',
      left: 'about 1 min left',
      speed: '10 per second, 2 kB/s',
    });
    const unknown = running({ progress: { fraction: null, blobsPerSecond: 0, bytesPerSecond: 0, secondsLeft: null } });
    expect(progressOf(unknown, undefined, NOW)).toMatchObject({
      fraction: null,
      amount: '5,020 done',
      left: '',
      speed: '',
    });
  });

  it('is the speed between two answers, if there are two', () => {
    expect(rateBetween({ items: 10, bytes: 0, at: 0 }, { items: 40, bytes: 600, at: 3000 })).toEqual({
      items: 10,
      bytes: 200,
    });
    expect(rateBetween({ items: 10, bytes: 0, at: 0 }, { items: 40, bytes: 0, at: 500 })).toBeUndefined();
    // Counts never go back, but answers may come out of order.
    expect(rateBetween({ items: 40, bytes: 9, at: 0 }, { items: 10, bytes: 0, at: 3000 })).toEqual({
      items: 0,
      bytes: 0,
    });
  });

  it('says since when nothing was written, after a minute', () => {
    const at = (progressAt: string) => progressOf(running({ progressAt }), undefined, NOW).silence;
    expect(at('2026-11-30T11:59:30.000Z')).toBe('');
    expect(at('2026-11-30T11:56:00.000Z')).toBe('Nothing was written for 4 min. The storage service may be busy.');
  });

  it('has steps, of which one is now', () => {
    expect(stepsOf(running()).map(({ state }) => state)).toEqual(['done', 'done', 'now', 'later', 'later']);
    expect(stepsOf(running({ phase: 'ended' })).every(({ state }) => state === 'done')).toBe(true);
    expect(stepsOf(running({ mode: 'verify' }))[2]!.name).toBe('Check');
  });

  it('is asked for until the run has ended', () => {
    expect([paceOfRun(running()), paceOfRun(report())]).toEqual([3000, undefined]);
  });
});

describe('problems', () => {
  it('are grouped by code, what needs something done first', () => {
    const problems = [
      problemOf('source-vanished', 3, 'images'),
      problemOf('source-changing', 2, 'documents'),
      problemOf('destination-leased', 12, 'images'),
      problemOf('destination-leased', 1, 'documents'),
      problemOf('access-denied-source', 0, 'images'),
    ];
    const groups = problemGroups({ problems });
    expect(groups.map(({ code, count }) => [code, count])).toEqual([
      ['access-denied-source', 0],
      ['destination-leased', 13],
      ['source-changing', 2],
      ['source-vanished', 3],
    ]);
    expect(groups.map(extentOf)).toEqual([
      'images',
      '13 items in 2 containers',
      '2 items in documents',
      '3 items in images',
    ]);
  });

  it('have an action each, and none where the hint says that none is needed', () => {
    for (const [code, { hint }] of Object.entries(PROBLEMS)) {
      if (hint.endsWith('No action is needed.')) expect(problemAction(code), code).toBe('nothing');
    }
    expect(problemAction('of-a-later-version')).toBe('nothing');
  });

  it('of every code can be summed up for a colleague, without a name of a blob', () => {
    const problems = (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => problemOf(code, 1, 'images'));
    const text = summaryText(report({ status: 'completed-with-failures', problems }), 'http://127.0.0.1/ui/runs/r');
    for (const code of Object.keys(PROBLEMS)) expect(text).toContain(`1 ${code}: `);
    expect(text).toContain('http://127.0.0.1/ui/runs/r');
  });
});

test('the runs that came of a run are named, if they are known', () => {
  expect(laterRuns({ followedBy: [{ id: 'r2', how: 'replaces' }] })).toEqual([['r2', 'taken over by']]);
  expect(laterRuns({ followedBy: null })).toEqual([]);
});

test('a table among the tasks has its own name', () => {
  const counts = { listed: 4, copied: 1, unchanged: 0, skipped: 0, failed: 1 };
  const of = (container: string, status: 'running' | 'skipped') => ({
    ...{ container, destination: 'd', status, counts, bytes: { listed: 0, copied: 0 }, requests: {}, problems: [] },
  });
  expect(taskLines({ containers: [of('table.orders', 'running'), of('images', 'skipped')] })).toMatchObject([
    { name: 'orders', isTable: true, fraction: 0.5, mark: { word: 'running' } },
    { name: 'images', isTable: false, mark: { word: 'not started' } },
  ]);
});

test('what is no longer held is told by its reason', () => {
  expect(goneText({ noLongerHeld: { deleted: 12, skipped: 0, failed: 3, notSelected: 0 } })).toBe(
    '12 deleted in the source and 3 failed',
  );
  expect(goneText({})).toBe('');
});
