import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROBLEMS } from '#domain/run/problems.ts';
import { forTerminal } from '../../../host/once/hints.ts';
import { runIdsOf } from '../../../host/once/run-ids.ts';

describe('a hint of the API, printed by a process that has ended', () => {
  test.each([
    [
      'Wait until it ends, or cancel it: POST /api/runs/a/cancel',
      'Wait until it ends, or cancel it: curl -X POST http://127.0.0.1:7071/api/runs/a/cancel. These calls need a host: start one with npm start.',
    ],
    [
      'Retry the newest: POST /api/runs/a/retry. Or GET /api/runs.',
      'Retry the newest: curl -X POST http://127.0.0.1:7071/api/runs/a/retry. Or curl http://127.0.0.1:7071/api/runs. These calls need a host: start one with npm start.',
    ],
    ['The source blob was deleted. No action is needed.', 'The source blob was deleted. No action is needed.'],
  ])('%s', (hint, printed) => expect(forTerminal(hint)).toBe(printed));

  test('names no call that nothing serves', () => {
    const calls = /(?:GET|POST) \/api\//;
    const hints = Object.values(PROBLEMS).map(({ hint }) => hint);
    const thrown = readFileSync(new URL('../../../src/functions/run/start-run.ts', import.meta.url), 'utf8');
    expect([...hints, thrown].some((hint) => calls.test(hint))).toBe(true);
    for (const hint of [...hints, thrown]) expect(forTerminal(hint)).not.toMatch(calls);
  });
});

test('runs belong to the job whose name they begin with, and to no job with a longer or shorter name', () => {
  const isRun = runIdsOf('nightly');
  expect(isRun('nightly-20261121T233000Z-k3f9q2')).toBe(true);
  for (const id of [
    'nightly-2-20261121T233000Z-k3f9q2',
    'night-20261121T233000Z-k3f9q2',
    'nightly',
    'nightly-20261121T233000Z-k3f9q2:0001',
  ]) {
    expect(isRun(id), id).toBe(false);
  }
});
