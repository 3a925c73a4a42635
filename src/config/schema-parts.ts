import { z } from 'zod';

/** A whole number from 1 to `most`. */
export function count(most: number) {
  const error = `this must be a whole number from 1 to ${most}`;
  return z.number({ error }).int({ error, abort: true }).min(1, { error }).max(most, { error });
}

/** A string in which `problem` finds no problem. */
export function text(problem: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** A list that narrows a selection. Written empty, it could mean nothing or all. */
export function someOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).min(1, { error: 'the list is empty; add to it, or remove this option' }).default([]);
}

/** The name of an app setting that holds the connection of an account. */
export const alias = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, {
  error:
    'an account alias is the name of an app setting: a letter, then letters, digits and "_", at most 63 characters',
});

/** The name of a job or an archive rule, under which the vault has its runs, or of a key. */
export function nameOf(what: 'a job' | 'an archive rule' | 'a key') {
  return z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, {
    error:
      `the name of ${what} has 1 to 40 lower-case letters, digits and hyphens, and starts and ends with a letter ` +
      'or digit',
  });
}

/** How a job or an archive rule copies. */
export const methodSchema = z
  .enum(['auto', 'sync', 'async', 'blocks'])
  .default('auto')
  .describe(
    'Copy method: `auto` picks one for each blob; `sync` prefers Copy Blob From URL, and Put Block From URL ' +
      'above 256 MiB; `async` forces Copy Blob; `blocks` forces Put Block From URL. Page and append blobs always ' +
      'use Copy Blob.',
  );

/**
 * The object, if it has at least one of the options `names`; otherwise `error`. This check runs even if other options
 * are wrong, so that one error shows all problems.
 */
export function atLeastOne<T extends z.ZodObject>(schema: T, names: readonly string[], error: string): T {
  return schema.refine((value) => names.some((name) => Object.hasOwn(value, name)), { error, when: isObject });
}

/** For checks of a whole object that run even if some of its options are wrong. */
export function isObject({ value }: { value: unknown }): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
