import type { ControlStore } from '#storage/control/control-store.ts';

/**
 * Whether a prune has removed a restore point that is on record and has no summary, or whether an operator has stated
 * that it is lost. A prune of its job may be at it: its plan names what it empties, until its own record does.
 */
export async function isRemovedByPrune(control: ControlStore, point: { job: string; id: string }): Promise<boolean> {
  const holder = (await control.readLock(point.job))?.value.run;
  const plan = holder?.mode === 'prune' ? await control.readPrunePlan(holder) : undefined;
  if (plan?.expired.includes(point.id)) return true;
  return (await control.chain.emptiedPoints(point.job)).has(point.id);
}
