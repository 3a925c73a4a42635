import { expect, test } from 'vitest';
import { callsOf, casesOf, crashAll, nameOfCase } from '../../../prove/crash/enumerate.ts';
import { SCENES } from '../../../prove/crash/scene.ts';
import { terminateAll } from '../../../prove/crash/terminate-case.ts';
import { nameOfThrow, throwAll, throwsOf } from '../../../prove/crash/throw-case.ts';
import { runTwice } from '../../../prove/crash/twice-case.ts';

/**
 * A sample of what `npm run prove` does in full: it ends the process before and after the commit of every call by which
 * a full run, an incremental run and a retry change storage, ends activities from outside there, has activities
 * executed twice in five ways, and terminates runs at each of their calls.
 */
const EVERY = 14;
const LANES = 2;

test(`killed at every ${EVERY}th call, before or after its commit, an incremental run loses nothing`, async () => {
  const scene = SCENES.incremental;
  const calls = await callsOf(scene);
  // Twice as many calls as with the same calls before and after.
  const cases = casesOf(scene, calls, 'resume').filter(({ call, moment }) => {
    return calls.indexOf(call) % EVERY === (moment === 'before' ? 0 : EVERY / 2);
  });
  expect(cases.length).toBeGreaterThanOrEqual(Math.floor(calls.length / EVERY) * 2);
  const missed: string[] = [];
  const violations: string[] = [];
  await crashAll(cases, LANES, ({ given, verdict }) => {
    if (!verdict.struck) missed.push(nameOfCase(given));
    violations.push(...verdict.violations.map((violation) => `${nameOfCase(given)}: ${violation}`));
  });
  expect(violations).toEqual([]);
  expect(missed).toEqual([]);
});

test('I4: ended from outside, alone or with all others, an activity costs an incremental run nothing', async () => {
  const scene = SCENES.incremental;
  const cases = throwsOf(scene, await callsOf(scene));
  const ended: string[] = [];
  const violations: string[] = [];
  await throwAll(
    cases.filter((_, index) => index % 33 === 13),
    LANES,
    (given, verdict) => {
      ended.push(...verdict.ended);
      violations.push(...verdict.violations.map((violation) => `${nameOfThrow(given)}: ${violation}`));
    },
  );
  expect(violations).toEqual([]);
  expect(ended.length).toBeGreaterThanOrEqual(3);
}, 240_000);

test('F28: a run whose activities all execute twice leaves the same as a run in order', async () => {
  const [inOrder] = await runTwice([SCENES.incremental], undefined);
  const [twice] = await runTwice([SCENES.incremental], 'soonest');
  expect(twice).toMatchObject({ violations: [], effect: { status: 'succeeded', counts: inOrder!.effect.counts } });
});

test('F29: a run that was terminated in the middle of a copy publishes nothing after the next run began', async () => {
  const call = 'vault.CopyBlobFromURL alphabackup/edited';
  const held = 'until-taken-over';
  const verdicts: unknown[] = [];
  await terminateAll([{ scene: SCENES.incremental, call, moment: 'before', held }], 1, (_, verdict) => {
    verdicts.push(verdict);
  });
  expect(verdicts).toEqual([{ terminated: true, violations: [] }]);
});
