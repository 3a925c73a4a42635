import type { ContainerReport, RunSummary } from '../run/run.ts';
import { ALL_TABLES, tableOfTask } from '../run/task-name.ts';

/** When a run changed or lost so much of a container, or of a table, that pruning must wait until somebody has looked. */
export interface BrakePolicy {
  /** More than so many percent of the blobs or entities there were, */
  percent: number;
  /** and at least so many. */
  blobs: number;
}

/** What a run made of one container, or of a table: then what is counted is its entities. One that is not there any more was listed with no blobs. */
export interface ContainerChange {
  container: string;
  /** Listed by the restore point before. */
  before: number;
  listed: number;
  /** Of these, not in the backup container before. */
  added: number;
  /** Of these, copied because the source had another version. */
  changed: number;
}

/**
 * The containers that engage the brake. How many blobs are lost follows from the counts, and is never more than really
 * are: a blob that was gone for a time and is back, already in the backup container, makes up for one that is lost.
 */
export function brakeOf(
  changes: readonly ContainerChange[],
  policy: BrakePolicy,
): { container: string; changed: number; lost: number; of: number; reason: string }[] {
  return changes.flatMap(({ container, before, listed, added, changed }) => {
    const lost = Math.max(0, before + added - listed);
    const touched = changed + lost;
    if (touched * 100 <= policy.percent * before || touched < policy.blobs) return [];
    return [{ container, changed, lost, of: before, reason: reasonOf(container, changed, lost, before, policy) }];
  });
}

function reasonOf(container: string, changed: number, lost: number, before: number, policy: BrakePolicy): string {
  const what = [...(changed > 0 ? [`${changed} changed`] : []), ...(lost > 0 ? [`${lost} gone`] : [])].join(' and ');
  const table = tableOfTask(container);
  const [where, one, many] =
    table === undefined ? [container, 'blob', 'blobs'] : [`table ${table}`, 'entity', 'entities'];
  if (before === 0) return `${where}: ${what}, where the restore point before had no ${many}`;
  return `${where}: ${what} of ${before} ${before === 1 ? one : many}, more than ${policy.percent}%`;
}

/** A backup that has ended, as far as the brake looks at it. */
export type EndedBackup = Pick<RunSummary, 'mode' | 'restorePoint' | 'containers'>;

/**
 * What has become of each container since a restore point listed it last. `earlier` are the backups before this one, newest first.
 * What those in between have copied counts as well, whether they failed, were cancelled, or completed another: the backup container has it
 * by now, and this run found nothing to do. A container that could not be listed this time says nothing; one that is not there any
 * more has lost all its blobs.
 */
export function changesSince(earlier: readonly EndedBackup[], now: readonly ContainerReport[]): ContainerChange[] {
  const present = byName(now);
  const before = earlier.map((backup) => ({ backup, reports: byName(backup.containers) }));
  const names = new Set(before.flatMap(({ reports }) => [...reports.keys()]));
  return [...names].flatMap((name) => {
    const report = present.get(name);
    const container =
      report?.container ?? before.find(({ reports }) => reports.has(name))!.reports.get(name)!.container;
    if (report && !wasListed(report)) return [];
    // It may be there: tables could not be listed.
    if (!report && tableOfTask(container) !== undefined && present.has(ALL_TABLES)) return [];
    let { added = 0, changed = 0 } = report?.counts ?? {};
    for (const { backup, reports } of before) {
      const known = reports.get(name);
      if (isListing(backup) && (known === undefined || wasListed(known))) {
        const of = known?.counts.listed ?? 0;
        return of === 0 ? [] : [{ container, before: of, listed: report?.counts.listed ?? 0, added, changed }];
      }
      added += known?.counts.added ?? 0;
      changed += known?.counts.changed ?? 0;
    }
    return [];
  });
}

/** Whether these earlier backups go back to where each container of the last restore point was listed. */
export function goesBackEnough(earlier: readonly EndedBackup[]): boolean {
  const listings = earlier.filter(isListing).map(({ containers }) => byName(containers));
  return (
    [...(listings[0]?.keys() ?? [])].every((name) =>
      listings.some((reports) => {
        const known = reports.get(name);
        return known === undefined || wasListed(known);
      }),
    ) && listings.length > 0
  );
}

/** What a retry and the run that it completes have found together: the retry lists only what had failed. */
export function completedBy(first: readonly ContainerReport[], retry: readonly ContainerReport[]): ContainerReport[] {
  const known = byName(first);
  for (const report of retry) {
    const before = known.get(nameOf(report));
    // Of a table a retry tells all that there is, and of what has changed only what the run before it could not read.
    const isTable = tableOfTask(report.container) !== undefined;
    const listing = before && wasListed(before) ? before : report;
    const isSum = listing === before || isTable;
    const counted = (what: 'added' | 'changed') => (report.counts[what] ?? 0) + (before?.counts[what] ?? 0);
    const counts = { ...listing.counts, ...(isSum && { added: counted('added'), changed: counted('changed') }) };
    known.set(nameOf(report), { ...listing, counts });
  }
  return [...known.values()];
}

/** A retry lists only what had failed, and what left no restore point may have listed anything. */
function isListing({ mode, restorePoint }: EndedBackup): boolean {
  return restorePoint && (mode === 'full' || mode === 'incremental');
}

/** A stretch of a table that could not be read counts as one failure, and holds nobody knows how many entities. */
function wasListed({ container, status, counts }: ContainerReport): boolean {
  if (tableOfTask(container) !== undefined && counts.failed > 0) return false;
  return status !== 'failed' && status !== 'cancelled';
}

function byName(reports: readonly ContainerReport[]): Map<string, ContainerReport> {
  return new Map(reports.map((report) => [nameOf(report), report]));
}

/** The service takes letters of either case for the same in names of tables: a job may name one in another way than before. */
function nameOf({ container }: ContainerReport): string {
  return tableOfTask(container) === undefined ? container : container.toLowerCase();
}
