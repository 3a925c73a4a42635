import { z } from 'zod';
import { nearest } from './nearest.ts';

/** One thing that is wrong with what a person or a program wrote. */
export interface InputProblem {
  path: PropertyKey[];
  message: string;
}

/** What the parts are called of what was written: those of a file, of a body, or of a query. */
export type PartName = 'option' | 'field' | 'parameter';

/** The message for a text that is no time. */
export const NO_TIME = 'this must be a time such as 2026-11-20T23:30:00Z';

const TYPES: Record<string, string> = {
  object: 'an object { … }',
  array: 'a list [ … ]',
  string: 'a string in quotes',
  boolean: 'true or false',
};
const NUMBERS: Record<string, string> = { number: 'a number', int: 'a whole number' };

/** What a schema makes of a value, or else every problem of the value in words for people. */
export function checkInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: PartName,
): { data: z.output<Schema> | undefined; problems: InputProblem[] } {
  const { data, error } = schema.safeParse(value, { reportInput: true, error: ownWords });
  return { data, problems: (error?.issues ?? []).flatMap((issue) => problemsOf(issue, schema, part)) };
}

/** For issues that a schema has no words of its own for. */
function ownWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return NUMBERS[issue.expected] && `this must be ${NUMBERS[issue.expected]}`;
    case 'too_small':
      return limit(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return limit(issue.origin, 'at most', issue.maximum);
    case 'invalid_format':
      return issue.format === 'datetime' ? NO_TIME : undefined;
    default:
      return undefined;
  }
}

function limit(origin: string, bound: 'at least' | 'at most', value: number | bigint): string {
  if (origin === 'string') return `this must have ${bound} ${value} ${value === 1 ? 'character' : 'characters'}`;
  if (origin === 'array') return `this must have ${bound} ${value} ${value === 1 ? 'entry' : 'entries'}`;
  return `this must be ${bound} ${value}`;
}

/** One problem, or one for each part that does not exist. */
function problemsOf(issue: z.core.$ZodIssue, root: z.ZodType, part: PartName): InputProblem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = knownParts(root, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `this ${part} does not exist; ${hintFor(key, known, part)}`,
    }));
  }
  if (issue.code === 'invalid_type' && TYPES[issue.expected] !== undefined) {
    // Each parameter of a query is a string.
    const expected = part === 'parameter' ? 'a text' : TYPES[issue.expected];
    const missing = issue.input === undefined ? `this ${part} is missing; it must be` : 'this must be';
    return [{ path, message: `${missing} ${expected}` }];
  }
  if (issue.code === 'invalid_value') {
    const near = typeof issue.input === 'string' ? nearest(issue.input, issue.values.map(String)) : undefined;
    const values = issue.values.map((value) => `"${String(value)}"`).join(' or ');
    return [{ path, message: `this must be ${values}${near ? `; did you mean "${near}"?` : ''}` }];
  }
  return [{ path, message: issue.message }];
}

function hintFor(key: string, known: readonly string[], part: PartName): string {
  const near = nearest(key, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return known.length === 0 ? 'there is none' : `the ${part}s are ${known.map((name) => `"${name}"`).join(', ')}`;
}

/** The parts that the object at `path` may have. */
function knownParts(root: z.ZodType, path: readonly PropertyKey[]): string[] {
  let schema: unknown = root;
  for (const key of [...path, undefined]) {
    while (isWrapped(schema)) schema = schema.unwrap();
    if (key === undefined) break;
    if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodObject) schema = schema.shape[String(key)];
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

type Wrapped = z.ZodOptional | z.ZodExactOptional | z.ZodPrefault | z.ZodDefault;

function isWrapped(schema: unknown): schema is Wrapped {
  const wrappers = [z.ZodOptional, z.ZodExactOptional, z.ZodPrefault, z.ZodDefault];
  return wrappers.some((each) => schema instanceof each);
}
