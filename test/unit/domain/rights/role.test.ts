import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { RIGHTS } from '#domain/rights/right.ts';
import { CUSTOM_ROLES, roleWith } from '#domain/rights/role.ts';

const read = (file: string) =>
  readFileSync(fileURLToPath(new URL(`../../../../infra/app/${file}`, import.meta.url)), 'utf8');

/** The list of a role definition in a template, without its comments. */
function listIn(bicep: string, name: 'actions' | 'dataActions'): string[] {
  const [, items = ''] = new RegExp(`^ +${name}: \\[([^\\]]*)\\]`, 'm').exec(bicep) ?? [];
  return [...items.replace(/\/\/.*/g, '').matchAll(/'([^']+)'/g)].map(([, action]) => action!);
}

test.each([
  ['Strongroom tag reader', 'source-access.bicep'],
  ['Strongroom vault writer', 'vault-access.bicep'],
  ['Strongroom vault pruner', 'prune-access.bicep'],
])('%s has the rights that %s gives it', (name, file) => {
  const role = CUSTOM_ROLES.find((each) => each.name === name)!;
  const bicep = read(file);
  expect(bicep).toContain(`roleName: '${name} (`);
  expect(bicep).toContain(`description: '${role.definition!.description}'`);
  expect(role.definition!.actions).toEqual(listIn(bicep, 'actions'));
  expect(role.definition!.dataActions).toEqual(listIn(bicep, 'dataActions'));
  expect(role.definition!.dataActions.length).toBeGreaterThan(0);
});

test('nothing but the right to delete takes a role that may delete, unless the alias is there to prune', () => {
  for (const right of RIGHTS) {
    // The host takes messages away that it has read.
    if (right === 'soft-delete' || right === 'delete-blobs' || right === 'read-queue') continue;
    for (const side of ['source', 'vault'] as const) {
      const role = roleWith(right, side);
      expect(role.name, right).not.toMatch(/Contributor|Owner|pruner/);
      expect(JSON.stringify(role)).not.toContain('/delete');
    }
  }
  expect(roleWith('list-blobs', 'prune').name).toBe('Strongroom vault pruner');
});
