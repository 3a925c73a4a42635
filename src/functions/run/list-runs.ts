import type { DurableClient } from 'durable-functions';
import type { z } from 'zod';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { defined } from '#domain/run/defined.ts';
import type { CatalogRow, RowChoice } from '#storage/catalog.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { readVaultCursors, writeVaultCursors } from '../http/vault-cursors.ts';
import { checkJobOfList } from './configured-job.ts';
import { vaultsOf } from './find-run.ts';
import { catalogProblems, listRows, type RowPage } from './list-rows.ts';
import { settledRow } from './settled-row.ts';

/** GET /api/runs — newest first, from the catalog of every vault, or without it from the vault itself. */
export function listRunsHandler(deps: Dependencies) {
  const shared = new SharedAnswers<Reply<typeof OPERATIONS.listRuns>>(deps);
  return answering(deps, OPERATIONS.listRuns, ({ query }, client) =>
    shared.get([query], () => listRuns(deps, client, query)),
  );
}

async function listRuns(
  deps: Dependencies,
  client: DurableClient,
  { limit, cursor, ...query }: z.output<typeof OPERATIONS.listRuns.query>,
): Promise<Reply<typeof OPERATIONS.listRuns>> {
  const { job, mode, status, trigger, dryRun, from: since, to } = query;
  const vaults = vaultsOf(deps, job);
  const asked = ['runs', job, mode, status, trigger, dryRun, since, to];
  const choice = choiceOf(query);
  const cursors = readVaultCursors(cursor, vaults, asked);
  const pages = await Promise.all(
    vaults.map(async (vault): Promise<RowPage & { vault: string }> => {
      const from = cursors?.[vault];
      if (cursors && from === undefined) return { vault, rows: [] };
      const page = await listRows(deps, vault, { choice, limit, cursor: from });
      return { vault, ...page };
    }),
  );
  const isNarrowed = Object.keys(defined(query)).some((name) => name !== 'job');
  checkJobOfList(deps, job, !cursors && !isNarrowed && pages.every(({ rows, next }) => rows.length === 0 && !next));
  const runs = [];
  for (const { rows } of pages) {
    for (const row of rows) {
      const now = await settledRow(deps, client, row);
      if (status === undefined || now.status === status) runs.push(shownRow(now));
    }
  }
  runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  return reply(200, { runs, next: writeVaultCursors(pages, asked), ...catalogProblems(pages) });
}

type Narrowing = Omit<z.output<typeof OPERATIONS.listRuns.query>, 'limit' | 'cursor'>;

function choiceOf({ mode, status, from, to, dryRun, ...choice }: Narrowing): RowChoice {
  return {
    ...defined(choice),
    ...(mode !== undefined && { modes: [mode] }),
    // What a row says that is still running may have ended otherwise.
    ...(status !== undefined && { statuses: [...new Set([status, 'running'])] }),
    ...(dryRun !== undefined && { dryRun: dryRun === 'true' }),
    ...(from !== undefined && { from: new Date(from) }),
    ...(to !== undefined && { to: new Date(to) }),
  };
}

/** With null for what is not known: of a run in progress, or in a row that an earlier version wrote. */
function shownRow(row: CatalogRow) {
  // `usage` is there to compute costs only.
  const { usage: _, problem = null, problems = null, seconds = null, requests = null, ...rest } = row;
  const { point = null, held = null, ...known } = rest;
  return { ...known, problem, problems, seconds, requests, point, held };
}
