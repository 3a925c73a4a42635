import type { ContainerReport, RunSummary } from '../run/run.ts';
import { ALL_TABLES, tableOfTask } from '../run/task-name.ts';

/** How much a run may change or lose of a container or table before prunes wait for an operator. */
export interface BrakePolicy {
  /** More than this percentage of the blobs or entities that were there before, */
  percent: number;
  /** and at least this many. */
  blobs: number;
}

/**
 * What a run did to one container, or to a table, whose entities count. A container that is gone counts as listed with
 * no blobs.
 */
export interface ContainerChange {
  container: string;
  /** Items that the restore point before listed. */
  before: number;
  listed: number;
  /** Items that the backup container did not have. */
  added: number;
  /** Items copied because the source had another version. */
  changed: number;
}

/**
 * The containers that engage the brake. The counts tell how many blobs are lost, and never too many: a blob that is
 * back after some time, still in the backup container, offsets a lost one.
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

/** The fields of an ended backup that the brake needs. */
export type EndedBackup = Pick<RunSummary, 'mode' | 'restorePoint' | 'containers'>;

/**
 * The change of each container since a restore point last listed it. `earlier` are the backups before this one, newest
 * first. Copies of the backups in between count as well, whether they failed, were cancelled, or completed another
 * backup: the vault already has these copies, so this run found nothing to do. A container that could not be listed
 * this time has no change; one that is gone has lost all its blobs.
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
    // The table may be there: tables could not be listed.
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

/** Whether these earlier backups reach back to the listing of each container of the last restore point. */
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

/** The findings of a retry and of the run that it completes, together. The retry lists only what had failed. */
export function completedBy(first: readonly ContainerReport[], retry: readonly ContainerReport[]): ContainerReport[] {
  const known = byName(first);
  for (const report of retry) {
    const before = known.get(nameOf(report));
    // For a table, a retry lists everything, but reports as changed only what the run before it could not read.
    const isTable = tableOfTask(report.container) !== undefined;
    const listing = before && wasListed(before) ? before : report;
    const isSum = listing === before || isTable;
    const counted = (what: 'added' | 'changed') => (report.counts[what] ?? 0) + (before?.counts[what] ?? 0);
    const counts = { ...listing.counts, ...(isSum && { added: counted('added'), changed: counted('changed') }) };
    known.set(nameOf(report), { ...listing, counts });
  }
  return [...known.values()];
}

/** A retry lists only what had failed, and a run without a restore point may have listed anything. */
function isListing({ mode, restorePoint }: EndedBackup): boolean {
  return restorePoint && (mode === 'full' || mode === 'incremental');
}

/** A key range that could not be read counts as one failure, and its number of entities is unknown. */
function wasListed({ container, status, counts }: ContainerReport): boolean {
  if (tableOfTask(container) !== undefined && counts.failed > 0) return false;
  return status !== 'failed' && status !== 'cancelled';
}

function byName(reports: readonly ContainerReport[]): Map<string, ContainerReport> {
  return new Map(reports.map((report) => [nameOf(report), report]));
}

/** Names of tables are case-insensitive: a job may spell one differently than before. */
function nameOf({ container }: ContainerReport): string {
  return tableOfTask(container) === undefined ? container : container.toLowerCase();
}
