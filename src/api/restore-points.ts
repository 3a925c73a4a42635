import { z } from 'zod';
import type { HeldContainer, HeldTable } from '#domain/restore/held-container.ts';
import type { Members } from '#domain/run/members.ts';
import { notesSchema, proofSchema } from '#domain/run/restore-point.ts';
import { catalogProblems } from './catalog-problem.ts';
import { count, cursor, next, text, texts, time } from './fields.ts';
import { limitUpTo } from './limit.ts';
import { operations } from './operation.ts';
import { reason } from './reason.ts';
import { linkSchema, notPreservedSchema } from './run-report.ts';

const { hold, brake, removed } = notesSchema.shape;
const proof = proofSchema.meta({ id: 'Verification' });
const notes = {
  hold: hold.unwrap().nullable(),
  brake: brake.unwrap().nullable(),
  verified: proof.nullable(),
  verifications: z.array(proof),
  removed,
};

/** A restore point in a list. If its summary is damaged, what is not known is null. */
const shownPoint = {
  ...{ id: text, job: text, mode: text, status: text, time, finishedAt: time.nullable() },
  containers: count.nullable(),
  blobs: count.nullable(),
  tables: count.nullable(),
  entities: count.nullable(),
  bytes: count.nullable(),
  lacks: z.strictObject({ skipped: count, failed: count, containers: texts, tables: texts }).nullable(),
  ...notes,
  problem: z.strictObject({ code: text, message: text, hint: text }).optional(),
};
const restorePointSchema = z.strictObject(shownPoint).meta({ id: 'RestorePoint' });
export type ShownPoint = z.input<typeof restorePointSchema>;

const heldContainer = z.strictObject({
  ...{ container: text, backupContainer: text, blobs: count, failed: count, skipped: count },
} satisfies Members<HeldContainer>);

const heldTable = z.strictObject({
  ...{ table: text, entities: count, failed: count },
  window: z.strictObject({ from: time, to: time }).optional(),
  deletionsUnknownSince: time.optional(),
} satisfies Members<HeldTable>);

/** A blob that a restore point holds, or lacks. */
const pointBlob = z
  .strictObject({
    ...{ name: text, size: count, modified: time, etag: text },
    type: z.enum(['block', 'page', 'append']),
    ...{ tier: text.optional(), md5: text.optional(), tags: z.record(text, text).optional() },
    status: z.enum(['held', 'failed', 'skipped', 'removed']),
    ...{ code: text.optional(), hint: text.optional() },
  })
  .meta({ id: 'RestorePointBlob' });
export type PointBlob = z.input<typeof pointBlob>;

const blobVersion = z
  .strictObject({
    ...{ etag: text, modified: time, size: count, tier: text.optional(), md5: text.optional() },
    restorePoints: z.array(z.strictObject({ id: text, time })),
    ...{ first: time, last: time },
  })
  .meta({ id: 'BlobVersion' });

const noted = z.strictObject({ id: text, ...notes }).meta({ id: 'Notes' });
const NOT_FOUND = 'restore-point-not-found';

export const restorePointOperations = operations({
  listRestorePoints: {
    method: 'GET',
    path: 'restore-points',
    summary: 'List restore points, newest first',
    needs: 'read',
    query: z.strictObject({
      job: text.optional(),
      limit: limitUpTo(200, 50),
      removed: z.enum(['true', 'false']).default('false'),
      cursor: cursor.optional(),
    }),
    answers: { 200: z.strictObject({ restorePoints: z.array(restorePointSchema), next, problems: catalogProblems }) },
    errors: { 400: ['cursor-invalid'], 404: ['job-not-found'] },
  },
  getRestorePoint: {
    method: 'GET',
    path: 'restore-points/{id}',
    summary: 'Show a restore point',
    needs: 'read',
    answers: {
      200: z.strictObject({
        ...shownPoint,
        ...{ source: text, vault: text },
        containersHeld: z.array(heldContainer),
        tablesHeld: z.array(heldTable),
        notPreserved: notPreservedSchema.optional(),
      }),
    },
    errors: { 404: [NOT_FOUND, 'point-removed'], 502: ['damaged'] },
  },
  listPointBlobs: {
    method: 'GET',
    path: 'restore-points/{id}/blobs',
    summary: 'List the blobs of a container of a restore point, by name or folder by folder',
    needs: 'names',
    query: z.strictObject({
      container: text.optional(),
      prefix: z.string().max(1024).default(''),
      delimiter: z.string().max(1024).optional(),
      limit: limitUpTo(5000, 1000),
      cursor: cursor.optional(),
    }),
    answers: {
      200: z.strictObject({
        items: z.array(pointBlob),
        folders: z.array(z.strictObject({ prefix: text })),
        next,
      }),
    },
    errors: {
      400: ['container-missing', 'cursor-invalid'],
      404: [NOT_FOUND, 'point-removed', 'container-not-held'],
      502: ['damaged'],
    },
  },
  blobHistory: {
    method: 'GET',
    path: 'blobs/history',
    summary: 'List every version of one blob that the restore points of a job hold, newest first',
    needs: 'names',
    query: z.strictObject({
      job: text.optional(),
      container: text,
      name: z.string().max(1024),
      limit: limitUpTo(500, 500),
      cursor: cursor.optional(),
    }),
    answers: { 200: z.strictObject({ versions: z.array(blobVersion), absent: count, next }) },
    errors: {
      400: ['job-missing', 'cursor-invalid'],
      404: ['job-not-found', 'container-not-held'],
      502: ['damaged'],
    },
  },
  holdRestorePoint: {
    method: 'POST',
    path: 'restore-points/{id}/hold',
    summary: 'Hold a restore point: no prune removes it',
    needs: 'run',
    body: z.strictObject({ reason }),
    answers: { 200: noted },
    errors: { 404: [NOT_FOUND], 409: ['point-removed', 'notes-contended'] },
  },
  unholdRestorePoint: {
    method: 'POST',
    path: 'restore-points/{id}/unhold',
    summary: 'Remove the hold of a restore point',
    needs: 'protect',
    answers: { 200: noted },
    errors: { 404: [NOT_FOUND], 409: ['point-removed', 'notes-contended'] },
  },
  unmarkRestorePoint: {
    method: 'POST',
    path: 'restore-points/{id}/unmark',
    summary: 'Take back the mark of a prune',
    needs: 'run',
    answers: { 200: noted },
    errors: { 404: [NOT_FOUND], 409: ['not-marked', 'point-removed', 'notes-contended'] },
  },
  forgetRestorePoint: {
    method: 'POST',
    path: 'restore-points/{id}/forget',
    summary: 'State that a restore point is lost',
    needs: 'protect',
    answers: { 200: z.strictObject({ id: text, forgotten: z.literal(true) }) },
    errors: { 404: [NOT_FOUND], 409: ['point-there'], 502: ['damaged'] },
  },
  releaseRestorePoint: {
    method: 'POST',
    path: 'restore-points/{id}/release',
    summary: 'Release the safety brake of a restore point',
    needs: 'protect',
    answers: { 200: noted },
    errors: { 404: [NOT_FOUND], 409: ['no-brake', 'point-removed', 'notes-contended'] },
  },
  showChain: {
    method: 'GET',
    path: 'jobs/{job}/chain',
    summary: 'Show the head of the chain of a job, to keep it elsewhere',
    needs: 'read',
    answers: { 200: z.strictObject({ job: text, records: count, head: linkSchema.nullable() }) },
    errors: { 404: ['job-not-found'] },
  },
});
