import type { Run } from './app-api.ts';
import { asSentence, forTerminal } from './hints.ts';
import { lasting } from './waiting.ts';

/** Problems that are printed; the API lists them all. */
const MOST_PROBLEMS = 20;

/** One line for people; the API has all numbers. */
export function summary(job: string, id: string, run: Run): string {
  const parts = [verdictOf(run), countsOf(run), noLongerHeldOf(run), progressOf(run), tookOf(run)];
  return [`${job}: ${kindOf(run)}${run.status}`, id, ...parts].filter(Boolean).join(' · ');
}

/** A verification follows a backup of the same job, and must not look like another. */
function kindOf({ mode, verify }: Run): string {
  return mode === 'verify' ? `${textIn(verify, 'kind')} verification ` : '';
}

/** What a verification looked at, and what it found. */
function verdictOf({ verify, verdict }: Run): string {
  return typeof verdict === 'string' ? `restore point ${textIn(verify, 'point')}: ${verdict}` : '';
}

/** In this order. Zeros say nothing, except that nothing failed. */
const COUNTS = ['planned', 'copied', 'unchanged', 'skipped', 'removed', 'failed'];

function countsOf({ counts, bytes }: Run): string {
  const listed = numberIn(counts, 'listed');
  const each = COUNTS.flatMap((name) => {
    const count = numberIn(counts, name);
    if (count === undefined || (count === 0 && name !== 'failed')) return [];
    const size = count > 0 ? numberIn(bytes, name) : undefined;
    return [`${grouped(count)} ${name}${size ? ` (${sizeOf(size)})` : ''}`];
  });
  return [...(listed === undefined ? [] : [`${grouped(listed)} listed`]), each.join(', ')].filter(Boolean).join(': ');
}

const NO_LONGER_HELD = { deleted: 'deleted', skipped: 'skipped', failed: 'failed', notSelected: 'not selected' };

function noLongerHeldOf({ noLongerHeld }: Run): string {
  const each = Object.entries(NO_LONGER_HELD).flatMap(([name, words]) => {
    const count = numberIn(noLongerHeld, name) ?? 0;
    return count > 0 ? [`${grouped(count)} ${words}`] : [];
  });
  return each.length > 0 ? `no longer held: ${each.join(', ')}` : '';
}

function progressOf({ status, progress }: Run): string {
  if (status !== 'running') return '';
  const [fraction, left] = [numberIn(progress, 'fraction'), numberIn(progress, 'secondsLeft')];
  const percent = fraction === undefined ? [] : [`${Math.floor(fraction * 100)} %`];
  return [...percent, ...(left === undefined ? [] : [`about ${lasting(left * 1000)} left`])].join(', ');
}

function tookOf({ startedAt, finishedAt }: Run): string {
  const took = typeof finishedAt === 'string' ? Date.parse(finishedAt) - Date.parse(String(startedAt)) : Number.NaN;
  return Number.isNaN(took) ? '' : `took ${lasting(took)}`;
}

function textIn(object: unknown, name: string): string {
  const value = typeof object === 'object' && object !== null ? (object as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function numberIn(object: unknown, name: string): number | undefined {
  const value = typeof object === 'object' && object !== null ? (object as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' ? value : undefined;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function sizeOf(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length);
  return `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power - 1]}`;
}

/** What is printed of a run that has ended, whichever run was asked for. */
export function endingLines(job: string, id: string, run: Run): string[] {
  return [summary(job, id, run), ...problemLines(run)];
}

/** A line for each problem of a run, with what to do. */
function problemLines({ problems = [] }: Run): string[] {
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ container, message = '', hint }) => {
    const words = [asSentence(message), ...(hint ? [forTerminal(hint)] : [])].join(' ');
    return `  ${container === undefined ? '' : `${container}: `}${words}`;
  });
  const more = problems.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more problems`] : lines;
}
