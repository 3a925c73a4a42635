import type { Permission } from '#domain/access/permission.ts';
import type { Role } from '#domain/access/role.ts';

/** The roles that have a permission; a test compares them with those of the app. */
export const ROLES_WITH: Readonly<Record<Permission, readonly Role[]>> = {
  status: ['observer', 'reader', 'operator', 'restorer', 'pruner', 'admin'],
  read: ['reader', 'operator', 'restorer', 'pruner', 'admin'],
  names: ['reader', 'operator', 'restorer', 'pruner', 'admin'],
  run: ['operator', 'admin'],
  restore: ['restorer', 'admin'],
  prune: ['pruner', 'admin'],
  protect: ['admin'],
};

/** What a caller without a permission is told, and whom to ask for what. */
export function whyNot(permission: Permission): string {
  const roles = ROLES_WITH[permission];
  const which =
    roles.length === 1 ? `the role ${roles[0]}` : `the role ${roles.slice(0, -1).join(', ')} or ${roles.at(-1)}`;
  return `You may not do this: it needs ${which}.`;
}
