import { z } from 'zod';
import type { Check } from '#domain/rights/check.ts';
import { RIGHTS } from '#domain/rights/right.ts';
import type { Members } from '#domain/run/members.ts';
import { cursor, next, text, texts } from './fields.ts';
import { operations } from './operation.ts';

const checkSchema = z
  .strictObject({
    id: z.enum(RIGHTS),
    alias: text,
    result: z.enum(['ok', 'missing', 'unneeded', 'unknown']),
    needed: z.boolean(),
    for: texts,
    code: text.nullable(),
    hint: text.nullable(),
    command: text.nullable(),
  } satisfies Members<Check>)
  .meta({ id: 'Check' });

/** No name of a container or table is longer. */
const prefix = z.string().max(63).optional();
const names = { 404: ['account-unknown'], 400: ['cursor-invalid'] } as const;

export const accountOperations = operations({
  checkRights: {
    method: 'POST',
    path: 'checks',
    summary: 'Check what each account allows, and how to grant what is missing',
    needs: 'run',
    answers: { 200: z.array(checkSchema) },
    errors: {},
  },
  listAccountContainers: {
    method: 'GET',
    path: 'accounts/{alias}/containers',
    summary: 'List the containers of an account',
    needs: 'read',
    query: z.strictObject({ prefix, cursor: cursor.optional() }),
    answers: { 200: z.strictObject({ account: text, containers: texts, next }) },
    errors: names,
  },
  listAccountTables: {
    method: 'GET',
    path: 'accounts/{alias}/tables',
    summary: 'List the tables of an account',
    needs: 'read',
    query: z.strictObject({ prefix, cursor: cursor.optional() }),
    answers: { 200: z.strictObject({ account: text, tables: texts, next }) },
    errors: names,
  },
});
