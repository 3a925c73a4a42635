import type { PlannedItem } from './outcome.ts';

/**
 * The blobs that a run copies or reads and their bytes, by the tier that they are read from and the tier that was set
 * on them, such as `Cool/Hot`. Without a tier of its own, a copy gets the default of its account: `Cool/`. Prices
 * depend on both.
 */
export type Transfers = Record<string, [blobs: number, bytes: number]>;

/** Undefined if no content is read: a change in place, or a deletion. */
export function transferKey({ from, entry, reason }: PlannedItem): string | undefined {
  if (reason === 'tier' || reason === 'tags' || reason === 'not-needed' || reason === 'source-gone') return undefined;
  const set = entry ? entry.tier : from.tierInferred ? undefined : from.tier;
  return `${from.tier ?? ''}/${set ?? ''}`;
}

export function addTransfer(into: Transfers = {}, key: string, [blobs, bytes]: Transfers[string]): Transfers {
  const [knownBlobs, knownBytes] = into[key] ?? [0, 0];
  into[key] = [knownBlobs + blobs, knownBytes + bytes];
  return into;
}

export function addTransfers(into: Transfers | undefined, from: Transfers | undefined): Transfers | undefined {
  return Object.entries(from ?? {}).reduce<Transfers | undefined>(
    (sum, [key, moved]) => addTransfer(sum, key, moved),
    into,
  );
}
