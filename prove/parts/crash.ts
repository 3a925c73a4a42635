import type { CrashCase } from '../crash/crash-case.ts';
import { callsOf, casesOf, crashAll, type Judged, nameOfCase } from '../crash/enumerate.ts';
import { kindOfCall, MOMENTS, type Moment } from '../crash/mutating-call.ts';
import { SCENES, type SceneName } from '../crash/scene.ts';
import { nameOfTermination, type TerminateCase, terminateAll } from '../crash/terminate-case.ts';
import { nameOfThrow, throwAll, throwsOf } from '../crash/throw-case.ts';
import { ANSWERS, type Effect, runTwice } from '../crash/twice-case.ts';
import type { Figure, PartOptions, PartResult } from '../part.ts';

/** The number of hosts that run at the same time. */
const LANES = 3;
const RUNS: readonly SceneName[] = ['full', 'incremental', 'retry'];

/**
 * Kills the process before and after the commit of every call by which a run changes storage, ends activities from
 * outside there while the host lives, executes every activity twice, and terminates runs in the middle. Each time, it
 * judges the vault afterwards.
 */
export async function proveCrashes({ night, progress }: PartOptions): Promise<PartResult> {
  const proof = new Proof(progress);
  const calls = new Map<SceneName, string[]>();
  for (const name of night ? ([...RUNS, 'pending'] as const) : RUNS) calls.set(name, await callsOf(SCENES[name]));

  await proof.crashes(calls, RUNS, 'resume');
  const figures: Figure[] = [
    { name: 'calls that change storage, in three runs', value: sum(RUNS, calls), target: 60 },
    ...MOMENTS.map((moment) => ({
      name: `portion of them crashed ${moment} the commit, in percent`,
      value: proof.portion(moment, sum(RUNS, calls)),
      target: 100,
    })),
  ];
  if (night) {
    const before = proof.judged;
    await proof.crashes(calls, ['pending'], 'resume');
    for (const recovery of ['data-lost', 'crash-again'] as const) {
      await proof.crashes(calls, [...RUNS, 'pending'], recovery);
    }
    const target = 2 * (sum(['pending'], calls) + 2 * sum([...RUNS, 'pending'], calls));
    figures.push({
      name: 'crashes with the data lost, again, or with copies pending',
      value: proof.judged - before,
      target,
    });
  }
  const ended = await proof.throws(calls, night);
  figures.push({ name: 'runs with activities ended from outside', value: ended, target: sum(RUNS, calls) });
  const twice = await proof.twice();
  figures.push({ name: 'runs with every activity executed twice', value: twice, target: ANSWERS.length * 4 });
  const terminated = await proof.terminations(calls, night);
  figures.push({ name: 'runs terminated in the middle', value: terminated, target: 30 });
  return { title: 'Crashes, repeated activities, terminated runs', figures, ...proof.result() };
}

/** The calls after the start of the run: before, there is nothing to terminate. */
function inOrchestration(calls: readonly string[]): string[] {
  return calls.slice(calls.findIndex((call) => call.startsWith('control.PutBlob:plan')));
}

function sum(names: readonly SceneName[], calls: ReadonlyMap<SceneName, readonly string[]>): number {
  return names.reduce((total, name) => total + (calls.get(name)?.length ?? 0), 0);
}

class Proof {
  /** The number of cases that hit where they should. */
  judged = 0;
  readonly #progress: (message: string) => void;
  readonly #violations: string[] = [];
  readonly #notes: string[] = [];
  readonly #struck = new Map<Moment, number>();
  readonly #ends = new Map<string, number>();
  /** Calls that only crashed runs make. */
  readonly #more = new Set<string>();

  constructor(progress: (message: string) => void) {
    this.#progress = progress;
  }

