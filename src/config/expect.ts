import { z } from 'zod';
import { duration } from './notify.ts';

/** The option `expect` of a job. */
export const expectSchema = z.strictObject({
  grace: duration
    .exactOptional()
    .describe(
      'Time after an occurrence of a schedule until its run is overdue, for example `2h`. Default: a tenth of the ' +
        'time between two occurrences, 15 minutes to two hours.',
    ),
  every: duration
    .exactOptional()
    .describe(
      'Of a job without a schedule, which something else starts: the longest time from one backup to the next, for ' +
        'example `26h`.',
    ),
});
