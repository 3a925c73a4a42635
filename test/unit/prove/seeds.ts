import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { addCounts, type Played, type Violation } from '../../../prove/seeds/played.ts';

const run = promisify(execFile);

type Play = (seed: number) => Promise<Played>;

/** Plays the seeds from 1 on. Without these events, little could break. */
export async function expectNoViolation(play: Play, command: string, seeds: number, events: readonly string[]) {
  const totals: Record<string, number> = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const played = await play(seed);
    addCounts(totals, played);
    expect(played.violations, `npm run prove:again -- ${command.split('/')[1]} --seeds 1 --from ${seed}`).toEqual([]);
  }
  for (const event of events) expect(totals[event] ?? 0, event).toBeGreaterThan(0);
}

/** Plays a seed twice in this process and once in another. */
export async function expectSameTrace(play: Play, command: string, seed: number): Promise<Played> {
  const [first, again] = [await play(seed), await play(seed)];
  expect(first.trace.length).toBeGreaterThan(100);
  expect(again.trace).toEqual(first.trace);
  const args = ['--disable-warning=ExperimentalWarning', command, '--seeds', '1', '--from', String(seed)];
  const { stdout } = await run(process.execPath, args);
  expect(stdout).toContain(first.digest.slice(0, 16));
  return first;
}

/** The violations of the first seed that has any. */
export async function firstViolations(play: Play, most: number, from = 1): Promise<Violation[]> {
  for (let seed = from; seed < from + most; seed++) {
    const { violations } = await play(seed);
    if (violations.length > 0) return violations;
  }
  return [];
}
