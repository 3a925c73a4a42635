import { z } from 'zod';
import { patternProblem } from '#domain/blobs/container-pattern.ts';
import { tablePatternProblem } from '#domain/tables/table-name.ts';
import { blobChoice } from './blob-choice.ts';
import { alias, text } from './schema-parts.ts';

const anySource = z.strictObject({
  account: alias.describe(
    'Alias of the account to back up. The app setting of this name holds its connection string, or ' +
      '`<alias>__blobServiceUri` its address for a managed identity.',
  ),
  containers: z
    .array(text(patternProblem))
    .default([])
    .describe(
      'Containers by name or by pattern, where `*` stands for any characters. Each run expands the patterns when ' +
        'it starts. The source requires at least one container or table.',
    ),
  ...blobChoice,
  tables: z
    .array(text(tablePatternProblem))
    .default([])
    .describe('Tables by name or by pattern, as for containers. Names are case-insensitive.'),
  tableDeletions: z
    .boolean({ error: 'this must be true or false' })
    .default(false)
    .describe(
      'Whether incremental runs also read the keys of all entities. If false, Strongroom finds deletions only ' +
        'where it reads a key range of a table in full.',
    ),
});

/** The option `source` of a job. */
export const sourceSchema = anySource.superRefine(
  (source, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (isEmpty(source.containers) && isEmpty(source.tables)) {
      problem([], 'the source names nothing to back up; add "containers", "tables" or both, with names or "*" for all');
    }
    if (isEmpty(source.tables) && source.tableDeletions === true) {
      problem(['tableDeletions'], 'this option needs tables; add "tables", or remove it');
    }
    if (isEmpty(source.containers) && !isEmpty(source.tables)) {
      for (const option of ['prefix', 'include', 'exclude'] as const) {
        if (isEmpty(source[option])) continue;
        problem(
          [option],
          'this option selects blobs, and the source names no container; add "containers", or remove it',
        );
      }
    }
  },
  // Runs even if other options are wrong, so that one error shows all problems.
  { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
);

/** Whether a list or a text is empty. The schema reports any other value. */
function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) || typeof value === 'string') && value.length === 0;
}
