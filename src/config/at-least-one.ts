import type { z } from 'zod';

/**
 * The object, where at least one of the options `names` must be there, else `error` is told. Looked at also where other
 * options are wrong, so that all problems are shown at once.
 */
export function atLeastOne<T extends z.ZodObject>(schema: T, names: readonly string[], error: string): T {
  return schema.refine((value) => names.some((name) => Object.hasOwn(value, name)), {
    error,
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  });
}
