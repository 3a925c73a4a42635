import { OPERATIONS } from '#api/operations.ts';
import type { RestoreRequest } from '#api/restore-request.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isSameAccount, targetAccount } from '#app/target-account.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { NamedFile, RestoreTask } from '#domain/run/tasks.ts';
import { isSameService } from '#domain/service-identity.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { readNamedEntityFile } from '#storage/control/named-entity-file.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering } from '../http/answering.ts';
import { HttpError, invalid } from '../http/http-error.ts';
import { type ChosenPoint, choosePoint } from '../restore-points/choose-restore-point.ts';
import { configuredJob, jobOfStored } from '../run/configured-job.ts';
import { answerStart } from '../run/start-run.ts';
import { heldPoints } from './held-points.ts';
import {
  checkAccess,
  checkAccount,
  checkBothMeant,
  checkContainers,
  checkMatch,
  checkTables,
  checkTargetAccount,
  type TargetPlace,
} from './restore-checks.ts';
import { requestedTask, targetOf } from './restore-task.ts';

/** POST /api/restores — restores a restore point, or parts of it, as a run of its job. */
export function startRestoreHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.startRestore, async ({ body: request, caller: { by } }, client) => {
    if (request.at !== undefined && request.restorePoint !== undefined) {
      throw invalid('body', [{ path: ['at'], message: 'specify "restorePoint" or "at", not both' }]);
    }
    const { job, restore } = await (request.file === undefined
      ? restoreOfPoint(deps, request)
      : restoreOfFile(deps, request, request.file));
    return answerStart(deps, client, { job, mode: 'restore', trigger: 'http', by, dryRun: request.dryRun, restore });
  });
}

interface Restore {
  job: string;
  restore: RestoreTask;
}

async function restoreOfPoint(deps: Dependencies, request: RestoreRequest): Promise<Restore> {
  const point = await choosePoint(deps, request);
  const job = jobOfStored(deps, point.summary.job).name;
  return { job, restore: await taskOf(deps, point, request) };
}

async function taskOf(deps: Dependencies, point: ChosenPoint, request: RestoreRequest): Promise<RestoreTask> {
  const { summary } = point;
  const { job, source } = jobContextOf(deps, summary.job);
  const account = request.target.account ?? job.source.account;
  checkTargetAccount(deps, account);
  const tasks = [...new Set(summary.parts.map(({ container }) => container))].filter((task) =>
    isRestored(request, task),
  );
  checkMatch(summary.id, request, tasks);
  const containers = tasks.filter((task) => tableOfTask(task) === undefined);
  const tables = tasks.map(tableOfTask).filter((table) => table !== undefined);
  const into = await placeOf(deps, { account, source: job.source.account, vault: point.vault, containers });
  checkTables(into, tables, request);
  checkBothMeant(request, { containers, tables, isInPlace: into.isInPlace });
  checkContainers(into, containers, request);
  const { existing } = request;
  const { endpoint } = deps.blobs(account);
  const target = targetOf(request);
  const isSamePlace = isSameService(summary.source, endpoint) && isSameService(source.endpoint, endpoint);
  checkAccess(request, isSamePlace);
  return {
    ...requestedTask(request),
    point: summary.id,
    account,
    // If the request has both containers and tables, they share the word of containers.
    existing: existing === 'replace' && containers.length > 0 ? 'overwrite' : existing,
    original:
      isSamePlace &&
      (containers.length === 0 || (target.container === '{container}' && target.prefix === '')) &&
      (tables.length === 0 || target.table === '{table}'),
  };
}

/** The account to restore to. If it is the vault, its restore points show which of its containers hold content. */
async function placeOf(
  deps: Dependencies,
  { account, source, vault, containers }: { account: string; source: string; vault: string; containers: string[] },
): Promise<TargetPlace> {
  const mayHold = containers.length > 0 && isSameAccount(deps, account, vault);
  const held = mayHold ? await heldPoints(new ControlStore(deps.blobs(vault))) : [];
  const isInPlace = isSameAccount(deps, account, source);
  return { alias: account, account: targetAccount(deps, account, held), isInPlace };
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
  checkTargetAccount(deps, account);
  const table = await tableIn(deps, file);
  checkTables({ alias: account, account: targetAccount(deps, account, []), isInPlace: false }, [table], request);
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
