/** The tiers that have prices. */
export const TIERS = ['Hot', 'Cool', 'Cold', 'Archive'] as const;

export type Tier = (typeof TIERS)[number];

/** Prices of one tier: operations per 10,000, the others per GB (2^30 bytes). A price that is absent is unknown. */
export interface TierPrices {
  write?: number;
  read?: number;
  /** Per GB that is read. */
  retrieval?: number;
  /** Per GB and month. */
  capacity?: number;
  /** Archive only: in place of `read` and `retrieval`, for rehydrations of high priority. */
  priorityRead?: number;
  priorityRetrieval?: number;
}

/** Prices of one region and redundancy, in one currency. A price that is absent is unknown, and never 0. */
export interface PriceTable {
  /** Such as `USD`. */
  currency: string;
  /** The day of the prices: `2026-09-30`. */
  asOf: string;
  /** For people only, such as the region and the redundancy. */
  region: string;
  source: string;
  tiers: Partial<Record<Tier, TierPrices>>;
  /** List and create container operations, per 10,000. */
  list?: number;
  /** All other operations on blobs, per 10,000. */
  other?: number;
  /** Operations on tables, per 10,000. */
  table?: number;
  /** Data that leaves the region of the account that is read, per GB: 0 if all accounts are in one region. */
  transfer?: number;
}

export function tierOf(name: string): Tier | undefined {
  return TIERS.find((tier) => tier === name);
}
