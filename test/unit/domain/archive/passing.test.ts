import { expect, test } from 'vitest';
import { mayPass } from '#domain/archive/passing.ts';
import { PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';

test('an upload waits for these failures to pass, and for no others', () => {
  const codes = Object.keys(PROBLEMS) as ProblemCode[];
  expect(codes.filter(mayPass).sort()).toEqual([
    'container-being-deleted',
    'destination-changing',
    'destination-leased',
    'server-error',
    'source-changing',
    'throttled',
    'unreachable',
  ]);
});
