import type { DurableClient } from 'durable-functions';
import type { z } from 'zod';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { defined } from '#domain/run/defined.ts';
import { problemOf } from '#domain/run/problems.ts';
import { type CatalogRow, catalogRowOf, type RowChoice, rowProblem } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { readVaultCursors, writeVaultCursors } from '../http/vault-cursors.ts';
import { checkJobOfList } from './configured-job.ts';
import { findRun, vaultsOf } from './find-run.ts';
import { catalogProblems, listRows, type RowPage } from './list-rows.ts';

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
      const now = await settled(deps, client, row);
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
  const { usage: _, problem = null, problems = null, seconds = null, requests = null, point = null, ...rest } = row;
  return { ...rest, problem, problems, seconds, requests, point };
}

/**
 * The row of a run that could not write to the catalog when it ended still says `running`. The vault and the state of
 * its orchestration decide, as for GET /api/runs/{id}.
 */
async function settled(deps: Dependencies, client: DurableClient, row: CatalogRow): Promise<CatalogRow> {
  if (row.status !== 'running') return row;
  try {
    const found = await findRun(deps, client, row.id);
    if (found.state === 'ended') return catalogRowOf(found.summary);
    return found.state === 'running' ? row : lostRow(row);
  } catch (error) {
    // Of a run that never began, the vault has nothing.
    if (error instanceof HttpError && error.code === 'run-not-found') return lostRow(row);
    // One damaged object must not hide the other runs. GET /api/runs/{id} shows the damage.
    if (isStorageError(error, 'damaged')) return row;
    throw error;
  }
}

function lostRow(row: CatalogRow): CatalogRow {
  return { ...row, status: 'failed', problem: rowProblem(problemOf('run-lost', 0)), problems: 1 };
}
