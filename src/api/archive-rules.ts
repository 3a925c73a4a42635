import { z } from 'zod';
import { count, counts, text, texts, time } from './fields.ts';
import { operations } from './operation.ts';

/** An archive rule as it is in force, with all defaults. It has no secret: connections are names of settings. */
const rule = {
  ...{ name: text, timeZone: text, method: z.enum(['auto', 'sync', 'async', 'blocks']) },
  reconcile: z.strictObject({ schedule: text, words: text, next: z.array(time) }),
  source: z.strictObject({ account: text, container: text, prefix: text, include: texts, exclude: texts }),
  destination: z.strictObject({
    ...{ account: text, container: text, prefix: text, folders: z.enum(['none', 'day', 'version']) },
    tier: text.optional(),
  }),
  events: z
    .strictObject({
      blobTrigger: z.enum(['scan', 'event-grid']).optional(),
      ...{ queue: text.optional(), queueAccount: text },
    })
    .nullable(),
  quietMinutes: count.nullable(),
  receiptsKept: z.strictObject({ keepDays: count, account: text }).nullable(),
  ping: text.nullable(),
};
const ruleSchema = z.strictObject(rule).meta({ id: 'ArchiveRule' });
export type ShownRule = z.input<typeof ruleSchema>;

export const archiveRuleOperations = operations({
  listArchives: {
    method: 'GET',
    path: 'archives',
    summary: 'Show the archive rules as they are in force',
    needs: 'read',
    answers: { 200: z.strictObject({ archives: z.array(ruleSchema) }) },
    errors: {},
  },
  getArchive: {
    method: 'GET',
    path: 'archives/{rule}',
    summary: 'Show an archive rule, and count its receipts and poison uploads',
    needs: 'read',
    answers: {
      200: z.strictObject({
        ...rule,
        receipts: z.strictObject({
          ...{ done: count, claimed: count, failed: count, missed: count, settled: count, isComplete: z.boolean() },
          newest: z.strictObject({ name: text.nullable(), at: time }).nullable(),
        }),
        poison: z.strictObject({ open: count, oldest: time.nullable(), codes: counts, isComplete: z.boolean() }),
      }),
    },
    errors: { 404: ['rule-not-found'] },
  },
});
