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

/** What a caller without a permission reads: which role has it. */
export function whyNot(permission: Permission): string {
  return `You may not do this: it needs ${rolesWith(permission)}.`;
}

/** `the role operator or admin`. */
export function rolesWith(permission: Permission): string {
  const roles = ROLES_WITH[permission];
  return roles.length === 1 ? `the role ${roles[0]}` : `the role ${roles.slice(0, -1).join(', ')} or ${roles.at(-1)}`;
}

/** What each permission lets one do. */
export const MAY: readonly (readonly [permission: Permission, words: string])[] = [
  ['status', 'see whether everything is all right'],
  ['read', 'see jobs, runs and restore points'],
  ['names', 'see names of blobs and uploads'],
  ['run', 'start backups and verifications, plan prunes, hold restore points, pause jobs'],
  ['restore', 'restore'],
  ['prune', 'carry out the plan of a prune'],
  ['protect', 'remove holds, release the safety brake, end runs by force'],
];
