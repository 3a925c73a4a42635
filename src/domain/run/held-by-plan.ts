import { type HeldContent, sumOfHeld } from './held-content.ts';
import type { RunReport } from './run.ts';

/**
 * What the plan of a prune found of its job in the vault. Undefined if it did not list everything: a task failed, a
 * safety brake kept it from some, or an earlier version made a part of the plan.
 */
export function heldByPlan({
  mode,
  dryRun,
  status,
  containers,
  plan,
}: Pick<RunReport, 'mode' | 'dryRun' | 'status' | 'containers' | 'plan'>): HeldContent | undefined {
  if (mode !== 'prune' || !dryRun || status !== 'succeeded' || !plan || plan.braked.length > 0) return undefined;
  return sumOfHeld(containers.map(({ held }) => held));
}
