import { expect, test } from 'vitest';
import { ROLE_NAMES } from '#domain/access/role.ts';
import { editDistance, nearest } from '#domain/input/nearest.ts';

test.each([
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['abc', 'abd', 1],
  ['abc', 'ab', 1],
  ['abc', 'bac', 1],
  ['abc', 'cab', 2],
])('from %j to %j are %i mistakes', (a, b, count) => {
  expect(editDistance(a, b)).toBe(count);
  expect(editDistance(b, a)).toBe(count);
});

test.each([
  ['amdin', 'admin'],
  ['raeder', 'reader'],
  ['Operater', 'operator'],
  ['viewer', undefined],
])('the role %j is probably %j', (word, role) => {
  expect(nearest(word, ROLE_NAMES)).toBe(role);
});
