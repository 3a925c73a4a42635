import { expect, test } from 'vitest';
import { ownerOf } from '#storage/azure/token-owner.ts';

const ID = '11111111-2222-3333-4444-555555555555';
const token = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;

test.each([
  ['a managed identity', { oid: ID, idtyp: 'app', appid: 'x' }, { objectId: ID, type: 'ServicePrincipal' }],
  ['a user', { oid: ID, scp: 'user_impersonation' }, { objectId: ID, type: 'User' }],
  ['an owner that does not say what it is', { oid: ID }, { objectId: ID }],
  ['claims of other types', { oid: 5, idtyp: {}, scp: [] }, {}],
  ['claims that are no object', 'x', {}],
])('a token of %s', (_, claims, owner) => {
  expect(ownerOf({ token: token(claims) })).toEqual(owner);
});

test.each(['', 'x', 'a.b.c', 'e30.!!!.x'])('the text %j has no owner', (text) => {
  expect(ownerOf({ token: text })).toEqual({});
});

test('no token has no owner', () => {
  expect(ownerOf(null)).toEqual({});
});
