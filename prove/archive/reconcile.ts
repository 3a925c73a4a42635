import { archiveContextOf } from '#activities/archive/archive-context.ts';
import { archivePlanned, confirmPlanned } from '#activities/archive/archive-upload.ts';
import { findUnarchived } from '#activities/archive/find-unarchived.ts';
import { tidyArchive } from '#activities/archive/tidy-archive.ts';
import { withAccess } from '#activities/copying/copy-context.ts';
import { backupRoute } from '#activities/copying/route.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { lockPath, partPath } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import { isPending, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { MemoryAccount } from '../memory/memory-account.ts';
import { ARCHIVE, CONTROL, RULE, SOURCE } from './stage.ts';

/** How often a pending copy is checked. */
const CHECKS = 10;

/** Gives the lock of the rule to a run. */
export function lockFor(vault: MemoryAccount, id: string, now: number): RunRef {
  const startedAt = new Date(now).toISOString();
  const about = { id, job: RULE, mode: 'reconcile', trigger: 'timer', dryRun: false, startedAt } as const;
  const lock = acquire(undefined, about, new Date(now));
  vault.write(CONTROL, { name: lockPath(RULE), body: Buffer.from(JSON.stringify(lock)) }, 'PutBlob');
  return lock.run;
}

/**
 * A reconciliation without an orchestration: finds uploads that are not archived, archives them, tidies. Calls `waited`
 * before it checks pending copies again.
 */
export async function reconcile(
  deps: Dependencies,
  run: RunRef,
  waited: () => void | Promise<void>,
): Promise<Outcome[]> {
  const context = jobContextOf(deps, RULE);
  const { control } = context;
  const task = { run, container: SOURCE, destination: ARCHIVE };
  const found = await findUnarchived(deps, { ...task, slice: 0 });
  if (found.problem || found.stopped || found.next) throw new Error(`Not listed: ${JSON.stringify(found)}`);
  const outcomes: Outcome[] = [];
  for (const chunk of found.chunks ?? []) {
    const plan = await control.readPart<PlannedItem, object>(partPath(run, 'plan', SOURCE, chunk.key));
    const route = backupRoute(context, task, run);
    const place = archiveContextOf(deps, RULE, await withAccess(deps, route, 2 ** 40, new AbortController().signal));
    for (const planned of plan.items) {
      let result: Outcome | PendingCopy = await archivePlanned(place, planned);
      for (let check = 0; isPending(result) && check < CHECKS; check++) {
        await waited();
        result = await confirmPlanned(place, result);
      }
      if (!isPending(result)) outcomes.push(result);
    }
  }
  const tidied = await tidyArchive(deps, { run });
  if (tidied.problem || tidied.stopped) throw new Error(`Not tidied: ${JSON.stringify(tidied)}`);
  return outcomes;
}
