import { z } from 'zod';
import { count, text } from './fields.ts';
import { operations } from './operation.ts';

export const configurationOperations = operations({
  checkConfiguration: {
    method: 'POST',
    path: 'config/check',
    summary: 'Check a strongroom.json, and change nothing',
    needs: 'protect',
    /** The file itself. */
    body: z.looseObject({}),
    answers: {
      200: z.strictObject({
        isValid: z.boolean(),
        problems: z.array(z.strictObject({ path: text, message: text })),
        jobs: count.nullable(),
        archives: count.nullable(),
      }),
    },
    errors: {},
  },
});
