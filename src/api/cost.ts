import { z } from 'zod';
import { type Cost, type CostPart, UNITS, type UnknownCost } from '#domain/cost/cost.ts';
import { TIERS } from '#domain/cost/price-table.ts';
import type { Members } from '#domain/run/members.ts';
import { catalogProblems } from './catalog-problem.ts';
import { count, text, time } from './fields.ts';
import { operations } from './operation.ts';

const tier = z.enum(TIERS).optional();
const unit = z.enum(UNITS);
const amount = z.number().nonnegative();

const cost = {
  total: amount,
  parts: z.array(
    z
      .strictObject({
        ...{ what: text, tier, quantity: amount, unit },
        ...{ price: amount, per: count, amount },
      } satisfies Members<CostPart>)
      .meta({ id: 'CostPart' }),
  ),
  unknown: z.array(
    z
      .strictObject({
        ...{ what: text, tier, quantity: amount.optional(), unit: unit.optional() },
        why: text,
      } satisfies Members<UnknownCost>)
      .meta({ id: 'UnknownCost' }),
  ),
} satisfies Members<Cost>;
const costSchema = z.strictObject(cost).meta({ id: 'Cost' });

/** Where the prices are from. */
const source = { currency: text, asOf: text, region: text, source: text };
const rehydrationTime = z.strictObject({ total: amount, hours: amount });

/** What a run costs. */
export const runCostSchema = z
  .strictObject({
    ...source,
    ...cost,
    stored: costSchema.optional(),
    planned: z
      .strictObject({
        ...cost,
        stored: costSchema,
        rehydration: z.strictObject({ blobs: count, standard: rehydrationTime, high: rehydrationTime }).optional(),
      })
      .optional(),
    perMonth: z.strictObject({ runs: amount, total: amount }).optional(),
  })
  .meta({ id: 'RunCost' });

export const costOperations = operations({
  showCost: {
    method: 'GET',
    path: 'cost',
    summary: 'Show what the runs of the last 30 days cost',
    needs: 'read',
    query: z.strictObject({ job: text.optional() }),
    answers: {
      200: z.strictObject({
        ...{ from: time, to: time, ...source, total: amount, isComplete: z.boolean() },
        jobs: z.array(z.strictObject({ job: text, runs: count, unpriced: count, ...cost })),
        problems: catalogProblems,
      }),
    },
    errors: { 404: ['job-not-found'] },
  },
});
