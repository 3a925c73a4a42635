import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { rebuildCatalogHandler } from '#functions/rebuild-catalog.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { catalogRowOf, startedRow } from '#storage/catalog.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

const retention = { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 } };

let vault: Vault;
let deps: Dependencies;
let runs: RunSummary[];

beforeEach(async () => {
  vault = new Vault({ sharedMs: 0 });
  vault.jobs = [jobOf('nightly', { retention }), jobOf('weekly', {})];
  vault.put('a', 'a');
  deps = vault.deps();
  // So that all runs share one catalog.
  vault.deps = () => deps;
  runs = [];
  for (let run = 0; run < 4; run++) await add();
});

async function add(job = 'nightly'): Promise<RunSummary> {
  const summary = await vault.run({ mode: 'full' }, job);
  // The newest first, as lists have them.
  runs.unshift(summary);
  return summary;
}

interface Listed {
  runs: { id: string; status: string }[];
  restorePoints: { id: string }[];
  problems?: { code: string; message: string }[];
  next: string | null;
  damaged: string[];
}

type Make = (deps: Dependencies) => ReturnType<typeof listRunsHandler>;

async function ask(make: Make, query: Record<string, string> = {}): Promise<Listed> {
  const client = { getStatus: async () => ({ runtimeStatus: 'Running' }) } as unknown as DurableClient;
  const { body } = await make(deps)(httpRequest({ query }), client, { functionName: 'f' } as InvocationContext);
  return JSON.parse(String(body));
}

async function pages(limit: number): Promise<{ ids: string[]; problems: number[] }> {
  const ids: string[] = [];
  const problems: number[] = [];
  let next: string | null = null;
  do {
    const page: Listed = await ask(listRunsHandler, { limit: String(limit), ...(next && { cursor: next }) });
    ids.push(...page.runs.map(({ id }) => id));
    problems.push(page.problems?.length ?? 0);
    next = page.next;
  } while (next);
  return { ids, problems };
}

const idsOf = (summaries: readonly { id: string }[]) => summaries.map(({ id }) => id);
const differs = (message: string) => ({ problems: [expect.objectContaining({ code: 'catalog-differs', message })] });

describe('a run whose row is missing', () => {
  it('is in every list, with a word, until a rebuild has written its row', async () => {
    const lost = runs[1]!;
    await deps.catalog('VAULT').empty(catalogRowOf(lost));
    const why = differs(`The catalog lacks run ${lost.id}, or has no readable row of it`);
    const listed = await ask(listRunsHandler);
    expect(listed).toMatchObject(why);
    expect(idsOf(listed.runs)).toEqual(idsOf(runs));
    const points = await ask(listRestorePointsHandler);
    expect(points).toMatchObject(why);
    expect(idsOf(points.restorePoints)).toEqual(idsOf(runs));
    expect(await ask(rebuildCatalogHandler)).toMatchObject({ damaged: [] });
    expect(await ask(listRunsHandler)).not.toHaveProperty('problems');
    expect(idsOf((await ask(listRunsHandler)).runs)).toEqual(idsOf(runs));
  });

  it.each([0, 1, 2, 3])('is found on its page: number %i', async (index) => {
    await deps.catalog('VAULT').empty(catalogRowOf(runs[index]!));
    const { ids, problems } = await pages(1);
    expect(ids).toEqual(idsOf(runs));
    expect(problems).toContain(1);
  });

  it('is found also if its job has no row at all', async () => {
    await deps.catalog('VAULT').empty(catalogRowOf(await add('weekly')));
    const points = await ask(listRestorePointsHandler);
    expect(idsOf(points.restorePoints)).toEqual(idsOf(runs));
    expect(points.problems).toHaveLength(1);
  });

  it('is found where several began in one second, and no run is listed twice', async () => {
    const body = vault.vault.blob('strongroom', `jobs/nightly/runs/${runs[0]!.id}/run.json`)!.body;
    const second = Array.from({ length: 5 }, (_, at) => {
      const startedAt = `2026-06-01T00:00:00.${at}00Z`;
      return { ...JSON.parse(String(body)), id: `nightly-20260601T000000Z-aaaaa${at}`, startedAt } as RunSummary;
    });
    for (const each of second) {
      const name = `jobs/nightly/runs/${each.id}/run.json`;
      vault.vault.write('strongroom', { name, body: Buffer.from(JSON.stringify(each)) });
      await deps.catalog('VAULT').put(catalogRowOf(each));
    }
    vault.pass(24 * 60);
    second.reverse();
    expect(await pages(2)).toEqual({ ids: idsOf([...second, ...runs]), problems: [0, 0, 0, 0, 0] });
    await deps.catalog('VAULT').empty(catalogRowOf(second[3]!));
    const { ids, problems } = await pages(2);
    expect([...ids].sort()).toEqual(idsOf([...second, ...runs]).sort());
    expect(problems).toContain(1);
  });
});

