import type { Dependencies } from '#app/dependencies.ts';
import { type JobFacts, scheduledKind } from '#domain/watch/facts.ts';
import { type StripDay, type StripFacts, stripOf } from '#domain/watch/strip.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { seenKey, type VaultFacts, type Watched } from './read-vault.ts';
import type { ScheduleTimes } from './schedule-times.ts';

interface Past {
  state: VaultFacts['state'];
  /** The runs of the job. */
  rows: readonly CatalogRow[];
  /** Of `PastRuns`. */
  since: Date | undefined;
  times: ScheduleTimes;
}

/** More than an overview shows: the days of time zones differ. */
const LONGEST_MS = 31 * 24 * 3_600_000;

/** The last days of a job, by its backups in the catalog. */
export function stripOfJob(deps: Dependencies, watched: Watched, { running, pause }: JobFacts, past: Past): StripDay[] {
  const { job } = watched;
  const now = deps.now();
  const { since } = past;
  const expected = expectedOf(watched, past, now);
  return stripOf(
    {
      timeZone: job.timeZone,
      runs: past.rows.filter(({ mode, dryRun }) => scheduledKind(mode) === 'backup' && !dryRun),
      running: new Set(running.map(({ id }) => id)),
      pause,
      ...(since && { runsSince: since }),
      ...(expected && { expected }),
    },
    now,
  );
}

function expectedOf({ job, expectations }: Watched, { state, times }: Past, now: Date): StripFacts['expected'] {
  const { backup } = expectations;
  const seen = backup && state.seen[seenKey(job.name, 'backup', backup)];
  if (!backup || seen === undefined) return undefined;
  const since = new Date(seen);
  // Without a schedule, no time of one is missed.
  if (backup.schedule === undefined) return { since, times: [], next: undefined };
  const from = new Date(Math.max(since.getTime(), now.getTime() - LONGEST_MS));
  const known = times.of(backup.schedule, backup.timeZone, from, now);
  return known && { since, ...known, graceMs: backup.graceMs };
}
