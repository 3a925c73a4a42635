import type { ProxiedRequest } from '../../test/support/faults/fault-proxy.ts';
import { convergence } from './crash-case.ts';
import { inLanes, type Place } from './lane.ts';
import { callNumber, MOMENTS, type Moment } from './mutating-call.ts';
import type { Scene } from './scene.ts';
import { ROUGH_APP } from './twice-case.ts';

/** Ends activities from outside at one of their calls, while the host lives. Their requests and their work continue. */
export interface ThrowCase {
  scene: Scene;
  call: string;
  moment: Moment;
  /** The activity of the call, as a time limit does, or all in progress, as the end of a process does. */
  ends: (typeof ENDS)[number];
}

const ENDS = ['its activity', 'every activity'] as const;

export interface ThrowVerdict {
  /** The activities that were ended; none if no activity made the call. */
  ended: string[];
  violations: string[];
}

/** The header by which the rough app says which execution of an activity sends a request. */
export const EXECUTION = 'x-execution';

/** Each call that changes storage, before and after its commit, with one activity or all of them ended. */
export function throwsOf(scene: Scene, calls: readonly string[]): ThrowCase[] {
  return calls.flatMap((call) =>
    MOMENTS.flatMap((moment) => ENDS.map((ends): ThrowCase => ({ scene, call, moment, ends }))),
  );
}

/** Runs all cases, several at once, and reports each when it is judged. */
export async function throwAll(
  cases: readonly ThrowCase[],
  lanes: number,
  judged: (given: ThrowCase, verdict: ThrowVerdict) => void,
): Promise<void> {
  await inLanes(cases, lanes, { app: ROUGH_APP, env: { QUICK_TIMERS: '1' } }, async (place, given) => {
    const broken = (error: Error) => ({ ended: [], violations: [`it broke off: ${error.stack}`] });
    judged(given, await endActivities(place, given).catch(broken));
  });
}

export function nameOfThrow({ scene, call, moment, ends }: ThrowCase): string {
  return `${scene.name} run, ${ends} ended from outside ${moment} "${call}"`;
}

async function endActivities(place: Place, given: ThrowCase): Promise<ThrowVerdict> {
  const { lane } = place;
  const moments = await given.scene.prepare(place);
  const before = new Set((await place.runs()).keys());
  const { path, body } = await given.scene.start(place);
  lane.proxy.requests.length = 0;
  const ended: string[] = [];
  const end = async (request: ProxiedRequest) => {
    const execution = request.headers[EXECUTION];
    if (execution === undefined) return;
    const one = given.ends === 'its activity' ? `?execution=${execution}` : '';
    const answer = await lane.app.call('POST', `/api/end${one}`);
    ended.push(...(answer.body as unknown as { ended: string[] }).ended);
  };
  const number = callNumber(place.sourceAccount.name);
  lane.proxy.rules.unshift({
    match: (request: ProxiedRequest) => number(request) === given.call,
    times: 1,
    ...(given.moment === 'before'
      ? { before: end }
      : {
          after: async (request, response) => {
            await end(request);
            return response;
          },
        }),
  });
  const { body: answer } = await lane.app.call('POST', path, body);
  const report = await lane.app.ended(answer.id);
  const violations: string[] = [];
  if (report.status !== 'succeeded') {
    violations.push(`I4: the run ended as ${report.status}: ${JSON.stringify(report.problems)}`);
  }
  await place.released();
  await lane.proxy.idle();
  violations.push(...(await convergence(place, moments, before)));
  return { ended, violations };
}
