import { z } from 'zod';
import { MOST_KEPT, type RetentionPolicy, retentionProblem } from '#domain/prune/retention.ts';
import type { Members } from '#domain/run/members.ts';
import { catalogProblems } from './catalog-problem.ts';
import { checkedText } from './checked-text.ts';
import { countUpTo } from './count-up-to.ts';
import { count, text, texts, time } from './fields.ts';
import { operations } from './operation.ts';
import { verifyKindSchema } from './run-report.ts';

const number = count.optional();
const policy = {
  ...{ keepLast: number, keepDaily: number, keepWeekly: number, keepMonthly: number, keepYearly: number },
  keepWithin: text.optional(),
} satisfies Members<RetentionPolicy>;

const scheduleSchema = z
  .strictObject({
    kind: z.enum(['backup', 'verify', 'prune']),
    ...{ schedule: text, words: text, next: z.array(time) },
  })
  .meta({ id: 'Schedule' });

/** A job as it is in force, with all defaults. Accounts are aliases, and pings names of settings: it has no secret. */
const jobSchema = z
  .strictObject({
    ...{ name: text, mode: z.enum(['incremental', 'full']), method: z.enum(['auto', 'sync', 'async', 'blocks']) },
    timeZone: text,
    schedules: z.array(scheduleSchema),
    source: z.strictObject({
      ...{ account: text, containers: texts, prefix: text, include: texts, exclude: texts },
      ...{ tables: texts, tableDeletions: z.boolean() },
    }),
    destination: z.strictObject({ account: text, container: text, prefix: text }),
    retention: z
      .strictObject({
        ...policy,
        ...{ marginHours: z.number(), account: text },
        brake: z.strictObject({ percent: count, blobs: count, days: count }),
        ping: text.nullable(),
      })
      .nullable(),
    verify: z
      .strictObject({
        ...{ afterRun: verifyKindSchema.nullable(), kind: verifyKindSchema, portion: text },
        ...{ expect: text.nullable(), ping: text.nullable() },
      })
      .nullable(),
    expect: z.strictObject({ grace: text.nullable(), every: text.nullable() }),
    ping: text.nullable(),
  })
  .meta({ id: 'Job' });
export type ShownJob = z.input<typeof jobSchema>;

const keep = countUpTo(MOST_KEPT).optional();
const ruleSchema = z.strictObject({
  ...{ keepLast: keep, keepDaily: keep, keepWeekly: keep, keepMonthly: keep, keepYearly: keep },
  keepWithin: checkedText((value) => retentionProblem({ keepWithin: value })).optional(),
} satisfies Members<RetentionPolicy>);

export const jobOperations = operations({
  listJobs: {
    method: 'GET',
    path: 'jobs',
    summary: 'Show the jobs as they are in force, and when their schedules start them next',
    needs: 'read',
    answers: { 200: z.strictObject({ jobs: z.array(jobSchema) }) },
    errors: {},
  },
  getJob: {
    method: 'GET',
    path: 'jobs/{job}',
    summary: 'Show a job as it is in force',
    needs: 'read',
    answers: { 200: jobSchema },
    errors: { 404: ['job-not-found'] },
  },
  tryRetention: {
    method: 'GET',
    path: 'jobs/{job}/retention',
    summary: 'Show which restore points a prune would keep now, by the policy of the job or another one',
    needs: 'read',
    query: ruleSchema,
    answers: {
      200: z.strictObject({
        job: text,
        policy: z.strictObject(policy).nullable(),
        ...{ isInForce: z.boolean(), isComplete: z.boolean() },
        ...{ keeps: count, removes: count },
        restorePoints: z.array(z.strictObject({ id: text, time, status: text, keep: z.boolean(), reasons: texts })),
        problem: z.strictObject({ code: text, message: text, hint: text }).nullable(),
        problems: catalogProblems,
      }),
    },
    errors: { 404: ['job-not-found'] },
  },
});
