import { z } from 'zod';
import type { ConfigurationProblem } from './configuration-error.ts';
import { nearest } from './nearest.ts';
import { optionPath } from './option-path.ts';

const WORDS: Record<string, string> = {
  object: 'an object { … }',
  array: 'a list [ … ]',
  string: 'a string in quotes',
};

/** An issue of the schema `root` in words for people: one problem, or one for each option that does not exist. */
export function schemaProblems(issue: z.core.$ZodIssue, root: z.ZodType): ConfigurationProblem[] {
  const place = optionPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownOptions(root, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const hint = near ? `did you mean "${near}"?` : `the options are ${known.map((name) => `"${name}"`).join(', ')}`;
      return { place: optionPath([...issue.path, key]), message: `this option does not exist; ${hint}` };
    });
  }
  if (issue.code === 'invalid_type' && WORDS[issue.expected] !== undefined) {
    const expected = WORDS[issue.expected];
    return [
      {
        place,
        message:
          issue.input === undefined ? `this option is missing; it must be ${expected}` : `this must be ${expected}`,
      },
    ];
  }
  if (issue.code === 'invalid_value') {
    const near = typeof issue.input === 'string' ? nearest(issue.input, issue.values.map(String)) : undefined;
    return [
      {
        place,
        message:
          'this must be ' +
          `${issue.values.map((value) => `"${String(value)}"`).join(' or ')}${near ? `; did you mean "${near}"?` : ''}`,
      },
    ];
  }
  return [{ place, message: issue.message }];
}

/** The options that the object at `path` may have. */
function knownOptions(root: z.ZodType, path: readonly PropertyKey[]): string[] {
  let schema: unknown = root;
  for (const key of [...path, undefined]) {
    while (isWrapped(schema)) schema = schema.unwrap();
    if (key === undefined) break;
    if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodObject) schema = schema.shape[String(key)];
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function isWrapped(schema: unknown): schema is z.ZodExactOptional | z.ZodPrefault | z.ZodDefault {
  return schema instanceof z.ZodExactOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault;
}
