import { kindOfPath } from '../run/control-paths.ts';
import type { Proof } from '../run/restore-point.ts';
import type { RunSummary } from '../run/run.ts';
import { tableOfTask } from '../run/task-name.ts';
import type { VerifyTask } from '../run/tasks.ts';

/** What a verification proves about its restore point; undefined if it did not finish. */
export function proofOf(
  { id, status, startedAt, finishedAt, counts, containers, parts }: RunSummary,
  { kind, portion }: VerifyTask,
): Proof | undefined {
  if (status !== 'succeeded' && status !== 'completed-with-failures') return undefined;
  const lost = containers.filter((each) => each.status === 'failed').length;
  // Parts of slices have what the listings settled, parts of chunks what was read. Tables are read in full.
  const worked = parts.filter(
    ({ path, container }) => kindOfPath(path)?.kind === 'chunk' || tableOfTask(container) !== undefined,
  );
  return {
    run: id,
    at: finishedAt ?? startedAt,
    kind,
    ...(kind === 'deep' && { portion }),
    items: counts.listed,
    read: worked.reduce((sum, { unchanged, failed }) => sum + unchanged + failed, 0),
    failed: counts.failed + lost,
  };
}
