import { z } from 'zod';

/** A number in a query: digits only, as `0x10`, `1e2` and ` 5` are probably not what the caller means. */
export function countUpTo(most: number) {
  const error = `this must be a whole number from 1 to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(1, { error }).max(most, { error }))
    .meta({ type: 'integer', minimum: 1, maximum: most });
}
