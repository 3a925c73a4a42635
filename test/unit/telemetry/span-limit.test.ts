import { expect, test } from 'vitest';
import { SpanLimit } from '#telemetry/span-limit.ts';

const count = (limit: SpanLimit, run: string, times: number, hasFailed = false) =>
  Array.from({ length: times }, () => limit.takes(run, hasFailed)).filter(Boolean).length;

test('a run has at most so many spans of activities, and failures have room of their own', () => {
  const limit = new SpanLimit();
  expect(count(limit, 'nightly-1', 1000)).toBe(200);
  expect(count(limit, 'nightly-1', 1000, true)).toBe(200);
  expect(count(limit, 'nightly-2', 3)).toBe(3);
});

test('of runs that ended long ago, nothing is kept', () => {
  const limit = new SpanLimit();
  expect(count(limit, 'nightly-0', 1000)).toBe(200);
  for (let run = 1; run <= 100; run++) limit.takes(`nightly-${run}`, false);
  expect(count(limit, 'nightly-0', 1000)).toBe(200);
});
