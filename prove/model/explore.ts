import type { Setting } from './activity.ts';
import { copyOf, decode, encode } from './encode.ts';
import { apply, describe, type Move, movesOf, ownMove } from './moves.ts';
import { type Breach, COPY, newRun, ORCHESTRATION, START, STUCK, SUMMARY, type World } from './world.ts';

export interface Exploration {
  states: number;
  /** The number of steps to the farthest world. */
  depth: number;
  /** False if `limit` ended the exploration early. */
  whole: boolean;
  found?: Found;
}

export interface Found extends Breach {
  /** The shortest way to it, one sentence per step. */
  trace: string[];
}

/**
 * Visits every reachable world, the nearest first, so the first breach has the shortest trace. Then
 * lets each of them come to rest without further trouble, and runs the job again.
 */
export function explore(setting: Setting, start: World, limit: number): Exploration {
  const index = new Map<string, number>();
  const keys: string[] = [];
  const parents: number[] = [];
  const visit = (key: string, parent: number) => {
    if (index.has(key)) return;
    index.set(key, keys.length);
    keys.push(key);
    parents.push(parent);
  };
  visit(encode(start), -1);
  for (let at = 0; at < keys.length; at++) {
    if (keys.length > limit) return { states: keys.length, depth: depthOf(parents), whole: false };
    const before = decode(keys[at]!);
    for (const move of movesOf(before, setting)) {
      const world = copyOf(before);
      apply(world, setting, move);
      if (world.broken) {
        const trace = [...traceTo(keys, parents, at, setting), describe(before, move)];
        return { states: keys.length, depth: trace.length, whole: false, found: { ...world.broken, trace } };
      }
      visit(encode(world), at);
    }
  }
  const states = keys.length;
  const stuck = restless(keys, index, setting);
  const result: Exploration = { states, depth: depthOf(parents), whole: true };
  if (stuck) {
    const trace = [...traceTo(keys, parents, stuck.at, setting), ...stuck.after];
    result.found = { property: 'I4', message: stuck.message, trace };
  }
  return result;
}

/** The first world from which the job does not end well without further trouble. */
function restless(
  keys: string[],
  index: Map<string, number>,
  setting: Setting,
): { at: number; after: string[]; message: string } | undefined {
  /** 0 unknown, 1 on the present path, 2 good. */
  const seen = new Uint8Array(keys.length);
  for (let from = 0; from < keys.length; from++) {
    const way: number[] = [];
    for (let at = from; seen[at] !== 2; ) {
      if (seen[at] === 1) return { at: from, after: [], message: 'without interference, this never ends' };
      seen[at] = 1;
      way.push(at);
      const world = decode(keys[at]!);
      const move = ownMove(world, setting);
      if (!move) {
        const failure = rerun(world, setting);
        if (failure) return { at, after: failure.after, message: failure.message };
        break;
      }
      apply(world, setting, move);
      if (world.broken) return { at, after: [describe(decode(keys[at]!), move)], message: world.broken.message };
      at = index.get(encode(world)) ?? at;
    }
    for (const each of way) seen[each] = 2;
  }
  return undefined;
}

/** At rest, another undisturbed run must succeed, and make the backup blob equal to the source. */
function rerun(world: World, setting: Setting): { after: string[]; message: string } | undefined {
  const after: string[] = [];
  const third = { ...newRun(), start: START.readLock };
  if (world.backup.copyStatus === COPY.pending && world.backup.copyOf !== STUCK) {
    return { after, message: 'a copy is pending, and nothing would end it' };
  }
  for (const [index, run] of world.runs.entries()) {
    if (run.orchestration === ORCHESTRATION.active) {
      return { after, message: `the orchestration of run ${'AB'[index]} has come to nothing` };
    }
  }
  world.runs.push(third);
  for (let steps = 0; third.start !== START.over || third.orchestration !== ORCHESTRATION.ended; steps++) {
    const move = ownMove(world, setting);
    if (!move || steps > 200) return { after, message: 'one more run does not come to its end' };
    after.push(describe(world, move));
    apply(world, setting, move);
    if (world.broken) return { after, message: world.broken.message };
  }
  const { backup, source, lock } = world;
  if (third.summary !== SUMMARY.succeeded) return { after, message: 'one more run does not succeed' };
  if (lock.holder >= 0) return { after, message: 'the lock stays taken after one more run' };
  if (backup.record !== source || backup.content !== source) {
    return { after, message: 'one more run succeeds, and the backup is not as the source is' };
  }
  return undefined;
}

function traceTo(keys: string[], parents: number[], target: number, setting: Setting): string[] {
  const way: number[] = [];
  for (let at = target; at >= 0; at = parents[at]!) way.unshift(at);
  const trace: string[] = [];
  for (let step = 0; step + 1 < way.length; step++) {
    const before = keys[way[step]!]!;
    const move = movesOf(decode(before), setting).find((candidate: Move) => {
      const world = decode(before);
      apply(world, setting, candidate);
      return encode(world) === keys[way[step + 1]!];
    });
    trace.push(describe(decode(before), move!));
  }
  return trace;
}

function depthOf(parents: number[]): number {
  let depth = 0;
  for (let at = parents.length - 1; at > 0; at = parents[at]!) depth++;
  return depth;
}
