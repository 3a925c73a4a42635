import { writeOf } from '#domain/restore/restore.ts';
import { kindOfPath, runPrefix } from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RestoreRef, RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

/** Names that are kept in mind; where more has failed, the table is written as a whole once more. */
const MOST = 50_000;

/**
 * Of a restore that is tried again: the names of what failed in this table, entities or segments; undefined where all of it is to be
 * written. What the first run has brought back may have been written to since, and where entities are replaced that would be lost.
 */
export async function failedBefore(
  control: ControlStore,
  { job, retryOf, restore }: RestoreRef,
  container: string,
): Promise<Set<string> | undefined> {
  if (writeOf(restore.existing) === 'insert') return undefined;
  for (let id = retryOf; id !== undefined; ) {
    const summary = await control.readSummary({ job, id });
    const report = summary?.containers.find((each) => each.container === container);
    if (summary && report?.status === 'completed-with-failures') {
      return report.counts.failed > MOST ? undefined : namesOfFailures(control, summary, container);
    }
    // It did not come to its end: what it was to try again counts.
    id = summary?.retryOf;
  }
  return undefined;
}

async function namesOfFailures(control: ControlStore, summary: RunSummary, container: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (const part of summary.parts) {
    const { path, sha256, failed } = part;
    const isOwn = path.startsWith(runPrefix(summary)) && part.container === container;
    if (!isOwn || failed === 0 || kindOfPath(path)?.kind !== 'chunk') continue;
    for (const { name, status } of (await control.readPart<Outcome, object>(path, sha256)).items) {
      if (status === 'failed') names.add(name);
    }
  }
  return names;
}
