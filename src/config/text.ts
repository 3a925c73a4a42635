import { z } from 'zod';

/** Text that is right when `problem` has nothing to say about it. */
export function text(problem: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

export const alias = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, {
  error:
    'an account alias is the name of an app setting: a letter, then letters, digits and "_", at most 63 characters',
});
