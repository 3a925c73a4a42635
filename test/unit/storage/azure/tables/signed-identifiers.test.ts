import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AccessPolicy } from '#domain/run/container-properties.ts';
import { readIdentifiers, writeIdentifiers } from '#storage/azure/tables/signed-identifiers.ts';

test('access policies are read as they were written, whatever their ids are and whichever fields they have', () => {
  const text = fc.string({ minLength: 1, unit: fc.constantFrom('a', ' ', '&', '<', '>', '"', "'", ';', 'é', '🦜') });
  const policy = fc.record({ id: text, start: text, expiry: text, permissions: text }, { requiredKeys: ['id'] });
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 5 }), (policies) => {
      expect(readIdentifiers(writeIdentifiers(policies as AccessPolicy[]))).toEqual(policies);
    }),
  );
});

test('a field that is empty or unknown is none', () => {
  const policy = '<Start></Start><Expiry/><Permission>r</Permission><Other><More/></Other>';
  const body = `<SignedIdentifiers><SignedIdentifier><Id>a</Id><AccessPolicy>${policy}</AccessPolicy></SignedIdentifier></SignedIdentifiers>`;
  expect(readIdentifiers(body.replace('<Other><More/></Other>', ''))).toEqual([{ id: 'a', permissions: 'r' }]);
  expect(readIdentifiers('<SignedIdentifiers/>')).toEqual([]);
  expect(
    readIdentifiers('<SignedIdentifiers><SignedIdentifier><Id>a</Id></SignedIdentifier></SignedIdentifiers>'),
  ).toEqual([{ id: 'a' }]);
});

test('access policies that are cut off are refused at every length', () => {
  const whole = writeIdentifiers([{ id: 'a', start: '1', expiry: '2', permissions: 'r' }]);
  for (let length = 0; length < whole.length; length++) {
    expect(() => readIdentifiers(whole.slice(0, length)), String(length)).toThrow(/incomplete/);
  }
});
