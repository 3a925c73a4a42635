import { z } from 'zod';
import { globProblem } from '#domain/blobs/blob-filter.ts';
import { count, cursor, next, text, time } from './fields.ts';
import { limitUpTo } from './limit.ts';
import { operations } from './operation.ts';

const query = z
  .strictObject({
    job: text.optional(),
    q: z.string().min(1).max(1024),
    match: z.enum(['contains', 'prefix', 'glob']).default('contains'),
    container: text.optional(),
    restorePoint: z.string().max(100).default('latest'),
    limit: limitUpTo(500, 100),
    cursor: cursor.optional(),
  })
  .superRefine(({ q, match }, context) => {
    const message = match === 'glob' ? globProblem(q) : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['q'], message });
  });

const pointInTime = z.strictObject({ id: text, time });

export const searchOperations = operations({
  searchNames: {
    method: 'GET',
    path: 'search',
    summary: 'Search restore points for blobs by name',
    needs: 'names',
    query,
    answers: {
      200: z.strictObject({
        /** Where the search is. */
        restorePoint: pointInTime,
        items: z.array(
          z.strictObject({ container: text, name: text, size: count, modified: time, restorePoint: pointInTime }),
        ),
        /** How far the search is. */
        parts: z.strictObject({ scanned: count, total: count }),
        /** Of a search of older ones: those that cannot be read in part, and why. */
        unread: z.array(z.strictObject({ id: text, message: text })).optional(),
        next,
      }),
    },
    errors: {
      400: ['job-missing', 'cursor-invalid'],
      404: ['job-not-found', 'restore-point-not-found', 'point-removed', 'container-not-held'],
      502: ['damaged'],
    },
  },
});
