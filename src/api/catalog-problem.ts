import { z } from 'zod';
import { text } from './fields.ts';

/** Why a list comes from a vault itself: one for each vault without a usable catalog. */
export const catalogProblems = z
  .array(
    z.strictObject({
      code: z.enum(['catalog-unavailable', 'catalog-differs']),
      account: text,
      message: text,
      hint: text,
    }),
  )
  .optional();
