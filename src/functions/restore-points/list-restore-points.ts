import type { z } from 'zod';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { readVaultCursors, writeVaultCursors } from '../http/vault-cursors.ts';
import { checkJobOfList } from '../run/configured-job.ts';
import { vaultsOf } from '../run/find-run.ts';
import { catalogProblems } from '../run/list-rows.ts';
import { type PointsPage, pointsOfVault } from './points-of-vault.ts';

/**
 * GET /api/restore-points — lists restore points from the catalog of every vault, newest first, with what each lacks.
 */
export function listRestorePointsHandler(deps: Dependencies) {
  const shared = new SharedAnswers<Reply<typeof OPERATIONS.listRestorePoints>>(deps);
  return answering(deps, OPERATIONS.listRestorePoints, ({ query }) =>
    shared.get([query], () => listRestorePoints(deps, query)),
  );
}

async function listRestorePoints(
  deps: Dependencies,
  { job, limit, removed, cursor }: z.output<typeof OPERATIONS.listRestorePoints.query>,
): Promise<Reply<typeof OPERATIONS.listRestorePoints>> {
  const vaults = vaultsOf(deps, job);
  const asked = ['restore-points', job, removed];
  const cursors = readVaultCursors(cursor, vaults, asked);
  const pages = await Promise.all(
    vaults.map(async (vault): Promise<PointsPage & { vault: string }> => {
      const from = cursors?.[vault];
      if (cursors && from === undefined) return { vault, points: [] };
      return { vault, ...(await pointsOfVault(deps, vault, { job, limit, removed: removed === 'true' }, from)) };
    }),
  );
  checkJobOfList(deps, job, !cursors && pages.every(({ points, next }) => points.length === 0 && !next));
  const restorePoints = pages.flatMap(({ points }) => points).sort((a, b) => (a.time < b.time ? 1 : -1));
  return reply(200, { restorePoints, next: writeVaultCursors(pages, asked), ...catalogProblems(pages) });
}
