import type { Dependencies } from '#app/dependencies.ts';
import { kindKey } from '#domain/watch/state.ts';
import { type HeldAt, heldTogether } from './past-runs.ts';
import { type VaultFacts, watchedIn } from './read-vault.ts';

/** What the jobs of a vault hold together; undefined if that of one is not known. One that never ran holds nothing. */
export function heldInVault(
  deps: Dependencies,
  vault: string,
  { state, points, unread }: VaultFacts,
  held: ReadonlyMap<string, HeldAt>,
): HeldAt | undefined {
  const names = watchedIn(deps, vault).flatMap(({ job, rule }) => (rule ? [] : [job.name]));
  const hasRun = (name: string) =>
    points.has(name) || unread.has(name) || state.kinds[kindKey(name, 'backup')] !== undefined;
  return heldTogether(names.filter(hasRun).map((name) => held.get(name)));
}
