import { setTimeout as sleep } from 'node:timers/promises';
import type { ProxiedRequest } from '../../test/support/faults/fault-proxy.ts';
import { convergence } from './crash-case.ts';
import { inLanes, type Place } from './lane.ts';
import { callNumber, type Moment } from './mutating-call.ts';
import type { Scene } from './scene.ts';
import { ROUGH_APP } from './twice-case.ts';

/** Terminates an orchestration while one of its calls is held up, and starts another run at once. */
export interface TerminateCase {
  scene: Scene;
  call: string;
  /** Whether the call is held before the service sees it, or its answer is held. */
  moment: Moment;
  /** Whether the call continues when the next run has taken the lock, or when that run has ended. */
  held: 'until-taken-over' | 'until-the-next-has-ended';
}

export interface TerminateVerdict {
  /** False if the orchestration had not started yet, or there was no such call. */
  terminated: boolean;
  violations: string[];
}

const PATIENCE_MS = 30_000;

/** Runs all cases, several at once, and reports each when it is judged. */
export async function terminateAll(
  cases: readonly TerminateCase[],
  lanes: number,
  judged: (given: TerminateCase, verdict: TerminateVerdict) => void,
): Promise<void> {
  await inLanes(cases, lanes, { app: ROUGH_APP }, async (place, given) => {
    const broken = (error: Error) => ({ terminated: false, violations: [`it broke off: ${error.stack}`] });
    judged(given, await terminate(place, given).catch(broken));
  });
}

export function nameOfTermination({ scene, call, moment, held }: TerminateCase): string {
  return `${scene.name} run, terminated while "${call}" was held ${moment} its commit, ${held.replaceAll('-', ' ')}`;
}

export async function terminate(place: Place, given: TerminateCase): Promise<TerminateVerdict> {
  const { lane, job } = place;
  const { app, proxy } = lane;
  const moments = await given.scene.prepare(place);
  const before = new Set((await place.runs()).keys());
  const { path, body } = await given.scene.start(place);
  proxy.requests.length = 0;

  const reached = Promise.withResolvers<true>();
  const gate = Promise.withResolvers<void>();
  const number = callNumber(place.sourceAccount.name);
  const hold = async () => {
    reached.resolve(true);
    await gate.promise;
  };
  proxy.rules.push({
    match: (request: ProxiedRequest) => number(request) === given.call,
    times: 1,
    ...(given.moment === 'before'
      ? { before: hold }
      : {
          after: async (_, response) => {
            await hold();
            return response;
          },
        }),
  });
  const starting = app.call('POST', path, body);
  if (!(await within(reached.promise))) return { terminated: false, violations: [] };
  const answer = await Promise.race([starting, sleep(1000)]);
  if (answer === undefined) {
    // The call came before the start of the orchestration: nothing to terminate.
    gate.resolve();
    await app.ended((await starting).body.id);
    return { terminated: false, violations: [] };
  }
  const { id } = answer.body;
  const violations: string[] = [];
  const { status } = await app.call('POST', `/api/terminate/${id}`);
  if (status !== 202) violations.push(`terminating was answered with ${status}`);
  const next = await startNext(place);
  const published = JSON.stringify((await place.runs()).get(id));
  if (given.held === 'until-taken-over') gate.resolve();
  const report = next === undefined ? undefined : await app.ended(next);
  gate.resolve();
  if (report?.status !== 'succeeded') {
    violations.push(`I4: the run after it ended as ${report?.status}: ${JSON.stringify(report?.problems)}`);
  }
  await settled(place);
  // F29: the summary at the time of the take-over must stay.
  const since = JSON.stringify((await place.runs()).get(id));
  if (since !== published) violations.push(`I3: run.json of ${job} was ${published}, and became ${since} afterwards`);
  violations.push(...(await convergence(place, moments, before)));
  return { terminated: status === 202, violations };
}

/** Waits for the termination, which takes a moment. */
async function startNext({ lane, job }: Place): Promise<string | undefined> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(50)) {
    const { status, body } = await lane.app.call('POST', `/api/jobs/${job}/runs`, { mode: 'incremental' });
    if (status === 202) return body.id;
  }
  return undefined;
}

/** Waits for the activities of the terminated run, which read the lock every five seconds. */
async function settled({ lane }: Place): Promise<void> {
  for (let seen = -1; seen !== lane.proxy.requests.length; ) {
    seen = lane.proxy.requests.length;
    await lane.proxy.idle();
    await sleep(300);
  }
}

async function within(promise: Promise<true>): Promise<true | undefined> {
  return Promise.race([promise, sleep(PATIENCE_MS, undefined, { ref: false })]);
}
