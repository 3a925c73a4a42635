import type { BlobServiceClient } from '@azure/storage-blob';
import { backupContainerOf, isInJob } from './job.ts';
import type { Entry, Ledger, Version } from './ledger.ts';
import { containersOf, listAll, readAll, type Seen } from './observe.ts';
import { Meter } from './progress.ts';
import { printable } from './screen.ts';

/**
 * Compares both accounts with the plain Azure SDK, and downloads every blob. It ignores everything that the app
 * recorded: it uses the present source, and the demo's own record of what it wrote before.
 */
export interface AccountComparison {
  differences: string[];
  /** Comparisons, in words, and their number. */
  compared: { what: string; times: number }[];
  bytes: number;
}

/** The control container of the app, which is not compared. */
const OWN_CONTAINER = 'strongroom';

export async function compareAccounts(
  source: BlobServiceClient,
  vault: BlobServiceClient,
  ledger: Ledger,
  progress: (line: string) => void,
): Promise<AccountComparison> {
  const [here, there] = await Promise.all([listed(source, []), listed(vault, [OWN_CONTAINER])]);
  const meter = new Meter(here.blobs.length + there.blobs.length);
  let bytes = 0;
  const read = ({ size, sha256 }: Seen) => {
    if (sha256 !== undefined) bytes += size;
    progress(meter.add(sha256 === undefined ? 0 : size));
  };
  await Promise.all([readAll(source, here.blobs, read), readAll(vault, there.blobs, read)]);

  const comparison = new Comparison();
  comparison.sourceIsAsWritten(here.blobs, ledger);
  comparison.compareContainers(here.containers, there.containers);
  comparison.compareWithSource(here.blobs, there.blobs);
  comparison.compareWithLedger(there.blobs, ledger);
  comparison.snapshotsHoldWhatWas(there.blobs, ledger);
  return { ...comparison.result(), bytes };
}

async function listed(account: BlobServiceClient, without: string[]) {
  const containers = (await containersOf(account)).filter((name) => !without.includes(name));
  return { containers, blobs: (await Promise.all(containers.map((name) => listAll(account, name)))).flat() };
}

class Comparison {
  readonly #differences: string[] = [];
  readonly #compared = new Map<string, number>();

  result(): Pick<AccountComparison, 'differences' | 'compared'> {
    return { differences: this.#differences, compared: [...this.#compared].map(([what, times]) => ({ what, times })) };
  }

  /** Checks that the backup left the source unchanged, and that the demo's own record is right. */
  sourceIsAsWritten(blobs: Seen[], ledger: Ledger): void {
    const found = byPlace(blobs);
    for (const { container, name, current } of ledger.entries) {
      const blob = found.get(place(container, name));
      found.delete(place(container, name));
      if (!current && !blob) continue;
      this.#count('source blobs are as they were written');
      if (!current || !blob)
        this.#differ('source', { container, name }, blob ? 'was deleted, and exists' : 'is missing');
      else this.#compare('source', blob, current, current.tier);
    }
    for (const blob of found.values()) this.#differ('source', blob, 'was never written, and exists');
  }

  compareContainers(sources: string[], backups: string[]): void {
    const expected = new Set(sources.filter((name) => isInJob(name, '')).map(backupContainerOf));
    for (const container of backups) {
      this.#count('containers in the vault belong to the job');
      if (!expected.has(container)) this.#differences.push(`vault: container ${container} exists, and should not`);
    }
  }

  /** Compares the accounts as they are now. */
  compareWithSource(source: Seen[], vault: Seen[]): void {
    const copies = byPlace(vault);
    for (const blob of source) {
      if (!isInJob(blob.container, blob.name) || blob.snapshot || blob.tier === 'Archive') continue;
      this.#count('backup blobs equal their source, every byte and property');
      const copy = copies.get(place(backupContainerOf(blob.container), blob.name));
      if (!copy) this.#differ('backup of', blob, 'is missing');
      else this.#compare('vault', copy, { ...blob, metadata: beside(blob.metadata) }, blob.tier);
    }
  }

  /** Checks that deleted and archived blobs are still in the vault as they last were, and nothing else is. */
  compareWithLedger(vault: Seen[], ledger: Ledger): void {
    const copies = byPlace(vault);
    for (const entry of ledger.entries) {
      const last = entry.backedUp.at(-1);
      if (!last) continue;
      this.#count(expectationOf(entry));
      const at = place(backupContainerOf(entry.container), entry.name);
      const copy = copies.get(at);
      copies.delete(at);
      if (!copy) this.#differ('backup of', entry, 'is missing');
      else this.#compare('vault', copy, { ...last, metadata: beside(last.metadata) }, last.tier);
    }
    for (const blob of copies.values()) this.#differ('vault', blob, 'exists, and should not');
  }

  /** Checks that snapshots hold everything that was overwritten, and nothing else. */
  snapshotsHoldWhatWas(vault: Seen[], ledger: Ledger): void {
    const snapshots = Map.groupBy(
      vault.filter(({ snapshot }) => snapshot),
      ({ container, name }) => place(container, name),
    );
    for (const entry of ledger.entries) {
      const before = entry.backedUp.slice(0, -1);
      const at = place(backupContainerOf(entry.container), entry.name);
      const unexplained = new Set(snapshots.get(at));
      snapshots.delete(at);
      for (const version of before) {
        this.#count('contents before an overwrite are in snapshots');
        const match = [...unexplained].find(
          (snapshot) => contentDifferences(snapshot, { ...version, metadata: beside(version.metadata) }).length === 0,
        );
        if (match) unexplained.delete(match);
        else this.#differ('backup of', entry, `has no snapshot of version ${version.number}, which was overwritten`);
      }
      for (const { snapshot } of unexplained)
        this.#differ('backup of', entry, `has a snapshot of something else (${snapshot})`);
    }
    for (const [first] of snapshots.values()) this.#differ('vault', first!, 'has snapshots, and was never backed up');
  }

  #compare(where: string, found: Seen, expected: Seen | Version, tier: string | undefined): void {
    const differences = contentDifferences(found, expected);
    differences.push(...differ('tags', sorted(found.tags), sorted(expected.tags)));
    if (tier !== undefined) differences.push(...differ('tier', found.tier, tier));
    for (const difference of differences) this.#differ(where, found, difference);
  }

