import { setTimeout as sleep } from 'node:timers/promises';
import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import type { RunRef } from '#domain/run/run.ts';
import { type LastSign, type Life, lifeOf, longestSilence, patienceOf } from '#domain/run/sign-of-life.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { orchestrationState } from './orchestration-state.ts';

export interface HolderLife {
  life: Life;
  /** It seems to be over by its silence alone, and may give a sign yet. */
  isDoubtful: boolean;
  /** Milliseconds without a sign of life, by the clock of the service. */
  silence: number;
  /** Milliseconds until the next start of its job no longer waits for it, if it gives no sign before. */
  patience: number;
  lastSign?: LastSign;
  /** How many containers and tables it processes, if its orchestration is here and knows. */
  containers?: number;
}

/** What a run without a summary is by now. Until its first sign, its lock is its sign of life. */
export async function holderLife(
  deps: Dependencies,
  client: DurableClient,
  control: ControlStore,
  { value: { run }, age: lockAge }: { value: { run: RunRef }; age: number },
): Promise<HolderLife> {
  const { state, containers } = await orchestrationState(client, run.id);
  const lastSign = await control.lastSign(run);
  const silence = lastSign?.age ?? lockAge;
  const hasBegun = lastSign !== undefined;
  const longest = patienceOf(deps.limits);
  const life = lifeOf(state, { silence, hasBegun }, longest);
  return {
    life,
    isDoubtful: life === 'stalled' || (life === 'lost' && state === 'unknown' && hasBegun),
    silence,
    patience: Math.max(0, longestSilence(state, hasBegun, longest) - silence),
    ...(lastSign && { lastSign }),
    ...(containers !== undefined && { containers }),
  };
}

/** Milliseconds without a sign of life of the run that holds a lock. A summary that it has written does not matter. */
export async function silenceOf(control: ControlStore, run: RunRef, lockAge: number): Promise<number> {
  return (await control.lastSign(run))?.age ?? lockAge;
}

/**
 * Whether a run without a summary is over. If its host was not running, or neither host reached the vault, for longer
 * than runs may be silent, then its host has only just begun to continue it: it gives a sign within two minutes.
 */
export async function isOver(
  deps: Dependencies,
  control: ControlStore,
  run: RunRef,
  found: HolderLife,
): Promise<boolean> {
  if (found.life === 'running') return false;
  return !found.isDoubtful || !(await givesSign(deps, control, run, found));
}

/** Checks of a run that is silent, in the time in which it would give two signs. */
const CHECKS = 8;

/** Whether a run that was silent gives a sign after all. */
async function givesSign(
  { limits }: Dependencies,
  control: ControlStore,
  run: RunRef,
  { lastSign }: HolderLife,
): Promise<boolean> {
  const pause = (patienceOf(limits).signEvery * 2) / CHECKS;
  for (let check = 0; check < CHECKS; check++) {
    await sleep(pause);
    const now = await control.lastSign(run);
    if (now && now.writtenAt.getTime() !== lastSign?.writtenAt.getTime()) return true;
  }
  return false;
}

/** In words, for a message about a run. */
export function silentFor(silence: number): string {
  if (silence === Number.POSITIVE_INFINITY) return 'an unknown time';
  const minutes = Math.floor(silence / 60_000);
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}
