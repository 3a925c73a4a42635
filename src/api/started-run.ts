import { z } from 'zod';
import { text } from './fields.ts';
import { modeSchema } from './run-report.ts';

/** The answer to a call that starts a run; the header `Location` has its address, too. */
export const startedRunSchema = z
  .strictObject({
    ...{ id: text, job: text, mode: modeSchema, dryRun: z.boolean() },
    /** Of a restore or verification. */
    restorePoint: text.optional(),
    status: z.literal('running'),
    location: text,
  })
  .meta({ id: 'StartedRun' });
