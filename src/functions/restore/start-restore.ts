import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { globProblem } from '#domain/blobs/blob-filter.ts';
import { isLiteral, matches, patternProblem } from '#domain/blobs/container-pattern.ts';
import {
  containerTemplateProblem,
  destinationPattern,
  expand,
  isInjective,
  prefixTemplateProblem,
} from '#domain/blobs/container-template.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { KeySelection, NamedFile, RestoreTask } from '#domain/run/tasks.ts';
import {
  CATALOG_TABLE,
  expandTable,
  isInjectiveTable,
  isSameTable,
  isValidTableName,
  tablePatternProblem,
  tableTemplateProblem,
} from '#domain/tables/table-name.ts';
import { readNamedEntityFile } from '#storage/control/named-entity-file.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { type ChosenPoint, choosePoint, jobOf } from '../restore-points/choose-restore-point.ts';
import { answerStart, startRun } from '../run/start-run.ts';

/** Text that is right when `problem` has nothing to say about it. */
function text(problem: (value: string) => string | undefined) {
  return z
    .string()
    .max(1024)
    .superRefine((value, context) => {
      const message = problem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}

const key = z.string().max(1024);

const body = z
  .strictObject({
    restorePoint: z.string().max(100).optional(),
    at: z.iso.datetime({ offset: true, error: 'a time such as 2026-11-20T23:30:00Z' }).optional(),
    job: z.string().optional(),
    containers: z.array(text(patternProblem)).max(100).default([]),
    prefix: z.string().max(1024).default(''),
    include: z.array(text(globProblem)).max(50).default([]),
    exclude: z.array(text(globProblem)).max(50).default([]),
    tables: z
      .array(text(tablePatternProblem))
      .min(1, 'names no table; leave it out where tables are not to be chosen')
      .max(100)
      .default([]),
    keys: z.strictObject({ partition: key.optional(), from: key.optional(), to: key.optional() }).optional(),
    file: z
      .union([
        z.string().min(1).max(1024),
        z.strictObject({
          account: z.string(),
          container: z.string().min(1).max(63),
          name: z.string().min(1).max(1024),
        }),
      ])
      .optional(),
    target: z
      .strictObject({
        account: z.string().optional(),
        container: text(containerTemplateProblem).optional(),
        prefix: text(prefixTemplateProblem).optional(),
        table: text(tableTemplateProblem).optional(),
      })
      .prefault({}),
    existing: z.enum(['fail', 'skip', 'overwrite', 'if-different', 'replace', 'merge']).default('fail'),
    rehydrate: z.enum(['standard', 'high']).optional(),
    dryRun: z.boolean().default(false),
  })
  .superRefine((wanted, context) => {
    const { tables, containers, keys, file, restorePoint, at, existing } = wanted;
    const wrong = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
    if (keys && file === undefined && tables.length === 0) wrong('keys', 'say in "tables" of which tables');
    // What a script has left out is no wish for all there is.
    if (keys && (keys.partition ?? keys.from ?? keys.to) === undefined) {
      wrong('keys', 'chooses nothing: say "partition", "from" or "to", or leave it out');
    }
    if (keys?.from !== undefined && keys.to !== undefined && keys.from > keys.to) {
      wrong('keys', `no key lies between ${JSON.stringify(keys.from)} and ${JSON.stringify(keys.to)}`);
    }
    if (existing === 'merge' && containers.length > 0) wrong('existing', MERGES_ENTITIES);
    if (file !== undefined && (restorePoint ?? at) !== undefined) {
      wrong('file', 'a file is restored by itself: name no restore point and no time beside it');
    }
    if (file !== undefined && (tables.length > 0 || containers.length > 0)) {
      wrong('file', 'a file is restored by itself: name no tables and no containers beside it');
    }
    if (file !== undefined && choosesBlobs(wanted)) wrong('file', ENTITIES_BY_KEYS);
  });

const MERGES_ENTITIES =
  '"merge" is for the entities of tables; containers are restored with "overwrite" or "if-different"';

const ENTITIES_BY_KEYS = '"prefix", "include" and "exclude" choose blobs; entities are chosen with "keys"';

type Wanted = z.output<typeof body>;

function choosesBlobs({ prefix, include, exclude }: Pick<Wanted, 'prefix' | 'include' | 'exclude'>): boolean {
  return prefix !== '' || include.length > 0 || exclude.length > 0;
}

/** POST /api/restores — brings back what a restore point holds, as a run of its job. */
export function startRestoreHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const wanted = await readBody(request, body);
    if (wanted.at !== undefined && wanted.restorePoint !== undefined) {
      throw new HttpError(400, 'body-invalid', 'body: name a restore point or a time, not both');
    }
    const { dryRun } = wanted;
    if (wanted.file !== undefined) {
      const { job, file } = fileOf(deps, wanted.file, wanted.job);
      const restore = await taskOfFile(deps, file, job, wanted);
      return answerStart(await startRun(deps, client, { job, mode: 'restore', trigger: 'http', dryRun, restore }));
    }
    const point = await choosePoint(deps, wanted);
    const { job } = point.summary;
    if (!deps.configuration.jobs.some(({ name }) => name === job)) {
      throw new HttpError(
        409,
        'job-not-found',
        `The configuration has no job "${job}", whose restore point this is`,
        'Configure a job of this name with this vault; it needs no schedule',
      );
    }
    const restore = taskOf(deps, point, wanted);
    return answerStart(await startRun(deps, client, { job, mode: 'restore', trigger: 'http', dryRun, restore }));
  });
}

