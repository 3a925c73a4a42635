import { z } from 'zod';
import { pointFactsSchema } from '#domain/restore/point-facts.ts';
import { bySchema } from '#domain/run/by.ts';
import type { ChainLink } from '#domain/run/chain-link.ts';
import { heldContentSchema } from '#domain/run/held-content.ts';
import type { Members } from '#domain/run/members.ts';
import type { NotPreserved } from '#domain/run/not-preserved.ts';
import type { PlanSummary } from '#domain/run/plan-summary.ts';
import type { Problem } from '#domain/run/problems.ts';
import { planSchema } from '#domain/run/prune-plan.ts';
import type {
  ByteCounts,
  ContainerReport,
  Counts,
  NoLongerHeldCounts,
  RunReport,
  RunSummary,
} from '#domain/run/run.ts';
import type { KeySelection, NamedFile, PruneTask, RestoreTask, VerifyTask } from '#domain/run/tasks.ts';
import type { Transfers } from '#domain/run/transfers.ts';
import { runCostSchema } from './cost.ts';
import { count, counts, text, texts, time } from './fields.ts';

const MODES = ['full', 'incremental', 'retry', 'restore', 'verify', 'prune', 'reconcile', 'reprocess'] as const;
export const modeSchema = z.enum(MODES);
export const statusSchema = z.enum(['running', 'succeeded', 'completed-with-failures', 'failed', 'cancelled']);

export const phaseSchema = z.enum(['starting', 'listing', 'copying', 'waiting', 'publishing', 'ended']);
export const triggerSchema = z.enum(['timer', 'http', 'run']);
export const existingSchema = z.enum(['fail', 'skip', 'overwrite', 'if-different', 'replace', 'merge']);
export const verifyKindSchema = z.enum(['quick', 'deep', 'drill']);

export const problemSchema = z
  .strictObject({
    code: text,
    container: text.optional(),
    count,
    message: text,
    hint: text,
  } satisfies Members<Problem>)
  .meta({ id: 'Problem' });

const countsSchema = z
  .strictObject({
    ...{ listed: count, copied: count, unchanged: count, skipped: count, failed: count },
    ...{ held: count.optional(), added: count.optional(), changed: count.optional(), deleted: count.optional() },
    ...{ removed: count.optional(), planned: count.optional() },
  } satisfies Members<Counts>)
  .meta({ id: 'Counts' });

const bytesSchema = z.strictObject({
  listed: count,
  copied: count,
  removed: count.optional(),
  planned: count.optional(),
} satisfies Members<ByteCounts>);

const noLongerHeldSchema = z.strictObject({
  deleted: count,
  skipped: count,
  failed: count,
  notSelected: count,
} satisfies Members<NoLongerHeldCounts>);

const notPreservedCounts = z.record(text, count);
export const notPreservedSchema = z.strictObject({
  containers: z.record(text, notPreservedCounts),
  notLookedFor: texts,
} satisfies Members<NotPreserved>);

export const linkSchema = z.strictObject({ number: count, sha256: text } satisfies Members<ChainLink>);

export const keysSchema = z.strictObject({
  partition: text.optional(),
  from: text.optional(),
  to: text.optional(),
} satisfies Members<KeySelection>);

const restoreTaskSchema = z
  .strictObject({
    ...{ point: text, account: text, container: text, prefix: text, table: text },
    existing: existingSchema,
    /** How many names the request has. */
    names: count.optional(),
    ...{ containers: texts, tables: texts, startsWith: text, include: texts, exclude: texts },
    keys: keysSchema.optional(),
    file: z.strictObject({ account: text, container: text, name: text } satisfies Members<NamedFile>).optional(),
    restoreAccess: z.literal(true).optional(),
    rehydrate: z.enum(['standard', 'high']).optional(),
    original: z.boolean(),
  } satisfies Members<RestoreTask>)
  .meta({ id: 'RestoreTask' });

const verifyTaskSchema = z.strictObject({
  point: text,
  kind: verifyKindSchema,
  /** Of `deep`. */
  ...{ portion: text.optional(), turn: count.optional() },
  /** Of `drill`. */
  sample: count.optional(),
} satisfies Members<VerifyTask>);

