import { z } from 'zod';
import { TIERS } from '#domain/cost/price-table.ts';

const MOST = 1_000_000;
const error = `this must be a number from 0 to ${MOST}; leave out a price that you do not know`;
const price = z.number({ error }).min(0, { error }).max(MOST, { error }).exactOptional();

const tierSchema = z.strictObject({
  write: price.describe('Write operations, per 10,000.'),
  read: price.describe('Read operations, per 10,000.'),
  retrieval: price.describe('Data retrieval, per GB.'),
  capacity: price.describe('Stored data, per GB and month.'),
  priorityRead: price.describe('Archive only: read operations of rehydrations with high priority, per 10,000.'),
  priorityRetrieval: price.describe('Archive only: data retrieval of rehydrations with high priority, per GB.'),
});

const required = (what: string, example: string) =>
  z
    .string()
    .min(1, { error: 'this is empty' })
    .max(200, { error: 'this has more than 200 characters' })
    .describe(`${what}, for example \`${example}\`.`);

/** The option `prices`. */
export const pricesSchema = z.strictObject({
  currency: required('Currency of all prices', 'EUR'),
  asOf: z.iso.date({ error: 'this must be a date, such as "2026-09-30"' }).describe('The day of the prices.'),
  region: required('Region and redundancy of the prices', 'West Europe, ZRS'),
  source: required('Where the prices are from', 'price sheet of our agreement'),
  tiers: z
    .strictObject(Object.fromEntries(TIERS.map((tier) => [tier, tierSchema.exactOptional()])))
    .describe('Prices of each tier.'),
  list: price.describe('List and create container operations, per 10,000.'),
  other: price.describe('All other operations on blobs, per 10,000.'),
  table: price.describe('Operations on tables, per 10,000.'),
  transfer: price.describe('Data transfer between regions, per GB; 0 if all accounts are in one region.'),
});
