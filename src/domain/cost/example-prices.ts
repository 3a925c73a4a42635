import type { PriceTable } from './price-table.ts';

/**
 * The table that is used without `prices` in the configuration. docs/cost.md says where each price was found. Whether
 * the accounts are in one region is not known, so there is no price of `transfer`.
 */
export const EXAMPLE_PRICES: PriceTable = {
  currency: 'USD',
  asOf: '2026-09-30',
  region: 'East US, LRS, general-purpose v2, flat namespace',
  source: 'https://azure.microsoft.com/pricing/details/storage/blobs/ (list prices, found in public copies)',
  tiers: {
    Hot: { write: 0.05, read: 0.004, retrieval: 0, capacity: 0.0208 },
    Cool: { write: 0.1, read: 0.01, retrieval: 0.01, capacity: 0.0152 },
    Cold: { write: 0.18, read: 0.1, retrieval: 0.03, capacity: 0.0036 },
    Archive: {
      ...{ write: 0.1, read: 5, retrieval: 0.02, capacity: 0.00099 },
      ...{ priorityRead: 50, priorityRetrieval: 0.1 },
    },
  },
  list: 0.05,
  other: 0.004,
  table: 0.00036,
};
