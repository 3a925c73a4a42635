import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hall, openHall } from '../../../prove/matrix/bench.ts';
import { cellNamed, IMPOSSIBLE } from '../../../prove/matrix/cell.ts';
import { workThrough } from '../../../prove/parts/matrix.ts';

/** A fixed spread of the fault matrix, which `npm run prove` goes through at large: what waits for long is left to it. */
const CELLS = [
  'full/source.ListContainers/500',
  'full/source.ListBlobs/shortened-answer',
  'full/source.ListBlobs/short-page',
  'full/source.ListBlobs/broken-xml',
  'full/control.PutBlob:lock/lost-answer',
  'full/control.CreateContainer/bare-500',
  'full/table.InsertOrReplaceEntity/reset',
  'full/vault.CreateContainer/lost-answer',
  'full/vault.CopyBlobFromURL/403',
  'full/vault.CopyBlobFromURL/lost-answer',
  'full/vault.CopyBlobFromURL/source-overwritten',
  'full/vault.CopyBlobFromURL/source-deleted',
  'full/vault.CopyBlob/copy-failed-at-once',
  'full/vault.CopyBlob/copy-vanished',
  'full/control.PutBlob:plan/reset',
  'full/control.PutBlob:manifest/lost-answer',
  'full/control.PutBlob:summary/lost-answer',
  'full/any/orphaned-copy',
  'full/any/failing-share',
  'incremental/vault.ListBlobs/empty-page',
  'incremental/vault.ListBlobs/lying-md5',
  'incremental/source.ListBlobs/lying-md5',
  'incremental/vault.SnapshotBlob/409',
  'incremental/vault.SnapshotBlob/lost-answer',
  'incremental/vault.SetBlobMetadata/412',
  'incremental/vault.SetBlobTier/500',
  'incremental/vault.SetBlobTags/lost-answer',
  'incremental/vault.CopyBlobFromURL/412',
  'incremental/vault.CopyBlobFromURL/bare-500',
  'incremental/vault.CopyBlob/copy-replaced',
  'incremental/control.ListBlobs/cut-answer',
  'incremental/any/vault-clock-ahead',
  'again/vault.CopyBlobFromURL/expired-sas',
  'again/any/lost-share',
  'async/vault.CopyBlob/lost-answer',
  'async/vault.GetBlobProperties/500',
  'async/control.PutBlob:pending/lost-answer',
  'blocks/vault.PutBlockFromURL/source-overwritten',
  'blocks/vault.PutBlockList/lost-answer',
  'retry/control.GetBlob:manifest/cut-answer',
  'cancel/vault.AbortCopyBlob/lost-answer',
];

let hall: Hall;
const options = { seed: 1, night: false, progress: () => {} };

beforeAll(async () => {
  hall = await openHall(8);
});

afterAll(() => hall.stop());

test('under one fault each, no run loses anything or says what is not so', async () => {
  const results = await workThrough(hall.benches, CELLS.map(cellNamed), options);
  expect(results.flatMap(({ name, violations }) => violations.map((why) => `${name}: ${why}`))).toEqual([]);
  expect(results.filter(({ struck }) => struck === 0).map(({ name }) => name)).toEqual([]);
}, 240_000);

test('lies that no run can survive are noticed', async () => {
  const results = await workThrough(hall.benches, IMPOSSIBLE, options);
  const unnoticed = results.filter(({ struck, violations }) => struck === 0 || violations.length === 0);
  expect(unnoticed.map(({ name }) => name)).toEqual([]);
});