  async crashes(
    calls: ReadonlyMap<SceneName, readonly string[]>,
    names: readonly SceneName[],
    recovery: CrashCase['recovery'],
  ): Promise<void> {
    for (const name of names) {
      const own = calls.get(name) ?? [];
      const cases = casesOf(SCENES[name], own, recovery);
      const known = new Set(own.map(kindOfCall));
      const began = performance.now();
      let done = 0;
      const start = await crashAll(cases, LANES, (one) => {
        this.#take(one, known);
        if (++done % 10 === 0 || done === cases.length)
          this.#progress(`${name}, ${recovery}: ${done} of ${cases.length} crashes`);
      });
      const seconds = (performance.now() - began) / 1000;
      this.#notes.push(
        `${name}, ${recovery}: ${cases.length} crashes in ${seconds.toFixed(0)} s; a start of the host took ${start.toFixed(1)} s`,
      );
    }
  }

  #take({ given, verdict }: Judged, known: ReadonlySet<string>): void {
    for (const violation of verdict.violations) this.#violations.push(`${nameOfCase(given)}: ${violation}`);
    this.#ends.set(verdict.run, (this.#ends.get(verdict.run) ?? 0) + 1);
    for (const label of verdict.labels) if (!known.has(kindOfCall(label))) this.#more.add(kindOfCall(label));
    if (!verdict.struck) return;
    this.judged++;
    if (given.recovery === 'resume') this.#struck.set(given.moment, (this.#struck.get(given.moment) ?? 0) + 1);
  }

  portion(moment: Moment, of: number): number {
    return Math.floor((100 * (this.#struck.get(moment) ?? 0)) / of);
  }

  /** By default, the activity of each call is ended after it, and every activity before it. */
  async throws(calls: ReadonlyMap<SceneName, readonly string[]>, night: boolean): Promise<number> {
    const cases = [...calls].flatMap(([name, own]) => throwsOf(SCENES[name], own));
    const chosen = cases.filter(({ moment, ends }) => night || (moment === 'after') === (ends === 'its activity'));
    const ended = new Map<string, number>();
    let runs = 0;
    let done = 0;
    await throwAll(chosen, LANES, (given, verdict) => {
      for (const violation of verdict.violations) this.#violations.push(`${nameOfThrow(given)}: ${violation}`);
      for (const name of verdict.ended) ended.set(name, (ended.get(name) ?? 0) + 1);
      if (verdict.ended.length > 0) runs++;
      if (++done % 10 === 0) this.#progress(`${done} of ${chosen.length} runs with activities ended from outside`);
    });
    const names = [...ended].map(([name, count]) => `${name} ${count}`).join(', ');
    this.#notes.push(`Activities ended from outside: ${names}`);
    return runs;
  }

  /** Plays each kind of run in order, then with its activities executed twice: the effect must be the same. */
  async twice(): Promise<number> {
    const scenes = Object.values(SCENES);
    const inOrder = await runTwice(scenes, undefined);
    let runs = 0;
    let kept = 0;
    for (const answers of ANSWERS) {
      this.#progress(`every activity twice, answering with ${answers}`);
      for (const [index, { effect, violations }] of (await runTwice(scenes, answers)).entries()) {
        const name = `${scenes[index]!.name} run, every activity twice, answering with ${answers}`;
        const expected = inOrder[index]!.effect;
        for (const violation of violations) this.#violations.push(`${name}: ${violation}`);
        if (shown(effect) !== shown(expected)) {
          this.#violations.push(`${name}: I3: the result is ${shown(effect)}, and ${shown(expected)} in order`);
        }
        kept += effect.snapshots - expected.snapshots;
        runs++;
      }
    }
    this.#notes.push(`Activities executed twice took ${kept} snapshots more than needed`);
    return runs;
  }

  async terminations(calls: ReadonlyMap<SceneName, readonly string[]>, night: boolean): Promise<number> {
    const held = night ? (['until-taken-over', 'until-the-next-has-ended'] as const) : (['until-taken-over'] as const);
    const cases: TerminateCase[] = [...calls].flatMap(([name, own]) =>
      inOrchestration(own).flatMap((call) =>
        held.flatMap((how) =>
          MOMENTS.filter((moment) => night || moment === 'before').map((moment) => ({
            scene: SCENES[name],
            call,
            moment,
            held: how,
          })),
        ),
      ),
    );
    let terminated = 0;
    let done = 0;
    await terminateAll(cases, LANES, (given, verdict) => {
      for (const violation of verdict.violations) this.#violations.push(`${nameOfTermination(given)}: ${violation}`);
      if (verdict.terminated) terminated++;
      if (++done % 10 === 0) this.#progress(`${done} of ${cases.length} terminations`);
    });
    return terminated;
  }

  result(): Pick<PartResult, 'violations' | 'notes'> {
    const ends = [...this.#ends].map(([end, count]) => `${count} ${end}`).join(', ');
    const more = this.#more.size === 0 ? [] : [`Calls that only crashed runs made: ${[...this.#more].join('; ')}`];
    return {
      violations: this.#violations,
      notes: [...this.#notes, `Ends of the crashed runs: ${ends}`, ...more],
    };
  }
}

function shown({ status, counts }: Effect): string {
  return `${status} ${JSON.stringify(counts)}`;
}
