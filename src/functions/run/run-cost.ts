import type { Dependencies } from '#app/dependencies.ts';
import { pricesOf, withRule } from '#app/run-prices.ts';
import { type Cost, costOf, storageCost, sumOf, timesCost, type UnknownCost } from '#domain/cost/cost.ts';
import { occurrencesInMonth } from '#domain/cost/month.ts';
import type { PriceTable } from '#domain/cost/price-table.ts';
import { blobsIn, plannedUsage, usageOf, withPriority } from '#domain/cost/usage.ts';
import { defined } from '#domain/run/defined.ts';
import type { RunMode, RunReport } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';

/** Where prices are from, as answers name it. */
export type PriceSource = Pick<PriceTable, 'currency' | 'asOf' | 'region' | 'source'>;

export interface RunCost extends PriceSource, Cost {
  /** What it costs each month to keep what the run copied. */
  stored?: Cost;
  /** Dry runs: what a run that does what is planned would cost in addition. */
  planned?: Cost & { stored: Cost; rehydration?: Rehydration };
  /** Such a run at each time of the schedule in the next 30 days. */
  perMonth?: { runs: number; total: number };
}

/** What the plan of a restore costs with either priority, and how long Azure takes for blobs below 10 GB, in hours. */
interface Rehydration {
  blobs: number;
  standard: { total: number; hours: number };
  high: { total: number; hours: number };
}

const STANDARD_HOURS = 15;
const HIGH_HOURS = 1;

/** What a run costs, for its report. */
export function runCost(deps: Dependencies, report: RunReport): RunCost {
  const prices = pricesOf(deps);
  const usage = withRule(deps, report, usageOf(report));
  const cost = costOf(usage, prices);
  const stored = storageCost(usage, prices);
  // What the plan of a prune deletes is free.
  const planned = report.dryRun && report.mode !== 'prune' ? plannedCost(deps, report) : undefined;
  const perMonth = monthOf(deps, report, sumOf([cost.total, planned?.total ?? 0]));
  const copies = stored.parts.length + stored.unknown.length > 0;
  return { ...sourceOf(prices), ...cost, ...defined({ stored: copies ? stored : undefined, planned, perMonth }) };
}

export function sourceOf({ currency, asOf, region, source }: PriceTable): PriceSource {
  return { currency, asOf, region, source };
}

function plannedCost(deps: Dependencies, report: RunReport): RunCost['planned'] {
  const prices = pricesOf(deps);
  const usage = withRule(deps, report, plannedUsage(report));
  const blobs = blobsIn(usage.moved.filter(({ from }) => from === 'Archive'));
  const at = (priority: 'standard' | 'high', hours: number) => ({
    total: costOf(withPriority(usage, priority), prices).total,
    hours,
  });
  const { unknown, ...cost } = costOf(usage, prices);
  return {
    ...cost,
    unknown: [...unknown, ...leftOut(report)],
    stored: storageCost(usage, prices),
    ...(blobs > 0 && {
      rehydration: { blobs, standard: at('standard', STANDARD_HOURS), high: at('high', HIGH_HOURS) },
    }),
  };
}

/** What the plan of a dry run does not show: archived blobs of a restore without `rehydrate`, and tables. */
function leftOut({ problems, containers }: RunReport): UnknownCost[] {
  const archived = problems.filter(({ code }) => code === 'content-archived');
  const quantity = archived.reduce((sum, { count }) => sum + count, 0);
  const why = 'The request has no "rehydrate", so the plan leaves them out';
  const hasTables = containers.some(({ container }) => tableOfTask(container) !== undefined);
  return [
    ...(quantity > 0 ? [{ what: 'blobs in the archive tier', quantity, why }] : []),
    ...(hasTables
      ? [{ what: 'tables', why: 'How many requests a table takes is known only once it is processed' }]
      : []),
  ];
}

/** By schedule and day: each occurrence takes a computation, and reports are asked for often. */
const counted = new Map<string, number>();

/** Nothing for a run that the schedule would not start in this mode, or that is not complete. */
function monthOf(deps: Dependencies, report: RunReport, total: number): RunCost['perMonth'] {
  const isComplete = report.status === 'succeeded' || report.status === 'completed-with-failures';
  const found = scheduleOf(deps, report);
  if (!found || !isComplete) return undefined;
  const now = deps.now();
  const key = `${found.schedule} ${found.zone} ${now.toISOString().slice(0, 10)}`;
  const runs = counted.get(key) ?? occurrencesInMonth(found.schedule, found.zone, now);
  if (counted.size > 1000) counted.clear();
  counted.set(key, runs);
  return { runs, total: timesCost(total, runs) };
}

function scheduleOf({ configuration }: Dependencies, { job: name, mode }: RunReport) {
  const rule = configuration.archives.find((each) => each.name === name);
  const job = configuration.jobs.find((each) => each.name === name);
  const schedules: Partial<Record<RunMode, string | undefined>> = {
    ...(job && { [job.mode]: job.schedule, verify: job.verify?.schedule, prune: job.retention?.schedule }),
    ...(rule && { reconcile: rule.reconcile }),
  };
  const schedule = schedules[mode];
  const zone = job?.timeZone ?? rule?.timeZone;
  return schedule === undefined || zone === undefined ? undefined : { schedule, zone };
}
