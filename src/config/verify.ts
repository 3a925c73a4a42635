import { z } from 'zod';
import { scheduleProblem } from '#domain/run/schedule.ts';
import { portionProblem } from '#domain/verify/portion.ts';
import { atLeastOne } from './at-least-one.ts';
import { text } from './text.ts';

const kind = z.enum(['quick', 'deep']);

/** What `verify` of a job says. */
export const verifySchema = atLeastOne(
  z.strictObject({
    afterRun: kind
      .exactOptional()
      .describe(
        'How to verify a restore point as soon as there is one: `quick` compares what is there with what was written down, `deep` also reads content.',
      ),
    schedule: text(scheduleProblem)
      .exactOptional()
      .describe('When to verify the newest restore point: six fields, in the time zone of the job.'),
    kind: kind.default('quick').describe('What the schedule does.'),
    portion: text(portionProblem)
      .default('100%')
      .describe(
        'How much of the content `deep` reads each time: a percentage such as `5%`, chosen anew, or a part such as `1/7`, in turn, so that seven times read all of it.',
      ),
  }),
  ['afterRun', 'schedule'],
  'nothing says when to verify; give "afterRun", or "schedule", or both; or leave "verify" out',
);
