import { expect, test } from 'vitest';
import { sharedAnswer } from '#functions/http/shared-answer.ts';

function clocked(ask: () => Promise<number>) {
  const clock = { at: 0 };
  return { clock, shared: sharedAnswer(15_000, () => new Date(clock.at), ask) };
}

test('many callers cost one question, until the answer is too old', async () => {
  let asked = 0;
  const { clock, shared } = clocked(async () => ++asked);
  expect(await Promise.all([shared(), shared(), shared()])).toEqual([1, 1, 1]);
  clock.at = 14_999;
  expect(await shared()).toBe(1);
  clock.at = 15_000;
  expect(await shared()).toBe(2);
});

test('a failure is not kept', async () => {
  let asked = 0;
  const { shared } = clocked(async () => {
    if (++asked === 1) throw new Error('no answer');
    return asked;
  });
  await expect(Promise.all([shared(), shared()])).rejects.toThrow('no answer');
  expect(await shared()).toBe(2);
});