  #differ(where: string, { container, name }: Pick<Entry, 'container' | 'name'>, what: string): void {
    const text = `${where} ${container}/${printable(name)}: ${what}`;
    // Two comparisons may find the same difference.
    if (!this.#differences.includes(text)) this.#differences.push(text);
  }

  #count(what: string): void {
    this.#compared.set(what, (this.#compared.get(what) ?? 0) + 1);
  }
}

/** Bytes of names and values of metadata that a backup blob has beside its record (docs/vault-format.md). */
const ROOM = 7_680;

/** Metadata of a backup blob: entries that have no room are in the restore point alone. */
function beside(metadata: Record<string, string>): Record<string, string> {
  let room = ROOM;
  return Object.fromEntries(
    Object.entries(metadata).filter(([key, value]) => {
      room -= key.length + value.length;
      return room >= 0;
    }),
  );
}

function expectationOf({ current, backedUp }: Entry): string {
  if (!current) return 'deleted blobs are in the vault as they last were';
  if (current.tier === 'Archive') return 'archived blobs are in the vault as they last were';
  return backedUp.length > 1 ? 'overwritten blobs equal their last version' : 'blobs equal what was written';
}

/** Compares bytes, headers and metadata; tags and tier are compared separately. */
export function contentDifferences(found: Seen, expected: Seen | Version): string[] {
  return [
    ...differ('type', found.kind, expected.kind),
    ...differ('size', found.size, expected.size),
    ...(found.sha256 !== undefined ? differ('SHA-256 of the bytes', found.sha256, expected.sha256) : []),
    ...(
      ['contentType', 'contentEncoding', 'contentLanguage', 'contentDisposition', 'cacheControl', 'contentMd5'] as const
    ).flatMap((header) => differ(header, found.headers[header], expected.headers[header])),
    ...differ('metadata', sorted(found.metadata), sorted(expected.metadata)),
  ];
}

function differ(what: string, found: string | number | undefined, expected: string | number | undefined): string[] {
  if (found === expected) return [];
  return [`${what} is ${shown(found)}, and should be ${shown(expected)}`];
}

function shown(value: string | number | undefined): string {
  return value === undefined ? 'absent' : printable(String(value));
}

/** Metadata without the entries that the backup adds. */
function sorted(values: Record<string, string>): string {
  const own = Object.entries(values).filter(([key]) => !key.startsWith('strongroom_'));
  return JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function byPlace(blobs: Seen[]): Map<string, Seen> {
  return new Map(blobs.filter(({ snapshot }) => !snapshot).map((blob) => [place(blob.container, blob.name), blob]));
}

const place = (container: string, name: string) => `${container}/${name}`;
