import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { NamedFile, RestoreTask } from '#domain/run/tasks.ts';
import { readNamedEntityFile } from '#storage/control/named-entity-file.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { type ChosenPoint, choosePoint } from '../restore-points/choose-restore-point.ts';
import { configuredJob, jobOfStored } from '../run/configured-job.ts';
import { answerStart } from '../run/start-run.ts';
import { checkAccount, checkBothMeant, checkContainers, checkMatch, checkTables } from './restore-checks.ts';
import { type RestoreRequest, requestedTask, restoreRequestSchema, targetOf } from './restore-request.ts';

/** POST /api/restores — restores a restore point, or parts of it, as a run of its job. */
export function startRestoreHandler(deps: Dependencies) {
  return answering(deps, async (http, client) => {
    const request = await readBody(http, restoreRequestSchema);
    if (request.at !== undefined && request.restorePoint !== undefined) {
      throw new HttpError(400, 'body-invalid', 'body: specify "restorePoint" or "at", not both');
    }
    const { job, restore } = await (request.file === undefined
      ? restoreOfPoint(deps, request)
      : restoreOfFile(deps, request, request.file));
    return answerStart(deps, client, { job, mode: 'restore', trigger: 'http', dryRun: request.dryRun, restore });
  });
}

interface Restore {
  job: string;
  restore: RestoreTask;
}

async function restoreOfPoint(deps: Dependencies, request: RestoreRequest): Promise<Restore> {
  const point = await choosePoint(deps, request);
  const job = jobOfStored(deps, point.summary.job).name;
  return { job, restore: taskOf(deps, point, request) };
}

function taskOf(deps: Dependencies, point: ChosenPoint, request: RestoreRequest): RestoreTask {
  const { summary } = point;
  const { job, source } = jobContextOf(deps, summary.job);
  const account = request.target.account ?? job.source.account;
  checkAccount(deps, account, 'body.target.account');
  const tasks = [...new Set(summary.parts.map(({ container }) => container))].filter((task) =>
    isRestored(request, task),
  );
  checkMatch(summary.id, request, tasks);
  const containers = tasks.filter((task) => tableOfTask(task) === undefined);
  const tables = tasks.map(tableOfTask).filter((table) => table !== undefined);
  checkTables(deps, account, tables, request);
  checkBothMeant(request, { containers, tables, isInPlace: account === job.source.account });
  checkContainers(deps, account, point, containers, request);
  const { existing } = request;
  const { endpoint } = deps.blobs(account);
  const target = targetOf(request);
  return {
    ...requestedTask(request),
    point: summary.id,
    account,
    // If the request has both containers and tables, they share the word of containers.
    existing: existing === 'replace' && containers.length > 0 ? 'overwrite' : existing,
    original:
      summary.source === endpoint &&
      endpoint === source.endpoint &&
      target.container === '{container}' &&
      target.prefix === '',
  };
}

/** The run belongs to the job that the request names, to that of the file's path, or to the only job. */
async function restoreOfFile(
  deps: Dependencies,
  request: RestoreRequest,
  given: NonNullable<RestoreRequest['file']>,
): Promise<Restore> {
  const inPath = /^jobs\/([^/]+)\//.exec(typeof given === 'string' ? given : given.name)?.[1];
  const isJob = deps.configuration.jobs.some(({ name }) => name === inPath);
  const job = configuredJob(deps, request.job ?? (isJob ? inPath : undefined));
  const file: NamedFile =
    typeof given === 'string' ? { account: job.destination.account, container: CONTROL_CONTAINER, name: given } : given;
  checkAccount(deps, file.account, 'body.file.account');
  const account = request.target.account ?? job.source.account;
  checkAccount(deps, account, 'body.target.account');
  const table = await tableIn(deps, file);
  checkTables(deps, account, [table], request);
  const restore = { ...requestedTask(request), point: '', account, tables: [table], file, original: false };
  return { job: job.name, restore };
}

/** The file names its table: Strongroom reads it before the run starts. */
async function tableIn(deps: Dependencies, { account, container, name }: NamedFile): Promise<string> {
  try {
    return (await readNamedEntityFile(deps.blobs(account), container, name)).content.end.table;
  } catch (error) {
    if (!isStorageError(error, 'damaged', 'invalid')) throw error;
    const hint = 'Name a file of entities by its full path, for example "jobs/nightly/tables/orders/….ndjson.gz"';
    throw new HttpError(400, 'file-unreadable', `body.file: ${error.message}`, hint);
  }
}
