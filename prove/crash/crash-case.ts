import { setTimeout as sleep } from 'node:timers/promises';
import {
  judgeBackup,
  judgeRestorePoint,
  judgeVault,
  type Remembered,
  type Violation,
} from '../../test/support/judge/judge.ts';
import type { Lane, Place } from './lane.ts';
import { isMutating, labelsOf, type Moment, strikeAt } from './mutating-call.ts';
import type { Scene } from './scene.ts';

export interface CrashCase {
  scene: Scene;
  /** The label of the call at which the process dies. */
  call: string;
  moment: Moment;
  /**
   * `resume` starts again with the same data, `data-lost` without any; `crash-again` is killed again at the first
   * change after that.
   */
  recovery: 'resume' | 'data-lost' | 'crash-again';
}

export interface CrashVerdict {
  /** Whether the process died at that call, before or after the service carried it out, as intended. */
  struck: boolean;
  /** The end of the run: finished after the restart, lost, or never started. */
  run: 'finished' | 'lost' | 'never-began';
  /** The labels of all changes by the run, before and after the crash. */
  labels: string[];
  violations: string[];
}

/** The time limit of a recovery. */
const RECOVERY_MS = 60_000;
/** Milliseconds to wait for a change after a restart. A run that has not ended by then may never have started. */
const SILENCE_MS = 1_500;

/** The labels of an undisturbed run, in the order of its requests. */
export async function recordCalls(place: Place, scene: Scene): Promise<string[]> {
  await scene.prepare(place);
  place.lane.proxy.requests.length = 0;
  const { path, body } = await scene.start(place);
  const { body: answer } = await place.lane.app.call('POST', path, body);
  const report = await place.lane.app.ended(answer.id);
  if (report.status !== 'succeeded') throw new Error(`The run to record was not a success: ${JSON.stringify(report)}`);
  await place.released();
  await place.lane.proxy.idle();
  return labelsOf(place.lane.proxy.requests, place.sourceAccount.name);
}

export async function crash(place: Place, given: CrashCase): Promise<CrashVerdict> {
  const { lane } = place;
  const moments = await given.scene.prepare(place);
  const { path, body } = await given.scene.start(place);
  const known = new Set((await place.runs()).keys());
  lane.proxy.requests.length = 0;
  const strike = strikeAt(
    (label) => label === given.call,
    given.moment,
    place.sourceAccount.name,
    () => lane.kill(),
  );
  lane.proxy.rules.unshift(strike.rule);
  const answered = lane.app.call('POST', path, body).then(
    ({ status, body: answer }) => `${status} ${JSON.stringify(answer)}`,
    () => 'nothing',
  );
  const request = await Promise.race([strike.done, sleep(RECOVERY_MS, undefined, { ref: false })]);
  if (request === undefined) {
    await lane.kill();
    await lane.start();
    const violations = [`there was no such call; the start was answered with ${await answered}`];
    return { struck: false, run: 'never-began', labels: [], violations };
  }
  await lane.proxy.idle();

  const struck = given.moment === 'before' ? request.served === undefined : request.served !== undefined;
  const inPieces = [...(await place.runs()).keys(), (await place.lock())?.run?.id ?? ''];
  const violations = prefixed('right after the crash', await judgeVault(place.sides, place.job, moments, inPieces));
  if (given.recovery === 'data-lost') lane.loseData();
  await lane.start();
  if (given.recovery === 'crash-again') await crashAgain(lane, place, given.moment);

  violations.push(...(await settle(place)));
  const labels = labelsOf(lane.proxy.requests, place.sourceAccount.name);
  const runs = await place.runs();
  const [id, summary] = [...runs].find(([each]) => !known.has(each)) ?? [];
  const run = summary?.restorePoint ? 'finished' : id === undefined ? 'never-began' : 'lost';
  if (summary && !summary.restorePoint && !summary.problems.some(({ code }) => code === 'run-lost')) {
    violations.push(`I4: the interrupted run ended as ${summary.status}: ${JSON.stringify(summary.problems)}`);
  }
  if (summary?.restorePoint && summary.status !== 'succeeded') {
    violations.push(`I4: the interrupted run ended as ${summary.status}: ${JSON.stringify(summary.problems)}`);
  }
  violations.push(...(await convergence(place, moments, known)));
  return { struck, run, labels, violations };
}

/** Starts the host again, and kills it again at its first change. */
async function crashAgain(lane: Lane, place: Place, moment: Moment): Promise<void> {
  const strike = strikeAt(
    () => true,
    moment,
    place.sourceAccount.name,
    () => lane.kill(),
  );
  lane.proxy.rules.unshift(strike.rule);
  const struck = await Promise.race([strike.done, sleep(SILENCE_MS)]);
  lane.proxy.rules.splice(lane.proxy.rules.indexOf(strike.rule), 1);
  if (struck === undefined) return;
  await lane.proxy.idle();
  await lane.start();
}

/** Waits until the interrupted run has ended, or is reported as lost. */
export async function settle(place: Place): Promise<string[]> {
  const began = Date.now();
  for (let held = (await place.lock())?.run; held; held = (await place.lock())?.run) {
    const report = await place.lane.app.report(held.id);
    if (report.status !== 'running') return [];
    const waited = Date.now() - began;
    if (waited > RECOVERY_MS) return [`I4: the run ${held.id} came to no end: ${JSON.stringify(report)}`];
    await sleep(30);
  }
  return [];
}

/** One clean run must succeed, and every published restore point must be sound. */
export async function convergence(
  place: Place,
  moments: readonly Remembered[],
  before: ReadonlySet<string>,
): Promise<string[]> {
  const { sides, job, lane } = place;
  const violations: string[] = [];
  try {
    const { status, problems } = await place.run({ mode: 'incremental' });
    if (status !== 'succeeded') violations.push(`I4: the clean run ended as ${status}: ${JSON.stringify(problems)}`);
  } catch (error) {
    violations.push(`I4: the clean run did not come to an end: ${(error as Error).message}`);
  }
  await lane.proxy.idle();
  const now = moments.at(-1)!;
  for (const [id, summary] of await place.runs()) {
    if (!summary?.restorePoint || before.has(id)) continue;
    violations.push(...prefixed(`in the end`, await judgeRestorePoint(sides, job, id, now)));
  }
  violations.push(...prefixed('in the end', await judgeVault(sides, job, moments)));
  for (const container of now.keys()) {
    violations.push(...prefixed('in the end', await judgeBackup(sides, container, `${container}backup`, moments)));
  }
  const onSource = lane.proxy.requests.filter((request) => {
    return isMutating(request) && request.path.startsWith(`/${place.sourceAccount.name}/`);
  });
  for (const { method, path } of onSource) violations.push(`I8: the source was written to: ${method} ${path}`);
  return [...new Set(violations)];
}

export function prefixed(when: string, found: readonly Violation[]): string[] {
  return found.map(({ invariant, message }) => `${invariant}, ${when}: ${message}`);
}
