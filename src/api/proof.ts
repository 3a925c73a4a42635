import { z } from 'zod';
import { pointFactsSchema } from '#domain/restore/point-facts.ts';
import { bySchema } from '#domain/run/by.ts';
import { notesSchema } from '#domain/run/restore-point.ts';
import { count, text, texts, time } from './fields.ts';
import { operations } from './operation.ts';
import { linkSchema, verifyKindSchema } from './run-report.ts';

const { hold, brake, removed } = notesSchema.shape;

/** A record of the chain, and the summary of a run that it names. */
const recordSchema = z
  .strictObject({ number: count, sha256: text, at: time, previous: text.nullable() })
  .meta({ id: 'ProofRecord' });
const summarySchema = z
  .strictObject({
    ...{ path: text, sha256: text.nullable() },
    /** Whether its bytes are those that the record names; null without a record. */
    isAsRecorded: z.boolean().nullable(),
  })
  .meta({ id: 'ProofSummary' });

const verificationSchema = z
  .strictObject({
    ...{ run: text, kind: verifyKindSchema, portion: text.nullable() },
    ...{ startedAt: time.nullable(), finishedAt: time.nullable(), trigger: text.nullable() },
    by: bySchema.nullable(),
    ...{ items: count, read: count, failed: count, isSound: z.boolean() },
    ...{ record: recordSchema, summary: summarySchema },
  })
  .meta({ id: 'ProofVerification' });

const proofSchema = z
  .strictObject({
    ...{ at: time, version: text },
    restorePoint: z.strictObject({
      ...{ id: text, job: text, mode: text, status: text, startedAt: time, finishedAt: time.nullable() },
      by: bySchema.nullable(),
      ...{ source: text, vault: text, ...pointFactsSchema.shape },
      ...{ hold: hold.unwrap().nullable(), brake: brake.unwrap().nullable(), removed: removed.unwrap().nullable() },
    }),
    summary: summarySchema,
    parts: count,
    record: recordSchema.nullable(),
    verifications: z.array(verificationSchema),
    /** Earlier verifications on record that are not shown. */
    more: count,
    chain: z.strictObject({ records: count, head: linkSchema.nullable(), problem: text.nullable() }),
    text: texts,
  })
  .meta({ id: 'Proof' });
export type ShownProof = z.input<typeof proofSchema>;

export const proofOperations = operations({
  showProof: {
    method: 'GET',
    path: 'restore-points/{id}/proof',
    summary: 'Show what was verified of a restore point, when, how and by whom, with its records in the chain',
    needs: 'read',
    answers: { 200: proofSchema },
    errors: { 404: ['restore-point-not-found'], 502: ['damaged'] },
  },
});
