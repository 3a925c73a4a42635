import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { permissionsOf } from '#domain/access/role.ts';
import { answering, reply } from './http/answering.ts';

declare const STRONGROOM_VERSION: string;

/** GET /api/whoami — who calls, what this caller may do, and which app answers. */
export function whoAmIHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.whoAmI, async ({ caller: { by, roles } }) => {
    const { name, via } = by;
    const may = permissionsOf(roles);
    const signOut = via === 'entra' ? '/.auth/logout' : null;
    const instance = deps.configuration.instance ?? null;
    return reply(200, { name, via, roles: [...roles], may, signOut, instance, version: STRONGROOM_VERSION });
  });
}
