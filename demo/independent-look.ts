import type { BlobServiceClient } from '@azure/storage-blob';
import { isInJob, mirrorOf } from './job.ts';
import type { Entry, Ledger, Version } from './ledger.ts';
import { containersOf, listAll, readAll, type Seen } from './observe.ts';
import { Meter } from './progress.ts';
import { printable } from './screen.ts';

/**
 * A look at both accounts with nothing but the Azure SDK: every blob downloaded and compared. It knows nothing of what
 * the app recorded; it goes by what the source holds now, and by the demo's own memory of what it wrote before.
 */
export interface Look {
  differences: string[];
  /** What was compared, in words, and how often. */
  compared: { what: string; times: number }[];
  bytes: number;
}

/** Where the vault keeps the app's own records: not looked into. */
const OWN_CONTAINER = 'strongroom';

export async function lookAtBoth(
  source: BlobServiceClient,
  vault: BlobServiceClient,
  ledger: Ledger,
  progress: (line: string) => void,
): Promise<Look> {
  const [here, there] = await Promise.all([listed(source, []), listed(vault, [OWN_CONTAINER])]);
  const meter = new Meter(here.blobs.length + there.blobs.length);
  let bytes = 0;
  const read = ({ size, sha256 }: Seen) => {
    if (sha256 !== undefined) bytes += size;
    progress(meter.add(sha256 === undefined ? 0 : size));
  };
  await Promise.all([readAll(source, here.blobs, read), readAll(vault, there.blobs, read)]);

  const look = new Comparison();
  look.sourceIsAsWritten(here.blobs, ledger);
  look.mirrorsAreOf(here.containers, there.containers);
  look.mirrorHoldsSource(here.blobs, there.blobs);
  look.mirrorHoldsWhatWasBackedUp(there.blobs, ledger);
  look.snapshotsHoldWhatWas(there.blobs, ledger);
  return { ...look.result(), bytes };
}

async function listed(account: BlobServiceClient, without: string[]) {
  const containers = (await containersOf(account)).filter((name) => !without.includes(name));
  return { containers, blobs: (await Promise.all(containers.map((name) => listAll(account, name)))).flat() };
}

class Comparison {
  readonly #differences: string[] = [];
  readonly #compared = new Map<string, number>();

  result(): Pick<Look, 'differences' | 'compared'> {
    return { differences: this.#differences, compared: [...this.#compared].map(([what, times]) => ({ what, times })) };
  }

  /** The backup has not touched the source, and the demo remembers it rightly. */
  sourceIsAsWritten(blobs: Seen[], ledger: Ledger): void {
    const found = byPlace(blobs);
    for (const { container, name, current } of ledger.entries) {
      const blob = found.get(place(container, name));
      found.delete(place(container, name));
      if (!current && !blob) continue;
      this.#count('source blobs are as they were written');
      if (!current || !blob)
        this.#differ('source', { container, name }, blob ? 'was deleted, and is there' : 'is missing');
      else this.#compare('source', blob, current, current.tier);
    }
    for (const blob of found.values()) this.#differ('source', blob, 'was never written, and is there');
  }

  mirrorsAreOf(sources: string[], mirrors: string[]): void {
    const expected = new Set(sources.filter((name) => isInJob(name, '')).map(mirrorOf));
    for (const container of mirrors) {
      this.#count('containers in the vault belong to the job');
      if (!expected.has(container)) this.#differences.push(`vault: container ${container} is there, and should not be`);
    }
  }

  /** One account against the other, as they are now. */
  mirrorHoldsSource(source: Seen[], vault: Seen[]): void {
    const mirror = byPlace(vault);
    for (const blob of source) {
      if (!isInJob(blob.container, blob.name) || blob.snapshot || blob.tier === 'Archive') continue;
      this.#count('mirror blobs equal their source, every byte and property');
      const copy = mirror.get(place(mirrorOf(blob.container), blob.name));
      if (!copy) this.#differ('mirror of', blob, 'is missing');
      else this.#compare('mirror', copy, blob, blob.tier);
    }
  }

  /** Deleted and archived blobs are still there as they last were, and nothing is there that was not backed up. */
  mirrorHoldsWhatWasBackedUp(vault: Seen[], ledger: Ledger): void {
    const mirror = byPlace(vault);
    for (const entry of ledger.entries) {
      const last = entry.backedUp.at(-1);
      if (!last) continue;
      this.#count(kept(entry));
      const at = place(mirrorOf(entry.container), entry.name);
      const copy = mirror.get(at);
      mirror.delete(at);
      if (!copy) this.#differ('mirror of', entry, 'is missing');
      else this.#compare('mirror', copy, last, last.tier);
    }
    for (const blob of mirror.values()) this.#differ('mirror', blob, 'is there, and should not be');
  }

  /** What was overwritten can be read from snapshots, which hold nothing else either. */
  snapshotsHoldWhatWas(vault: Seen[], ledger: Ledger): void {
    const snapshots = Map.groupBy(
      vault.filter(({ snapshot }) => snapshot),
      ({ container, name }) => place(container, name),
    );
    for (const entry of ledger.entries) {
      const before = entry.backedUp.slice(0, -1);
      const at = place(mirrorOf(entry.container), entry.name);
      const unexplained = new Set(snapshots.get(at));
      snapshots.delete(at);
      for (const version of before) {
        this.#count('contents before an overwrite are in snapshots');
        const kept = [...unexplained].find((snapshot) => contentDifferences(snapshot, version).length === 0);
        if (kept) unexplained.delete(kept);
        else this.#differ('mirror of', entry, `has no snapshot of version ${version.number}, which was overwritten`);
      }
      for (const { snapshot } of unexplained)
        this.#differ('mirror of', entry, `has a snapshot of something else (${snapshot})`);
    }
    for (const [first] of snapshots.values()) this.#differ('mirror', first!, 'has snapshots, and was never backed up');
  }

  #compare(where: string, found: Seen, expected: Seen | Version, tier: string | undefined): void {
    const differences = contentDifferences(found, expected);
    differences.push(...differ('tags', sorted(found.tags), sorted(expected.tags)));
    if (tier !== undefined) differences.push(...differ('tier', found.tier, tier));
    for (const difference of differences) this.#differ(where, found, difference);
  }

  #differ(where: string, { container, name }: Pick<Entry, 'container' | 'name'>, what: string): void {
    const text = `${where} ${container}/${printable(name)}: ${what}`;
    // The same thing may be seen from two sides.
    if (!this.#differences.includes(text)) this.#differences.push(text);
  }

  #count(what: string): void {
    this.#compared.set(what, (this.#compared.get(what) ?? 0) + 1);
  }
}

function kept({ current, backedUp }: Entry): string {
  if (!current) return 'deleted blobs are kept as they last were';
  if (current.tier === 'Archive') return 'blobs archived since are kept as they last were';
  return backedUp.length > 1 ? 'overwritten blobs are what was written last' : 'blobs are what was written';
}

/** Bytes and everything that travels with them; tags and tier are compared apart. */
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

/** Without what the backup adds for its own use. */
function sorted(values: Record<string, string>): string {
  const own = Object.entries(values).filter(([key]) => !key.startsWith('strongroom_'));
  return JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function byPlace(blobs: Seen[]): Map<string, Seen> {
  return new Map(blobs.filter(({ snapshot }) => !snapshot).map((blob) => [place(blob.container, blob.name), blob]));
}

const place = (container: string, name: string) => `${container}/${name}`;
