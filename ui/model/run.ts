import { type Mark, markOfRun } from './mark.ts';
import { lackWords } from './points.ts';
import { type ProblemAction, problemAction } from './problem-action.ts';
import { bytes, counted, listed, number } from './quantity.ts';
import { isBackup, placeOf, type Report, resultOf, titleOf } from './run-words.ts';
import { about, duration, relative } from './time.ts';

/** What a run is and how it stands. */
export interface RunHead {
  mark: Mark;
  /** `Backing up nightly`, `nightly: backup failed`. */
  title: string;
  tab: string;
  /** What that means for what is kept. */
  meaning: string;
  /** Where its result is, below `/ui`; null if there is none. */
  result: { to: string; text: string } | null;
}

export function headOf(report: Report): RunHead {
  const { job, status, cancelling, dryRun } = report;
  const mark = markOfRun(status);
  const what = titleOf(report);
  const { fraction } = report.progress;
  if (status === 'running') {
    const title = cancelling ? `Stopping the ${what} of ${job}` : doing(report);
    const percent = fraction === null ? '●' : `${Math.floor(fraction * 100)} %`;
    return {
      mark: cancelling ? { ...mark, word: 'stopping' } : mark,
      title,
      tab: `${percent} ${job}`,
      meaning: '',
      result: null,
    };
  }
  const title = `${job}: ${what} ${mark.word}`;
  const signs: Record<string, string> = { good: '✓', warn: '◐', bad: '✕' };
  const tab = `${signs[mark.tone] ?? '■'} ${job}: ${what}`;
  return {
    mark,
    title,
    tab,
    meaning: dryRun && report.mode !== 'prune' ? PREVIEW : meaningOf(report),
    result: resultPlace(report),
  };
}

const PREVIEW = 'A preview decides everything and changes nothing.';

function doing(report: Report): string {
  const { mode, job, dryRun, restore, verify } = report;
  if (mode === 'restore' && restore) return `${dryRun ? 'Previewing a restore' : 'Restoring'} into ${placeOf(restore)}`;
  if (mode === 'verify')
    return verify?.kind === 'drill' ? `Running a drill of ${job}` : `Verifying a restore point of ${job}`;
  if (mode === 'prune') return report.prune?.plan ? `Pruning ${job}` : `Planning a prune of ${job}`;
  if (mode === 'reconcile') return `Reconciling ${job}`;
  if (mode === 'reprocess') return `Trying the uploads of ${job} again`;
  return dryRun ? `Previewing a backup of ${job}` : `Backing up ${job}`;
}

function meaningOf(report: Report): string {
  const { mode, status, counts, verdict = '' } = report;
  if (mode === 'restore') {
    return status === 'succeeded'
      ? ''
      : 'What was restored stays where it is. Retry what failed, or start the restore again.';
  }
  if (mode === 'verify') return verdict && `${verdict[0]!.toUpperCase()}${verdict.slice(1)}.`;
  if (mode === 'prune') return report.prune?.plan ? '' : 'A plan deletes nothing.';
  if (!isBackup(report)) return '';
  if (status === 'succeeded') return 'It left a restore point.';
  if (status === 'completed-with-failures') {
    const { skipped, failed } = counts;
    const lacks = lackWords({ skipped, failed, containers: [], tables: [] });
    return `It left a restore point${lacks === '' ? ', which lacks what the problems name' : ` without the ${lacks}`}.`;
  }
  return 'It left no restore point. What it copied stays in the vault, and the next backup continues from there.';
}

function resultPlace(report: Report): RunHead['result'] {
  const { id, mode, status, dryRun, verify } = report;
  const isDone = status === 'succeeded' || status === 'completed-with-failures';
  if (isBackup(report) && isDone && !dryRun)
    return { to: `/points/${encodeURIComponent(id)}`, text: 'Look at the restore point' };
  if (mode === 'prune' && isDone) return { to: `/prune/${encodeURIComponent(id)}`, text: 'Look at the plan' };
  if (mode === 'verify' && verify)
    return { to: `/points/${encodeURIComponent(verify.point)}`, text: 'Look at the restore point' };
  return null;
}

export interface Step {
  name: string;
  state: 'done' | 'now' | 'later';
}

const STEPS = [
  ['starting', 'Start'],
  ['listing', 'List'],
  ['copying', 'Copy'],
  ['waiting', 'Wait for the service'],
  ['publishing', 'Finish'],
] as const;

/** The steps of a run in progress. What it does to its items has another name for each mode. */
export function stepsOf({ phase, mode }: Pick<Report, 'phase' | 'mode'>): Step[] {
  const at = STEPS.findIndex(([id]) => id === phase);
  const words: Record<string, string> = {
    verify: 'Check',
    prune: 'Go through',
    restore: 'Restore',
    reconcile: 'Archive',
    reprocess: 'Archive',
  };
  return STEPS.map(([id, name], index) => ({
    name: id === 'copying' ? (words[mode] ?? name) : name,
    state: phase === 'ended' || index < at ? 'done' : index === at ? 'now' : 'later',
  }));
}

/** How fast it is, between two answers. */
export interface Rate {
  items: number;
  bytes: number;
  at: number;
}

export function rateBetween(before: Rate, after: Rate): { items: number; bytes: number } | undefined {
  const seconds = (after.at - before.at) / 1000;
  if (seconds < 1) return undefined;
  return {
    items: Math.max(0, after.items - before.items) / seconds,
    bytes: Math.max(0, after.bytes - before.bytes) / seconds,
  };
}

export function doneOf({ counts }: Pick<Report, 'counts'>): number {
  return counts.copied + counts.unchanged + counts.skipped + counts.failed;
}

