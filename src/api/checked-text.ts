import { z } from 'zod';

/** A string in which `problem` finds no problem. */
export function checkedText(problem: (value: string) => string | undefined) {
  return z
    .string()
    .max(1024)
    .superRefine((value, context) => {
      const message = problem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}
