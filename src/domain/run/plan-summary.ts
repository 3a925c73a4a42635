import { heldByPlan } from './held-by-plan.ts';
import type { HeldContent } from './held-content.ts';
import type { PrunePlan } from './prune-plan.ts';
import type { RunReport } from './run.ts';

/** The plan of a prune in numbers. */
export interface PlanSummary {
  /** Restore points that stay, that the prune marks, and whose content it deletes. */
  keeps: number;
  removes: number;
  empties: number;
  /** Blobs, snapshots, versions and files that it deletes, and their bytes; null while they are not counted. */
  items: number | null;
  bytes: number | null;
  /** From when a prune may delete the content of what this one marks, if it is carried out at the time of the plan. */
  emptiesFrom: string;
  /** What the vault has of the job; null if that is not known, or another run made the plan. */
  held: HeldContent | null;
}

export function planSummary(
  plan: PrunePlan,
  report: Pick<RunReport, 'mode' | 'dryRun' | 'status' | 'counts' | 'bytes' | 'containers'>,
): PlanSummary {
  const { at, decisions, remove, expired, marginMs } = plan;
  const { dryRun, status, counts, bytes } = report;
  const isCounted = status !== 'running';
  const of = ({ planned = 0, removed = 0 }: { planned?: number; removed?: number }) => (dryRun ? planned : removed);
  return {
    keeps: decisions.filter(({ keep }) => keep).length,
    removes: remove.length,
    empties: expired.length,
    items: isCounted ? of(counts) : null,
    bytes: isCounted ? of(bytes) : null,
    emptiesFrom: new Date(Date.parse(at) + marginMs).toISOString(),
    held: heldByPlan({ ...report, plan }) ?? null,
  };
}
