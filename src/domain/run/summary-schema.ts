import { z } from 'zod';
import { storedBySchema } from './by.ts';
import type { RunSummary } from './run.ts';
import { SUMMARY_FORMAT } from './stored-format.ts';

const text = z.string();
const count = z.int().nonnegative();
const numbers = z.record(text, z.number());
const status = z.enum(['running', 'succeeded', 'completed-with-failures', 'failed', 'cancelled']);
const time = text.refine((value) => !Number.isNaN(Date.parse(value)));

const problem = z.looseObject({ code: text, message: text, container: text }).partial();
const report = z
  .looseObject({
    container: text,
    destination: text,
    status: z.union([status, z.literal('skipped')]),
    counts: numbers,
    bytes: numbers,
    transfers: z.record(text, z.tuple([count, count])),
    problems: z.array(problem),
  })
  .partial();
const part = z
  .looseObject({
    ...{ path: text, container: text, destination: text, sha256: text },
    ...{ copied: count, unchanged: count, skipped: count, failed: count },
    ...{ changed: count, deleted: count, notSelected: count, lost: z.array(z.number()), last: z.boolean() },
  })
  .partial();
const baseline = z.looseObject({ run: text, at: text, held: z.number(), lost: z.number(), runs: z.number() });
const brakeState = z.looseObject({
  held: z.number(),
  baselines: z.array(baseline),
  recent: z.array(z.number()),
  accepted: z.number(),
  smallAt: z.array(text).optional(),
  engagedBy: text.optional(),
});

/**
 * The members of a summary that anything relies on, each of its own type. The chain shows whether that of a restore
 * point is the one that was written; the format has a number, so members that are new in it do no harm.
 */
const summarySchema = z.looseObject({
  format: z.literal(SUMMARY_FORMAT),
  id: text,
  job: text,
  status,
  by: storedBySchema.optional(),
  counts: numbers,
  bytes: numbers,
  containers: z.array(report),
  problems: z.array(problem),
  parts: z.array(part),
  compared: z.array(part),
  ...z
    .object({
      mode: z.enum(['full', 'incremental', 'retry', 'restore', 'verify', 'prune', 'reconcile', 'reprocess']),
      dryRun: z.boolean(),
      startedAt: time,
      finishedAt: time.nullable(),
      requests: z.record(text, count),
      source: text,
      vault: text,
      destination: z.looseObject({ container: text, prefix: text }),
      restorePoint: z.boolean(),
      properties: z.array(part),
      comparedWith: text,
      brake: z.record(text, brakeState),
    })
    .partial().shape,
});

/** Whether an object is the summary of this run. */
export function isSummary(value: unknown, run: { id: string; job: string }): value is RunSummary {
  const { data } = summarySchema.safeParse(value);
  return data?.id === run.id && data.job === run.job;
}
