import { z } from 'zod';
import type { AskedRestore } from '#domain/run/asked.ts';
import { bySchema } from '#domain/run/by.ts';
import { heldContentSchema } from '#domain/run/held-content.ts';
import type { Members } from '#domain/run/members.ts';
import { catalogProblems } from './catalog-problem.ts';
import { count, counts, cursor, instant, next, text, time } from './fields.ts';
import { limitUpTo } from './limit.ts';
import { operations } from './operation.ts';
import { outcomeSchema } from './outcome.ts';
import {
  existingSchema,
  modeSchema,
  pointSchema,
  problemSchema,
  runReportSchema,
  statusSchema,
  triggerSchema,
  verifyKindSchema,
} from './run-report.ts';
import { startedRunSchema } from './started-run.ts';

const askedRestore = z.strictObject({
  ...{ point: text, account: text, container: text, prefix: text, table: text },
  existing: existingSchema,
  names: count.optional(),
} satisfies Members<AskedRestore>);

/** A run in a list. Null is what is not known: of a run in progress, or in a row of an earlier version. */
export const runRowSchema = z
  .strictObject({
    // A run that was lost has the mode and trigger "unknown" without a catalog.
    ...{ id: text, job: text, mode: text, trigger: text, status: text, dryRun: z.boolean(), startedAt: time },
    by: bySchema.optional(),
    ...{ retryOf: text.optional(), follows: text.optional() },
    restore: askedRestore.optional(),
    verify: z.strictObject({ point: text, kind: verifyKindSchema }).optional(),
    prune: z.strictObject({ plan: text.nullable() }).optional(),
    finishedAt: time.optional(),
    ...{ seconds: z.number().nullable(), requests: count.nullable() },
    counts: counts.optional(),
    bytes: counts.optional(),
    problem: problemSchema.omit({ hint: true }).nullable(),
    problems: count.nullable(),
    point: pointSchema.nullable(),
    /** Of the plan of a prune. */
    held: heldContentSchema.meta({ id: 'HeldContent' }).nullable(),
  })
  .meta({ id: 'RunRow' });

export const runOperations = operations({
  startRun: {
    method: 'POST',
    path: 'jobs/{job}/runs',
    summary: 'Start a backup',
    needs: 'run',
    body: z.strictObject({
      mode: z.enum(['full', 'incremental', 'configured']).default('full'),
      dryRun: z.boolean().default(false),
    }),
    answers: { 202: startedRunSchema },
    errors: { 404: ['job-not-found'], 409: ['run-in-progress', 'lock-contended'] },
  },
  listRuns: {
    method: 'GET',
    path: 'runs',
    summary: 'List runs, newest first',
    needs: 'read',
    query: z.strictObject({
      job: text.optional(),
      mode: modeSchema.optional(),
      status: z.enum([...statusSchema.options, 'not-started']).optional(),
      trigger: triggerSchema.optional(),
      dryRun: z.enum(['true', 'false']).optional(),
      ...{ from: instant.optional(), to: instant.optional() },
      limit: limitUpTo(500, 50),
      cursor: cursor.optional(),
    }),
    answers: { 200: z.strictObject({ runs: z.array(runRowSchema), next, problems: catalogProblems }) },
    errors: { 400: ['cursor-invalid'], 404: ['job-not-found'] },
  },
  getRun: {
    method: 'GET',
    path: 'runs/{id}',
    summary: 'Show a run, in progress or ended',
    needs: 'read',
    query: z.strictObject({ containers: z.enum(['all', 'problems', 'none']).default('all') }),
    answers: { 200: runReportSchema },
    errors: { 404: ['run-not-found', 'restore-point-not-found'], 502: ['damaged'] },
  },
  listOutcomes: {
    method: 'GET',
    path: 'runs/{id}/outcomes',
    summary: 'List what a run did to each blob',
    needs: 'names',
    query: z.strictObject({
      status: z.enum(['copied', 'unchanged', 'skipped', 'failed', 'removed', 'no-longer-held', 'planned']).optional(),
      container: text.optional(),
      /** A code. The parameter `code` is the function key. */
      problem: text.optional(),
      prefix: z.string().max(1024).optional(),
      limit: limitUpTo(5000, 1000),
      cursor: cursor.optional(),
    }),
    answers: { 200: z.strictObject({ items: z.array(outcomeSchema), next, total: count.nullable() }) },
    errors: {
      400: ['cursor-invalid'],
      404: ['run-not-found', 'restore-point-not-found', 'outcomes-removed'],
      502: ['damaged'],
    },
  },
  cancelRun: {
    method: 'POST',
    path: 'runs/{id}/cancel',
    summary: 'Cancel a run',
    needs: ['run', 'restore', 'prune', 'protect'],
    body: z.strictObject({ force: z.boolean().default(false) }),
    answers: {
      200: z.strictObject({ id: text, status: statusSchema, cancelling: z.literal(false), location: text }),
      202: z.strictObject({
        ...{ id: text, status: z.literal('running'), cancelling: z.literal(true), location: text },
        hint: text.optional(),
      }),
    },
    errors: { 404: ['run-not-found', 'restore-point-not-found'], 409: ['run-ended', 'lock-contended'] },
  },
  retryRun: {
    method: 'POST',
    path: 'runs/{id}/retry',
    summary: 'Retry what failed in a backup or restore',
    needs: ['run', 'restore', 'prune'],
    answers: { 202: startedRunSchema },
    errors: {
      404: ['run-not-found', 'restore-point-not-found', 'point-removed'],
      409: ['nothing-to-retry', 'run-in-progress', 'job-not-found', 'lock-contended'],
    },
  },
});
