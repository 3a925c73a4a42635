import { z } from 'zod';
import { text } from './fields.ts';
import { operations } from './operation.ts';
import { startedRunSchema } from './started-run.ts';

export const pruneOperations = operations({
  startPrune: {
    method: 'POST',
    path: 'prunes',
    summary: 'Plan a prune, or carry out a plan',
    needs: ['run', 'prune'],
    body: z.strictObject({
      job: text.optional(),
      /** Follows from `plan`: Strongroom deletes nothing without a plan that an operator could read. */
      dryRun: z.boolean().optional(),
      /** The run that made the plan, and the hash of the plan. */
      plan: z.string().max(100).optional(),
      hash: z.string().max(100).optional(),
    }),
    answers: { 202: startedRunSchema },
    errors: {
      400: ['job-missing'],
      404: ['job-not-found', 'plan-not-found'],
      409: ['plan-stale', 'run-in-progress', 'lock-contended'],
    },
  },
});
