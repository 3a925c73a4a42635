import { PERMISSIONS, type Permission } from './permission.ts';

const READS: readonly Permission[] = ['status', 'read', 'names'];

/** What callers of each role may do. Who has several roles may do what any of them may. */
export const ROLES = {
  observer: ['status'],
  reader: READS,
  operator: [...READS, 'run'],
  restorer: [...READS, 'restore'],
  /** Planning a prune and carrying it out are two roles on purpose. */
  pruner: [...READS, 'prune'],
  admin: PERMISSIONS,
} as const satisfies Record<string, readonly Permission[]>;

export type Role = keyof typeof ROLES;

export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]];

/** In the order of `PERMISSIONS`. */
export function permissionsOf(roles: readonly Role[]): Permission[] {
  return PERMISSIONS.filter((permission) => roles.some((role) => mayDo(role, permission)));
}

/** The roles that have a permission, the one with the fewest permissions first. */
export function rolesWith(permission: Permission): Role[] {
  return ROLE_NAMES.filter((role) => mayDo(role, permission));
}

function mayDo(role: Role, permission: Permission): boolean {
  return (ROLES[role] as readonly Permission[]).includes(permission);
}
