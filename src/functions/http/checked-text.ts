import { z } from 'zod';

/** A string about which `problem` has nothing to say. */
export function checkedText(problem: (value: string) => string | undefined) {
  return z
    .string()
    .max(1024)
    .superRefine((value, context) => {
      const message = problem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}
