import { expect, it } from 'vitest';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';

/** A vault that refuses a write, since something is there: perhaps that very write, whose answer was lost. */
function refusing(there: string | undefined) {
  return new ControlStore({
    alias: 'VAULT',
    putObject: async () => {
      throw new StorageError('precondition', 'It is there', 409);
    },
    getObject: async () => there && { body: Buffer.from(there), etag: '0x1', metadata: {} },
  } as unknown as BlobAccount);
}

it('F8: a document whose write was carried out, and the answer lost, is known as written', async () => {
  expect(await refusing('{\n  "epoch": 2\n}\n').writeJson('locks/nightly.json', { epoch: 2 }, 'absent')).toBe(true);
});

it.each([
  ['somebody else wrote', '{\n  "epoch": 3\n}\n'],
  ['is gone again', undefined],
])('a document that %s is not', async (_, there) => {
  expect(await refusing(there).writeJson('locks/nightly.json', { epoch: 2 }, 'absent')).toBe(false);
});
