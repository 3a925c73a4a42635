import { type Comparison, type Gone, noComparison } from './comparison.ts';
import { type CopiedAgain, withCopiedAgain } from './copied-again.ts';
import { isHeld } from './manifest.ts';
import type { BlobEntry, NoLongerHeld, NoLongerHeldCode, Outcome } from './outcome.ts';
import type { ProblemCode } from './problems.ts';

/** By what entries are compared. */
export interface ComparedBy {
  /** Whether the job still backs up blobs of this name. */
  isSelected(name: string): boolean;
  /** Why the run did nothing with any of them. What a retry takes over of them still says why it is not held. */
  gone?: Gone;
  /** Names that have counted as lost before: what the source has, and no run can copy, is owed like a failure. */
  isLost?: ReadonlySet<string>;
  /** Whether this run writes copies to where those of the entries were. If not, all of its copies are new. */
  isInPlace?: boolean;
  /** The times of the baselines of the safety brake, in milliseconds. */
  baselines: readonly number[];
}

/**
 * Compares some entries of the restore point before with all outcomes of a run that may have their names. The order in
 * which the outcomes come does not matter.
 */
export class EntryComparison {
  readonly #by: ComparedBy;
  readonly #left = new Map<string, BlobEntry>();
  /** Outcomes of the run for entries that it does not hold. */
  readonly #lacking = new Map<string, Outcome>();
  readonly #found: Comparison;
  #copiedAgain: CopiedAgain | undefined;

  constructor(entries: Iterable<BlobEntry>, by: ComparedBy) {
    this.#by = by;
    this.#found = noComparison(by.baselines.length);
    for (const entry of entries) this.#left.set(entry.name, entry);
  }

  /** `isOwn`: this run has written the outcomes, and does not take them over from the run that it retries. */
  see(outcomes: Iterable<Outcome>, isOwn = true): void {
    for (const outcome of outcomes) {
      const entry = this.#left.get(outcome.name);
      if (!entry) continue;
      if (!isHeld(outcome)) {
        this.#lacking.set(outcome.name, outcome);
        continue;
      }
      this.#left.delete(outcome.name);
      if (outcome.etag === entry.etag) {
        if (isOwn && this.#wasLost(entry, outcome)) this.#copiedAgain = withCopiedAgain(this.#copiedAgain, entry.name);
        continue;
      }
      this.#found.changed++;
      this.#lose(entry);
    }
  }

  /** What is no longer held, by name, in the order of the entries; and everything in numbers. */
  finish(): { lines: NoLongerHeld[]; found: Comparison; copiedAgain?: CopiedAgain } {
    const lines = [...this.#left.values()].map((entry): NoLongerHeld => {
      const { code, cause } = this.#fateOf(entry.name);
      this.#found[code === 'not-selected' ? 'notSelected' : code]++;
      if (code === 'deleted' || code === 'skipped') this.#lose(entry);
      const { name, etag, modified, size } = entry;
      return { name, status: 'no-longer-held', etag, modified, size, code, ...(cause && { cause }) };
    });
    return { lines, found: this.#found, ...(this.#copiedAgain && { copiedAgain: this.#copiedAgain }) };
  }

  /**
   * Whether the vault no longer had the copy of an entry. A copy is new only if the service found no blob of its name
   * there, and a run deletes none that a restore point needs; one that should have a record of ours and has none was
   * written by someone else.
   */
  #wasLost({ vaultName }: BlobEntry, outcome: Outcome): boolean {
    if (outcome.status !== 'copied' || !this.#by.isInPlace || outcome.vaultName !== vaultName) return false;
    return outcome.reason === 'new' || outcome.reason === 'untracked';
  }

  #fateOf(name: string): { code: NoLongerHeldCode; cause?: ProblemCode } {
    const { gone, isSelected } = this.#by;
    const outcome = this.#lacking.get(name);
    if (outcome === undefined) return gone ?? { code: isSelected(name) ? 'deleted' : 'not-selected' };
    // Deleted between the listing and the copy.
    if (outcome.code === 'source-vanished') return { code: 'deleted' };
    const code = outcome.status === 'skipped' ? 'skipped' : 'failed';
    return { code, ...(outcome.code && { cause: outcome.code }) };
  }

  #lose({ name, modified }: BlobEntry): void {
    if (this.#by.isLost?.has(name)) return;
    const { lost } = this.#found;
    const time = Date.parse(modified);
    // An entry whose time cannot be read counts as an old one.
    for (const [index, at] of this.#by.baselines.entries()) if (!(time >= at)) lost[index]!++;
    lost[this.#by.baselines.length]!++;
  }
}
