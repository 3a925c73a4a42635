import { describe, expect, it } from 'vitest';
import type { BlobState, BlobType } from '#domain/blobs/blob.ts';
import { nameBeside, originalName, placeOf } from '#domain/copying/vault-name.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const TYPES: BlobType[] = ['block', 'page', 'append'];
const NAMES = ['log', 'strongroom-types/log', 'strongroom-types/append/log', 'strongroom-types/page/append/log'];

/** Where the copy goes in a vault that has these blobs. */
const placeAmong = async (blobs: BlobState[], source: BlobState) => {
  const under = (name: string) => blobs.find((blob) => blob.name === name);
  const { vaultName, backup } = await placeOf(source, under(source.name), async (name) => under(name));
  return { name: vaultName ?? source.name, backup };
};

describe('the place of a copy in the vault', () => {
  it('I2: is never that of a blob of another type, in whatever order blobs of all types come and go', async () => {
    const vault: BlobState[] = [];
    for (const type of [...TYPES, ...TYPES.toReversed(), ...TYPES]) {
      for (const name of NAMES) {
        const { name: at, backup } = await placeAmong(vault, blobState({ name, type }));
        expect(backup?.type ?? type).toBe(type);
        const there = vault.find((blob) => blob.name === at);
        expect(there?.type ?? type).toBe(type);
        // Each name of the vault belongs to one source blob.
        expect(there?.metadata?.of ?? name).toBe(name);
        if (!there) vault.push(blobState({ name: at, type, metadata: { of: name } }));
      }
    }
    expect(vault).toHaveLength(NAMES.length * TYPES.length);
    for (const { name, metadata } of vault) expect(originalName(name)).toBe(metadata!.of);
  });

  it('is beside if the copy is there, also when nothing has the name any more', async () => {
    const source = blobState({ name: 'log', type: 'append' });
    const beside = blobState({ name: nameBeside(source), type: 'append' });
    expect(await placeAmong([beside], source)).toEqual({ name: beside.name, backup: beside });
    expect(await placeAmong([], source)).toEqual({ name: 'log', backup: undefined });
  });

  it('asks for nothing beside while a copy of the same type has the name', async () => {
    const own = blobState({ name: 'log' });
    const place = await placeOf(own, own, () => {
      throw new Error('asked');
    });
    expect(place).toEqual({ backup: own });
  });
});
