import { writeOf } from '#domain/restore/restore.ts';
import { kindOfPath, runPrefix } from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RestoreRef, RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

/** How many names memory holds. If more failed, the retry writes the whole table again. */
const MOST_NAMES = 50_000;

/**
 * The names of the entities and segments of a table that failed in the restore that this run retries; undefined if the
 * run is to write all of them. The app may have changed entities that the first run restored, and a retry that replaces
 * entities would lose those changes.
 */
export async function failedInEarlierRun(
  control: ControlStore,
  { job, retryOf, restore }: RestoreRef,
  container: string,
): Promise<Set<string> | undefined> {
  if (writeOf(restore.existing) === 'insert') return undefined;
  for (let id = retryOf; id !== undefined; ) {
    const summary = await control.readSummary({ job, id });
    const report = summary?.containers.find((each) => each.container === container);
    if (summary && report?.status === 'completed-with-failures') {
      return report.counts.failed > MOST_NAMES ? undefined : namesOfFailures(control, summary, container);
    }
    // It did not finish the table. The run that it retried says what failed.
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
