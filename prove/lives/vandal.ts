import type { Random } from '../../test/support/builders/random.ts';
import type { MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import { type Chronicle, type Entry, isHeld, isWhole, type Run, recordedEtag } from './chronicle.ts';

export interface Damage {
  kind: string;
  /** In words that complete "a vandal …". */
  words: string;
  container: string;
  name: string;
  /** Whether a listing shows it. */
  showsInListing: boolean;
}

/** Damages a blob of a restore point; undefined if no damage could be proved. */
export function vandalize(random: Random, vault: MemoryAccount, chronicle: Chronicle, point: Run): Damage | undefined {
  const held = [...point.entries.values()].filter(isHeld);
  const kind = random.pick(['flip', 'truncate', 'delete', 'swap'] as const);
  for (const entry of random.shuffled(held)) {
    const at = chronicle.holderOf(entry);
    const holders = vault.all(at.container, at.name).filter((blob) => isWhole(blob) && isOf(blob, entry));
    // Without a hash, no verification can prove the bytes.
    const isProvable = holders.every(({ headers, body }) => headers.contentMd5 !== undefined && body.length > 0);
    if (!isProvable || holders.length === 0) continue;
    const about = `${at.container}/${at.name}`;
    const damage = { kind, container: entry.container, name: entry.name };
    for (const blob of holders) {
      switch (kind) {
        case 'flip':
          vault.spoil(at.container, blob, { body: flipped(random, blob.body) });
          break;
        case 'truncate':
          vault.spoil(at.container, blob, { body: blob.body.subarray(1), size: blob.size - 1 });
          break;
        case 'swap':
          vault.spoil(at.container, blob, { body: Buffer.from(blob.body).reverse() });
          break;
        case 'delete':
          vault.spoil(at.container, blob, undefined);
          break;
      }
    }
    return { ...damage, words: `did ${kind} ${about}`, showsInListing: kind === 'delete' || kind === 'truncate' };
  }
  return undefined;
}

function isOf(blob: MemoryBlob, { etag, vaultEtag }: Entry): boolean {
  const own = recordedEtag(blob);
  return own === undefined ? blob.etag === vaultEtag : own === etag;
}

function flipped(random: Random, body: Buffer): Buffer {
  const other = Buffer.from(body);
  const at = random.below(other.length);
  other[at] = other[at]! ^ (1 << random.below(8));
  return other;
}
