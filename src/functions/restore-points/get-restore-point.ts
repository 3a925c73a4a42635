import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { heldBy } from '#domain/restore/point-facts.ts';
import { defined } from '#domain/run/defined.ts';
import { answering, reply } from '../http/answering.ts';
import { findUnmarkedPoint } from '../run/find-restore-point.ts';
import { shownPoint } from './shown-restore-point.ts';

/** GET /api/restore-points/{id} */
export function getRestorePointHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.getRestorePoint, async ({ params }) => {
    const { summary, notes } = await findUnmarkedPoint(deps, params.id);
    const { source, vault, notPreserved } = summary;
    const held = heldBy(summary.parts);
    return reply(200, {
      ...shownPoint(summary, notes, held),
      source,
      vault,
      containersHeld: held.containers,
      tablesHeld: held.tables,
      ...defined({ notPreserved }),
    });
  });
}
