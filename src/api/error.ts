import { z } from 'zod';
import { PERMISSIONS } from '#domain/access/permission.ts';
import { count, text, texts } from './fields.ts';
import type { Errors, Operation } from './operation.ts';
import { startedRunSchema } from './started-run.ts';

/** Every error, as `application/problem+json` (RFC 9457). `code` is stable. */
export const errorSchema = z
  .strictObject({
    type: text,
    title: text,
    status: z.int(),
    code: text,
    detail: text,
    hint: text.optional(),
    /** Of `body-invalid`, `query-invalid` and `misconfigured`: every problem, with its place. */
    errors: z.array(z.strictObject({ path: text, message: text })).optional(),
    /** Of `run-in-progress`: the run in progress. */
    run: text.optional(),
    /** Of `sign-in-needed`: the ways to sign in. */
    ways: z.array(z.enum(['entra', 'key'])).optional(),
    /** Of `not-allowed`: a permission that is missing. */
    needs: z.enum(PERMISSIONS).optional(),
    /** Of `container-missing`: the containers to choose from. */
    containers: texts.optional(),
    /** Of `misconfigured`: how many there are. */
    problems: count.optional(),
  })
  .meta({ id: 'Error' });

/** The codes of the errors of an operation, by status. Those of the accounts, 502 and 503, are open lists. */
export function errorsOf({ needs, method, answers, errors }: Operation): Record<number, readonly string[]> {
  const all: Errors = errors;
  const checked = [
    ...(needs === 'anyone' ? [] : ['query-invalid']),
    ...(method === 'POST' ? ['body-not-json', 'body-invalid'] : []),
  ];
  const starts = answers[202] === startedRunSchema ? ['task-hub-taken'] : [];
  return {
    ...(needs !== 'anyone' && { 401: ['sign-in-needed'], 403: ['not-allowed', 'origin-not-allowed'] }),
    ...(checked.length > 0 && { 400: [...checked, ...(all[400] ?? [])] }),
    ...(all[404] && { 404: all[404] }),
    ...(all[409] && { 409: [...all[409], ...starts] }),
    413: ['body-too-large'],
    500: ['internal'],
    502: all[502] ?? [],
    503: all[503] ?? [],
  };
}
