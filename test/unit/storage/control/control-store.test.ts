import { describe, expect, it, test } from 'vitest';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

/** A vault that refuses a write, since something is there: perhaps that very write, whose answer was lost. */
function refusing(there: string | undefined) {
  return new ControlStore({
    alias: 'VAULT',
    putObject: async () => {
      throw new StorageError('precondition', 'It is there', 409);
    },
    getObject: async () => (there ? storedObject(there) : undefined),
  } as unknown as BlobAccount);
}

test('F8: a document whose write lost its answer is recognized as written', async () => {
  expect(await refusing('{\n  "epoch": 2\n}\n').writeJson('locks/nightly.json', { epoch: 2 }, 'absent')).toBe(true);
});

test.each([
  ['another process wrote', '{\n  "epoch": 3\n}\n'],
  ['is gone again', undefined],
])('a document that %s is not recognized as written', async (_, there) => {
  expect(await refusing(there).writeJson('locks/nightly.json', { epoch: 2 }, 'absent')).toBe(false);
});

describe('a summary', () => {
  const run = { job: 'nightly', id: 'nightly-20260502T000000Z-aaaaaa' };
  const lists = { containers: [], problems: [], parts: [], compared: [] };
  const summary = { format: 3, ...run, status: 'succeeded', counts: {}, bytes: {}, ...lists };
  const read = (there: object) => refusing(JSON.stringify(there)).readSummary(run);

  it('is read', async () => {
    expect(await read(summary)).toEqual(summary);
  });

  it.each([1, 2])('of format %i is refused by its number', async (format) => {
    await expect(read({ ...summary, format })).rejects.toMatchObject({
      kind: 'damaged',
      message: `strongroom/jobs/nightly/runs/${run.id}/run.json in VAULT is damaged: it is format ${format}; this version reads format 3`,
    });
  });

  it('without the number of a format is damaged', async () => {
    await expect(read({ ...summary, format: undefined })).rejects.toMatchObject({ kind: 'damaged' });
  });
});
