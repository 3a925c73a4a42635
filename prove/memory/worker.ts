import type { Dependencies } from '#app/dependencies.ts';
import { startPruneHandler } from '#functions/prune/start-prune.ts';
import { rebuildCatalogHandler } from '#functions/rebuild-catalog.ts';
import { startRestoreHandler } from '#functions/restore/start-restore.ts';
import {
  holdHandler,
  releaseHandler,
  unholdHandler,
  unmarkHandler,
} from '#functions/restore-points/note-restore-point.ts';
import { cancelRunHandler } from '#functions/run/cancel-run.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { listOutcomesHandler } from '#functions/run/list-outcomes.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { retryRunHandler } from '#functions/run/retry-run.ts';
import { startRunHandler } from '#functions/run/start-run.ts';
import { startVerificationHandler } from '#functions/verify/start-verification.ts';
import type { durableClient } from './durable.ts';
import { type Owner, running } from './scheduler.ts';

export type Activity = (input: unknown) => Promise<unknown>;
export type Handlers = ReturnType<typeof handlersOf>;

/** One process of the app: it executes activities, answers requests, and can die at any moment. */
export class Worker implements Owner {
  readonly name: string;
  alive = true;
  /** Once it has died: whether the host reports its activities as failed. */
  endsActivities = false;
  /** The callbacks to call if the process dies first. */
  readonly #waiting = new Set<() => void>();
  readonly activities: Record<string, Activity>;
  readonly handlers: Handlers;
  readonly client: ReturnType<typeof durableClient>;
  /** The client of another host, which knows other orchestrations. */
  readonly elsewhere: ReturnType<typeof durableClient>;
  readonly deps: Dependencies;

  constructor(name: string, parts: Pick<Worker, 'activities' | 'handlers' | 'client' | 'elsewhere' | 'deps'>) {
    this.name = name;
    this.activities = parts.activities;
    this.handlers = parts.handlers;
    this.client = parts.client;
    this.elsewhere = parts.elsewhere;
    this.deps = parts.deps;
  }

  /** Calls `died` instead of `ended` if the process dies first. */
  do<T>(work: () => Promise<T>, ended: (outcome: { value: T } | { thrown: unknown }) => void, died: () => void): void {
    this.#waiting.add(died);
    const settle = (outcome: { value: T } | { thrown: unknown }) => {
      this.#waiting.delete(died);
      ended(outcome);
    };
    running.run(this, work).then(
      (value) => settle({ value }),
      (thrown) => settle({ thrown }),
    );
  }

  die(): void {
    this.alive = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const died of waiting) died();
  }
}

/** The handlers with which the app answers requests. */
export function handlersOf(deps: Dependencies) {
  return {
    start: startRunHandler(deps),
    get: getRunHandler(deps),
    list: listRunsHandler(deps),
    outcomes: listOutcomesHandler(deps),
    cancel: cancelRunHandler(deps),
    retry: retryRunHandler(deps),
    rebuild: rebuildCatalogHandler(deps),
    restore: startRestoreHandler(deps),
    prune: startPruneHandler(deps),
    hold: holdHandler(deps),
    unhold: unholdHandler(deps),
    release: releaseHandler(deps),
    unmark: unmarkHandler(deps),
    verify: startVerificationHandler(deps),
  };
}
