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

function endOf({ until, resumed }: Pause, now: Date): Date | undefined {
  const ends = [until, resumed].flatMap((text) => (text === undefined ? [] : [Date.parse(text)]));
  const first = Math.min(...ends);
  return first <= now.getTime() ? new Date(first) : undefined;
}
