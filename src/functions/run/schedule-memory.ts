import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { Job } from '#config/configuration.ts';
import { type Memory, markOf, NO_RUN, type Occurrence } from '#domain/run/occurrence.ts';
import { leavesOwed } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

type Named = Pick<Occurrence, 'what' | 'schedule'>;

/**
 * What the vault remembers of a schedule; undefined if nothing. If it cannot be read, what the host knows of the timer
 * decides, and the next tick asks again: what is owed stays owed. A start says what is wrong.
 */
export async function memoryOf(deps: Dependencies, job: Job, { what, schedule }: Named): Promise<Memory | undefined> {
  try {
    const { control } = jobContextOf(deps, job.name);
    const lock = (await control.readLock(job.name))?.value;
    const mark = markOf(lock?.served, what, deps.now());
    if (mark?.schedule !== schedule) return undefined;
    return {
      at: new Date(mark.at),
      isSettled: mark.run === NO_RUN || (await hasEndedItself(control, job.name, mark.run)),
    };
  } catch {
    return undefined;
  }
}

/**
 * A schedule that is new or has changed owes nothing for the time before. If this cannot be written, the next tick
 * does.
 */
export async function beginSchedule(deps: Dependencies, job: Job, begin: Omit<Occurrence, 'ticked'>): Promise<void> {
  const { control } = jobContextOf(deps, job.name);
  await control.beginSchedule(job.name, begin, deps.now()).catch(() => {});
}

/** Whether a run has ended, and leaves nothing owed. One in progress may be lost: a start finds out. */
async function hasEndedItself(control: ControlStore, job: string, id: string): Promise<boolean> {
  try {
    const summary = await control.readSummary({ job, id });
    return summary !== undefined && !leavesOwed(summary);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return true;
    throw error;
  }
}
