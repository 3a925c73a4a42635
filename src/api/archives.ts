import { z } from 'zod';
import {
  type Archived,
  RECEIPT_STATES,
  type Receipt,
  type ReceiptLine,
  type SourceVersion,
} from '#domain/archive/receipt.ts';
import type { Settlement } from '#domain/archive/settlement.ts';
import { bySchema } from '#domain/run/by.ts';
import type { Members } from '#domain/run/members.ts';
import { RECEIPT_FORMAT } from '#domain/run/stored-format.ts';
import { count, cursor, next, text, time } from './fields.ts';
import { limitUpTo } from './limit.ts';
import { operations } from './operation.ts';
import { reason } from './reason.ts';
import { startedRunSchema } from './started-run.ts';

const state = z.enum(RECEIPT_STATES);

const settlementSchema = z
  .strictObject({ at: time, reason: text, by: bySchema } satisfies Members<Settlement>)
  .meta({ id: 'Settlement' });

const lineSchema = z
  .strictObject({ name: text, etag: text, state, at: time, modified: time } satisfies Members<ReceiptLine>)
  .meta({ id: 'ReceiptLine' });

const receiptSchema = z
  .strictObject({
    format: z.literal(RECEIPT_FORMAT),
    rule: text,
    source: z.strictObject({
      ...{ account: text, container: text, name: text, etag: text, modified: time, size: count },
      metadata: z.record(text, text).optional(),
    } satisfies Members<SourceVersion>),
    ...{ state, owner: text, claimedAt: time, expiresAt: time, tries: count },
    copy: z.strictObject({ id: text, startedAt: time, tries: count, lacks: text.optional() }).optional(),
    archived: z
      .strictObject({
        ...{ account: text, container: text, name: text, etag: text },
        method: z.enum(['sync', 'async', 'blocks', 'properties']).optional(),
        lacks: text.optional(),
      } satisfies Members<Archived>)
      .optional(),
    finishedAt: time.optional(),
    seconds: z.number().optional(),
    problem: z.strictObject({ code: text, message: text.optional() }).optional(),
    settlement: settlementSchema.optional(),
  } satisfies Members<Receipt>)
  .meta({ id: 'Receipt' });

const poisonState = z.enum(['open', 'settled']);

const poisonSchema = z
  .strictObject({
    ...{ id: text, container: text, name: text, etag: text.nullable(), since: time, at: time, times: count },
    ...{ code: text, message: text, hint: text },
    state: poisonState,
    settledAt: time.nullable(),
    settlement: settlementSchema.nullable(),
  })
  .meta({ id: 'PoisonUpload' });

export const archiveOperations = operations({
  startReconcile: {
    method: 'POST',
    path: 'archives/{rule}/reconcile',
    summary: 'Archive every upload that has no receipt',
    needs: 'run',
    body: z.strictObject({ dryRun: z.boolean().default(false) }),
    answers: { 202: startedRunSchema },
    errors: { 404: ['rule-not-found'], 409: ['run-in-progress', 'lock-contended'] },
  },
  listReceipts: {
    method: 'GET',
    path: 'archives/{rule}/receipts',
    summary: 'List the receipts of a rule, or those of one blob in full',
    needs: 'names',
    query: z.strictObject({
      name: z.string().max(1024).optional(),
      prefix: z.string().max(1024).optional(),
      state: state.optional(),
      limit: limitUpTo(5000, 500),
      cursor: cursor.optional(),
    }),
    answers: {
      200: z.strictObject({ rule: text, receipts: z.array(z.union([lineSchema, receiptSchema])), next }),
    },
    errors: { 400: ['cursor-invalid'], 404: ['rule-not-found'] },
  },
  listPoison: {
    method: 'GET',
    path: 'archives/{rule}/poison',
    summary: 'List uploads that failed permanently',
    needs: 'names',
    query: z.strictObject({
      state: poisonState.default('open'),
      limit: limitUpTo(500, 100),
      cursor: cursor.optional(),
    }),
    answers: { 200: z.strictObject({ rule: text, uploads: z.array(poisonSchema), next }) },
    errors: { 400: ['cursor-invalid'], 404: ['rule-not-found'] },
  },
  settlePoison: {
    method: 'POST',
    path: 'archives/{rule}/poison/{id}/settle',
    summary: 'Settle that an upload that failed permanently is not archived',
    needs: 'protect',
    body: z.strictObject({ reason }),
    answers: {
      200: z.strictObject({
        ...{ rule: text, id: text, code: text },
        // Null if an event or a run has archived it meanwhile.
        ...{ settledAt: time.nullable(), settlement: settlementSchema.nullable() },
      }),
    },
    errors: { 404: ['rule-not-found', 'poison-not-found'], 409: ['being-archived'] },
  },
  startReprocess: {
    method: 'POST',
    path: 'archives/{rule}/reprocess',
    summary: 'Try uploads that failed permanently again',
    needs: 'run',
    body: z.strictObject({ id: z.string().max(64).optional() }),
    answers: { 202: startedRunSchema },
    errors: { 404: ['rule-not-found', 'poison-not-found'], 409: ['run-in-progress', 'lock-contended'] },
  },
});
