import { mayOverlap, type NameRange, widened } from '#domain/run/name-range.ts';
import type { BlobEntry, ProvedContent } from '#domain/run/outcome.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { provedBy } from '#domain/verify/proved-content.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { RunContext } from '../run/run-context.ts';

/**
 * What the last deep verification of the job has on record of one container: what it read, and what those before it
 * did. Damaged parts say nothing: their blobs are unproved, which is never taken for sound.
 */
export class EarlierProofs {
  readonly #control: ControlStore;
  readonly #container: string;
  readonly #last: RunSummary | undefined;

  private constructor(control: ControlStore, container: string, last: RunSummary | undefined) {
    this.#control = control;
    this.#container = container;
    this.#last = last;
  }

  static async of({ run, container, control, vault }: RunContext): Promise<EarlierProofs> {
    const records = await new ChainStore(vault).listRecords(run.job);
    const last = records.findLast(({ verify }) => verify === 'deep')?.run;
    const summary = last === undefined ? undefined : await readableSummary(control, { job: run.job, id: last });
    return new EarlierProofs(control, container, summary);
  }

  /** The content on record, by the names of these entries. Reads the parts that may have them, one after another. */
  async find(entries: readonly BlobEntry[]): Promise<Map<string, ProvedContent>> {
    const found = new Map<string, ProvedContent>();
    if (!this.#last || entries.length === 0) return found;
    const { id: run, finishedAt, startedAt } = this.#last;
    const wanted = new Map(entries.map((entry) => [entry.name, entry]));
    const range = entries.reduce<NameRange | undefined>((all, { name }) => widened(all, name), undefined);
    const parts = this.#last.parts.filter(
      ({ container, names }) => container === this.#container && mayOverlap(names, range),
    );
    for (const part of parts) {
      const [lines] = await this.#control.readManifest({ parts: [part], run });
      for (const line of Array.isArray(lines) ? lines : []) {
        const entry = wanted.get(line.name);
        const proved = provedBy(line, { run, at: finishedAt ?? startedAt });
        if (proved && entry?.etag === line.etag && entry.size === line.size) found.set(line.name, proved);
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
    return await control.readSummary(run);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}
