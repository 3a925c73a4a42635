import type { Change } from './memory-account.ts';

/** The problems of a run that is ended because nothing seems to continue it. */
const ENDED_AS_SILENT = new Set(['run-lost', 'run-stalled']);

/** The signs of life of all runs: no other run may take the lock of one that gives them and continues. */
export class LivingRuns {
  readonly #silentMs: number;
  /** The last sign of each run, and the longest time between two. */
  readonly #signs = new Map<string, { last: number; longest: number }>();
  /** Runs that were ended as lost, although they gave signs of life. */
  readonly #endedAlive = new Set<string>();

  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** Returns whether the change is a sign of life. */
  noteSign({ name }: Change, now: number): boolean {
    const id = /\/runs\/([^/]+)\/signs$/.exec(name)?.[1];
    if (id === undefined) return false;
    const { last, longest } = this.#signs.get(id) ?? { last: now, longest: 0 };
    this.#signs.set(id, { last: now, longest: Math.max(longest, now - last) });
    return true;
  }

  /** Notes a published summary; `continues` says whether an orchestration still works for the run. */
  noteEnd(id: string, problems: readonly { code: string }[], now: number, continues: boolean): void {
    const { last, longest } = this.#signs.get(id) ?? { last: Number.NEGATIVE_INFINITY, longest: 0 };
    const isSilent = Math.max(longest, now - last) > this.#silentMs;
    if (continues && !isSilent && problems.some(({ code }) => ENDED_AS_SILENT.has(code))) this.#endedAlive.add(id);
  }

  /**
   * The run that loses its lock by this change while it gives signs of life. A start that cannot tell whether its own
   * run began ends that run, and leaves the lock free.
   */
  superseded({ name, before, after }: Change): string | undefined {
    if (!name.startsWith('locks/')) return undefined;
    const [from, to] = [before, after].map((blob) => blob && JSON.parse(blob.body.toString()).run?.id);
    return from !== to && to !== undefined && this.#endedAlive.has(from) ? from : undefined;
  }
}
