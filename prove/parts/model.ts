import { type Exploration, explore, type Found } from '../model/explore.ts';
import {
  ALL_FLAWS,
  NIGHT,
  NORMAL,
  nameOf,
  type Scenario,
  settingOf,
  WHERE_FLAWS_SHOW,
  worldOf,
} from '../model/scenarios.ts';
import type { PartOptions, PartResult } from '../part.ts';

const TARGET = 300_000;
/** The most states of one scenario in memory. A note says if there are more. */
const MOST = 2_500_000;

/** Visits every state of the model in each scenario, and then those of the flawed protocols. */
export async function proveModel({ night, progress }: PartOptions): Promise<PartResult> {
  const violations: string[] = [];
  const notes: string[] = [];
  let states = 0;
  for (const scenario of night ? NIGHT : NORMAL) {
    const seen = exploreScenario(scenario);
    states += seen.states;
    progress(`${nameOf(scenario)}: ${seen.states} states, ${seen.depth} steps deep`);
    if (seen.found) violations.push(textOf(nameOf(scenario), seen.found));
    else if (!seen.whole) notes.push(`Not visited as a whole: ${nameOf(scenario)}`);
  }
  const caught: string[] = [];
  for (const { words, flaw } of ALL_FLAWS) {
    const found = catchFlaw(flaw);
    if (found) caught.push(`${found.property} ${words}`);
    else violations.push(`not caught: a protocol that ${words}`);
  }
  progress(`${caught.length} of ${ALL_FLAWS.length} flawed protocols caught`);
  return {
    title: 'Model of the copy, lock, take-over and publish protocol, every state within bounds',
    figures: [
      { name: 'states', value: states, target: TARGET },
      { name: 'flawed protocols caught', value: caught.length, target: ALL_FLAWS.length },
    ],
    violations,
    notes: [...notes, 'The promise that each flaw breaks:', ...caught.map((each) => `  ${each}`)],
  };
}

export function exploreScenario(scenario: Scenario): Exploration {
  return explore(settingOf(scenario), worldOf(scenario), MOST);
}

/** The breach of a flawed protocol; undefined if the model does not notice. */
export function catchFlaw(flaw: (typeof ALL_FLAWS)[number]['flaw']): Found | undefined {
  const scenario = WHERE_FLAWS_SHOW[flaw];
  return explore(settingOf(scenario, flaw), worldOf(scenario), MOST).found;
}

export function textOf(name: string, { property, message, trace }: Found): string {
  return [`${property}: ${message} (${name})`, ...trace.map((step, index) => `${index + 1}. ${step}`)].join('\n');
}
