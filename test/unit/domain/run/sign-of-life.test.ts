import { describe, expect, it } from 'vitest';
import { lastSignOf, lifeOf, patienceOf, signLine } from '#domain/run/sign-of-life.ts';

const LAST_MODIFIED = new Date('2026-05-02T00:00:00.000Z');
const READ_AT = new Date('2026-05-02T00:01:30.000Z');
const read = (body: string, readAt = READ_AT) =>
  lastSignOf({ body: Buffer.from(body), lastModified: LAST_MODIFIED, readAt });

describe('the last sign of life of a run', () => {
  it('has its age by the clock of the service, whatever the clock of the process says', () => {
    const line = signLine({ at: new Date('2031-01-01T00:00:00.000Z') });
    expect(read(`${line}\n`)).toEqual({ writtenAt: LAST_MODIFIED, age: 90_000, silence: 90_000 });
  });

  it('announces a wait only in the last line', () => {
    const until = new Date('2026-05-02T15:00:00.000Z');
    const waits = signLine({ at: LAST_MODIFIED, until });
    const works = signLine({ at: LAST_MODIFIED });
    expect(read(`${works}\n${waits}\n`).until).toEqual(until);
    expect(read(`${waits}\n${works}\n`).until).toBeUndefined();
  });

  it.each(['', '{', 'null', '{"until":7}x', '{"until":"soon"}'])('announces nothing with a last line of %j', (line) => {
    expect(read(`${line}\n`).until).toBeUndefined();
  });

  it('is never younger than its reading', () => {
    expect(read('{}', new Date('2026-05-01T00:00:00.000Z')).age).toBe(0);
  });

  it.each([
    ['while the wait lasts', 120_000, 0],
    ['after it', 60_000, 30_000],
    ['if it was over before it was announced', -60_000, 90_000],
  ])('is no silence %s, whatever the clock of the process says', (_, wait, silence) => {
    const at = new Date('2031-01-01T00:00:00.000Z');
    const line = signLine({ at, until: new Date(at.getTime() + wait) });
    expect(read(`${line}\n`)).toMatchObject({ age: 90_000, silence });
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
