import { expect, test } from 'vitest';
import { summaryPath } from '#domain/run/control-paths.ts';
import { newestPoints } from '#functions/watch/newest-points.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

test('a newest restore point is shown by its row, and without one its summary is read once', async () => {
  const vault = new Vault();
  vault.put('a', 'text');
  const summary = await vault.backup();
  let reads = 0;
  vault.before = () => reads++;
  const show = newestPoints(vault.deps());
  const notes = { brake: { reason: 'x', containers: ['data'] } };
  const ask = (rows = [catalogRowOf(summary)]) => show('VAULT', 'nightly', { id: summary.id, notes }, rows);
  const shown = { id: summary.id, time: summary.startedAt, blobs: 1, isHeld: false, isBraked: true, verified: null };
  expect(await ask()).toMatchObject(shown);
  expect(reads).toBe(0);
  const time = `${summary.startedAt.slice(0, 19)}.000Z`;
  for (let look = 0; look < 3; look++) expect(await ask([])).toMatchObject({ ...shown, time });
  expect(reads).toBe(1);
});

test('what a damaged or missing restore point holds is not known, until its summary is back', async () => {
  const vault = new Vault();
  vault.put('a', 'text');
  const { id } = await vault.backup();
  let whole: Buffer | undefined;
  vault.alter(summaryPath({ job: 'nightly', id }), (body) => {
    whole = body;
    return Buffer.from('{');
  });
  const show = newestPoints(vault.deps());
  const unknown = { blobs: null, bytes: null, lacks: null };
  expect(await show('VAULT', 'nightly', { id, notes: {} }, [])).toMatchObject({ id, ...unknown });
  vault.alter(summaryPath({ job: 'nightly', id }), () => whole!);
  expect(await show('VAULT', 'nightly', { id, notes: {} }, [])).toMatchObject({ id, blobs: 1 });
  const gone = 'nightly-20260101T000000Z-aaaaaa';
  expect(await show('VAULT', 'nightly', { id: gone, notes: {} }, [])).toMatchObject({ id: gone, ...unknown });
});
