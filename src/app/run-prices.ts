import { costOf } from '#domain/cost/cost.ts';
import { EXAMPLE_PRICES } from '#domain/cost/example-prices.ts';
import type { PriceTable } from '#domain/cost/price-table.ts';
import { archivedTo, type Usage } from '#domain/cost/usage.ts';
import { isArchiving, type RunMode } from '#domain/run/run.ts';
import type { Dependencies } from './dependencies.ts';

/** What a run costs, as far as it is known. */
export interface RunTotal {
  total: number;
  currency: string;
}

export function pricesOf({ configuration }: Dependencies): PriceTable {
  return configuration.prices ?? EXAMPLE_PRICES;
}

/** A usage, with the tier that the archive rule of the run sets. */
export function withRule(
  { configuration }: Dependencies,
  { job, mode }: { job: string; mode: string },
  usage: Usage,
): Usage {
  const rule = isArchiving(mode as RunMode) ? configuration.archives.find(({ name }) => name === job) : undefined;
  return rule?.destination.tier === undefined ? usage : archivedTo(usage, rule.destination.tier);
}

export function runTotal(deps: Dependencies, run: { job: string; mode: string }, usage: Usage): RunTotal {
  const prices = pricesOf(deps);
  return { total: costOf(withRule(deps, run, usage), prices).total, currency: prices.currency };
}
