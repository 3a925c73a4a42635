import type { Dependencies } from '#app/dependencies.ts';
import { defined } from '#domain/run/defined.ts';
import { answering, json } from '../http/answering.ts';
import { findUnmarkedPoint } from '../run/find-restore-point.ts';
import { heldBy, shownPoint } from './shown-restore-point.ts';

/** GET /api/restore-points/{id} */
export function getRestorePointHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    const { summary, notes } = await findUnmarkedPoint(deps, request.params.id!);
    const { source, vault, notPreserved } = summary;
    const held = heldBy(summary.parts);
    return json(200, {
      ...shownPoint(summary, notes, held),
      source,
      vault,
      containersHeld: held.containers,
      tablesHeld: held.tables,
      ...defined({ notPreserved }),
    });
  });
}
