import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import type { Outcome, PendingCopy, PlannedItem } from '#domain/run/outcome.ts';
import { isArchiving } from '#domain/run/run.ts';
import { archiveContextOf } from '../archive/archive-context.ts';
import { archivePlanned, confirmPlanned } from '../archive/archive-upload.ts';
import { confirmCopy } from '../copying/confirm-copy.ts';
import { copyBlob } from '../copying/copy-blob.ts';
import { type BackupContext, withAccess } from '../copying/copy-context.ts';
import { backupRoute, type Route } from '../copying/route.ts';
import { confirmRestore } from '../restore/confirm-restore.ts';
import { restoreBlob } from '../restore/restore-blob.ts';
import { restoreRoute } from '../restore/restore-route.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { previousPoint } from '../run/previous-point.ts';
import type { RunContext } from '../run/run-context.ts';

/** How the copies of a task are made and confirmed. The mode of its run decides. */
export interface Executor {
  route: Route;
  execute(planned: PlannedItem): Promise<Outcome | PendingCopy>;
  confirm(copy: PendingCopy): Promise<Outcome | PendingCopy>;
}

/** For copies of blobs of at most `largest` bytes. `signal` ends long copies early. */
export async function executorOf(
  context: RunContext,
  task: ContainerTask,
  largest: number,
  signal: AbortSignal,
): Promise<Executor> {
  const { deps } = context;
  const { run } = task;
  if (run.mode === 'restore') {
    const restore = await withAccess(deps, restoreRoute(deps, context, { ...task, run }), largest, signal);
    return {
      route: restore,
      execute: (planned) => restoreBlob(restore, planned),
      confirm: (copy) => confirmRestore(restore, copy),
    };
  }
  const route = await withAccess(deps, backupRoute(context, task, run), largest, signal);
  const backup: BackupContext = { ...route, mayBeKept: failedBefore(context) };
  if (isArchiving(run.mode)) {
    const archive = archiveContextOf(deps, run.job, backup);
    return {
      route: backup,
      execute: (planned) => archivePlanned(archive, planned),
      confirm: (copy) => confirmPlanned(archive, copy),
    };
  }
  return {
    route: backup,
    execute: (planned) => copyBlob(backup, planned),
    confirm: (copy) => confirmCopy(backup, copy),
  };
}

/** Whether the restore point before lacks something of the container. Reads it once, if it is asked for. */
function failedBefore({ control, run, container }: RunContext): () => Promise<boolean> {
  const isFailed = async () => {
    const previous = await previousPoint(control, run.job);
    if (previous === undefined) return false;
    const report = previous.summary?.containers.find((each) => each.container === container);
    return report === undefined || report.counts.failed > 0;
  };
  let answer: Promise<boolean> | undefined;
  return () => {
    answer ??= isFailed();
    return answer;
  };
}

/** Where the copies of a task are written. */
export function routeOf(deps: Dependencies, context: JobContext, task: ContainerTask): Route {
  const { run } = task;
  return run.mode === 'restore' ? restoreRoute(deps, context, { ...task, run }) : backupRoute(context, task, run);
}
