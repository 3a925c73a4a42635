import type { Answer } from './answer.ts';
import { policyText, RULES } from './job.ts';
import { counted } from './quantity.ts';

export type Trial = Answer<'tryRetention'>;

/** The rules that a reader tries, as they are in the address. Without any, those of the job. */
export function rulesOf(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...RULES.map(([rule]) => rule), 'keepWithin'].flatMap((rule) => {
      const value = query.get(rule);
      return value === null || value === '' ? [] : [[rule, value]];
    }),
  );
}

/** The same rules as options of the command line: `keep-daily`. */
export function whatIfOptions(rules: Record<string, string>): [name: string, value: string][] {
  return Object.entries(rules).map(([rule, value]) => [rule.replace('keep', 'keep-').toLowerCase(), value]);
}

/** What the policy does now, in a sentence. */
export function trialText({ policy, keeps, removes, isInForce }: Trial): string {
  if (policy === null) return `The job has no policy: all ${counted(keeps, 'restore point')} stay.`;
  const who = isInForce ? 'The policy of the job' : 'This policy';
  const rest = removes === 0 ? 'marks none' : `marks ${removes}`;
  return `${who}, ${policyText(policy)}, keeps ${counted(keeps, 'restore point')} and ${rest}.`;
}

/** How many restore points a policy keeps in the long run, with a backup every day. */
export function settlesAt(policy: Trial['policy']): string {
  if (policy === null) return '';
  const { keepLast = 0, keepDaily = 0, keepWeekly = 0, keepMonthly = 0, keepYearly = 0, keepWithin } = policy;
  const days =
    keepWithin === undefined
      ? 0
      : keepWithin.endsWith('h')
        ? Number.parseInt(keepWithin, 10) / 24
        : Number.parseInt(keepWithin, 10);
  const spans: [count: number, days: number][] = [
    [Math.max(keepLast, keepDaily, Math.ceil(days)), 1],
    [keepWeekly, 7],
    [keepMonthly, 30.44],
    [keepYearly, 365.25],
  ];
  // A restore point that two rules keep counts once: those of a longer span begin where the shorter one ends.
  let [reach, total] = [0, 0];
  for (const [count, span] of spans) {
    if (count === 0) continue;
    total += Math.max(0, count - Math.floor(reach / span));
    reach = Math.max(reach, count * span);
  }
  if (total === 0) return '';
  return `With a backup every day, it settles at about ${counted(total, 'restore point')}, the oldest about ${ageText(reach)} old.`;
}

function ageText(days: number): string {
  if (days >= 700) return counted(Math.round(days / 365.25), 'year');
  if (days >= 350) return 'a year';
  if (days >= 60) return counted(Math.round(days / 30.44), 'month');
  return counted(Math.round(days), 'day');
}
