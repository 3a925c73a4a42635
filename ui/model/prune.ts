import type { Answer } from './answer.ts';
import { bytes, counted, number } from './quantity.ts';

type Run = Answer<'getRun'>;
export type Plan = NonNullable<Run['plan']>;

/** What a plan does with a restore point. */
export type Fate = 'keep' | 'mark' | 'empty' | 'read';

export interface Decision {
  id: string;
  fate: Fate;
  /** Why, each in words. */
  reasons: string[];
  /** No prune has marked it yet, and this one would. */
  canHold: boolean;
}

/** Every restore point of the plan, the newest first; those that an earlier prune has marked come last. */
export function decisionsOf({ decisions, remove, expired, reading }: Plan): Decision[] {
  const isMarkedBefore = (id: string) => !remove.includes(id);
  return [
    ...decisions.map(({ id, keep, reasons }) => {
      const words = reasons.map(reasonWords);
      // Without a margin, one prune marks and deletes.
      if (expired.includes(id))
        return { id, fate: 'empty' as const, reasons: [...words, 'the job has no margin'], canHold: true };
      const reader = reading.find(({ point }) => point === id);
      const more = reader ? [`${reader.run} reads it, so its content stays`] : [];
      return { id, fate: keep ? ('keep' as const) : ('mark' as const), reasons: [...words, ...more], canHold: !keep };
    }),
    ...expired.filter(isMarkedBefore).map((id) => ({
      id,
      fate: 'empty' as const,
      reasons: ['marked by an earlier prune; its margin is over'],
      canHold: false,
    })),
    ...reading
      .filter(({ point }) => isMarkedBefore(point))
      .map(({ point, run }) => ({
        id: point,
        fate: 'read' as const,
        reasons: [`its margin is over, and ${run} reads it`],
        canHold: false,
      })),
  ];
}

const WORDS: Record<string, string> = {
  newest: 'the newest',
  'last good': 'the newest that succeeded',
  'last verified': 'the newest that was verified',
  'made last': 'the last run of the job made it',
  'no policy': 'the job has no retention policy',
  'in the future': 'it is in the future: a clock is wrong',
  'another is in the future': 'another one is in the future: a clock is wrong, so all stay',
};

/** A reason of the API in words. What is not known is shown as it is. */
export function reasonWords(reason: string): string {
  const known = WORDS[reason];
  if (known !== undefined) return known;
  const last = /^last (\d+)$/.exec(reason);
  if (last) return last[1] === '1' ? 'the last one' : `one of the newest ${last[1]}`;
  const period = /^(daily|weekly|monthly|yearly) (.+)$/.exec(reason);
  if (period) return `the ${period[1]} one of ${period[2]}`;
  const within = /^within (.+)$/.exec(reason);
  if (within) return `not older than ${within[1]}`;
  return reason.replace(/^held: /, 'on hold: ').replace(/^brake on /, 'safety brake engaged on ');
}

/** The plan, or what a prune did by it, in sentences. */
export function planWords(plan: Plan, when: (time: string) => string, isPlan: boolean): string[] {
  const { summary, remove, expired, marginMs, braked, oldRuns = [], leftovers = [] } = plan;
  const { keeps, removes, empties, items, bytes: size, emptiesFrom } = summary;
  const will = isPlan ? 'would be' : 'was';
  const freed = items === null ? '' : `: ${counted(items, 'item')}, ${bytes(size ?? 0)}`;
  const gone = isPlan ? ' That cannot be undone.' : '';
  const atOnce = remove.filter((id) => expired.includes(id)).length;
  const whose =
    atOnce === 0
      ? 'marked earlier'
      : atOnce === empties
        ? 'marked at once'
        : `${number(atOnce)} of them marked at once`;
  return [
    `${counted(keeps, 'restore point')} stay${keeps === 1 ? 's' : ''}.`,
    ...(removes > atOnce
      ? [
          marked(removes - atOnce, isPlan) +
            (marginMs > 0
              ? `The content stays until ${when(emptiesFrom)} at least, and until it is deleted, you can take back the mark.`
              : 'Until a later prune deletes the content, you can take back the mark.'),
        ]
      : []),
    ...(atOnce > 0
      ? [
          marked(atOnce, isPlan) +
            'The job has no margin: the same prune deletes the content, and you cannot take back the mark.',
        ]
      : []),
    ...(empties > 0 ? [`The content of ${number(empties)}, ${whose}, ${will} deleted${freed}.${gone}`] : []),
    ...(empties === 0 && items ? [`Content that no restore point needs ${will} deleted${freed}.${gone}`] : []),
    ...(braked.length > 0
      ? [`A safety brake is engaged: nothing is deleted in ${counted(braked.length, 'place')}.`]
      : []),
    ...(oldRuns.length > 0
      ? [
          `Of ${counted(oldRuns.length, 'run')} that left no restore point and ended over 90 days ago, all but the ` +
            `${oldRuns.length === 1 ? 'summary' : 'summaries'} ${will} deleted.`,
        ]
      : []),
    ...(leftovers.length > 0
      ? [`What was written later of ${counted(leftovers.length, 'removed restore point')} ${will} deleted.`]
      : []),
  ];
}

function marked(count: number, isPlan: boolean): string {
  const [will, them] = [isPlan ? 'would be' : count === 1 ? 'was' : 'were', count === 1 ? 'it' : 'them'];
  return `${number(count)} ${will} marked: no restore can use ${them} then. `;
}

/** What stands between a plan and its carrying out. */
export type Obstacle = 'not-ended' | 'not-a-plan' | 'nothing' | 'old' | 'not-allowed' | 'not-typed';

/** A plan older than this is made again, at a click: what it shows may no longer be so. */
const LONGEST_MS = 3_600_000;

/** Why the plan cannot be carried out now, the first of all reasons; or null. */
export function obstacle(
  { dryRun, status, plan }: Pick<Run, 'dryRun' | 'status' | 'plan'>,
  { now, may, typed }: { now: number; may: boolean; typed: string },
): Obstacle | null {
  if (status === 'running') return 'not-ended';
  if (!dryRun || plan === undefined || status === 'failed' || status === 'cancelled') return 'not-a-plan';
  if (isEmptyPlan(plan)) return 'nothing';
  if (!(now - Date.parse(plan.at) < LONGEST_MS)) return 'old';
  if (!may) return 'not-allowed';
  return typed === plan.job ? null : 'not-typed';
}

/** Whether carrying it out would change nothing. */
export function isEmptyPlan({ summary, oldRuns = [], leftovers = [] }: Plan): boolean {
  const { removes, empties, items } = summary;
  return removes + empties + (items ?? 0) + oldRuns.length + leftovers.length === 0;
}

/** The body that carries it out: the hash is that of the plan on the screen. */
export function carryOutBody(id: string, { hash }: Plan): { plan: string; hash: string } {
  return { plan: id, hash };
}

/** The button: `Mark 2 restore points and delete 1,207 items`. */
export function carryOutWords({ summary: { removes, items } }: Plan): string {
  const marks = removes > 0 ? [`mark ${counted(removes, 'restore point')}`] : [];
  const deletes = items ? [`delete ${counted(items, 'item')}`] : [];
  const words = [...marks, ...deletes].join(' and ') || 'carry it out';
  return `${words[0]!.toUpperCase()}${words.slice(1)}`;
}
