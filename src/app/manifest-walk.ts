import pLimit from 'p-limit';
import type { BlobState, BlobType } from '#domain/blobs/blob.ts';
import { ListingCursor, type ListingPage, type ReadPage } from '#domain/blobs/listing-cursor.ts';
import { NameOrder } from '#domain/blobs/name-order.ts';
import { besidePrefix, vaultNameOf } from '#domain/copying/vault-name.ts';
import { locate, missingOrOther } from '#domain/restore/locate.ts';
import { inListedOrder, isHeld, type ManifestPage, type ManifestPosition } from '#domain/run/manifest.ts';
import type { BlobEntry, Held, Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { PartEntry } from '#domain/run/run.ts';
import type { BlobAccount, ListBlobsOptions } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** Where in the vault the content of a restore point is. */
export interface ContentLocation {
  account: BlobAccount;
  container: string;
  /** The prefix of names. */
  prefix: string;
}

/** The listings that are walked in parallel with a manifest. */
export interface WalkBeside {
  /**
   * Lists the backup container with all snapshots and versions, or what it keeps beside of one type; throws
   * `container-not-found` if it does not exist.
   */
  readBackup(beside: BlobType | undefined): ReadPage;
  /** Everything in the backup container under one name. */
  listNamed(name: string): Promise<BlobState[]>;
  /** The prefix of names in the backup container. */
  backupPrefix: string;
  /** In a restore: the listing of the target, and the prefix of names there. */
  target?: { read: ReadPage; prefix: string };
  /** Instead: finds one blob of the target, by its name in the restore point. */
  findTarget?(name: string): Promise<BlobState | undefined>;
  /** Which blobs of the restore point to find; without it, all. */
  isWanted?(name: string): boolean;
}

export interface FoundEntry {
  entry: Held;
  /** The blob that holds its content, or why none does. */
  content: BlobState | ProblemCode;
  /** Everything in the backup container under its name. */
  named: BlobState[];
  /** The blob of its name in the target. */
  target: BlobState | undefined;
}

export interface WalkedPage {
  /** The blobs of the restore point, in the order of the listing. */
  found: FoundEntry[];
  /** One outcome for each part that cannot be read: what it held cannot be named any more. */
  damaged: Outcome[];
}

/** How many names are listed on their own at the same time. */
const LISTED_AT_ONCE = 16;

/**
 * Walks the manifest of one container, page by page, in parallel with the listing of the backup container and, in a
 * restore, of the target. It sends no request per blob, unless the listing does not show a blob where it should be: a
 * listing that is sorted differently, or cut between a blob and its snapshots, may show it elsewhere. So the walk lists
 * that one name before it reports the content as missing. Memory holds one page of each.
 */
export class ManifestWalk {
  readonly #control: ControlStore;
  readonly #pages: ManifestPage[];
  readonly #beside: WalkBeside;
  readonly #order = new NameOrder();
  #page: number;
  #run: string | undefined;
  #backup: ListingCursor;
  /** What is kept beside: rare, and listed only if an entry names it. */
  readonly #besides = new Map<BlobType, ListingCursor>();
  #target: ListingCursor | undefined;
  #last: string | undefined;
  #isBackupMissing = false;

  constructor(control: ControlStore, pages: ManifestPage[], beside: WalkBeside, from: ManifestPosition = { page: 0 }) {
    this.#control = control;
    this.#pages = pages;
    this.#beside = beside;
    this.#page = from.page;
    this.#run = pages[from.page]?.run;
    this.#backup = this.#backupFrom(from.vault);
    this.#target = this.#targetFrom(from.target);
  }

  /** Where the walk continues after the pages so far; undefined when there are no more. */
  get position(): ManifestPosition | undefined {
    const next = this.#pages[this.#page];
    if (next === undefined) return undefined;
    // Each retry walks the names again from the first.
    if (next.run !== this.#pages[0]!.run) return { page: this.#page };
    return { page: this.#page, vault: this.#backup.marker, ...(this.#target && { target: this.#target.marker }) };
  }

  async nextPage(): Promise<WalkedPage> {
    const page = this.#pages[this.#page++]!;
    const read = await this.#control.readManifest(page);
    const items = read.filter((part) => Array.isArray(part));
    const entries = inListedOrder(items, this.#order, page.run === this.#pages[0]!.run);
    const [first] = entries;
    // The parts of a retry repeat the names, and not always in one pass.
    const goesBack = this.#last !== undefined && first && this.#order.compare(first.name, this.#last) < 0;
    if (page.run !== this.#run || goesBack) {
      this.#run = page.run;
      this.#backup = this.#backupFrom(undefined);
      this.#besides.clear();
      this.#target = this.#targetFrom(undefined);
    }
    this.#last = entries.at(-1)?.name ?? this.#last;
    const { isWanted = () => true } = this.#beside;
    return {
      found: await this.#find(entries.filter(isHeld).filter(({ name }) => isWanted(name))),
      damaged: read.flatMap((part, index) =>
        Array.isArray(part) ? [] : damagedPart(page.parts[index]!, part.message),
      ),
    };
  }

  async #find(entries: Held[]): Promise<FoundEntry[]> {
    const { target: targetListing, findTarget } = this.#beside;
    const found: (Omit<FoundEntry, 'content'> & { content: BlobState | undefined })[] = [];
    for (const entry of entries) {
      const named = await this.#listingOf(entry).takeAll(this.#nameOf(entry));
      const inTarget = targetListing && (await this.#target!.takeAll(targetListing.prefix + entry.name));
      const target = inTarget?.find(({ snapshotOrVersion }) => !snapshotOrVersion);
      found.push({ entry, content: locate(entry, named), named, target });
    }
    const limit = pLimit(LISTED_AT_ONCE);
    return Promise.all(
      found.map(async ({ content, ...each }) => ({
        ...each,
        ...(content === undefined ? await limit(() => this.#listNamed(each.entry)) : { content }),
        ...(findTarget && { target: await limit(() => findTarget(each.entry.name)) }),
      })),
    );
  }

  async #listNamed(entry: Outcome): Promise<Pick<FoundEntry, 'content' | 'named'>> {
    const named = this.#isBackupMissing ? [] : await this.#beside.listNamed(this.#nameOf(entry));
    return { content: locate(entry, named) ?? missingOrOther(entry, named), named };
  }

  #nameOf(entry: BlobEntry): string {
    return this.#beside.backupPrefix + vaultNameOf(entry);
  }

  #listingOf(entry: BlobEntry): ListingCursor {
    if (entry.vaultName === undefined) return this.#backup;
    const type: BlobType = entry.type ?? 'block';
    const beside = this.#besides.get(type) ?? this.#backupFrom(undefined, type);
    this.#besides.set(type, beside);
    return beside;
  }

  #backupFrom(marker: string | undefined, beside?: BlobType): ListingCursor {
    const readPage = this.#beside.readBackup(beside);
    const read = async (from: string | undefined): Promise<ListingPage> => {
      try {
        return await readPage(from);
      } catch (error) {
        if (!isStorageError(error, 'container-not-found')) throw error;
        this.#isBackupMissing = true;
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

/** The outcome for a part of a restore point that cannot be read. */
export function damagedPart({ path, copied, unchanged }: PartEntry, why: string): Outcome {
  const message = `${why}; ${copied + unchanged} blobs of the restore point cannot be named`;
  return { name: path, status: 'failed', etag: '', modified: '', size: 0, code: 'damaged', message };
}

/** Lists backup blobs with everything that holds their content: all whose names start with this, or those beside. */
export function backupPages(account: BlobAccount, container: string, prefix: string, startsWith = '') {
  return (beside: BlobType | undefined): ReadPage => {
    const reserved = beside === undefined ? '' : besidePrefix(beside);
    return contentPages(account, container, { prefix: prefix + reserved + startsWith, snapshotsAndVersions: true });
  };
}

/** Lists a container with everything that a restore has to know of a blob. */
export function contentPages(account: BlobAccount, container: string, options: ListBlobsOptions): ReadPage {
  const asked = { metadata: true, contentHeaders: true, copy: true, ...options };
  return (marker) => account.listBlobs(container, { ...asked, ...(marker !== undefined && { marker }) });
}
