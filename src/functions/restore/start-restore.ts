import { OPERATIONS } from '#api/operations.ts';
import type { RestoreRequest } from '#api/restore-request.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { targetAccount } from '#app/target-account.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import type { NamedFile } from '#domain/run/tasks.ts';
import { readNamedEntityFile } from '#storage/control/named-entity-file.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering } from '../http/answering.ts';
import { HttpError, invalid } from '../http/http-error.ts';
import { configuredJob } from '../run/configured-job.ts';
import { answerStart } from '../run/start-run.ts';
import { checkAccount, checkTables, checkTargetAccount } from './restore-checks.ts';
import { type Restore, restoreOfPoint } from './restore-of-point.ts';
import { requestedTask } from './restore-task.ts';

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
