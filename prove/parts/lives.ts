import { live } from '../lives/life.ts';
import { RARE_EVENTS } from '../lives/rare-events.ts';
import type { Figure, PartOptions, PartResult } from '../part.ts';
import { excerpt } from '../simulation/excerpt.ts';

const LIVES = 500;
const LIVES_OF_A_NIGHT = 10_000;
/** More would not fit on a screen, and the first tells most. */
const SHOWN = 5;

/** Lives one life of a vault after the other, each judged against what the source was. */
export async function proveLives({ seed, night, progress }: PartOptions): Promise<PartResult> {
  const target = night ? LIVES_OF_A_NIGHT : LIVES;
  const first = 1 + seed * LIVES_OF_A_NIGHT;
  const totals = new Map<string, number>();
  const violations: string[] = [];
  let lived = 0;
  for (; lived < target && violations.length < SHOWN; lived++) {
    const life = await live(first + lived);
    for (const [what, count] of Object.entries(life.statistics)) totals.set(what, (totals.get(what) ?? 0) + count);
    const violation = life.violations[0];
    if (violation) {
      violations.push(
        [
          `${violation.promise}: ${violation.message} (${violation.about || 'the whole'}). See it again:`,
          `node prove/lives/main.ts --seeds 1 --from ${first + lived}`,
          ...excerpt(life, violation, 20).map((line) => `  ${line}`),
        ].join('\n'),
      );
    }
    if (lived % 50 === 49) progress(`${lived + 1} of ${target} lives`);
  }
  const met = RARE_EVENTS.filter((event) => (totals.get(event) ?? 0) > 0);
  const never = RARE_EVENTS.filter((event) => !met.includes(event));
  const figures: Figure[] = [
    { name: 'lives without a violation', value: lived - violations.length, target },
    { name: 'kinds of rare events met', value: met.length, target: RARE_EVENTS.length },
  ];
  const counts = [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
  return {
    title: 'Lives of vaults: weeks of backups, restores, verifications and prunes, judged against what the source was',
    figures,
    violations,
    notes: [
      `Seeds ${first} to ${first + lived - 1}; the same seed gives the same trace.`,
      `Met: ${counts.join(', ')}.`,
      ...(never.length > 0 ? [`Never met: ${never.join(', ')}.`] : []),
    ],
  };
}
