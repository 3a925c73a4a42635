import { billingClassOf, readsSource } from './billing-class.ts';
import { type PriceTable, type Tier, type TierPrices, tierOf } from './price-table.ts';
import { blobsIn, type Moved, type Usage } from './usage.ts';

export const UNITS = ['operations', 'bytes', 'bytes for a month'] as const;
export type Unit = (typeof UNITS)[number];

/** One line of a bill: `amount` is `quantity` × `price` / `per`, rounded to nine decimals. */
export interface CostPart {
  what: string;
  tier?: Tier;
  quantity: number;
  unit: Unit;
  price: number;
  /** How many units the price is for: 10,000 operations, or 2^30 bytes. */
  per: number;
  amount: number;
}

/** What is used, or may be, and is not part of the total. */
export interface UnknownCost {
  what: string;
  tier?: Tier;
  quantity?: number;
  unit?: Unit;
  why: string;
}

/** `total` is the sum of the parts, and nothing else: what is unknown comes in addition. */
export interface Cost {
  total: number;
  parts: CostPart[];
  unknown: UnknownCost[];
}

const PER: Record<Unit, number> = { operations: 10_000, bytes: 2 ** 30, 'bytes for a month': 2 ** 30 };

/** Amounts have nine decimals: one operation on a table costs less than a millionth. */
const DECIMALS = 1e9;

/** What the usage of one or more runs costs. */
export function costOf(usage: Usage, prices: PriceTable): Cost {
  const bill = new Bill();
  const { moved } = usage;
  const counts = { ...classCounts(usage), rehydrated: blobsIn(moved.filter(isRehydrated)) };
  const written = moved.filter(({ to }) => to !== undefined);
  for (const each of moved) chargeMoved(bill, each, prices);
  // Objects of Strongroom itself, further attempts, and further blocks of one blob: their tier is taken to be Hot.
  const hot = prices.tiers.Hot;
  bill.operations('write operations', 'Hot', Math.max(counts.write - blobsIn(written), 0), hot?.write);
  const readByTier = blobsIn(moved.filter((each) => !isRehydrated(each)));
  bill.operations('read operations', 'Hot', Math.max(counts.read - readByTier, 0), hot?.read);
  bill.operations('list and create container operations', undefined, counts.list, prices.list);
  bill.operations('other operations', undefined, counts.other, prices.other);
  bill.operations('delete operations', undefined, counts.free, 0);
  bill.operations('table operations', undefined, counts.table, prices.table);
  const bytes = moved.reduce((sum, each) => sum + each.bytes, 0);
  bill.bytes('data transfer between regions', undefined, bytes, prices.transfer);
  noteUnknown(bill, usage, counts);
  return bill.cost();
}

/** What it costs each month to keep what was copied. Blobs that the copies replace are not subtracted. */
export function storageCost({ moved }: Usage, prices: PriceTable): Cost {
  const bill = new Bill();
  for (const { from, to, bytes } of moved) {
    if (to === undefined) continue;
    const tier = from === '' ? undefined : tierOf(to || 'Hot');
    bill.add('capacity', tier, bytes, 'bytes for a month', tier && prices.tiers[tier]?.capacity);
  }
  return bill.cost();
}

/** `runs` times this cost. */
export function timesCost(total: number, runs: number): number {
  return (Math.round(total * DECIMALS) * runs) / DECIMALS;
}

/** The sum of amounts, without the errors of binary fractions. */
export function sumOf(amounts: readonly number[]): number {
  return amounts.reduce((sum, amount) => sum + Math.round(amount * DECIMALS), 0) / DECIMALS;
}

type Counts = Record<'write' | 'read' | 'list' | 'other' | 'free' | 'tier' | 'table', number>;

function classCounts({ requests }: Usage): Counts {
  const counts: Counts = { write: 0, read: 0, list: 0, other: 0, free: 0, tier: 0, table: 0 };
  for (const [operation, count] of Object.entries(requests)) {
    const of = billingClassOf(operation);
    if (of !== 'unknown') counts[of] += count;
    if (readsSource(operation)) counts.read += count;
  }
  return counts;
}

