import { z } from 'zod';

/** A whole number from 1 to `most`. */
export function count(most: number) {
  const error = `this must be a whole number from 1 to ${most}`;
  return z.number({ error }).int({ error, abort: true }).min(1, { error }).max(most, { error });
}
