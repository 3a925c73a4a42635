import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hall, openHall } from '../../../prove/matrix/bench.ts';
import { cellNamed, IMPOSSIBLE } from '../../../prove/matrix/cell.ts';
import { workThrough } from '../../../prove/parts/matrix.ts';

/** Of each kind of fault one. `npm run prove` works through these and hundreds of others. */
const CELLS = [
  'full/source.ListBlobs/shortened-answer',
  'full/control.PutBlob:lock/lost-answer',
  'full/control.PutBlob:manifest/lost-answer',
  'full/vault.CopyBlobFromURL/source-overwritten',
  'full/vault.CopyBlob/copy-vanished',
  'full/any/orphaned-copy',
  'incremental/vault.SnapshotBlob/lost-answer',
  'incremental/vault.CopyBlobFromURL/412',
  'async/control.PutBlob:pending/lost-answer',
  'blocks/vault.PutBlockList/lost-answer',
  'retry/control.GetBlob:manifest/cut-answer',
  'cancel/vault.AbortCopyBlob/lost-answer',
];

let hall: Hall;
const options = { seed: 1, night: false, progress: () => {} };

beforeAll(async () => {
  hall = await openHall(4);
});

afterAll(() => hall.stop());

test('a run under one fault loses nothing and reports nothing that is not true', async () => {
  const results = await workThrough(hall.benches, CELLS.map(cellNamed), options);
  expect(results.flatMap(({ name, violations }) => violations.map((why) => `${name}: ${why}`))).toEqual([]);
  expect(results.filter(({ struck }) => struck === 0).map(({ name }) => name)).toEqual([]);
});

test('the judges of a run notice lies of storage that no run can survive', async () => {
  const results = await workThrough(hall.benches, IMPOSSIBLE, options);
  const unnoticed = results.filter(({ struck, violations }) => struck === 0 || violations.length === 0);
  expect(unnoticed.map(({ name }) => name)).toEqual([]);
});
