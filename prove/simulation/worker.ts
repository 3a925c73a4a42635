import type { Dependencies } from '../../src/activities/dependencies.ts';
import { cancelRunHandler } from '../../src/functions/cancel-run.ts';
import { getRunHandler } from '../../src/functions/get-run.ts';
import { listOutcomesHandler } from '../../src/functions/list-outcomes.ts';
import { listRunsHandler } from '../../src/functions/list-runs.ts';
import { holdHandler, releaseHandler, unholdHandler } from '../../src/functions/note-restore-point.ts';
import { rebuildCatalogHandler } from '../../src/functions/rebuild-catalog.ts';
import { retryRunHandler } from '../../src/functions/retry-run.ts';
import { startPruneHandler } from '../../src/functions/start-prune.ts';
import { startRestoreHandler } from '../../src/functions/start-restore.ts';
import { startRunHandler } from '../../src/functions/start-run.ts';
import { startVerificationHandler } from '../../src/functions/start-verification.ts';
import type { durableClient } from './durable.ts';
import { type Owner, running } from './scheduler.ts';

export type Activity = (input: unknown) => Promise<unknown>;
export type Handlers = ReturnType<typeof handlersOf>;

/** One process that the app runs in: it executes activities, answers requests, and can die at any moment. */
export class Worker implements Owner {
  readonly name: string;
  alive = true;
  /** What somebody waits for, to be told when it dies. */
  readonly #waiting = new Set<() => void>();
  readonly activities: Record<string, Activity>;
  readonly handlers: Handlers;
  readonly client: ReturnType<typeof durableClient>;

  constructor(name: string, parts: Pick<Worker, 'activities' | 'handlers' | 'client'>) {
    this.name = name;
    this.activities = parts.activities;
    this.handlers = parts.handlers;
    this.client = parts.client;
  }

  /** `died` is called instead if the process ends first. */
  do<T>(work: () => Promise<T>, ended: (outcome: { value: T } | { thrown: unknown }) => void, died: () => void): void {
    this.#waiting.add(died);
    const told = (outcome: { value: T } | { thrown: unknown }) => {
      this.#waiting.delete(died);
      ended(outcome);
    };
    running.run(this, work).then(
      (value) => told({ value }),
      (thrown) => told({ thrown }),
    );
  }

  die(): void {
    this.alive = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const died of waiting) died();
  }
}

/** What the app answers requests with. */
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
    verify: startVerificationHandler(deps),
  };
}
