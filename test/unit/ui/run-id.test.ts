import { expect, test } from 'vitest';
import { newRunId } from '#domain/run/run-id.ts';
import { isRunId, jobOf, timeOf } from '../../../ui/model/run-id.ts';

test('the id of a run is known from a text that is looked for', () => {
  expect(isRunId(newRunId('nightly', new Date(0), 'k3f9q2'))).toBe(true);
  expect(isRunId(newRunId('a-2', new Date(), '000000'))).toBe(true);
  for (const text of ['nightly', '2026/nightly-20261121T233000Z-k3f9q2.json', 'nightly-20261121', '']) {
    expect(isRunId(text), text).toBe(false);
  }
});

test('the id of a run says which job it is of, and when it began', () => {
  const id = newRunId('a-2', new Date('2026-11-21T23:30:05.900Z'), 'k3f9q2');
  expect([jobOf(id), timeOf(id)]).toEqual(['a-2', '2026-11-21T23:30:05Z']);
  expect([jobOf('by hand'), timeOf('by hand')]).toEqual(['by hand', undefined]);
});
