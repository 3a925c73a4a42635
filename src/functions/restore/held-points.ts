import pLimit from 'p-limit';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

const READS_AT_ONCE = 8;

/**
 * All restore points in a vault, of jobs that the configuration has or no longer has. One that cannot be read is not
 * among them: it must not keep an operator from restoring another.
 */
export async function heldPoints(control: ControlStore): Promise<RunSummary[]> {
  const limit = pLimit(READS_AT_ONCE);
  const points: RunSummary[] = [];
  for await (const folder of control.foldersBelow('jobs/')) {
    const job = folder.split('/').at(-2)!;
    const runs = [...(await control.listRuns(job))].filter(([, { restorePoint }]) => restorePoint !== false);
    const read = await Promise.all(runs.map(([id]) => limit(() => readPoint(control, { job, id }))));
    points.push(...read.filter((point) => point !== undefined));
  }
  return points;
}

async function readPoint(control: ControlStore, run: { job: string; id: string }): Promise<RunSummary | undefined> {
  try {
    const summary = await control.readSummary(run);
    return summary && isRestorePoint(summary) ? summary : undefined;
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    return undefined;
  }
}
