import { explore } from '../archive/explore.ts';
import { RARE_EVENTS } from '../archive/rare-events.ts';
import { NIGHT, QUICK } from '../archive/scenario.ts';
import { simulateArchiving } from '../archive/simulate.ts';
import type { Findings, PartOptions, PartResult } from '../part.ts';
import { proveSeeds } from '../seeds/prove-seeds.ts';

const SCHEDULES = 3_000;
const SCHEDULES_AT_NIGHT = 200_000;

/** Explores the schedules of small cases, then plays random weeks of uploads. */
export async function proveArchiving(options: PartOptions): Promise<PartResult> {
  const explored = await exploreAll(options);
  const played = await proveSeeds(
    {
      play: simulateArchiving,
      part: 'archive',
      seeds: 1_000,
      seedsAtNight: 20_000,
      rareEvents: RARE_EVENTS,
    },
    options,
  );
  return {
    title: 'Archiving of uploads: claims, receipts, events and the reconciliation',
    figures: [...explored.figures, ...played.figures],
    violations: [...explored.violations, ...played.violations],
    notes: [...explored.notes, ...played.notes],
  };
}

async function exploreAll({ night, progress }: PartOptions): Promise<Findings> {
  const violations: string[] = [];
  const notes: string[] = [];
  const scenarios = night ? NIGHT : QUICK;
  const most = night ? SCHEDULES_AT_NIGHT : SCHEDULES;
  let schedules = 0;
  let held = 0;
  for (const scenario of scenarios) {
    const seen = await explore(scenario, most);
    schedules += seen.schedules;
    const extent = seen.whole ? 'all of them' : 'a part of them';
    progress(`${scenario.name}: ${seen.schedules} schedules, ${extent}`);
    notes.push(`${scenario.name}: ${seen.schedules} schedules, ${seen.states} states, ${extent}`);
    if (!seen.found) held++;
    else {
      const { violation, trace } = seen.found;
      violations.push([`${violation.promise}: ${violation.message} (${scenario.name})`, ...trace].join('\n  '));
    }
  }
  const figures = [
    { name: 'scenarios that held', value: held, target: scenarios.length },
    { name: 'schedules', value: schedules, target: night ? SCHEDULES_AT_NIGHT : SCHEDULES * 5 },
  ];
  return { figures, violations, notes };
}
