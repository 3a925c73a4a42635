import { expect, test } from 'vitest';
import { cellsOf, stripText } from '../../../ui/model/strip.ts';
import { DAY } from './days.ts';

test.each([
  [{ worst: 'succeeded', runs: 1, missed: 0 }, 'good', 'Fri 27 Nov: succeeded, 1 backup'],
  [{ worst: 'failed', runs: 2, missed: 1 }, 'failed', 'Fri 27 Nov: at least one of 2 backups failed, 1 missed'],
  [{ worst: 'succeeded', runs: 2, missed: 0 }, 'good', 'Fri 27 Nov: succeeded, 2 backups'],
  [{ worst: 'completed-with-failures', runs: 1, missed: 0 }, 'incomplete', 'Fri 27 Nov: incomplete, 1 backup'],
  [{ worst: 'running', runs: 1, missed: 0 }, 'running', 'Fri 27 Nov: running, 1 backup'],
  [{ worst: null, runs: 0, missed: 1 }, 'missed', 'Fri 27 Nov: 1 missed'],
  [{ worst: null, runs: 0, missed: 0 }, 'none', 'Fri 27 Nov: no backup'],
  [{ worst: null, runs: null, missed: null }, 'unknown', 'Fri 27 Nov: not known'],
  // Of a later version of the app.
  [{ worst: 'postponed', runs: 1, missed: 0 }, 'unknown', 'Fri 27 Nov: not known, 1 backup'],
])('a day with %j', (day, kind, text) => {
  expect(cellsOf([{ day: '2026-11-27', ...day }])).toEqual([{ kind, text }]);
});

test('those who do not see it hear what was not normal', () => {
  const days = [DAY, DAY, { ...DAY, worst: 'failed' }, { ...DAY, worst: null, runs: 0, missed: 1 }];
  expect(stripText(days)).toBe(
    'Last 4 days: every backup succeeded on 2 days. Fri 27 Nov: failed, 1 backup and Fri 27 Nov: 1 missed',
  );
  expect(stripText([DAY])).toBe('Last 1 day: every backup succeeded on 1 day');
});

test('backups of a day that failed in part are not said to have all failed', () => {
  expect(stripText([{ ...DAY, worst: 'failed', runs: 3 }])).toBe(
    'Last 1 day: every backup succeeded on 0 days. Fri 27 Nov: at least one of 3 backups failed',
  );
});

test('a day on which a backup was missed is not one without fault', () => {
  expect(stripText([{ ...DAY, missed: 1 }])).toBe(
    'Last 1 day: every backup succeeded on 0 days. Fri 27 Nov: succeeded, 1 backup, 1 missed',
  );
});

test('many bad days are not all read out', () => {
  const days = Array.from({ length: 9 }, () => ({ ...DAY, worst: 'failed' }));
  expect(stripText(days)).toContain('4 earlier days with problems');
});
