import { mayOverlap, type NameRange, widened } from '#domain/run/name-range.ts';
import type { BlobEntry, ProvedContent } from '#domain/run/outcome.ts';
import type { RunSummary, VerifyRef } from '#domain/run/run.ts';
import { earlierVerifications } from '#domain/verify/earlier-verifications.ts';
import { provedBy } from '#domain/verify/proved-content.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { RunContext } from '../run/run-context.ts';

/**
 * What earlier deep verifications of the job have on record of one container: what they read, and what those before
 * them did. Damaged parts say nothing: their blobs are unproved, which is never taken for sound.
 */
export class EarlierProofs {
  readonly #control: ControlStore;
  readonly #container: string;
  /** Verifications from the oldest to the newest. */
  readonly #earlier: RunSummary[];

  private constructor(control: ControlStore, container: string, earlier: RunSummary[]) {
    this.#control = control;
    this.#container = container;
    this.#earlier = earlier;
  }

  /**
   * Of the last verification, the last one of this restore point, and the last one of the newest restore point: each
   * has only versions of its own restore point. Mostly they are one or two.
   */
  static async of({ run, container, control, vault }: RunContext<VerifyRef>): Promise<EarlierProofs> {
    const records = await new ChainStore(vault).listRecords(run.job);
    const summaries = new Map<string, Promise<RunSummary | undefined>>();
    const summaryOf = (id: string) => {
      const known = summaries.get(id) ?? readableSummary(control, { job: run.job, id });
      summaries.set(id, known);
      return known;
    };
    const chosen = new Map<string, RunSummary>();
    for (const ids of earlierVerifications(records, run.verify.point)) {
      for (const id of ids) {
        const summary = await summaryOf(id);
        if (!summary?.parts.some((part) => part.container === container)) continue;
        chosen.set(summary.id, summary);
        break;
      }
    }
    const order = records.map(({ run: id }) => id);
    const earlier = [...chosen.values()].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    return new EarlierProofs(control, container, earlier);
  }

  /** The content on record, by the names of these entries. Reads the parts that may have them, one after another. */
  async find(entries: readonly BlobEntry[]): Promise<Map<string, ProvedContent>> {
    const found = new Map<string, ProvedContent>();
    if (entries.length === 0) return found;
    const wanted = new Map(entries.map((entry) => [entry.name, entry]));
    const range = entries.reduce<NameRange | undefined>((all, { name }) => widened(all, name), undefined);
    for (const { id: run, finishedAt, startedAt, parts } of this.#earlier) {
      const own = parts.filter(({ container, names }) => container === this.#container && mayOverlap(names, range));
      for (const part of own) {
        const [lines] = await this.#control.readManifest({ parts: [part], run });
        for (const line of Array.isArray(lines) ? lines : []) {
          const entry = wanted.get(line.name);
          const proved = provedBy(line, { run, at: finishedAt ?? startedAt });
          if (proved && entry?.etag === line.etag && entry.size === line.size) found.set(line.name, proved);
        }
      }
    }
    return found;
  }
}

async function readableSummary(
  control: ControlStore,
  run: { job: string; id: string },
): Promise<RunSummary | undefined> {
  try {
    return await control.readRecordedSummary(run);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}
