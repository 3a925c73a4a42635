import pLimit from 'p-limit';
import type { BlobState } from '#domain/blobs/blob.ts';
import { ListingCursor, type ListingPage, type ReadPage } from '#domain/blobs/listing-cursor.ts';
import { NameOrder } from '#domain/blobs/name-order.ts';
import { hasOtherHash, locate } from '#domain/restore/locate.ts';
import { inListedOrder, isHeld, type ManifestPage, type ManifestPosition } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { PartEntry } from '#domain/run/run.ts';
import type { BlobAccount, ListBlobsOptions } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { missingOrOther } from './held-content.ts';

/** Where the content of a restore point lies in the vault. */
export interface ContentPlace {
  account: BlobAccount;
  container: string;
  /** Put before a blob's own name. */
  prefix: string;
}

/** What a manifest is walked beside. */
export interface WalkBeside {
  /** The mirror, with everything that is kept there; throws `container-not-found` where there is none. */
  readMirror: ReadPage;
  /** Everything in the mirror under one name. */
  lookUp(name: string): Promise<BlobState[]>;
  /** Put before an entry's name in the mirror. */
  mirrorPrefix: string;
  /** Of a restore, the target, and what is put before names there. */
  target?: { read: ReadPage; prefix: string };
  /** Which blobs of the restore point are wanted; all of them when not said. */
  isWanted?(name: string): boolean;
}

export interface FoundEntry {
  entry: Outcome;
  /** What holds its content, or why nothing does. */
  content: BlobState | ProblemCode;
  /** What the target has under its name. */
  there: BlobState | undefined;
}

export interface WalkedPage {
  /** The blobs of the restore point, in the order of the listing. */
  found: FoundEntry[];
  /** In place of each part that cannot be read: what it held cannot be named any more. */
  damaged: Outcome[];
}

/** Names that are looked up singly at the same time. */
const LOOKS_AT_ONCE = 16;

/**
 * Walks the manifest of one container, page by page, beside the listing of its mirror, and of the target of a restore. No request
 * per blob, unless the listing does not show one where it should be: listings that are sorted differently, or cut between a blob
 * and its snapshots, may show it elsewhere, so nothing is called missing before it has been looked up. Memory holds one page of
 * each.
 */
export class ManifestWalk {
  readonly #control: ControlStore;
  readonly #pages: ManifestPage[];
  readonly #beside: WalkBeside;
  readonly #order = new NameOrder();
  #page: number;
  #run: string | undefined;
  #mirror: ListingCursor;
  #target: ListingCursor | undefined;
  #last: string | undefined;
  #isMirrorGone = false;

  constructor(control: ControlStore, pages: ManifestPage[], beside: WalkBeside, from: ManifestPosition = { page: 0 }) {
    this.#control = control;
    this.#pages = pages;
    this.#beside = beside;
    this.#page = from.page;
    this.#run = pages[from.page]?.run;
    this.#mirror = this.#mirrorFrom(from.vault);
    this.#target = this.#targetFrom(from.target);
  }

  /** Where to go on once the pages so far have been dealt with; undefined when there are no more. */
  get position(): ManifestPosition | undefined {
    const next = this.#pages[this.#page];
    if (next === undefined) return undefined;
    // The passes of retries begin at the first name again.
    if (next.run !== this.#pages[0]!.run) return { page: this.#page };
    return { page: this.#page, vault: this.#mirror.marker, ...(this.#target && { target: this.#target.marker }) };
  }

  async nextPage(): Promise<WalkedPage> {
    const page = this.#pages[this.#page++]!;
    const read = await this.#control.readManifest(page);
    const items = read.filter((part) => Array.isArray(part));
    const entries = inListedOrder(items, this.#order, page.run === this.#pages[0]!.run);
    const [first] = entries;
    // A retry's parts go over the names once more, and not always in one stretch.
    const goesBack = this.#last !== undefined && first && this.#order.compare(first.name, this.#last) < 0;
    if (page.run !== this.#run || goesBack) {
      this.#run = page.run;
      this.#mirror = this.#mirrorFrom(undefined);
      this.#target = this.#targetFrom(undefined);
    }
    this.#last = entries.at(-1)?.name ?? this.#last;
    const { isWanted = () => true } = this.#beside;
    return {
      found: await this.#find(entries.filter((entry) => isHeld(entry) && isWanted(entry.name))),
      damaged: read.flatMap((part, index) =>
        Array.isArray(part) ? [] : damagedPart(page.parts[index]!, part.message),
      ),
    };
  }

  async #find(entries: Outcome[]): Promise<FoundEntry[]> {
    const { mirrorPrefix, target } = this.#beside;
    const found: { entry: Outcome; content: BlobState | ProblemCode | undefined; there: BlobState | undefined }[] = [];
    for (const entry of entries) {
      const content = located(entry, await this.#mirror.takeAll(mirrorPrefix + entry.name));
      const there =
        target &&
        (await this.#target!.takeAll(target.prefix + entry.name)).find(({ snapshotOrVersion: kept }) => !kept);
      found.push({ entry, content, there });
    }
    const limit = pLimit(LOOKS_AT_ONCE);
    return Promise.all(
      found.map(async ({ entry, content, there }) => ({
        entry,
        content: content ?? (await limit(() => this.#lookUp(entry))),
        there,
      })),
    );
  }

  async #lookUp(entry: Outcome): Promise<BlobState | ProblemCode> {
    const named = this.#isMirrorGone ? [] : await this.#beside.lookUp(this.#beside.mirrorPrefix + entry.name);
    return located(entry, named) ?? missingOrOther(entry, named);
  }

  #mirrorFrom(marker: string | undefined): ListingCursor {
    const read = async (from: string | undefined): Promise<ListingPage> => {
      try {
        return await this.#beside.readMirror(from);
      } catch (error) {
        if (!isStorageError(error, 'container-not-found')) throw error;
        this.#isMirrorGone = true;
        return { blobs: [] };
      }
    };
    return new ListingCursor(read, marker, this.#order);
  }

  #targetFrom(marker: string | undefined): ListingCursor | undefined {
    const { target } = this.#beside;
    return target && new ListingCursor(target.read, marker, this.#order);
  }
}

function located(entry: Outcome, found: readonly BlobState[]): BlobState | ProblemCode | undefined {
  const holder = locate(entry, found);
  return holder && hasOtherHash(entry, holder) ? 'content-mismatch' : holder;
}

/** The outcome that stands for a part of a restore point that cannot be read. */
export function damagedPart({ path, copied, unchanged }: PartEntry, why: string): Outcome {
  const message = `${why}; ${copied + unchanged} blobs of the restore point cannot be named`;
  return { name: path, status: 'failed', etag: '', modified: '', size: 0, code: 'damaged', message };
}

/** Reads a container's listing with all that a restore has to know of a blob. */
export function contentPages(account: BlobAccount, container: string, options: ListBlobsOptions): ReadPage {
  const asked = { metadata: true, contentHeaders: true, copy: true, ...options };
  return (marker) => account.listBlobs(container, { ...asked, ...(marker !== undefined && { marker }) });
}
