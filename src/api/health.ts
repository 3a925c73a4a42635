import { z } from 'zod';
import { count, text, time } from './fields.ts';
import { operations } from './operation.ts';

const problem = z.strictObject({ code: text, message: text, hint: text });
const catalog = problem;

const account = z.strictObject({
  alias: text,
  status: z.enum(['ok', 'failed']),
  ...{ code: text.optional(), message: text.optional(), hint: text.optional() },
  catalog: catalog.optional(),
});

const job = z.strictObject({
  ...{ name: text, schedule: text.nullable(), timeZone: text, next: time.nullable() },
  problem: problem.nullable(),
  lostRun: text.nullable(),
  silent: z.strictObject({ run: text, hint: text }).nullable(),
});

const archive = z.strictObject({
  ...{ name: text, reconcile: text, timeZone: text, next: time.nullable() },
  problem: problem.nullable(),
  failedPermanently: count.nullable(),
});

/** The report on all accounts, jobs and rules. */
export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'degraded']),
    version: text,
    orchestrations: count,
    taskHub: z.strictObject({ code: text, hint: text }).optional(),
    accounts: z.array(account),
    jobs: z.array(job),
    archives: z.array(archive),
  })
  .meta({ id: 'Health' });

export const healthOperations = operations({
  health: {
    method: 'GET',
    path: 'health',
    summary: 'Check accounts, show schedules',
    needs: 'anyone',
    // Monitors add parameters of their own.
    query: z.looseObject({}),
    answers: { 200: healthSchema, 503: healthSchema },
    errors: {},
  },
});
