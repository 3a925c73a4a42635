import { explore } from '../archive/explore.ts';
import { RARE_EVENTS } from '../archive/rare-events.ts';
import { NIGHT, QUICK } from '../archive/scenario.ts';
import { simulateArchiving } from '../archive/simulate.ts';
import type { Figure, PartOptions, PartResult } from '../part.ts';
import { excerpt } from '../simulation/excerpt.ts';

const SCHEDULES = 3_000;
const SCHEDULES_OF_A_NIGHT = 200_000;
const SEEDS = 1_000;
const SEEDS_OF_A_NIGHT = 20_000;
/** More would not fit on a screen, and the first tells most. */
const SHOWN = 5;

/** Goes through the schedules of archiving in small, and then plays it in large, by chance. */
export async function proveArchiving(options: PartOptions): Promise<PartResult> {
  const violations: string[] = [];
  const notes: string[] = [];
  const figures = [...(await exploreAll(options, violations, notes)), ...(await playAll(options, violations, notes))];
  return { title: 'Archiving of uploads: claims, receipts, events and the reconcile', figures, violations, notes };
}

async function exploreAll({ night, progress }: PartOptions, violations: string[], notes: string[]): Promise<Figure[]> {
  const scenarios = night ? NIGHT : QUICK;
  const most = night ? SCHEDULES_OF_A_NIGHT : SCHEDULES;
  let schedules = 0;
  let held = 0;
  for (const scenario of scenarios) {
    const seen = await explore(scenario, most);
    schedules += seen.schedules;
    const extent = seen.whole ? 'all there are' : 'a part of them';
    progress(`${scenario.name}: ${seen.schedules} schedules, ${extent}`);
    notes.push(`${scenario.name}: ${seen.schedules} schedules, ${seen.states} states, ${extent}`);
    if (!seen.found) held++;
    else {
      const { violation, trace } = seen.found;
      violations.push([`${violation.promise}: ${violation.message} (${scenario.name})`, ...trace].join('\n  '));
    }
  }
  return [
    { name: 'scenarios that held', value: held, target: scenarios.length },
    { name: 'schedules', value: schedules, target: night ? SCHEDULES_OF_A_NIGHT : SCHEDULES * 5 },
  ];
}

async function playAll(
  { seed, night, progress }: PartOptions,
  violations: string[],
  notes: string[],
): Promise<Figure[]> {
  const target = night ? SEEDS_OF_A_NIGHT : SEEDS;
  const first = 1 + seed * SEEDS_OF_A_NIGHT;
  const totals = new Map<string, number>();
  let played = 0;
  let broken = 0;
  for (; played < target && broken < SHOWN; played++) {
    const simulated = await simulateArchiving(first + played);
    for (const [what, count] of Object.entries(simulated.statistics)) totals.set(what, (totals.get(what) ?? 0) + count);
    const violation = simulated.violations[0];
    if (violation) {
      broken++;
      violations.push(
        [
          `${violation.promise}: ${violation.message} (${violation.about || 'the whole'}). See it again:`,
          `node prove/archive/main.ts --seeds 1 --from ${first + played}`,
          ...excerpt(simulated, violation, 20).map((line) => `  ${line}`),
        ].join('\n'),
      );
    }
    if (played % 200 === 199) progress(`${played + 1} of ${target} seeds`);
  }
  const met = RARE_EVENTS.filter((event) => (totals.get(event) ?? 0) > 0);
  const never = RARE_EVENTS.filter((event) => !met.includes(event));
  const counts = [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
  notes.push(
    `Seeds ${first} to ${first + played - 1}; the same seed gives the same trace.`,
    `Met: ${counts.join(', ')}.`,
    ...(never.length > 0 ? [`Never met: ${never.join(', ')}.`] : []),
  );
  return [
    { name: 'seeds without a violation', value: played - broken, target },
    { name: 'kinds of rare events met', value: met.length, target: RARE_EVENTS.length },
  ];
}
