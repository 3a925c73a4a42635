import { z } from 'zod';
import { portionProblem } from '#domain/verify/portion.ts';
import { checkedText } from './checked-text.ts';
import { text } from './fields.ts';
import { operations } from './operation.ts';
import { startedRunSchema } from './started-run.ts';

const request = z
  .strictObject({
    restorePoint: z.string().max(100).optional(),
    job: text.optional(),
    kind: z.enum(['quick', 'deep', 'drill']).default('quick'),
    portion: checkedText(portionProblem).optional(),
    sample: z.number().int().min(1).max(1000).optional(),
  })
  .superRefine(({ kind, portion, sample }, context) => {
    const misplaced = (name: string, of: string) =>
      context.addIssue({ code: 'custom', path: [name], message: `this requires "kind": "${of}"` });
    if (portion !== undefined && kind !== 'deep') misplaced('portion', 'deep');
    if (sample !== undefined && kind !== 'drill') misplaced('sample', 'drill');
  });

export const verificationOperations = operations({
  startVerification: {
    method: 'POST',
    path: 'verifications',
    summary: 'Verify a restore point',
    needs: 'run',
    body: request,
    answers: { 202: startedRunSchema },
    errors: {
      400: ['job-missing'],
      404: ['job-not-found', 'restore-point-not-found', 'point-removed'],
      409: ['job-not-found', 'lock-contended'],
    },
  },
});
