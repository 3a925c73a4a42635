import { type BlobSpec, bytesOf, sha256Of } from './blob.ts';

/** A state of a blob as it was written. Tags and tier may change within a version; any other change makes a new one. */
export interface Version extends BlobSpec {
  number: number;
  sha256: string;
}

export interface Entry {
  container: string;
  name: string;
  /** The present state in the source; absent once the blob is deleted. */
  current?: Version;
  /** The versions that backups copied, oldest first: the last must be the backup blob, the others its snapshots. */
  backedUp: Version[];
}

export interface ExpectedCounts {
  listed: number;
  copied: number;
  unchanged: number;
  skipped: number;
  failed: number;
}

/** The demo's own record of what it wrote, and of what each backup must hold. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  #version = 0;

  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  entry(container: string, name: string): Entry | undefined {
    return this.#entries.get(`${container}/${name}`);
  }

  /** Records a new version of a blob: its content, headers or metadata. */
  wrote(spec: BlobSpec): void {
    const { container, name } = spec;
    const key = `${container}/${name}`;
    const entry = this.#entries.get(key) ?? { container, name, backedUp: [] };
    entry.current = { ...spec, number: ++this.#version, sha256: sha256Of(bytesOf(spec)) };
    this.#entries.set(key, entry);
  }

  /** Records new tags or a new tier. */
  retagged(spec: BlobSpec): void {
    const entry = this.entry(spec.container, spec.name)!;
    entry.current = { ...entry.current!, ...spec };
  }

  deleted(container: string, name: string): void {
    delete this.entry(container, name)!.current;
  }

  /** Records that a container was lost and restored: whatever was not backed up is gone. */
  containerRestored(container: string): void {
    for (const entry of this.entries) {
      if (entry.container !== container || !entry.current) continue;
      if (entry.backedUp.at(-1)?.number !== entry.current.number) delete entry.current;
    }
  }

  /** The versions of a container that a backup last copied: those that a restore must write. */
  lastBackedUp(container: string): Version[] {
    return this.entries.flatMap((entry) => {
      const last = entry.backedUp.at(-1);
      return entry.container === container && entry.current && last ? [{ ...last, ...tagsAndTier(entry.current) }] : [];
    });
  }

  /** The counts of a run over these blobs that starts now. */
  expect(isSelected: (entry: Entry) => boolean, mode: 'full' | 'incremental'): ExpectedCounts {
    const counts = { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 };
    for (const entry of this.entries) {
      if (!entry.current || !isSelected(entry)) continue;
      counts.listed++;
      counts[whatBecomesOf(entry, entry.current, mode)]++;
    }
    return counts;
  }

  /** Records a finished backup of these blobs. */
  backedUp(isSelected: (entry: Entry) => boolean): void {
    for (const entry of this.entries) {
      const { current, backedUp } = entry;
      if (!current || current.tier === 'Archive' || !isSelected(entry)) continue;
      if (backedUp.at(-1)?.number === current.number) backedUp.pop();
      backedUp.push(current);
    }
  }
}

/** The present ones, even if the content is older. */
function tagsAndTier({ tags, tier }: Version): Pick<Version, 'tags' | 'tier'> {
  return { tags, ...(tier !== undefined && { tier }) };
}

function whatBecomesOf({ backedUp }: Entry, current: Version, mode: 'full' | 'incremental') {
  const last = backedUp.at(-1);
  const isHeld = last?.number === current.number;
  if (current.tier === 'Archive') return isHeld ? 'unchanged' : 'skipped';
  if (!isHeld || mode === 'full') return 'copied';
  return current.tier === last.tier && sameTags(current.tags, last.tags) ? 'unchanged' : 'copied';
}

function sameTags(a: Record<string, string>, b: Record<string, string>): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}