export interface ProgressWords {
  fraction: number | null;
  /** `3,112 done`, `3,112 of about 5,020`. */
  amount: string;
  left: string;
  speed: string;
  /** Since when nothing was written; empty if all is well. */
  silence: string;
}

/** Nothing was written for so long: worth a word. A run writes a note every few seconds. */
const SILENT_MS = 60_000;

export function progressOf(
  report: Report,
  rate: { items: number; bytes: number } | undefined,
  now: Date,
): ProgressWords {
  const { fraction, secondsLeft, blobsPerSecond, bytesPerSecond } = report.progress;
  const done = doneOf(report);
  // What is expected is what the last run listed.
  const total = fraction !== null && fraction > 0.02 ? Math.max(done, Math.round(done / fraction)) : null;
  const speed = rate ?? { items: blobsPerSecond, bytes: bytesPerSecond };
  const quiet = report.progressAt === null ? 0 : now.getTime() - Date.parse(report.progressAt);
  return {
    fraction: report.phase === 'publishing' ? 1 : fraction,
    amount: total === null ? `${number(done)} done` : `${number(done)} of about ${number(total)}`,
    left: report.phase === 'publishing' ? 'finishing' : secondsLeft === null ? '' : `${about(secondsLeft)} left`,
    speed:
      speed.items > 0
        ? `${number(Math.round(speed.items * 10) / 10)} per second${speed.bytes > 0 ? `, ${bytes(speed.bytes)}/s` : ''}`
        : '',
    silence:
      quiet > SILENT_MS ? `Nothing was written for ${duration(quiet / 1000)}. The storage service may be busy.` : '',
  };
}

/** The problems of one code. */
export interface ProblemGroup {
  code: string;
  /** How many items it concerns; 0 if it concerns whole containers or the run. */
  count: number;
  /** Containers and tables; without a name for the run as a whole. */
  where: string[];
  messages: string[];
  hint: string;
  action: ProblemAction;
}

/** Problems by code, what needs something done first. */
export function problemGroups({ problems }: Pick<Report, 'problems'>): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup>();
  for (const { code, count, container, message, hint } of problems) {
    const group = groups.get(code) ?? { code, count: 0, where: [], messages: [], hint, action: problemAction(code) };
    group.count += count;
    if (container !== undefined) group.where.push(container);
    if (!group.messages.includes(message)) group.messages.push(message);
    groups.set(code, group);
  }
  const rank = ({ action, count }: ProblemGroup) => (action === 'nothing' ? 2 : count === 0 ? 0 : 1);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.count - a.count);
}

/** `14 blobs in 2 containers`, `the container images`, `the whole run`. */
export function extentOf({ count, where }: ProblemGroup): string {
  const place =
    where.length === 0 ? 'the whole run' : where.length === 1 ? where[0]! : counted(where.length, 'container');
  return count === 0 ? place : `${counted(count, 'item')} in ${place}`;
}

/** The runs that came of this one: `['r2', 'retried by']`. */
export function laterRuns({ followedBy }: Pick<Report, 'followedBy'>): [id: string, text: string][] {
  return (followedBy ?? []).map(({ id, how }) => [id, LATER[how]]);
}

const LATER = { retries: 'retried by', follows: 'followed by', replaces: 'taken over by' } as const;

/** A plain text to send to a colleague. It has no name of a blob. */
export function summaryText(report: Report, address: string): string {
  const { id, status, startedAt, finishedAt } = report;
  const groups = problemGroups(report);
  return [
    `${headOf(report).title} (${id})`,
    `${status}, ${startedAt} to ${finishedAt ?? 'now'}`,
    resultOf(report),
    ...groups.map(({ code, count, hint }) => `${count > 0 ? `${number(count)} ` : ''}${code}: ${hint}`),
    address,
  ].join('\n');
}

/** A task of a run: a container or table. */
export interface TaskLine {
  name: string;
  isTable: boolean;
  destination: string;
  mark: Mark;
  counts: [word: string, count: number][];
  listed: number;
  fraction: number;
}

export function taskLines({ containers }: Pick<Report, 'containers'>): TaskLine[] {
  return containers.map(({ container, destination, status, counts }) => {
    const { listed: all, copied, unchanged, skipped, failed } = counts;
    const isTable = container.startsWith('table.');
    return {
      name: isTable ? container.slice('table.'.length) : container,
      ...{ isTable, destination, listed: all },
      mark: markOfRun(status === 'skipped' ? 'not-started' : status),
      counts: [
        ['copied', copied],
        ['unchanged', unchanged],
        ['skipped', skipped],
        ['failed', failed],
      ],
      fraction: status === 'running' ? (all === 0 ? 0 : Math.min(1, doneOf({ counts }) / all)) : 1,
    };
  });
}

/** What is no longer held of the restore point before: `12 deleted in the source, 3 failed`; empty if nothing is. */
export function goneText({ noLongerHeld }: Pick<Report, 'noLongerHeld'>): string {
  if (!noLongerHeld) return '';
  const { deleted, skipped, failed, notSelected } = noLongerHeld;
  const words: [number, string][] = [
    [deleted, 'deleted in the source'],
    [skipped, 'skipped'],
    [failed, 'failed'],
    [notSelected, 'no longer selected'],
  ];
  return listed(words.filter(([count]) => count > 0).map(([count, word]) => `${number(count)} ${word}`));
}

/** Milliseconds until the run is asked for again: the rhythm of its notes; undefined once it has ended. */
export function paceOfRun({ status }: Pick<Report, 'status'>): number | undefined {
  return status === 'running' ? 3_000 : undefined;
}

export function tookText({ startedAt, finishedAt }: Pick<Report, 'startedAt' | 'finishedAt'>, now: Date): string {
  if (finishedAt === null) return `started ${relative(new Date(startedAt), now)}`;
  return `took ${duration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)}`;
}
