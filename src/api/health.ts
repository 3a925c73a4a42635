import { z } from 'zod';
import { bySchema } from '#domain/run/by.ts';
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

const paused = z
  .strictObject({ since: time, until: time.nullable(), reason: text.optional(), by: bySchema.optional() })
  .nullable();

const job = z.strictObject({
  ...{ name: text, schedule: text.nullable(), timeZone: text, next: time.nullable(), paused },
  problem: problem.nullable(),
  lostRun: text.nullable(),
  silent: z.strictObject({ run: text, hint: text }).nullable(),
});

const archive = z.strictObject({
  ...{ name: text, reconcile: text, timeZone: text, next: time.nullable(), paused },
  problem: problem.nullable(),
  failedPermanently: count.nullable(),
});

/** The report on all accounts, jobs and rules. */
const reportSchema = z
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

/** The answer to anyone. */
const statusSchema = z.strictObject({ status: z.enum(['ok', 'degraded']), version: text });

/** The answer of an app that cannot start, to anyone. */
const misconfigured = z
  .strictObject({
    status: z.literal('misconfigured'),
    ...{ version: text, code: z.literal('misconfigured'), problems: count, hint: text },
  })
  .meta({ id: 'Misconfigured' });

// Monitors add parameters of their own.
const anything = z.looseObject({});

export const healthOperations = operations({
  health: {
    method: 'GET',
    path: 'health',
    summary: 'Show whether every account answers and no job is kept from starting',
    needs: 'anyone',
    query: anything,
    answers: { 200: statusSchema, 503: z.union([statusSchema, misconfigured]) },
    errors: {},
  },
  healthDetails: {
    method: 'GET',
    path: 'health/details',
    summary: 'Check accounts, show schedules',
    needs: 'status',
    answers: { 200: reportSchema, 503: reportSchema },
    errors: {},
  },
  live: {
    method: 'GET',
    path: 'live',
    summary: 'Show that the app has started',
    needs: 'anyone',
    query: anything,
    answers: { 200: z.strictObject({ status: z.literal('live'), version: text }), 503: misconfigured },
    errors: {},
  },
});
