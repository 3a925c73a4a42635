import { z } from 'zod';
import { type By, storedBySchema } from '../run/by.ts';
import type { Members } from '../run/members.ts';

/** Schedules of a job start nothing while it is paused, and what a pause covered is not made up for. */
export interface Pause {
  at: string;
  reason: string;
  /** When the pause ends by itself; absent if only a call ends it. ISO 8601. */
  until?: string;
  /** When a call ended it. */
  resumed?: string;
  /** Who paused it, and who ended that; absent if it is not known. */
  by?: By;
  resumedBy?: By;
  /** Pauses of the last weeks that ended before this one began, the oldest first. */
  earlier?: PastPause[];
}

interface PastPause {
  at: string;
  ended: string;
}

/** The last pause of each job or archive rule of a vault. */
export interface Pauses {
  jobs: Record<string, Pause>;
}

const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)));
const pauseSchema = z.strictObject({
  at: time,
  reason: z.string(),
  until: time.optional(),
  resumed: time.optional(),
  by: storedBySchema.optional(),
  resumedBy: storedBySchema.optional(),
  earlier: z.array(z.strictObject({ at: time, ended: time } satisfies Members<PastPause>)).optional(),
} satisfies Members<Pause>);
const pausesSchema = z.strictObject({ jobs: z.record(z.string(), pauseSchema) } satisfies Members<Pauses>);

export function isPauses(value: unknown): value is Pauses {
  return pausesSchema.safeParse(value).success;
}

export function isPaused(pause: Pause | undefined, now: Date): pause is Pause {
  return pause !== undefined && endOf(pause, now) === undefined;
}

/** When a pause ended; undefined if there is none, or if it has not ended. Nothing of the time before is owed. */
export function pauseEnd(pause: Pause | undefined, now: Date): Date | undefined {
  return pause && endOf(pause, now);
}

function endOf(pause: Pause, now: Date): Date | undefined {
  const first = firstOf(pause);
  return first !== undefined && Date.parse(first) <= now.getTime() ? new Date(first) : undefined;
}

/** When it ends or ended; undefined if only a call ends it. */
function firstOf({ until, resumed }: Pause): string | undefined {
  const ends = [until, resumed].filter((text) => text !== undefined);
  return ends.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
}

/** Whether the job was paused at a time, as far as it is remembered. */
export function isPausedAt(pause: Pause | undefined, time: Date): boolean {
  if (!pause) return false;
  const spans = [...(pause.earlier ?? []).map(({ at, ended }) => [at, ended]), [pause.at, firstOf(pause)]];
  return spans.some(
    ([at, ended]) => time.getTime() >= Date.parse(at!) && (ended === undefined || time.getTime() < Date.parse(ended)),
  );
}

const REMEMBERED_MS = 45 * 24 * 3_600_000;
const MOST_REMEMBERED = 100;

/** What a new pause remembers of those before it. */
export function earlierPauses(before: Pause | undefined, now: Date): Pick<Pause, 'earlier'> {
  if (!before) return {};
  const end = pauseEnd(before, now)?.toISOString();
  const all = [...(before.earlier ?? []), ...(end === undefined ? [] : [{ at: before.at, ended: end }])];
  const recent = all.filter(({ ended }) => now.getTime() - Date.parse(ended) < REMEMBERED_MS).slice(-MOST_REMEMBERED);
  return recent.length > 0 ? { earlier: recent } : {};
}
