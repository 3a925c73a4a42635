import { describe, expect, it } from 'vitest';
import { ageOf, lifeOf, patienceOf } from '#domain/run/sign-of-life.ts';

describe('the age of a sign of life', () => {
  const lastModified = new Date('2026-05-02T00:00:00.000Z');

  it('is by the clock of the service', () => {
    expect(ageOf({ lastModified, readAt: new Date('2026-05-02T00:01:30.000Z') })).toBe(90_000);
  });

  it('is never below zero', () => {
    expect(ageOf({ lastModified, readAt: new Date(lastModified.getTime() - 3_600_000) })).toBe(0);
  });

  it('is infinite for what was written before the clock was set back', () => {
    const readAt = new Date(lastModified.getTime() - 3_600_001);
    expect(ageOf({ lastModified, readAt })).toBe(Number.POSITIVE_INFINITY);
  });
});

const MINUTE = 60_000;

describe('F6: a run without a summary', () => {
  it.each([
    ['ended', 0, 'lost'],
    ['unknown', 0, 'running'],
    ['unknown', 2 * MINUTE + 1, 'running'],
    ['unknown', 10 * MINUTE, 'running'],
    ['unknown', 10 * MINUTE + 1, 'lost'],
    ['active', 10 * MINUTE + 1, 'running'],
    ['active', 60 * MINUTE, 'running'],
    ['active', 60 * MINUTE + 1, 'stalled'],
  ] as const)('whose orchestration is %s here, silent for %i ms, is %s', (orchestration, silence, life) => {
    expect(lifeOf(orchestration, { silence, hasBegun: true }, patienceOf({ silentMs: 10 * MINUTE }))).toBe(life);
  });

  it.each([
    ['unknown', 2 * MINUTE, 'running'],
    ['unknown', 2 * MINUTE + 1, 'lost'],
    ['active', 60 * MINUTE, 'running'],
    ['active', 60 * MINUTE + 1, 'stalled'],
  ] as const)('that never gave a sign, %s here, %i ms after it took its lock, is %s', (state, silence, life) => {
    expect(lifeOf(state, { silence, hasBegun: false }, patienceOf({ silentMs: 10 * MINUTE }))).toBe(life);
  });

  it('gives several signs before it counts as lost, and an activity that hangs falls silent before it is stalled', () => {
    const { signEvery, silent, reported, hangs, stalled } = patienceOf({ silentMs: 10 * MINUTE });
    expect([signEvery, silent, reported, hangs, stalled].map((ms) => ms / MINUTE)).toEqual([1, 10, 15, 30, 60]);
  });
});
