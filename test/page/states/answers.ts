/** Answers that many states share. */

const caller = {
  name: 'ada@example.net',
  via: 'entra',
  signOut: '/.auth/logout',
  instance: 'production',
  version: '0.1.0',
};

export const ADMIN = {
  ...caller,
  roles: ['admin'],
  may: ['status', 'read', 'names', 'run', 'restore', 'prune', 'protect'],
};

export const READER = { ...caller, name: 'rita@example.net', roles: ['reader'], may: ['status', 'read', 'names'] };
