import { z } from 'zod';
import { DEFAULT_MARGIN_HOURS, MOST_KEPT, RETENTION_RULES, retentionProblem } from '#domain/prune/retention.ts';
import { DEFAULT_BRAKE } from '#domain/prune/safety-brake.ts';
import { scheduleProblem } from '#domain/run/schedule.ts';
import { checkSchema } from './notify.ts';
import { alias, atLeastOne, count, text } from './schema-parts.ts';

const keep = (what: string) => count(MOST_KEPT).exactOptional().describe(what);

const brakeSchema = z.strictObject({
  percent: count(100)
    .default(DEFAULT_BRAKE.percent)
    .describe(
      'The safety brake engages if runs change or lose more than this percentage of the blobs of a container, ' +
        'or a run that much of the entities of a table,',
    ),
  blobs: count(1_000_000_000).default(DEFAULT_BRAKE.blobs).describe('and at least this many of them,'),
  days: count(3650).default(DEFAULT_BRAKE.days).describe('since any restore point of this many days.'),
});

/** The option `retention` of a job. */
export const retentionSchema = atLeastOne(
  z.strictObject({
    keepLast: keep('Keep this many newest restore points.'),
    keepDaily: keep(
      'Keep one restore point of each of this many newest days that have any, in the time zone of the job.',
    ),
    keepWeekly: keep('Keep one restore point of each of this many newest weeks (Monday to Sunday) that have any.'),
    keepMonthly: keep('Keep one restore point of each of this many newest months that have any.'),
    keepYearly: keep('Keep one restore point of each of this many newest years that have any.'),
    keepWithin: text((value) => retentionProblem({ keepWithin: value }))
      .exactOptional()
      .describe(
        'Keep all restore points of this many days or hours before the newest one, for example `30d` or `12h`.',
      ),
    schedule: text(scheduleProblem)
      .exactOptional()
      .describe(
        'Schedule of the prune: six fields, in the time zone of the job. Without a schedule, Strongroom prunes ' +
          'on demand only.',
      ),
    marginHours: z
      .number({ error: 'this must be a number of hours, 0 or more' })
      .min(0, { error: 'this must be a number of hours, 0 or more' })
      .default(DEFAULT_MARGIN_HOURS)
      .describe(
        'Hours between marking a restore point for removal and deleting its content; the first prune after this ' +
          'time deletes the content. With 0, the prune that marks it does.',
      ),
    account: alias
      .exactOptional()
      .describe(
        'Another alias of the vault, with an identity or key that may delete. Default: the alias of the destination.',
      ),
    brake: brakeSchema
      .prefault({})
      .describe(
        'Safety brake: if a run changes or loses too much of a container or table, Strongroom keeps its restore ' +
          'point and all older ones until an operator releases the brake.',
      ),
    ping: checkSchema,
  }),
  RETENTION_RULES,
  retentionProblem({})!,
);
