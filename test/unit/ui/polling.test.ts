import { expect, test } from 'vitest';
import { isFinal, pause } from '../../../ui/model/polling.ts';

const CALM = { every: 3000, failures: 0, retryAfter: undefined, idle: 0 };

test.each([
  ['as long as all is well', CALM, 3000],
  ['never, if nothing changes', { ...CALM, every: undefined }, undefined],
  ['slowly, if the page was not touched for ten minutes', { ...CALM, idle: 600_001 }, 30_000],
  ['no faster than before, if it was not touched', { ...CALM, every: 45_000, idle: 600_001 }, 45_000],
  ['after 2 seconds, once a call failed', { ...CALM, failures: 1 }, 2000],
  ['later each time', { ...CALM, failures: 3 }, 8000],
  ['at most a minute later', { ...CALM, failures: 30 }, 60_000],
  ['when the app asks for it', { ...CALM, failures: 1, retryAfter: 90_000 }, 90_000],
  ['also if nothing changes, once a call failed', { ...CALM, every: undefined, failures: 1 }, 2000],
])('it asks again %s', (_, pace, ms) => {
  expect(pause(pace)).toBe(ms);
});

test('another call ends no refusal and finds nothing that is not there', () => {
  expect([400, 401, 403, 404, 409].map(isFinal)).toEqual([true, true, true, true, true]);
  expect([0, 408, 429, 500, 502, 503].map(isFinal)).toEqual([false, false, false, false, false, false]);
});
