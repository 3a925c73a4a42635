import { expect, test } from 'vitest';
import { expectAsContracted } from '../../support/app/contract.ts';

const row = {
  ...{ id: 'a', job: 'nightly', mode: 'full', trigger: 'http', status: 'running', dryRun: false },
  startedAt: '2026-05-01T00:00:00.000Z',
  ...{ seconds: null, requests: null, problem: null, problems: null, point: null, held: null },
};
const list = (runs: object[]) => () => expectAsContracted('GET', '/api/runs?limit=1', 200, { runs, next: null });
const error = (status: number, code: string) => ({ type: 'x', title: 'x', status, code, detail: 'x' });
const missing = (status: number, code: string, more: object = {}) => {
  return () => expectAsContracted('GET', '/api/runs/a', status, { ...error(status, code), ...more });
};

test('an answer is compared with the contract of its operation', () => {
  expect(list([row])).not.toThrow();
  expect(list([{ ...row, more: 1 }])).toThrow(/GET \/api\/runs\?limit=1 answered 200, not as contracted/);
  const { status: _, ...without } = row;
  expect(list([without])).toThrow(/not as contracted/);
});

test('an error has a code that its operation may have, and no other field', () => {
  expect(missing(404, 'run-not-found')).not.toThrow();
  expect(missing(404, 'rule-not-found')).toThrow(/only has run-not-found/);
  expect(missing(404, 'run-not-found', { more: 1 })).toThrow(/not as contracted/);
  expect(missing(409, 'run-not-found')).toThrow(/which its contract does not have/);
  expect(missing(502, 'any-of-an-account')).not.toThrow();
  expect(missing(400, 'query-invalid')).toThrow(/without `errors`/);
  expect(missing(400, 'query-invalid', { errors: [{ path: 'query.x', message: 'x' }] })).not.toThrow();
});

test('a fixed path is not that of a parameter, and a path without an operation is not compared', () => {
  const details = () => expectAsContracted('GET', '/api/health/details', 200, {});
  expect(details).toThrow(/health\/details/);
  expect(() => expectAsContracted('GET', '/api/nothing', 404, {})).not.toThrow();
});