describe('a row of the catalog', () => {
  it('of a run that the vault does not have is named, and lists come without it, until a rebuild', async () => {
    const forged = { ...catalogRowOf(runs[0]!), id: 'nightly-20260502T000000Z-zzzzzz' };
    await deps.catalog('VAULT').put({ ...forged, startedAt: '2026-05-02T00:00:00.000Z' });
    const listed = await ask(listRunsHandler);
    expect(listed).toMatchObject(differs(`The catalog lists run ${forged.id}, of which the vault has nothing`));
    expect(idsOf(listed.runs)).toEqual(idsOf(runs));
    await ask(rebuildCatalogHandler);
    expect(await ask(listRunsHandler)).not.toHaveProperty('problems');
  });

  it('of a restore point that a prune has emptied stays', async () => {
    vault.pass(24 * 60);
    await vault.prune();
    vault.pass(24 * 60);
    await vault.prune();
    const { runs: listed, ...rest } = await ask(listRunsHandler);
    expect(vault.vault.blob('strongroom', `jobs/nightly/runs/${runs[3]!.id}/run.json`)).toBeUndefined();
    expect(idsOf(listed)).toEqual(expect.arrayContaining(idsOf(runs)));
    expect(rest).not.toHaveProperty('problems');
  });

  it('of a run that has left only its lock is no difference', async () => {
    const running = await vault.begin({ mode: 'full' });
    await deps.catalog('VAULT').put(startedRow(running));
    const listed = await ask(listRunsHandler);
    expect(listed.runs[0]).toMatchObject({ id: running.id, status: 'running' });
    expect(listed).not.toHaveProperty('problems');
  });

  it('that denies a restore point hides none', async () => {
    await deps.catalog('VAULT').put({ ...catalogRowOf(runs[2]!), status: 'failed' });
    await deps.catalog('VAULT').put({ ...catalogRowOf(runs[1]!), mode: 'restore' });
    expect(idsOf((await ask(listRestorePointsHandler)).restorePoints)).toEqual(idsOf(runs));
  });

  it('that is written between the requests of one list is no difference', async () => {
    let isFirst = true;
    vault.before = async ({ operation }) => {
      if (operation !== 'ListBlobs' || !isFirst) return;
      isFirst = false;
      vault.pass(-2);
      await add();
    };
    vault.pass(60);
    expect(await ask(listRunsHandler)).not.toHaveProperty('problems');
    expect(isFirst).toBe(false);
  });
});

it('a list of a job that no configuration can have asks the vault nothing', async () => {
  vault.before = () => expect.unreachable();
  await expect(ask(listRunsHandler, { job: '\0' })).resolves.toMatchObject({ code: 'job-not-found' });
});

it('a list compares itself with the vault in one request for each job and one for their names', async () => {
  const count = async (make: Make) => {
    const asked: Record<string, number> = {};
    vault.before = ({ operation }) => {
      asked[operation] = (asked[operation] ?? 0) + 1;
    };
    await ask(make);
    vault.before = () => {};
    return asked;
  };
  expect(await count(listRunsHandler)).toEqual({ ListBlobs: 2 });
  // Notes, the chain and the runs of the job take one listing each, for any number of restore points. The summary of
  // the last one is looked for.
  expect(await count(listRestorePointsHandler)).toEqual({ ListBlobs: 5, GetBlobProperties: 1 });
  for (let run = 0; run < 6; run++) await add();
  expect(await count(listRunsHandler)).toEqual({ ListBlobs: 2 });
  expect(await count(listRestorePointsHandler)).toEqual({ ListBlobs: 5, GetBlobProperties: 1 });
});
