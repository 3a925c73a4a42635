import { z } from 'zod';
import { pointFactsSchema } from '#domain/restore/point-facts.ts';
import { heldContentSchema } from '#domain/run/held-content.ts';
import type { Members } from '#domain/run/members.ts';
import { proofSchema } from '#domain/run/restore-point.ts';
import { CONDITION_NAMES, type Condition, SEVERITIES } from '#domain/watch/conditions.ts';
import { JOB_STATES } from '#domain/watch/job-state.ts';
import { DAY_RESULTS, type StripDay } from '#domain/watch/strip.ts';
import { count, text, time } from './fields.ts';
import { operations } from './operation.ts';
import { phaseSchema } from './run-report.ts';

const kind = z.enum(['backup', 'verify', 'prune', 'reconcile']);
const severity = z.enum(SEVERITIES);

const conditionSchema = z
  .strictObject({
    ...{ id: text, condition: z.enum(CONDITION_NAMES), severity },
    ...{ job: text.optional(), account: text.optional(), channel: text.optional() },
    ...{ since: time, title: text, message: text, hint: text },
    ...{ run: text.optional(), count: count.optional() },
  } satisfies Members<Condition>)
  .meta({ id: 'Condition' });

/** The runs of one kind of a job: how they stand, and when the next begins. */
const runsSchema = z
  .strictObject({
    kind,
    state: z.enum(['ok', 'due', 'running', 'overdue', 'unwatched']),
    ...{ due: time.nullable(), overdueAt: time.nullable(), next: time.nullable() },
    last: z.strictObject({ id: text, status: text, finishedAt: time }).nullable(),
    lastGood: z.strictObject({ id: text, startedAt: time }).nullable(),
  })
  .meta({ id: 'RunsOfKind' });

const { containers, blobs, tables, entities, bytes, lacks } = pointFactsSchema.shape;
const newestPoint = z
  .strictObject({
    ...{ id: text, time },
    ...{ containers: containers.nullable(), blobs: blobs.nullable(), tables: tables.nullable() },
    ...{ entities: entities.nullable(), bytes, lacks: lacks.nullable() },
    ...{ isHeld: z.boolean(), isBraked: z.boolean() },
    verified: proofSchema.nullable(),
    problem: z.strictObject({ code: text, message: text, hint: text }).optional(),
  })
  .meta({ id: 'NewestPoint' });

const heldAt = heldContentSchema.extend({ at: time }).meta({ id: 'HeldAt' });

/** A day of a job, in its time zone. Null is what is not known; `worst` also if nothing ran. */
const daySchema = z
  .strictObject({
    day: z.iso.date(),
    worst: z.enum(DAY_RESULTS).nullable(),
    ...{ runs: count.nullable(), missed: count.nullable() },
  } satisfies Members<StripDay>)
  .meta({ id: 'StripDay' });

const runningSchema = z
  .strictObject({
    ...{ id: text, mode: text, startedAt: time, isSilent: z.boolean() },
    phase: phaseSchema.nullable(),
    ...{ fraction: z.number().nullable(), secondsLeft: z.number().nullable() },
  })
  .meta({ id: 'RunInProgress' });

const standing = {
  name: text,
  state: z.enum(JOB_STATES),
  severity: severity.nullable(),
  paused: z.strictObject({ since: time, until: time.nullable() }).nullable(),
  running: z.array(runningSchema),
  runs: z.array(runsSchema),
  problem: z.strictObject({ code: text, message: text, hint: text }).nullable(),
};
const jobSchema = z
  .strictObject({
    ...standing,
    restorePoint: newestPoint.nullable(),
    size: z.strictObject({ blobs: count, entities: count, bytes: bytes }).nullable(),
    held: heldAt.nullable(),
    strip: z.array(daySchema).nullable(),
  })
  .meta({ id: 'JobOverview' });
const ruleSchema = z.strictObject({ ...standing, failedPermanently: count.nullable() }).meta({ id: 'RuleOverview' });
const vaultSchema = z.strictObject({ alias: text, held: heldAt.nullable() }).meta({ id: 'VaultOverview' });
export type JobOverview = z.input<typeof jobSchema>;
export type RuleOverview = z.input<typeof ruleSchema>;

export const overviewOperations = operations({
  overview: {
    method: 'GET',
    path: 'overview',
    summary: 'Show at a glance how every job and archive rule stands',
    needs: 'read',
    answers: {
      200: z.strictObject({
        instance: text.nullable(),
        totals: z.strictObject({
          ...{ jobs: count, archives: count, running: count },
          conditions: z.strictObject({ info: count, warning: count, error: count, critical: count }),
          held: z.strictObject({ blobs: count, entities: count, bytes: count }),
        }),
        conditions: z.array(conditionSchema),
        jobs: z.array(jobSchema),
        archives: z.array(ruleSchema),
        vaults: z.array(vaultSchema),
      }),
    },
    errors: {},
  },
});
