import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { pricesOf, withRule } from '#app/run-prices.ts';
import { type Cost, costOf, sumOf } from '#domain/cost/cost.ts';
import { MONTH_DAYS } from '#domain/cost/month.ts';
import { addUsage, type Usage } from '#domain/cost/usage.ts';
import { defined } from '#domain/run/defined.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { answering, reply } from '../http/answering.ts';
import { checkJobOfList } from './configured-job.ts';
import { vaultsOf } from './find-run.ts';
import { type CatalogProblem, catalogProblems, uncheckedRows } from './list-rows.ts';
import { sourceOf } from './run-cost.ts';

/** What the ended runs of a job in the last 30 days cost. */
interface JobCost extends Cost {
  job: string;
  runs: number;
  /** Runs of earlier versions, and runs that were lost: what they used is not in the catalog. */
  unpriced: number;
}

/** Of one vault. The pages of the catalog are entities of a table: one answer costs at most this many requests. */
const MOST_PAGES = 20;
const PAGE = 500;
const MONTH_MS = MONTH_DAYS * 24 * 60 * 60_000;

/** GET /api/cost — what the runs of the last 30 days cost, from the catalog of every vault. */
export function showCostHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.showCost, async ({ query: { job } }) => {
    const to = deps.now();
    const from = new Date(to.getTime() - MONTH_MS);
    const found = await Promise.all(vaultsOf(deps, job).map((vault) => rowsSince(deps, vault, job, from)));
    const rows = found.flatMap((each) => each.rows);
    checkJobOfList(deps, job, rows.length === 0);
    const prices = pricesOf(deps);
    const jobs = [...Map.groupBy(rows, (row) => row.job)].map(([name, own]) => jobCost(deps, name, own));
    jobs.sort((a, b) => b.total - a.total);
    return reply(200, {
      from: from.toISOString(),
      to: to.toISOString(),
      ...sourceOf(prices),
      total: sumOf(jobs.map(({ total }) => total)),
      isComplete: found.every(({ isComplete }) => isComplete),
      jobs,
      ...catalogProblems(found),
    });
  });
}

function jobCost(deps: Dependencies, job: string, rows: readonly CatalogRow[]): JobCost {
  const usages = rows.flatMap((row) => (row.usage ? [withRule(deps, row, row.usage)] : []));
  const usage = usages.reduce<Usage>(addUsage, { requests: {}, moved: [] });
  return { job, runs: rows.length, unpriced: rows.length - usages.length, ...costOf(usage, pricesOf(deps)) };
}

interface Found {
  rows: CatalogRow[];
  /** Whether these are all runs since then. */
  isComplete: boolean;
  problem?: CatalogProblem;
}

/** The ended runs that started since `from`. Lists are newest first. */
async function rowsSince(deps: Dependencies, vault: string, job: string | undefined, from: Date): Promise<Found> {
  const rows: CatalogRow[] = [];
  let cursor: string | undefined;
  let problem: CatalogProblem | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const found = await uncheckedRows(deps, vault, {
      choice: { runsOnly: true, ...defined({ job, from }) },
      limit: PAGE,
      cursor,
    });
    problem ??= found.problem;
    const recent = found.rows.filter(({ startedAt }) => Date.parse(startedAt) >= from.getTime());
    rows.push(...recent.filter(({ status }) => status !== 'running'));
    cursor = found.next;
    // Without a catalog, each row is a request for a summary: one page of them is enough.
    if (cursor === undefined || recent.length < found.rows.length)
      return { rows, isComplete: true, ...(problem && { problem }) };
    if (problem) break;
  }
  return { rows, isComplete: false, ...(problem && { problem }) };
}
