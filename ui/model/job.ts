import type { Answer } from './answer.ts';
import { counted, listed } from './quantity.ts';
import { isBackup, type RunRow } from './run-words.ts';

export type ShownJob = Answer<'getJob'>;

/** A setting of a job in words; `isDefault` if the file does not have to name it. */
export interface Fact {
  name: string;
  text: string;
  isDefault: boolean;
}

const METHODS: Readonly<Record<string, string>> = {
  auto: 'the fastest that the account allows',
  sync: 'Copy Blob From URL',
  async: 'Copy Blob, in the background of the service',
  blocks: 'Put Block From URL',
};

export function factsOf(job: ShownJob): Fact[] {
  const { source, destination, method, mode, retention, verify, expect, ping, timeZone } = job;
  const fact = (name: string, text: string, isDefault = false): Fact => ({ name, text, isDefault });
  const chosen = [
    ...(source.prefix ? [`names that start with ${source.prefix}`] : []),
    ...(source.include.length > 0 ? [`only ${listed(source.include)}`] : []),
    ...(source.exclude.length > 0 ? [`without ${listed(source.exclude)}`] : []),
  ];
  return [
    fact('From', `${source.account}: ${sourceText(source)}`),
    ...(chosen.length > 0 ? [fact('Blobs', chosen.join(', '))] : []),
    fact('To', `${destination.account}: ${destination.prefix}${destination.container}`),
    fact(
      'Scheduled backups',
      mode === 'full' ? 'full: each copies everything' : 'incremental: each copies what has changed',
      mode === 'incremental',
    ),
    fact('Copies by', METHODS[method] ?? method, method === 'auto'),
    fact(
      'Keeps',
      retention
        ? `${policyText(retention)}; ${retention.marginHours} h between marking and deleting`
        : 'every restore point',
      retention === null,
    ),
    ...(retention
      ? [
          fact(
            'Safety brake',
            `at ${retention.brake.percent} % and ${counted(retention.brake.blobs, 'blob')}, within ${counted(retention.brake.days, 'day')}`,
            true,
          ),
        ]
      : []),
    fact('Verifies', verify ? verifyText(verify) : 'only on demand', verify === null),
    fact(
      'Overdue',
      expect.every
        ? `if there is no backup for ${expect.every}`
        : expect.grace
          ? `${expect.grace} after its time`
          : 'some time after its time, by its interval',
      !expect.every && !expect.grace,
    ),
    fact('Time zone', timeZone, timeZone === 'UTC'),
    ...(ping ? [fact('Pings', `the address in ${ping}`)] : []),
  ];
}

function sourceText({ containers, tables }: ShownJob['source']): string {
  const of = (names: readonly string[], what: string) =>
    names.length === 0 ? [] : [names.includes('*') ? `all ${what}` : `${what} ${listed(names)}`];
  return listed([...of(containers, 'containers'), ...of(tables, 'tables')]);
}

type Policy = { readonly [Rule in (typeof RULES)[number][0]]?: number | undefined } & {
  keepWithin?: string | undefined;
};

export const RULES = [
  ['keepLast', 'newest'],
  ['keepDaily', 'daily'],
  ['keepWeekly', 'weekly'],
  ['keepMonthly', 'monthly'],
  ['keepYearly', 'yearly'],
] as const;

/** A policy in words: `14 daily, 8 weekly and everything of 30d`. */
export function policyText(policy: Policy): string {
  const words = RULES.flatMap(([rule, word]) => (policy[rule] === undefined ? [] : [`${policy[rule]} ${word}`]));
  return listed([...words, ...(policy.keepWithin === undefined ? [] : [`everything of ${policy.keepWithin}`])]);
}

function verifyText({ afterRun, kind, portion }: NonNullable<ShownJob['verify']>): string {
  const deep = portion === '100%' ? 'deep' : `deep, ${portion} of the content`;
  const words = [
    ...(afterRun ? [`${afterRun === 'deep' ? deep : afterRun} after each backup`] : []),
    `${kind === 'deep' ? deep : kind} by its schedule`,
  ];
  return listed(afterRun && kind === 'quick' ? words.slice(0, 1) : words);
}

/** Numbers of the backups of a job over time, oldest first. */
export interface Series {
  name: string;
  /** Of what the bars are: `bytes`, `seconds` or `items`. */
  unit: 'bytes' | 'seconds' | 'items';
  bars: { run: string; at: string; value: number; isBad: boolean }[];
}

/** What the runs of a job were like: how much is protected, was copied, failed, and how long it took. */
export function seriesOf(runs: readonly RunRow[]): Series[] {
  const backups = runs
    .filter((run) => isBackup(run) && !run.dryRun && run.status !== 'running' && run.status !== 'not-started')
    .toReversed();
  const of = (name: string, unit: Series['unit'], value: (run: RunRow) => number | null | undefined): Series => ({
    ...{ name, unit },
    bars: backups.flatMap((run) => {
      const found = value(run);
      const isBad = run.status !== 'succeeded';
      return found === null || found === undefined ? [] : [{ run: run.id, at: run.startedAt, value: found, isBad }];
    }),
  });
  return [
    of('Protected', 'bytes', ({ point }) => point?.bytes),
    of('Copied', 'bytes', ({ bytes }) => bytes?.copied),
    of('Duration', 'seconds', ({ seconds }) => seconds),
    of('Failed', 'items', ({ counts }) => counts?.failed),
  ].filter(({ bars }) => bars.length > 1 && bars.some(({ value }) => value > 0));
}