function taskOf(deps: Dependencies, point: ChosenPoint, wanted: Wanted): RestoreTask {
  const { summary } = point;
  const { job, source } = jobContextOf(deps, summary.job);
  const { existing } = wanted;
  const target = targetOf(wanted);
  const account = wanted.target.account ?? job.source.account;
  mustBeConfigured(deps, account, 'body.target.account');
  const endpoint = deps.blobs(account).endpoint;
  const shares = [...new Set(summary.parts.map(({ container }) => container))].filter((name) =>
    isRestored(wanted, name),
  );
  mustMatch(summary.id, wanted, shares);
  const held = shares.filter((share) => tableOfTask(share) === undefined);
  if (existing === 'merge' && held.length > 0) {
    throw new HttpError(
      400,
      'body-invalid',
      `body.existing: ${MERGES_ENTITIES}`,
      'Say in "tables" which tables are meant',
    );
  }
  const tables = shares.map(tableOfTask).filter((table) => table !== undefined);
  checkTables(deps, account, tables, wanted);
  mustMeanTables(wanted, tables, held, account === job.source.account);
  if (held.length > 1 && !isInjective(target.container, target.prefix)) {
    throw new HttpError(
      400,
      'body-invalid',
      `body.target: ${held.length} containers would be restored to one place and overwrite each other; write {container} in its container, or in its prefix with a slash after it`,
    );
  }
  const into = held.map((name) => expand(target.container, name)).find((name) => isBackup(deps, point, endpoint, name));
  if (into !== undefined) {
    throw new HttpError(
      400,
      'body-invalid',
      `body.target: "${into}" in ${account} is where a backup lies; restoring into it would change it`,
      'Restore to another container, such as "{container}-restored"',
    );
  }
  return {
    ...taskAsAsked(wanted),
    point: summary.id,
    account,
    // One word for both, where both are restored.
    existing: existing === 'replace' && held.length > 0 ? 'overwrite' : existing,
    original:
      summary.source === endpoint &&
      endpoint === source.endpoint &&
      target.container === '{container}' &&
      target.prefix === '',
  };
}

/** What the request says in so many words. */
function taskAsAsked(wanted: Wanted) {
  const { containers, tables, keys, prefix, include, exclude, existing, rehydrate } = wanted;
  return {
    ...targetOf(wanted),
    existing,
    containers,
    tables,
    ...(keys && { keys: keysAsked(keys) }),
    startsWith: prefix,
    include,
    exclude,
    ...(rehydrate && { rehydrate }),
  };
}

function targetOf({ target }: Wanted): { container: string; prefix: string; table: string } {
  const { container = '{container}', prefix = '', table = '{table}' } = target;
  return { container, prefix, table };
}

/**
 * Throws where a request that speaks of blobs alone would reach tables as well: what is replaced in them is not kept, and whoever
 * wrote it may not have had any in the job.
 */
function mustMeanTables(wanted: Wanted, tables: string[], containers: string[], isInPlace: boolean): void {
  if (tables.length === 0) return;
  const [first] = tables;
  const named = tables.length === 1 ? `table "${first}"` : `${tables.length} tables, such as "${first}",`;
  const refuse = (problem: string, hint: string) => new HttpError(400, 'body-invalid', `body${problem}`, hint);
  if (choosesBlobs(wanted)) {
    if (containers.length === 0) throw refuse(`: ${ENTITIES_BY_KEYS}`, 'No container is meant by this request');
    if (wanted.tables.length === 0) {
      throw refuse(
        `: ${ENTITIES_BY_KEYS}; all of ${named} would be restored as well`,
        'Say in "containers" which containers are meant, such as ["*"]; and in "tables", if tables are meant, too',
      );
    }
  }
  const { container, prefix, table } = wanted.target;
  const isSaid = { blobs: container !== undefined || prefix !== undefined, tables: table !== undefined };
  if (!isInPlace || isSaid.blobs === isSaid.tables || (isSaid.tables && containers.length === 0)) return;
  const [said, other, left] = isSaid.blobs
    ? ['containers', 'table', named]
    : ['tables', 'container', `container "${containers[0]}"`];
  throw refuse(
    `.target: it says where ${said} go, and ${left} would go back to the place that was backed up`,
    `Say "${other}" in it as well, such as ${isSaid.blobs ? '"{table}Restored"' : '"{container}-restored"'}; or name in "containers" or "tables" what is meant`,
  );
}

