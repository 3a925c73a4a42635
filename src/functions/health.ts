import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { permissionsOf } from '#domain/access/role.ts';
import { healthReport, withoutNames } from './health-report.ts';
import { answering, reply } from './http/answering.ts';
import { SharedAnswers } from './http/shared-answers.ts';

declare const STRONGROOM_VERSION: string;

/** Anyone may ask, and a report costs a listing of each account. */
const SHARED_MS = 15_000;

/** GET /api/health — 200 or 503, and nothing that only operators may know. */
export function healthHandler(deps: Dependencies) {
  const report = healthReport(deps);
  const shared = new SharedAnswers<Awaited<ReturnType<typeof report>>>(deps, SHARED_MS);
  return answering(deps, OPERATIONS.health, async (_, client) => {
    const { status, version } = await shared.get([], () => report(client));
    return status === 'ok' ? reply(200, { status, version }) : reply(503, { status, version });
  });
}

/** GET /api/health/details — the report itself. */
export function healthDetailsHandler(deps: Dependencies) {
  const report = healthReport(deps);
  return answering(deps, OPERATIONS.healthDetails, async ({ caller: { roles } }, client) => {
    const made = await report(client);
    const { status, ...shown } = permissionsOf(roles).includes('names') ? made : withoutNames(made);
    return status === 'ok' ? reply(200, { status, ...shown }) : reply(503, { status, ...shown });
  });
}

/** GET /api/live — the app has started. Reads and writes nothing. */
export function liveHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.live, async () => reply(200, { status: 'live', version: STRONGROOM_VERSION }));
}
