import { type CrashCase, type CrashVerdict, crash, recordCalls } from './crash-case.ts';
import { inLanes, Lane } from './lane.ts';
import { MOMENTS } from './mutating-call.ts';
import type { Scene } from './scene.ts';

export interface Judged {
  given: CrashCase;
  verdict: CrashVerdict;
}

/** The first sign of life asks, creates and appends. The clock decides how many more follow. */
const LATER_SIGN = /^control\.AppendBlock:signs .* \((?:[3-9]|\d{2,})\)$/;

/** The calls of an undisturbed run of this kind, without those that only another clock would repeat. */
export async function callsOf(scene: Scene): Promise<string[]> {
  const lane = await Lane.open({ cases: 1, method: scene.method });
  try {
    return (await recordCalls(lane.next()!, scene)).filter((call) => !LATER_SIGN.test(call));
  } finally {
    await lane.close();
  }
}

/** Each call, before and after its commit. */
export function casesOf(scene: Scene, calls: readonly string[], recovery: CrashCase['recovery']): CrashCase[] {
  return calls.flatMap((call) => MOMENTS.map((moment) => ({ scene, call, moment, recovery })));
}

/** Runs all cases, several at once, and reports each when it is judged. Returns the seconds of a start of the host. */
export async function crashAll(
  cases: readonly CrashCase[],
  lanes: number,
  judged: (one: Judged) => void,
): Promise<number> {
  return inLanes(cases, lanes, {}, async (place, given) => {
    const broken = (error: Error): CrashVerdict => {
      return { struck: false, run: 'never-began', labels: [], violations: [`it broke off: ${error.stack}`] };
    };
    judged({ given, verdict: await crash(place, given).catch(broken) });
  });
}

export function nameOfCase({ scene, call, moment, recovery }: CrashCase): string {
  const more = recovery === 'resume' ? '' : `, ${recovery}`;
  return `${scene.name} run, killed ${moment} "${call}"${more}`;
}
