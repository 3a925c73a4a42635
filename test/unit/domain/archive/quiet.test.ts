import { expect, test } from 'vitest';
import { untilNextLook, untilQuiet } from '#domain/archive/quiet.ts';

const MINUTE = 60_000;
const written = new Date('2026-11-30T10:00:00Z');
const after = (ms: number) => new Date(written.getTime() + ms);
const blob = { lastModified: written.toISOString() };

test('a version may be archived once its blob has not changed for the minutes of the rule', () => {
  const waits = [0, 1, 9.5 * MINUTE, 10 * MINUTE - 1, 10 * MINUTE, 60 * MINUTE];
  expect(waits.map((ms) => untilQuiet(blob, 10, after(ms)))).toEqual([
    ...[10 * MINUTE, 10 * MINUTE - 1, MINUTE / 2, 1],
    ...[0, 0],
  ]);
});

test('without minutes, and when it is sealed, a version may be archived at once', () => {
  expect(untilQuiet(blob, undefined, written)).toBe(0);
  expect(untilQuiet({ ...blob, sealed: true }, 10, written)).toBe(0);
  expect(untilQuiet({ ...blob, sealed: false }, 10, written)).toBe(10 * MINUTE);
});

test('a version from the future waits no longer than one from now', () => {
  expect(untilQuiet(blob, 10, after(-60 * MINUTE))).toBe(10 * MINUTE);
});

test('a blob is looked at when it may be quiet, an append blob also for its seal', () => {
  expect(untilNextLook({ type: 'block' }, 20 * MINUTE)).toBe(1201);
  expect(untilNextLook({ type: 'append' }, 20 * MINUTE)).toBe(301);
  expect(untilNextLook({ type: 'append' }, 1)).toBe(2);
});
