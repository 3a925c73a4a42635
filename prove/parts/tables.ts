import type { Figure, PartOptions, PartResult } from '../part.ts';
import { liveTables, RARE_TABLE_EVENTS } from '../tables/table-life.ts';

const SEEDS = 1_000;
const SEEDS_OF_A_NIGHT = 20_000;
/** More would not fit on a screen, and the first tells most. */
const SHOWN = 5;

/** Plays one seed after the other of tables that are backed up while they live on, each judged against what they were. */
export async function proveTables({ seed, night, progress }: PartOptions): Promise<PartResult> {
  const target = night ? SEEDS_OF_A_NIGHT : SEEDS;
  const first = 1 + (seed - 1) * SEEDS_OF_A_NIGHT;
  const totals = new Map<string, number>();
  const violations: string[] = [];
  let played = 0;
  for (; played < target && violations.length < SHOWN; played++) {
    const life = await liveTables(first + played);
    for (const [what, count] of Object.entries(life.statistics)) totals.set(what, (totals.get(what) ?? 0) + count);
    const [violation] = life.violations;
    if (violation) violations.push(`seed ${first + played}: ${violation}`);
    if (played % 100 === 99) progress(`${played + 1} of ${target} seeds`);
  }
  const met = RARE_TABLE_EVENTS.filter((event) => (totals.get(event) ?? 0) > 0);
  const never = RARE_TABLE_EVENTS.filter((event) => !met.includes(event));
  const figures: Figure[] = [
    { name: 'seeds without a violation', value: played - violations.length, target },
    { name: 'kinds of rare events met', value: met.length, target: RARE_TABLE_EVENTS.length },
  ];
  const counts = [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
  return {
    title: 'Tables that are written to while they are backed up, judged by what lies in the vault',
    figures,
    violations,
    notes: [
      `Seeds ${first} to ${first + played - 1}; the same seed gives the same trace.`,
      `Met: ${counts.join(', ')}.`,
      ...(never.length > 0 ? [`Never met: ${never.join(', ')}.`] : []),
    ],
  };
}
