import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Operation } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import { checkInput, type PartName } from '#domain/input/check-input.ts';
import { optionPath } from '#domain/input/option-path.ts';

function problems(schema: z.ZodType, value: unknown, part: PartName = 'field'): string[] {
  return checkInput(schema, value, part).problems.map(({ path, message }) => `${optionPath(path)}: ${message}`);
}

const schema = z.strictObject({
  mode: z.enum(['full', 'incremental']).optional(),
  name: z.string().min(1).max(3).optional(),
  sample: z.number().int().min(1).max(9).optional(),
  seconds: z.number().optional(),
  force: z.boolean().default(false),
  at: z.iso.datetime({ offset: true }).optional(),
  list: z.array(z.string().max(2)).min(1).max(2).optional(),
  own: z.number({ error: 'a word of its own' }).optional(),
  inner: z.strictObject({ table: z.string() }).optional(),
});

test.each<[object, string]>([
  [{ mod: 'full' }, 'mod: this field does not exist; did you mean "mode"?'],
  [{ mode: 'ful' }, 'mode: this must be "full" or "incremental"; did you mean "full"?'],
  [{ name: 1 }, 'name: this must be a string in quotes'],
  [{ name: '' }, 'name: this must have at least 1 character'],
  [{ name: 'long' }, 'name: this must have at most 3 characters'],
  [{ sample: 'x' }, 'sample: this must be a number'],
  [{ sample: 1.5 }, 'sample: this must be a whole number'],
  [{ sample: 0 }, 'sample: this must be at least 1'],
  [{ sample: 10 }, 'sample: this must be at most 9'],
  [{ force: 'yes' }, 'force: this must be true or false'],
  [{ at: 'today' }, 'at: this must be a time such as 2026-11-20T23:30:00Z'],
  [{ list: 'a' }, 'list: this must be a list [ … ]'],
  [{ list: [] }, 'list: this must have at least 1 entry'],
  [{ list: ['a', 'long'] }, 'list[1]: this must have at most 2 characters'],
  [{ own: 'x' }, 'own: a word of its own'],
  [{ inner: {} }, 'inner.table: this field is missing; it must be a string in quotes'],
  [{ inner: { table: 'a', tables: 'b' } }, 'inner.tables: this field does not exist; did you mean "table"?'],
])('%j is answered in words', (value, problem) => {
  expect(problems(schema, value)).toEqual([problem]);
});

test('what fits the schema has no problem, and its defaults', () => {
  expect(checkInput(schema, { mode: 'full' }, 'field')).toEqual({ data: { mode: 'full', force: false }, problems: [] });
});

test('a query has parameters, each of them a text, or none at all', () => {
  expect(problems(z.strictObject({ q: z.string() }), {}, 'parameter')).toEqual([
    'q: this parameter is missing; it must be a text',
  ]);
  expect(problems(z.strictObject({}), { limit: '5' }, 'parameter')).toEqual([
    'limit: this parameter does not exist; there is none',
  ]);
});

/** Values of which no schema takes all. */
const WRONG = [null, true, -1, 1.5, 1e9, '', 'x', '\u202e', 'x'.repeat(200_000), [], [''], [1], {}, { x: 1 }];

test('no operation answers in the words of the library that checks', () => {
  let checked = 0;
  for (const [id, { query, body }] of Object.entries<Operation>(OPERATIONS)) {
    for (const [each, part] of [
      [query, 'parameter'],
      [body, 'field'],
    ] as const) {
      if (!(each instanceof z.ZodObject)) continue;
      const values = Object.keys(each.shape).flatMap((name) => WRONG.map((value) => ({ [name]: value })));
      for (const value of [...values, ...WRONG]) {
        for (const problem of problems(each, value, part)) {
          expect(problem, id).not.toMatch(/: (Invalid|Too|Unrecognized)|\bexpected\b|must match/);
          checked++;
        }
      }
    }
  }
  expect(checked).toBeGreaterThan(300);
});
