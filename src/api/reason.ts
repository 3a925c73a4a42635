import { z } from 'zod';

/** Why an operator does something. Others read it in lists and messages, and the vault keeps it. */
export const reason = z
  .string()
  .trim()
  .max(200)
  .regex(/[\p{L}\p{N}\p{P}\p{S}]/u, { error: 'this needs a character that can be seen' })
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u, {
    error: 'this may not contain control characters, line breaks or marks that change the direction of text',
  });