/** The operations and the retrieval of blobs whose tiers are known. */
function chargeMoved(bill: Bill, moved: Moved, { tiers }: PriceTable): void {
  const { from, to, blobs, bytes } = moved;
  const read = tierOf(from);
  const written = to === undefined || from === '' ? undefined : tierOf(to || 'Hot');
  const at: TierPrices = (read && tiers[read]) ?? {};
  const [operation, retrieval] = moved.high ? [at.priorityRead, at.priorityRetrieval] : [at.read, at.retrieval];
  const high = moved.high ? ' of high priority' : '';
  bill.operations(`${isRehydrated(moved) ? 'rehydrations' : 'read operations'}${high}`, read, blobs, operation);
  bill.bytes(`data retrieval${high}`, read, bytes, retrieval);
  if (to !== undefined) bill.operations('write operations', written, blobs, written && tiers[written]?.write);
}

/** The copy is then read from the Hot tier, as one of the reads that remain. */
function isRehydrated({ from }: Moved): boolean {
  return from === 'Archive';
}

function noteUnknown(bill: Bill, { requests, unknown = [] }: Usage, counts: Counts & { rehydrated: number }): void {
  bill.unknown('changes of tiers', Math.max(counts.tier - counts.rehydrated, 0), 'operations', WHY_TIER);
  for (const [operation, count] of Object.entries(requests)) {
    if (billingClassOf(operation) === 'unknown') bill.unknown(operation, count, 'operations', WHY_OPERATION);
  }
  const reads = 'further reads of asynchronous copies';
  bill.unknown(reads, requests.CopyBlob ?? 0, 'operations', WHY_ASYNC);
  if (counts.rehydrated > 0) bill.note('early deletion, and a higher tier after a rehydration', WHY_EARLY);
  for (const what of unknown) bill.note(what, WHY_ENDED);
}

const WHY_PRICE = 'The price table has no price of it';
const WHY_TIERLESS = 'The service shows no tier of these blobs, as of page blobs; their prices are others';
const WHY_TIER = 'Azure bills them as writes or as reads, by the tiers before and after';
const WHY_OPERATION = 'The class of this operation is not known';
const WHY_ASYNC = 'The service reads the source of each copy as often as it needs to; one read is part of the total';
const WHY_EARLY = 'How long the blobs have been in their tier is not known, nor how long they stay rehydrated';
const WHY_ENDED = 'The run ended before it was complete';

/** Adds up quantities, and prices each sum once. */
class Bill {
  readonly #lines = new Map<string, { what: string; tier?: Tier; quantity: number; unit: Unit; price?: number }>();
  readonly #unknown: UnknownCost[] = [];

  operations(what: string, tier: Tier | undefined, quantity: number, price: number | undefined): void {
    this.add(what, tier, quantity, 'operations', price);
  }

  bytes(what: string, tier: Tier | undefined, quantity: number, price: number | undefined): void {
    this.add(what, tier, quantity, 'bytes', price);
  }

  add(what: string, tier: Tier | undefined, quantity: number, unit: Unit, price: number | undefined): void {
    if (quantity === 0) return;
    const key = JSON.stringify([what, tier, price]);
    const line = this.#lines.get(key);
    if (line) line.quantity += quantity;
    else this.#lines.set(key, { what, ...(tier && { tier }), quantity, unit, ...(price !== undefined && { price }) });
  }

  unknown(what: string, quantity: number, unit: Unit, why: string): void {
    if (quantity > 0) this.#unknown.push({ what, quantity, unit, why });
  }

  note(what: string, why: string): void {
    this.#unknown.push({ what, why });
  }

  cost(): Cost {
    const parts: CostPart[] = [];
    const unpriced: UnknownCost[] = [];
    for (const { price, ...line } of this.#lines.values()) {
      const per = PER[line.unit];
      if (price !== undefined) parts.push({ ...line, price, per, amount: amountOf(line.quantity, price, per) });
      else unpriced.push({ ...line, why: isByTier(line) ? WHY_TIERLESS : WHY_PRICE });
    }
    return { total: sumOf(parts.map(({ amount }) => amount)), parts, unknown: [...unpriced, ...this.#unknown] };
  }
}

const BY_TIER = /^(?:write|read) operations|^data retrieval|^capacity/;

function isByTier({ what, tier }: { what: string; tier?: Tier }): boolean {
  return tier === undefined && BY_TIER.test(what);
}

function amountOf(quantity: number, price: number, per: number): number {
  return Math.round(((quantity * price) / per) * DECIMALS) / DECIMALS;
}
