import { z } from 'zod';

/** What jobs and archive rules are called, which is also how their runs are filed; `what` is such as "a job". */
export function nameOf(what: string) {
  return z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, {
    error: `the name of ${what} has 1 to 40 lower-case letters, digits and hyphens, and starts and ends with a letter or digit`,
  });
}
