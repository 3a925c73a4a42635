import type { Dependencies } from '#app/dependencies.ts';
import { pingEnd, pingOf } from '#app/ping-check.ts';
import type { Scheduled } from '#domain/run/occurrence.ts';
import { kindKey, type WatchState } from '#domain/watch/state.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { watchedIn } from './read-vault.ts';

/** The end of a run sends its own ping meanwhile. */
const EARLIEST_MS = 2 * 60_000;
/** A check that got nothing for longer has raised its alarm. */
const LATEST_MS = 24 * 3_600_000;

const KINDS: readonly Scheduled[] = ['backup', 'verify', 'prune', 'reconcile'];

/** Sends the ends of runs that their checks have not been sent. One request without a lost one, none without pings. */
export async function sendLostPings(deps: Dependencies, vault: string, state: WatchState): Promise<void> {
  const wanted = watchedIn(deps, vault).flatMap(({ job: { name } }) =>
    KINDS.filter((what) => pingOf(deps, name, what) !== undefined).map((what) => ({ job: name, what })),
  );
  if (wanted.length === 0) return;
  const { sent } = await new WatchStore(deps.blobs(vault)).readPings();
  const now = deps.now().getTime();
  for (const { job, what } of wanted) {
    const key = kindKey(job, what);
    const last = state.kinds[key]?.last;
    const age = last && now - Date.parse(last.finishedAt);
    if (!last || (sent[key] ?? '') >= last.id || age! < EARLIEST_MS || age! > LATEST_MS) continue;
    const summary = await new ControlStore(deps.blobs(vault)).readSummary({ job, id: last.id }).catch((error) => {
      if (isStorageError(error, 'damaged')) return undefined;
      throw error;
    });
    if (summary) await pingEnd(deps, summary);
  }
}
