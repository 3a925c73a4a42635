import { describe, expect, it } from 'vitest';
import { decideProperties } from '#domain/restore/restored-properties.ts';
import type { ContainerProperties } from '#domain/run/container-properties.ts';

const READ = { id: 'read', expiry: '2030-01-01T00:00:00.000Z', permissions: 'r' };
const WRITE = { id: 'write', permissions: 'w' };
const WAS: ContainerProperties = { metadata: { Owner: 'x' }, publicAccess: 'blob', policies: [READ, WRITE] };
const codes = (recorded: ContainerProperties, target: ContainerProperties, asked: boolean) =>
  decideProperties(recorded, target, asked).differences.map(({ code }) => code);

describe('what a restore does with the properties of a container', () => {
  it('sets no access unless it is asked to, and names what is missing', () => {
    expect(decideProperties(WAS, { metadata: { Owner: 'x' } }, false)).toEqual({
      differences: [
        { code: 'access-not-restored', what: ['public access ("blob")', 'stored access policies "read", "write"'] },
      ],
    });
  });

  it('sets all access of a container that has none, if it is asked to', () => {
    expect(decideProperties(WAS, { metadata: { Owner: 'x' } }, true)).toEqual({
      access: { publicAccess: 'blob', policies: [READ, WRITE] },
      differences: [],
    });
  });

  it('does nothing where nothing differs, asked or not', () => {
    for (const asked of [true, false]) expect(decideProperties(WAS, WAS, asked)).toEqual({ differences: [] });
  });

  it('adds only the policies that the target lacks, and names those that differ', () => {
    const other = { ...READ, permissions: 'rwd' };
    const target: ContainerProperties = { ...WAS, publicAccess: 'container', policies: [other] };
    expect(decideProperties(WAS, target, true)).toEqual({
      access: { publicAccess: 'container', policies: [other, WRITE] },
      differences: [{ code: 'properties-differ', what: ['public access ("blob")', 'stored access policy "read"'] }],
    });
  });

  it('never removes a policy of the target to make room, and names what finds none', () => {
    const own = Array.from({ length: 4 }, (_, n) => ({ id: `own ${n}` }));
    const { access, differences } = decideProperties(WAS, { ...WAS, policies: own }, true);
    expect(access?.policies).toEqual([...own, READ]);
    expect(differences).toEqual([{ code: 'properties-differ', what: ['stored access policy "write"'] }]);
  });

  it('sets nothing where it does not know what it would overwrite', () => {
    const decided = decideProperties(WAS, { metadata: { Owner: 'x' }, unread: ['policies'] }, true);
    expect(decided.access).toBeUndefined();
    expect(decided.differences.map(({ code }) => code)).toEqual(['access-refused']);
  });

  it('names what it never sets: other metadata, encryption scope, immutability policy, legal hold', () => {
    const recorded: ContainerProperties = { encryptionScope: 's', immutabilityPolicy: true, legalHold: true };
    expect(decideProperties({ ...WAS, ...recorded }, { ...WAS, metadata: {} }, false).differences).toEqual([
      {
        code: 'properties-differ',
        what: ['metadata', 'default encryption scope ("s")', 'immutability policy', 'legal hold'],
      },
    ]);
  });

  it('compares nothing that was not read, on either side', () => {
    expect(codes({ unread: ['properties', 'policies'] }, WAS, false)).toEqual([]);
    expect(codes(WAS, { publicAccess: 'blob', policies: [READ, WRITE], unread: ['properties'] }, false)).toEqual([]);
  });
});
