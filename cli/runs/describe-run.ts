import type { AnswerOf } from '../connect/api.ts';
import { counted, grouped, lasting, sizeOf } from '../print/amounts.ts';

export type Report = AnswerOf<'getRun'>;
export type Row = AnswerOf<'listRuns'>['runs'][number];

/** What a run does, in two or three words. */
export function kindOf(run: { mode: string; dryRun: boolean; verify?: { kind: string } | undefined }): string {
  return `${wordsOf(run)}${run.dryRun && run.mode !== 'prune' ? ' (dry run)' : ''}`;
}

function wordsOf({ mode, dryRun, verify }: Parameters<typeof kindOf>[0]): string {
  if (mode === 'incremental') return 'backup';
  if (mode === 'full' || mode === 'retry') return `backup ${mode}`;
  if (mode === 'verify' && verify) return `verify ${verify.kind}`;
  return mode === 'prune' && dryRun ? 'prune plan' : mode;
}

/** How a run stands, in one word that a table has room for. */
export function endOf(status: string): string {
  return status === 'completed-with-failures' ? 'incomplete' : status;
}

/** In this order. Zeros say nothing, except that nothing failed. */
const COUNTS = ['planned', 'copied', 'unchanged', 'skipped', 'removed', 'failed'] as const;

/** What a run did to its items, with their size. */
export function countsWords(
  counts: Readonly<Record<string, number | undefined>>,
  bytes: Readonly<Record<string, number | undefined>>,
) {
  const each = COUNTS.flatMap((name) => {
    const count = counts[name];
    if (count === undefined || (count === 0 && name !== 'failed')) return [];
    const size = bytes[name];
    return [`${grouped(count)} ${name}${size ? ` (${sizeOf(size)})` : ''}`];
  });
  const listed = counts.listed === undefined ? [] : [`${grouped(counts.listed)} listed`];
  return [...listed, each.join(', ')].filter(Boolean).join(': ');
}

const NO_LONGER_HELD = {
  deleted: 'deleted',
  skipped: 'skipped',
  failed: 'failed',
  notSelected: 'not selected',
} as const;

export function noLongerHeldWords(counts: Report['noLongerHeld']): string {
  const each = Object.entries(NO_LONGER_HELD).flatMap(([name, words]) => {
    const count = counts?.[name as keyof typeof NO_LONGER_HELD] ?? 0;
    return count > 0 ? [`${grouped(count)} ${words}`] : [];
  });
  return each.length > 0 ? `no longer held: ${each.join(', ')}` : '';
}

/** One line about a run in progress. */
export function progressWords(run: Report): string {
  const { progress, phase, counts, bytes } = run;
  const done = doneOf(counts);
  const total = progress.fraction ? Math.round(done / progress.fraction) : undefined;
  const isMoving = phase === 'copying' || phase === 'listing' || phase === 'waiting';
  return [
    ...(progress.fraction === null ? [] : [bar(progress.fraction), `${Math.floor(progress.fraction * 100)} %`]),
    run.cancelling ? 'ending, as requested' : phaseWords(run),
    ...(isMoving && done > 0
      ? [`${grouped(done)}${total === undefined ? '' : ` of about ${grouped(Math.max(total, done))}`}`]
      : []),
    ...(isMoving && progress.blobsPerSecond > 0 ? [`${grouped(Math.round(progress.blobsPerSecond))}/s`] : []),
    ...(isMoving && progress.bytesPerSecond > 0 && bytes.copied > 0 ? [`${sizeOf(progress.bytesPerSecond)}/s`] : []),
    ...(isMoving && progress.secondsLeft !== null ? [`about ${lasting(progress.secondsLeft)} left`] : []),
    ...(counts.failed > 0 ? [`${grouped(counts.failed)} failed`] : []),
  ].join('  ');
}

/** In the phase `copying`, a run does to its items whatever it is for. */
const DOING: Partial<Record<Report['mode'], string>> = {
  ...{ restore: 'restoring', verify: 'verifying', prune: 'deleting', reconcile: 'archiving', reprocess: 'archiving' },
};

function phaseWords({ phase, mode, dryRun }: Report): string {
  if (phase !== 'copying') return phase;
  return dryRun ? 'deciding' : (DOING[mode] ?? phase);
}

function doneOf(counts: Report['counts']): number {
  const { copied, unchanged, skipped, failed, planned = 0, removed = 0 } = counts;
  return copied + unchanged + skipped + failed + planned + removed;
}

const BAR = 20;

function bar(fraction: number): string {
  const full = Math.min(BAR, Math.max(0, Math.floor(fraction * BAR)));
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

/** How long a run took, in seconds; undefined while it is in progress. */
export function secondsOf(run: { startedAt: string; finishedAt?: string | null | undefined }): number | undefined {
  if (run.finishedAt === null || run.finishedAt === undefined) return undefined;
  const seconds = (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** Why a row of a list is as it is: its worst problem, or what it did. */
export function whyOf({ problem, problems, counts = {}, bytes = {}, restore, point }: Row): string {
  if (problem) {
    const place = problem.container === undefined ? '' : `${problem.container}: `;
    const more = (problems ?? 1) - 1;
    return `${problem.code}: ${place}${problem.message}${more > 0 ? `, and ${counted(more, 'more problem')}` : ''}`;
  }
  const to = restore ? ` to ${restore.account}` : '';
  if (Object.keys(counts).length > 0) return `${countsWords(counts, bytes)}${to}`;
  return point ? `${counted(point.blobs, 'blob')}` : '';
}
