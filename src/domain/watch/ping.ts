import { z } from 'zod';
import { hintFor, type Problem, problemOf } from '../run/problems.ts';
import type { RunSummary } from '../run/run.ts';

/** What a check is sent. */
export interface Ping {
  event: 'start' | 'success' | 'fail' | 'log';
  run: string;
  body: string;
}

/** The newest run of each `kindKey` whose end its check was sent. */
export interface Pings {
  sent: Record<string, string>;
}

const pingsSchema = z.strictObject({ sent: z.record(z.string(), z.string()) });

export function isPings(value: unknown): value is Pings {
  return pingsSchema.safeParse(value).success;
}

/** What a run that completed with failures is to its check, which has two states only. */
export type Incomplete = 'fail' | 'ok';

/** A check as the configuration has it: the app setting with its address, or more. */
export type CheckOption = string | { url: string; incomplete: Incomplete };

/** The app setting with the address of a check. */
export function settingOfCheck(check: CheckOption): string {
  return typeof check === 'string' ? check : check.url;
}

/** What the body of a ping depends on beside the run. */
export interface PingStyle {
  incomplete: Incomplete;
  /** Whether containers and tables are named. */
  names: boolean;
  /** Where people look at runs. */
  link?: string | undefined;
}

export function startPing(run: string, { link }: Pick<PingStyle, 'link'>): Ping {
  return { event: 'start', run, body: [`Run ${run} has started.`, ...linesOfLink(link)].join('\n') };
}

export function endEvent(status: string, incomplete: Incomplete): Ping['event'] {
  if (status === 'succeeded' || (status === 'completed-with-failures' && incomplete === 'ok')) return 'success';
  return status === 'cancelled' ? 'log' : 'fail';
}

function linesOfLink(link: string | undefined): string[] {
  return link === undefined ? [] : [link];
}

/** Checks keep 10 kB or more. */
const MOST_PROBLEMS = 20;

/** The end of a run, without names of blobs. */
export function endPing({ id, job, mode, status, counts, problems }: RunSummary, style: PingStyle): Ping {
  const { listed, copied, unchanged, skipped, failed } = counts;
  const lines = [
    `${job}: ${status} (${mode})`,
    `listed ${listed} · copied ${copied} · unchanged ${unchanged} · skipped ${skipped} · failed ${failed}`,
    ...problems.slice(0, MOST_PROBLEMS).map((problem) => lineOf(problem, { id, job }, style)),
    `GET /api/runs/${id}`,
    ...linesOfLink(style.link),
  ];
  return { event: endEvent(status, style.incomplete), run: id, body: lines.join('\n') };
}

/** The message of a problem may have the name of a blob. */
function lineOf(
  { code, container, count }: Problem,
  run: { id: string; job: string },
  { names }: Pick<PingStyle, 'names'>,
): string {
  const { message, hint } = problemOf(code, count, names ? container : undefined);
  return `${code}: ${message}. ${hintFor(run, hint)}`;
}
