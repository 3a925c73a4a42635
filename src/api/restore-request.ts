import { z } from 'zod';
import { globProblem } from '#domain/blobs/blob-filter.ts';
import { isLiteral, patternProblem } from '#domain/blobs/container-pattern.ts';
import { containerTemplateProblem, prefixTemplateProblem } from '#domain/blobs/container-template.ts';
import { prefixProblem } from '#domain/blobs/prefix-problem.ts';
import { tablePatternProblem, tableTemplateProblem } from '#domain/tables/table-name.ts';
import { checkedText } from './checked-text.ts';
import { instant } from './fields.ts';
import { someOf } from './some-of.ts';

const key = z.string().max(1024);
const blobName = z.string().min(1).max(1024);

/** Every step of a run carries the names of its request. */
const MOST_TEXT = 131_072;

/** Without it, a prefix selects everything, or a restore writes to the original names. */
const NO_TEXT = 'the text is empty; write one, or remove this field';

/** The body of POST /api/restores. */
export const restoreRequestSchema = z
  .strictObject({
    restorePoint: z.string().max(100).optional(),
    at: instant.optional(),
    job: z.string().optional(),
    containers: someOf(checkedText(patternProblem), 100, 'containers'),
    names: someOf(blobName, 1000, 'names'),
    prefix: checkedText(prefixProblem).min(1, NO_TEXT).default(''),
    include: someOf(checkedText(globProblem), 50, 'include'),
    exclude: someOf(checkedText(globProblem), 50, 'exclude'),
    tables: someOf(checkedText(tablePatternProblem), 100, 'tables'),
    keys: z.strictObject({ partition: key.optional(), from: key.optional(), to: key.optional() }).optional(),
    file: z
      .union(
        [
          z.string().min(1).max(1024),
          z.strictObject({
            account: z.string(),
            container: z.string().min(1).max(63),
            name: z.string().min(1).max(1024),
          }),
        ],
        {
          error: 'this must be the path of a file in quotes, or an object with "account", "container" and "name"',
        },
      )
      .optional(),
    target: z
      .strictObject({
        account: z.string().optional(),
        container: checkedText(containerTemplateProblem).optional(),
        prefix: checkedText(prefixTemplateProblem).min(1, NO_TEXT).optional(),
        table: checkedText(tableTemplateProblem).optional(),
      })
      .prefault({}),
    existing: z.enum(['fail', 'skip', 'overwrite', 'if-different', 'replace', 'merge']).default('fail'),
    rehydrate: z.enum(['standard', 'high']).optional(),
    restoreAccess: z.boolean().default(false),
    dryRun: z.boolean().default(false),
  })
  .superRefine((request, context) => {
    const { tables, containers, keys, file, restorePoint, at, existing } = request;
    const problem = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
    const wrongNames = namesProblem(request);
    if (wrongNames !== undefined) problem('names', wrongNames);
    if (keys && file === undefined && tables.length === 0) problem('keys', 'name the tables of these keys in "tables"');
    // A script that found no keys does not ask for all entities.
    if (keys && (keys.partition ?? keys.from ?? keys.to) === undefined) {
      problem('keys', 'this selects nothing; add "partition", "from" or "to", or remove "keys"');
    }
    if (keys?.from !== undefined && keys.to !== undefined && keys.from > keys.to) {
      problem('keys', `no key is between ${JSON.stringify(keys.from)} and ${JSON.stringify(keys.to)}`);
    }
    if (existing === 'merge' && containers.length > 0) problem('existing', MERGES_ENTITIES);
    if (file === undefined) return;
    if (request.restoreAccess) problem('restoreAccess', 'a file has no access policies; restore a restore point');
    if ((restorePoint ?? at) !== undefined)
      problem('file', 'remove "restorePoint" and "at": a file needs no restore point');
    if (tables.length > 0 || containers.length > 0)
      problem('file', 'remove "tables" and "containers": a file names its table');
    if (selectionOfBlobs(request)) problem('file', BLOBS_ONLY);
  });

export type RestoreRequest = z.output<typeof restoreRequestSchema>;

function namesProblem({
  names,
  containers,
  tables,
  prefix,
  include,
  exclude,
}: Record<'names' | 'containers' | 'tables' | 'include' | 'exclude', string[]> & { prefix: string }) {
  if (names.length === 0) return undefined;
  const [container, ...others] = containers;
  if (container === undefined || !isLiteral(container) || others.length + tables.length > 0)
    return 'these are names of one container: name it in "containers", by its full name and alone';
  if (prefix !== '' || include.length + exclude.length > 0)
    return 'remove "prefix", "include" and "exclude": the names select the blobs';
  const length = names.reduce((sum, name) => sum + name.length, 0);
  if (length > MOST_TEXT)
    return `together they have ${length} characters, more than ${MOST_TEXT}; restore some of them at a time`;
  return undefined;
}

export const MERGES_ENTITIES =
  '"merge" works for the entities of tables only; restore containers with "overwrite" or "if-different"';

export const BLOBS_ONLY = '"prefix", "include" and "exclude" select blobs; select entities with "keys"';

/** The first field that selects blobs, if there is one. */
export function selectionOfBlobs({ prefix, include, exclude }: RestoreRequest) {
  if (prefix !== '') return 'prefix';
  if (include.length > 0) return 'include';
  return exclude.length > 0 ? 'exclude' : undefined;
}
