import type { z } from 'zod';
import type { errorSchema } from '#api/error.ts';
import type { OPERATIONS, OperationId } from '#api/operations.ts';

type Answers<Id extends OperationId> = (typeof OPERATIONS)[Id]['answers'];
type Schema<Id extends OperationId> = Answers<Id>[keyof Answers<Id>];

/** What an operation answers, other than errors. */
export type Answer<Id extends OperationId> = Schema<Id> extends z.ZodType ? z.output<Schema<Id>> : never;

/** Every error of the API. */
export type ApiError = z.output<typeof errorSchema>;
