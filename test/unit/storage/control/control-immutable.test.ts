import { expect, test } from 'vitest';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';

test('F84: an object of the control container that may not be replaced is reported as such', async () => {
  const vault = {
    alias: 'VAULT',
    putObject: async () => {
      throw new StorageError('immutable', 'No', 409, 'BlobImmutableDueToPolicy');
    },
  } as unknown as BlobAccount;
  const written = new ControlStore(vault).writeJson('locks/nightly.json', {}, { ifMatch: '0x1' });
  await expect(written).rejects.toMatchObject({ kind: 'control-immutable', code: 'BlobImmutableDueToPolicy' });
});
