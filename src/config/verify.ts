import { z } from 'zod';
import { scheduleProblem } from '#domain/run/schedule.ts';
import { portionProblem } from '#domain/verify/portion.ts';
import { duration, pingSchema } from './notify.ts';
import { atLeastOne, text } from './schema-parts.ts';

const kind = z.enum(['quick', 'deep']);

/** The option `verify` of a job. */
export const verifySchema = atLeastOne(
  z.strictObject({
    afterRun: kind
      .exactOptional()
      .describe(
        'Kind of verification that follows each backup: `quick` compares the vault with the manifest, `deep` ' +
          'also reads content.',
      ),
    schedule: text(scheduleProblem)
      .exactOptional()
      .describe('Schedule for verifying the newest restore point: six fields, in the time zone of the job.'),
    kind: kind.default('quick').describe('Kind of scheduled verification: `quick` or `deep`.'),
    portion: text(portionProblem)
      .default('100%')
      .describe(
        'Portion of the content that each `deep` verification reads: a percentage such as `5%`, a new random ' +
          'choice each time, or a fraction such as `1/7`, the next seventh each time, so that seven verifications ' +
          'read everything.',
      ),
    expect: duration
      .exactOptional()
      .describe('The watch reports if no verification has ended without a finding for so long, for example `35d`.'),
    ping: pingSchema,
  }),
  ['afterRun', 'schedule'],
  'no time to verify is set; add "afterRun", "schedule" or both, or remove "verify"',
);
