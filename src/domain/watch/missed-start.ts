import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Members } from '../run/members.ts';
import type { Scheduled } from '../run/occurrence.ts';
import { PROBLEMS, type ProblemCode } from '../run/problems.ts';
import { newRunId } from '../run/run-id.ts';

/** A start that a schedule wanted and that could not be made. */
export interface MissedStart {
  /** Of its row in the catalog: in the form of a run, though there is none. */
  id: string;
  job: string;
  what: Scheduled;
  /** The occurrence. ISO 8601. */
  due: string;
  /** When the tries of a first tick had failed. */
  at: string;
  code: ProblemCode;
  /** The run that was in progress. */
  run?: string;
}

/** The newest start of each kind that was not made, by job or archive rule. */
export interface MissedStarts {
  jobs: Record<string, Partial<Record<Scheduled, MissedStart>>>;
}

const text = z.string();
const time = text.refine((value) => !Number.isNaN(Date.parse(value)));
const KINDS = ['backup', 'verify', 'prune', 'reconcile'] as const;
const missedSchema = z.strictObject({
  id: text,
  job: text,
  what: z.enum(KINDS),
  due: time,
  at: time,
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  run: text.optional(),
} satisfies Members<MissedStart>);
const missedStartsSchema = z.strictObject({
  jobs: z.record(text, z.partialRecord(z.enum(KINDS), missedSchema)),
} satisfies Members<MissedStarts>);

export function isMissedStarts(value: unknown): value is MissedStarts {
  return missedStartsSchema.safeParse(value).success;
}

/** The same for each try of an occurrence, so that each is noted once. */
export function missedStartId(job: string, what: Scheduled, due: Date): string {
  const digits = createHash('sha256').update(`${what} ${due.toISOString()}`).digest().readUIntBE(0, 6).toString(36);
  return newRunId(job, due, digits.padStart(6, '0').slice(-6));
}

/** With one more. The first note of an occurrence keeps its time, and the last its reason. */
export function withMissed(starts: MissedStarts, missed: MissedStart): MissedStarts {
  const ofJob = starts.jobs[missed.job] ?? {};
  const before = ofJob[missed.what];
  if (before && before.due > missed.due) return starts;
  const at = before?.id === missed.id ? before.at : missed.at;
  return { jobs: { ...starts.jobs, [missed.job]: { ...ofJob, [missed.what]: { ...missed, at } } } };
}
