import type { Figure, PartOptions, PartResult } from '../part.ts';
import { excerpt } from '../simulation/excerpt.ts';
import { RARE_EVENTS } from '../simulation/rare-events.ts';
import { simulate } from '../simulation/simulate.ts';

const SEEDS = 2_000;
const SEEDS_OF_A_NIGHT = 50_000;
/** More would not fit on a screen, and the first tells most. */
const SHOWN = 5;

/** Plays seed after seed of the app's own code on simulated storage, in simulated time. */
export async function proveSimulation({ seed, night, progress }: PartOptions): Promise<PartResult> {
  const target = night ? SEEDS_OF_A_NIGHT : SEEDS;
  const first = 1 + seed * SEEDS_OF_A_NIGHT;
  const totals = new Map<string, number>();
  const violations: string[] = [];
  let played = 0;
  for (; played < target && violations.length < SHOWN; played++) {
    const simulated = await simulate(first + played);
    for (const [what, count] of Object.entries(simulated.statistics)) totals.set(what, (totals.get(what) ?? 0) + count);
    const violation = simulated.violations[0];
    if (violation) {
      violations.push(
        [
          `${violation.promise}: ${violation.message} (${violation.about || 'the whole'}). See it again:`,
          `node prove/simulation/main.ts --seeds 1 --from ${first + played}`,
          ...excerpt(simulated, violation, 20).map((line) => `  ${line}`),
        ].join('\n'),
      );
    }
    if (played % 200 === 199) progress(`${played + 1} of ${target} seeds`);
  }
  const met = RARE_EVENTS.filter((event) => (totals.get(event) ?? 0) > 0);
  const never = RARE_EVENTS.filter((event) => !met.includes(event));
  const figures: Figure[] = [
    { name: 'seeds without a violation', value: played - violations.length, target },
    { name: 'kinds of rare events met', value: met.length, target: RARE_EVENTS.length },
  ];
  const counts = [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
  return {
    title: 'Simulation of whole runs on storage in memory, with faults, crashes and races',
    figures,
    violations,
    notes: [
      `Seeds ${first} to ${first + played - 1}; the same seed gives the same trace.`,
      `Met: ${counts.join(', ')}.`,
      ...(never.length > 0 ? [`Never met: ${never.join(', ')}.`] : []),
    ],
  };
}
