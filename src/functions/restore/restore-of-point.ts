import type { RestoreRequest } from '#api/restore-request.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isSameAccount, targetAccount } from '#app/target-account.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { isSameService } from '#domain/service-identity.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { type ChosenPoint, choosePoint } from '../restore-points/choose-restore-point.ts';
import { jobOfStored } from '../run/configured-job.ts';
import { heldPoints } from './held-points.ts';
import {
  checkAccess,
  checkBothMeant,
  checkContainers,
  checkMatch,
  checkTables,
  checkTargetAccount,
  type TargetPlace,
} from './restore-checks.ts';
import { requestedTask, targetOf } from './restore-task.ts';

export interface Restore {
  job: string;
  restore: RestoreTask;
}

/** What a request restores of a restore point. Throws HttpError if it may not, or if there is none. */
export async function restoreOfPoint(
  deps: Dependencies,
  request: RestoreRequest,
): Promise<Restore & { point: ChosenPoint }> {
  const point = await choosePoint(deps, request);
  const job = jobOfStored(deps, point.summary.job).name;
  return { job, restore: await taskOf(deps, point, request), point };
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