const pruneTaskSchema = z.strictObject({
  plan: z.strictObject({ run: text, hash: text }).optional(),
  carryOut: z.boolean().optional(),
} satisfies Members<PruneTask>);

/** Blobs and bytes by the tier that is read and the tier that is set, such as `Cool/Hot`. */
const transfersSchema = z.record(text, z.tuple([count, count])) satisfies z.ZodType<Transfers>;

const containerSchema = z
  .strictObject({
    container: text,
    destination: text,
    window: z.tuple([time, time]).optional(),
    status: z.enum([...statusSchema.options, 'skipped']),
    counts: countsSchema,
    noLongerHeld: noLongerHeldSchema.optional(),
    gone: z.literal(true).optional(),
    bytes: bytesSchema,
    requests: counts,
    problems: z.array(problemSchema),
    notPreserved: notPreservedCounts.optional(),
    transfers: transfersSchema.optional(),
    held: heldContentSchema.optional(),
  } satisfies Members<ContainerReport>)
  .meta({ id: 'ContainerReport' });

const planSummarySchema = z
  .strictObject({
    ...{ keeps: count, removes: count, empties: count },
    ...{ items: count.nullable(), bytes: count.nullable(), emptiesFrom: time },
    held: heldContentSchema.nullable(),
  } satisfies Members<PlanSummary>)
  .meta({ id: 'PlanSummary' });

const actionSchema = z.union([
  z.strictObject({ may: z.literal(true) }),
  z.strictObject({ may: z.literal(false), code: text, why: text }),
]);

export const pointSchema = pointFactsSchema.meta({ id: 'PointFacts' });
const laterRunSchema = z
  .strictObject({ id: text, how: z.enum(['retries', 'follows', 'replaces']) })
  .meta({ id: 'LaterRun' });

/** What the API adds to a report. */
type OfTheMoment =
  | 'phase'
  | 'cancelling'
  | 'progressAt'
  | 'containersTotal'
  | 'actions'
  | 'point'
  | 'followedBy'
  | 'verdict';

/** The report on a run, in progress or ended. */
export const runReportSchema = z
  .strictObject({
    ...{ id: text, job: text, mode: modeSchema, trigger: text, dryRun: z.boolean() },
    by: bySchema.optional(),
    ...{ retryOf: text.optional(), follows: text.optional(), trace: text.optional() },
    restore: restoreTaskSchema.optional(),
    verify: verifyTaskSchema.optional(),
    verdict: text.optional(),
    prune: pruneTaskSchema.optional(),
    status: statusSchema,
    phase: phaseSchema,
    cancelling: z.boolean(),
    startedAt: time,
    finishedAt: time.nullable(),
    progressAt: time.nullable(),
    counts: countsSchema,
    noLongerHeld: noLongerHeldSchema.optional(),
    bytes: bytesSchema,
    progress: z.strictObject({
      fraction: z.number().nullable(),
      blobsPerSecond: z.number(),
      bytesPerSecond: z.number(),
      secondsLeft: z.number().nullable(),
    }),
    requests: counts,
    containers: z.array(containerSchema),
    containersTotal: count.nullable(),
    problems: z.array(problemSchema),
    actions: z.strictObject({ cancel: actionSchema, retry: actionSchema }),
    plan: planSchema.extend({ summary: planSummarySchema }).meta({ id: 'PrunePlan' }).optional(),
    chain: linkSchema.optional(),
    lastSign: time.nullable().optional(),
    countsAsLostAt: time.optional(),
    point: pointSchema.nullable(),
    followedBy: z.array(laterRunSchema).nullable(),
    comparedWith: text.optional(),
    notPreserved: notPreservedSchema.optional(),
    cost: runCostSchema,
  } satisfies Members<
    RunReport & Pick<RunSummary, 'comparedWith' | 'notPreserved'> & Record<OfTheMoment | 'cost', unknown>
  >)
  .meta({ id: 'RunReport' });
