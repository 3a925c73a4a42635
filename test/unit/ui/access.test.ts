import { expect, test } from 'vitest';
import { PERMISSIONS } from '#domain/access/permission.ts';
import { rolesWith } from '#domain/access/role.ts';
import { MAY, ROLES_WITH, whyNot } from '../../../ui/model/access.ts';

test('the page names the roles that the app gives a permission to', () => {
  for (const permission of PERMISSIONS) {
    expect([...ROLES_WITH[permission]].sort(), permission).toEqual(rolesWith(permission).sort());
  }
});

test('every permission has words', () => {
  expect(MAY.map(([permission]) => permission)).toEqual([...PERMISSIONS]);
});

test('who may not do something is told which role may', () => {
  expect(whyNot('run')).toBe('You may not do this: it needs the role operator or admin.');
  expect(whyNot('protect')).toBe('You may not do this: it needs the role admin.');
});
