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
/** More worlds than this of one scenario are not kept in memory; then it is said that it was not all. */
const MOST = 2_500_000;

/** Visits every world of the protocol's model within the bounds of each scenario, and then those of its flawed kin. */
export async function proveModel({ night, progress }: PartOptions): Promise<PartResult> {
  const violations: string[] = [];
  const notes: string[] = [];
  let states = 0;
  for (const scenario of night ? NIGHT : NORMAL) {
    const seen = exploreScenario(scenario);
    states += seen.states;
    progress(`${nameOf(scenario)}: ${seen.states} states, ${seen.depth} steps deep`);
    if (seen.found) violations.push(toldOf(nameOf(scenario), seen.found));
    else if (!seen.whole) notes.push(`Not all of it: ${nameOf(scenario)}`);
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
    notes: [...notes, 'What each flaw broke:', ...caught.map((each) => `  ${each}`)],
  };
}

export function exploreScenario(scenario: Scenario): Exploration {
  return explore(settingOf(scenario), worldOf(scenario), MOST);
}

/** What a flawed protocol breaks, or undefined where nothing is noticed. */
export function catchFlaw(flaw: (typeof ALL_FLAWS)[number]['flaw']): Found | undefined {
  const scenario = WHERE_FLAWS_SHOW[flaw];
  return explore(settingOf(scenario, flaw), worldOf(scenario), MOST).found;
}

export function toldOf(name: string, { property, message, trace }: Found): string {
  return [`${property}: ${message} (${name})`, ...trace.map((step, index) => `${index + 1}. ${step}`)].join('\n');
}