function keysAsked({ partition, from, to }: NonNullable<Wanted['keys']>): KeySelection {
  return {
    ...(partition !== undefined && { partition }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

/** Throws where only patterns are named and none matches: a run of nothing would succeed. Names are told of by the run. */
function mustMatch(point: string, { containers, tables }: Wanted, shares: string[]): void {
  const named = [...containers, ...tables];
  if (shares.length > 0 || named.length === 0 || named.some(isLiteral)) return;
  throw new HttpError(
    404,
    'container-not-held',
    `Restore point ${point} has nothing that matches ${named.map((pattern) => `"${pattern}"`).join(' or ')}`,
    `GET /api/restore-points/${point} names its containers and tables`,
  );
}

function mustBeConfigured(deps: Dependencies, account: string, place: string): void {
  if (deps.configuration.accounts.has(account)) return;
  const known = [...deps.configuration.accounts.keys()].join(', ');
  throw new HttpError(
    400,
    'account-unknown',
    `${place}: no account "${account}" is configured`,
    `One of: ${known}. Others are named in "accounts" of strongroom.json`,
  );
}

/** Throws where tables may not, or cannot, be restored to where the request says. */
function checkTables(deps: Dependencies, account: string, tables: readonly string[], wanted: Wanted): void {
  const target = targetOf(wanted);
  const refuse = (problem: string, hint: string) =>
    new HttpError(400, 'body-invalid', `body.target.table: ${problem}`, hint);
  if (tables.length > 1 && !isInjectiveTable(target.table)) {
    const count = `${tables.length} tables would be restored to one and overwrite each other`;
    throw refuse(count, 'Write {table} in it, such as "{table}Restored"');
  }
  for (const table of tables) {
    const into = expandTable(target.table, table);
    if (!isValidTableName(into)) {
      throw refuse(
        `"${into}" cannot be the name of a table`,
        'Choose a template that makes a name of 3 to 63 letters and digits',
      );
    }
    const { jobs } = deps.configuration;
    const { endpoint } = deps.tables(account);
    const isVault = jobs.some(({ destination }) => deps.tables(destination.account).endpoint === endpoint);
    if (isVault && isSameTable(into, CATALOG_TABLE)) {
      throw refuse(
        `"${into}" in ${account} is where the list of runs lies; restoring into it would change it`,
        'Restore to another table, such as "{table}Restored"',
      );
    }
  }
}

/** Which file is meant, and which job's run its restore is: the one that is named, that of its path, or the only one. */
function fileOf(
  deps: Dependencies,
  given: NonNullable<Wanted['file']>,
  named: string | undefined,
): { job: string; file: NamedFile } {
  const name = typeof given === 'string' ? given : given.name;
  const inPath = /^jobs\/([^/]+)\//.exec(name)?.[1];
  const isJob = deps.configuration.jobs.some((each) => each.name === inPath);
  const job = jobOf(deps, named ?? (isJob ? inPath : undefined));
  if (typeof given !== 'string') {
    mustBeConfigured(deps, given.account, 'body.file.account');
    return { job, file: given };
  }
  return {
    job,
    file: { account: jobContextOf(deps, job).job.destination.account, container: CONTROL_CONTAINER, name },
  };
}

/** The file tells itself which table it is of: it is looked at before a run begins. */
async function taskOfFile(deps: Dependencies, file: NamedFile, job: string, wanted: Wanted): Promise<RestoreTask> {
  const account = wanted.target.account ?? jobContextOf(deps, job).job.source.account;
  mustBeConfigured(deps, account, 'body.target.account');
  const table = await tableIn(deps, file);
  checkTables(deps, account, [table], wanted);
  return { ...taskAsAsked(wanted), point: '', account, tables: [table], file, original: false };
}

async function tableIn(deps: Dependencies, { account, container, name }: NamedFile): Promise<string> {
  try {
    return (await readNamedEntityFile(deps.blobs(account), container, name)).content.end.table;
  } catch (error) {
    if (!isStorageError(error, 'damaged', 'invalid')) throw error;
    const hint = 'Name a file of entities by its full path, such as "jobs/nightly/tables/orders/….ndjson.gz"';
    throw new HttpError(400, 'file-unreadable', `body.file: ${error.message}`, hint);
  }
}

/** Whether a container of this account holds a backup: that of this restore point, or what any job copies to. */
function isBackup(deps: Dependencies, { summary, vault }: ChosenPoint, endpoint: string, container: string): boolean {
  const isVault = (alias: string) => deps.blobs(alias).endpoint === endpoint;
  const { jobs } = deps.configuration;
  if (isVault(vault) && summary.parts.some(({ destination }) => destination === container)) return true;
  return jobs.some(
    ({ source, destination }) =>
      isVault(destination.account) &&
      (container === CONTROL_CONTAINER ||
        source.containers.some((pattern) => matches(destinationPattern(destination.container, pattern), container))),
  );
}
