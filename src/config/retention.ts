import { z } from 'zod';
import { MOST_KEPT, RETENTION_RULES, retentionProblem } from '#domain/prune/retention.ts';
import { scheduleProblem } from '#domain/run/schedule.ts';
import { atLeastOne } from './at-least-one.ts';
import { count } from './count.ts';
import { alias, text } from './text.ts';

const keep = (what: string) => count(MOST_KEPT).exactOptional().describe(what);

const brakeSchema = z.strictObject({
  percent: count(100)
    .default(50)
    .describe('More than so many percent of the blobs changed or gone in one run (with 100 it never engages),'),
  blobs: count(1_000_000_000).default(100).describe('and at least so many.'),
});

/** What `retention` of a job says. */
export const retentionSchema = atLeastOne(
  z.strictObject({
    keepLast: keep('Keep the newest so many restore points.'),
    keepDaily: keep('Keep one of each of the newest so many days that have any, in the time zone of the job.'),
    keepWeekly: keep('Keep one of each of the newest so many weeks that have any, from Monday to Sunday.'),
    keepMonthly: keep('Keep one of each of the newest so many months that have any.'),
    keepYearly: keep('Keep one of each of the newest so many years that have any.'),
    keepWithin: text((value) => retentionProblem({ keepWithin: value }))
      .exactOptional()
      .describe('Keep all of so many days or hours before the newest, such as `30d` or `12h`.'),
    schedule: text(scheduleProblem)
      .exactOptional()
      .describe('When to prune: six fields, in the time zone of the job. Without it, only when asked to.'),
    marginHours: z
      .number({ error: 'this must be a number of hours, 0 or more' })
      .min(0, { error: 'this must be a number of hours, 0 or more' })
      .default(24)
      .describe(
        'A restore point that is removed is only marked at first; its content goes with the first prune after so many hours.',
      ),
    account: alias
      .exactOptional()
      .describe(
        'Alias of the vault again, for an identity or key that may delete; without it, that of the destination is used.',
      ),
    brake: brakeSchema
      .prefault({})
      .describe(
        'When a run changes or loses more than this of a container, what was there before is kept until released.',
      ),
  }),
  RETENTION_RULES,
  retentionProblem({})!,
);
