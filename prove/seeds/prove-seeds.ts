import type { PartName } from '../options.ts';
import type { Findings, PartOptions } from '../part.ts';
import { excerpt } from './excerpt.ts';
import { addCounts, type Played } from './played.ts';

/** More would not fit on a screen. */
const MOST_VIOLATIONS = 5;

/** What a part of the proof plays, and how much of it. */
export interface SeededProof {
  play(seed: number): Promise<Played>;
  part: PartName;
  seeds: number;
  seedsAtNight: number;
  /** Events that must happen at least once, or the seeds prove too little. */
  rareEvents: readonly string[];
}

/** Plays seeds until enough of them have held, or too many have not. */
export async function proveSeeds(
  { play, part, seeds, seedsAtNight, rareEvents }: SeededProof,
  { seed, night, progress }: PartOptions,
): Promise<Findings> {
  const target = night ? seedsAtNight : seeds;
  const first = 1 + seed * seedsAtNight;
  const totals: Record<string, number> = {};
  const violations: string[] = [];
  let played = 0;
  for (; played < target && violations.length < MOST_VIOLATIONS; played++) {
    const result = await play(first + played);
    addCounts(totals, result);
    const [violation] = result.violations;
    if (violation) {
      violations.push(
        [
          `${violation.promise}: ${violation.message} (${violation.about || 'the whole'}). To repeat it:`,
          `npm run prove:again -- ${part} --seeds 1 --from ${first + played}`,
          ...excerpt(result, violation, 20).map((line) => `  ${line}`),
        ].join('\n'),
      );
    }
    if ((played + 1) % Math.ceil(seeds / 10) === 0) progress(`${played + 1} of ${target} seeds`);
  }
  const missing = rareEvents.filter((event) => !totals[event]);
  const counts = Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    figures: [
      { name: 'seeds without a violation', value: played - violations.length, target },
      { name: 'kinds of rare events', value: rareEvents.length - missing.length, target: rareEvents.length },
    ],
    violations,
    notes: [
      `Seeds ${first} to ${first + played - 1}. The same seed gives the same trace.`,
      `Events: ${counts.map(([event, count]) => `${event} ${count}`).join(', ')}.`,
      ...(missing.length > 0 ? [`Missing: ${missing.join(', ')}.`] : []),
    ],
  };
}
