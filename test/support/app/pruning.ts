import type { HeldContent } from '#domain/run/held-content.ts';
import type { RunReport } from '#domain/run/run.ts';
import type { Strongroom } from './strongroom.ts';

/** A prune plan, as its report shows it. */
export interface PrunePlan extends Omit<RunReport, 'plan'> {
  plan: { hash: string; remove: string[]; expired: string[]; summary: { held: HeldContent | null } };
}

export async function planPrune(app: Strongroom): Promise<PrunePlan> {
  return (await app.ended(await app.begin('/api/prunes'))) as unknown as PrunePlan;
}

/** Requests the execution of a plan. */
export const askForPrune = (app: Strongroom, { id, plan }: PrunePlan, hash = plan.hash) =>
  app.call('POST', '/api/prunes', { plan: id, hash });

export async function executePrune(app: Strongroom, { id, plan }: PrunePlan): Promise<RunReport> {
  return app.ended(await app.begin('/api/prunes', { plan: id, hash: plan.hash }));
}

/** Ids of all restore points, newest first. */
export async function restorePoints(app: Strongroom): Promise<string[]> {
  const { body } = await app.call('GET', '/api/restore-points');
  return (body.restorePoints as unknown as { id: string }[]).map(({ id }) => id);
}
