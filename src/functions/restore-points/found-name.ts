import type { Outcome } from '#domain/run/outcome.ts';
import type { RunSummary } from '#domain/run/run.ts';

/** A blob, and the restore point that holds it. */
export interface Found {
  container: string;
  name: string;
  size: number;
  modified: string;
  restorePoint: { id: string; time: string };
}

export function foundIn(
  { id, startedAt }: Pick<RunSummary, 'id' | 'startedAt'>,
  container: string,
  { name, size, modified }: Outcome,
): Found {
  return { container, name, size, modified, restorePoint: { id, time: startedAt } };
}
