import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { convergence } from './crash-case.ts';
import { inLanes, type Place, type RunSeen } from './lane.ts';
import type { Scene } from './scene.ts';

/** The execution of an activity that answers; with `soonest`, the other continues. */
export const ANSWERS = ['first', 'second', 'soonest', 'latest', 'in-turn'] as const;
export type Answers = (typeof ANSWERS)[number];

export const ROUGH_APP = fileURLToPath(new URL('../../test/support/app/rough-app', import.meta.url));

/** The result of a run, without times and ids. */
export interface Effect {
  status: string;
  counts: Record<string, number>;
  /** Snapshots of backup blobs. */
  snapshots: number;
}

export interface TwiceVerdict {
  effect: Effect;
  violations: string[];
}

/** Plays a run of each kind with its activities executed once or twice, and another run after each. */
export async function runTwice(scenes: readonly Scene[], answers: Answers | undefined): Promise<TwiceVerdict[]> {
  const verdicts = new Map<Scene, TwiceVerdict>();
  const env: Record<string, string> = answers === undefined ? {} : { ACTIVITIES_TWICE: answers };
  const cases = scenes.map((scene) => ({ scene }));
  await inLanes(cases, 2, { app: ROUGH_APP, env }, async (place, { scene }) => {
    verdicts.set(scene, await judgedRun(place, scene));
  });
  return scenes.map((scene) => verdicts.get(scene)!);
}

async function judgedRun(place: Place, scene: Scene): Promise<TwiceVerdict> {
  const moments = await scene.prepare(place);
  const before = new Set((await place.runs()).keys());
  const { path, body } = await scene.start(place);
  const { body: answer } = await place.lane.app.call('POST', path, body);
  await place.lane.app.ended(answer.id);
  await place.released();
  const effect = { ...effectOf((await place.runs()).get(answer.id)), snapshots: await snapshots(place) };
  return { effect, violations: await convergence(place, moments, before) };
}

function effectOf(summary: RunSeen | undefined): Omit<Effect, 'snapshots'> {
  return { status: summary?.status ?? 'without a summary', counts: summary?.counts ?? {} };
}

async function snapshots({ sides }: Place): Promise<number> {
  const service = BlobServiceClient.fromConnectionString(sides.vault);
  let count = 0;
  for (const name of ['alphabackup', 'betabackup']) {
    for await (const { snapshot } of service.getContainerClient(name).listBlobsFlat({ includeSnapshots: true })) {
      if (snapshot) count++;
    }
  }
  return count;
}
