import { operations } from './operation.ts';
import { restoreRequestSchema } from './restore-request.ts';
import { startedRunSchema } from './started-run.ts';

export const restoreOperations = operations({
  startRestore: {
    method: 'POST',
    path: 'restores',
    summary: 'Restore containers, tables or one file of entities',
    needs: 'restore',
    body: restoreRequestSchema,
    answers: { 202: startedRunSchema },
    errors: {
      400: ['job-missing', 'account-unknown', 'file-unreadable'],
      404: ['job-not-found', 'restore-point-not-found', 'point-removed', 'container-not-held'],
      409: ['brake-engaged', 'job-not-found', 'lock-contended'],
    },
  },
});
