import { z } from 'zod';
import { patternProblem } from '#domain/blobs/container-pattern.ts';
import { tablePatternProblem } from '#domain/tables/table-name.ts';
import { blobChoice } from './blob-choice.ts';
import { alias, text } from './text.ts';

const anySource = z.strictObject({
  account: alias.describe(
    'Alias of the account to back up: the app setting of that name holds its connection string, or `<alias>__blobServiceUri` its address for the managed identity.',
  ),
  containers: z
    .array(text(patternProblem))
    .default([])
    .describe(
      'Containers by name or by pattern, where `*` stands for any characters. Patterns are expanded when a run starts. At least one container or table is needed.',
    ),
  ...blobChoice,
  tables: z
    .array(text(tablePatternProblem))
    .default([])
    .describe('Tables by name or by pattern, as containers are. Capitals and small letters are the same.'),
  tableDeletions: z
    .boolean({ error: 'this must be true or false' })
    .default(false)
    .describe(
      'Whether incremental runs also read the keys of all entities: without it, deletions are found only where a table is read as a whole.',
    ),
});

/** What `source` of a job says. */
export const sourceSchema = anySource.superRefine(
  (source, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (isEmpty(source.containers) && isEmpty(source.tables)) {
      problem([], 'nothing says what to back up; give "containers", or "tables", or both: names, or "*" for all');
    }
    if (isEmpty(source.tables) && source.tableDeletions === true) {
      problem(['tableDeletions'], 'there is no table to compare; give "tables", or take this out');
    }
    if (isEmpty(source.containers) && !isEmpty(source.tables)) {
      for (const option of ['prefix', 'include', 'exclude'] as const) {
        if (isEmpty(source[option])) continue;
        problem([option], 'this chooses among blobs, and no container is named; give "containers", or take this out');
      }
    }
  },
  // Looked at also where other options are wrong, so that all problems are shown at once.
  { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
);

/** Of a value that may be of any kind: another than a list or a text has been complained of. */
function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) || typeof value === 'string') && value.length === 0;
}
