import type { Job } from '#config/configuration.ts';
import type { Activity } from '../memory/worker.ts';

/** A job with another selection of the same blobs: no blob has a name that only setup 1 excludes. */
export function withSetup(job: Job, setup: number): Job {
  if (setup === 0) return job;
  return { ...job, source: { ...job.source, exclude: [...job.source.exclude, 'never/**/never'] } };
}

/** Knows in which setups the activities of each run did their work, and which runs a change of it has stopped. */
export class MixedSetups {
  readonly #setups = new Map<string, Set<number>>();
  readonly #stopped = new Set<string>();

  observed(setup: number, activities: Record<string, Activity>): Record<string, Activity> {
    return Object.fromEntries(
      Object.entries(activities).map(([name, activity]) => [
        name,
        (input) => this.#noted(setup, name, activity, input),
      ]),
    );
  }

  has(run: string): boolean {
    return (this.#setups.get(run)?.size ?? 0) > 1;
  }

  hasStopped(run: string): boolean {
    return this.#stopped.has(run);
  }

  async #noted(setup: number, name: string, activity: Activity, input: unknown): Promise<unknown> {
    const result = await activity(input);
    const { run } = input as { run?: { id: string } };
    if (run === undefined || name === 'publishRun' || name === 'beginNext') return result;
    if ((result as { stopped?: string }).stopped === 'changed') this.#stopped.add(run.id);
    else this.#setups.set(run.id, (this.#setups.get(run.id) ?? new Set()).add(setup));
    return result;
  }
}
