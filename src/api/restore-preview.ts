import { z } from 'zod';
import type { PreviewCounts } from '#domain/restore/preview.ts';
import type { Members } from '#domain/run/members.ts';
import { count, counts, cursor, next, text, time } from './fields.ts';
import { operations } from './operation.ts';
import { restoreRequestSchema } from './restore-request.ts';
import { existingSchema } from './run-report.ts';

const preview = {
  ...{ items: count, bytes: count, new: count, replaced: count },
  ...{ unchanged: count, skipped: count, failed: count, rehydrated: count },
} satisfies Members<PreviewCounts>;
const problem = z.strictObject({ code: text, message: text, hint: text });

export const restorePreviewOperations = operations({
  previewRestore: {
    method: 'POST',
    path: 'restores/preview',
    summary: 'Count what a restore would do, without a run',
    needs: 'restore',
    query: z.strictObject({ cursor: cursor.optional() }),
    body: restoreRequestSchema,
    answers: {
      200: z.strictObject({
        restorePoint: z.strictObject({ id: text, time }),
        ...{ job: text, account: text, existing: existingSchema },
        totals: z.strictObject(preview).meta({ id: 'PreviewCounts' }),
        containers: z.array(
          z.strictObject({
            ...{ container: text, target: text, isNew: z.boolean(), ...preview },
            failures: counts,
            problem: problem.nullable(),
          }),
        ),
        tables: z.array(z.strictObject({ table: text, target: text, entities: count })),
        leftOut: z.array(problem.extend({ container: text.optional() })),
        examples: z.strictObject({
          replaced: z.array(z.strictObject({ container: text, name: text })),
          failed: z.array(z.strictObject({ container: text, name: text, code: text })),
        }),
        next,
      }),
    },
    errors: {
      400: ['job-missing', 'account-unknown', 'cursor-invalid'],
      404: ['job-not-found', 'restore-point-not-found', 'point-removed', 'container-not-held'],
      409: ['brake-engaged', 'job-not-found'],
      502: ['damaged'],
    },
  },
});
