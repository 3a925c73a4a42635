import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { StorageError } from '#storage/storage-error.ts';
import { BACKUP, jobOf, Vault } from '../../../support/builders/prune-vault.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A vault of blobs without an MD5, whose source is gone: only an earlier verification can prove them. */
async function unproved(blobs: number): Promise<{ vault: Vault; point: string }> {
  const vault = new Vault({ sliceBlobs: 20, chunkBlobs: 7 });
  for (let i = 0; i < blobs; i++) vault.put(`blob ${i}`, `content ${i}`);
  const { id } = await vault.backup();
  for (let i = 0; i < blobs; i++) vault.source.remove('data', `blob ${i}`);
  return { vault, point: id };
}

async function linesOf(vault: Vault, { parts }: RunSummary): Promise<Map<string, Outcome>> {
  const lines = new Map<string, Outcome>();
  for (const { path } of parts) {
    for (const line of (await vault.control.readPart<Outcome, object>(path)).items) lines.set(line.name, line);
  }
  return lines;
}

const change = (vault: Vault, name: string, text: string) =>
  void Object.assign(vault.vault.blob(BACKUP, name)!, { body: Buffer.from(text) });

test('content is unproved when it is read first, and proved by that afterwards', async () => {
  const { vault, point } = await unproved(1);
  const first = await vault.verify(point);
  expect((await linesOf(vault, first)).get('blob 0')).toMatchObject({
    ...{ status: 'skipped', code: 'content-unproved', sha256: sha256('content 0') },
  });
  const proved = { sha256: sha256('content 0'), run: first.id, at: first.finishedAt };
  for (let i = 0; i < 2; i++) {
    const line = (await linesOf(vault, await vault.verify(point))).get('blob 0');
    expect(line).toMatchObject({ status: 'unchanged', sha256: proved.sha256, proved });
  }
});

test('content that an earlier verification read otherwise is a mismatch, until it is as it was', async () => {
  const { vault, point } = await unproved(2);
  await vault.verify(point);
  change(vault, 'blob 0', 'CONTENT 0');
  for (let i = 0; i < 2; i++) {
    const run = await vault.verify(point);
    expect(run.counts).toMatchObject({ unchanged: 1, failed: 1 });
    expect((await linesOf(vault, run)).get('blob 0')).toMatchObject({ code: 'content-mismatch' });
  }
  change(vault, 'blob 0', 'content 0');
  expect((await vault.verify(point)).counts).toMatchObject({ unchanged: 2, failed: 0 });
});

test('what is missing for a while is compared with the same record when it is back', async () => {
  const { vault, point } = await unproved(1);
  await vault.verify(point);
  const { metadata } = vault.vault.blob(BACKUP, 'blob 0')!;
  vault.vault.remove(BACKUP, 'blob 0');
  expect((await vault.verify(point)).problems).toMatchObject([{ code: 'content-missing' }]);
  vault.vault.write(BACKUP, { name: 'blob 0', body: Buffer.from('CONTENT 0'), metadata });
  expect((await vault.verify(point)).problems).toMatchObject([{ code: 'content-mismatch' }]);
});

test('portions add up: each verification carries on what those before it read', async () => {
  const { vault, point } = await unproved(100);
  for (let turn = 0; turn < 3; turn++) {
    const run = await vault.run({
      ...{ mode: 'verify', verify: { point, kind: 'deep', portion: '1/3', turn: 0, sample: 0 } },
    });
    const lines = [...(await linesOf(vault, run)).values()];
    expect(lines).toHaveLength(100);
    if (turn === 2) expect(lines.filter(({ sha256, proved }) => sha256 ?? proved?.sha256)).toHaveLength(100);
  }
  const { counts } = await vault.verify(point);
  expect(counts).toMatchObject({ unchanged: 100, skipped: 0, failed: 0 });
});

test('the record of a version holds in every restore point that has it, and in no other version', async () => {
  const vault = new Vault();
  for (const name of ['same', 'other']) vault.put(name, `content of ${name}`);
  const first = await vault.backup();
  await vault.verify(first.id);
  vault.put('other', 'CONTENT of other');
  const second = await vault.backup();
  for (const name of ['same', 'other']) vault.source.remove('data', name);
  const lines = await linesOf(vault, await vault.verify(second.id));
  expect(lines.get('same')).toMatchObject({ status: 'unchanged' });
  expect(lines.get('other')).toMatchObject({ code: 'content-unproved' });
});

test('a verification of an older restore point in between forgets nothing of the newer one, nor the other way round', async () => {
  const vault = new Vault();
  vault.put('a', 'first content');
  const old = await vault.backup();
  vault.put('a', 'other content');
  const now = await vault.backup();
  vault.source.remove('data', 'a');
  for (const { id } of [now, old]) {
    expect((await vault.verify(id)).problems).toMatchObject([{ code: 'content-unproved' }]);
  }
  for (const { id } of [now, now, old, now]) expect((await vault.verify(id)).counts).toMatchObject({ unchanged: 1 });
});

test('a verification that could not verify a container forgets nothing of it', async () => {
  const vault = new Vault();
  const job = jobOf('nightly', {});
  vault.jobs = [{ ...job, source: { ...job.source, containers: ['data', 'more'] } }];
  vault.source.createContainer('more');
  for (const container of ['data', 'more']) vault.put('a', `content of ${container}`, container);
  const { id } = await vault.backup();
  for (const container of ['data', 'more']) vault.source.remove(container, 'a');
  await vault.verify(id);
  vault.before = ({ container, operation }) => {
    if (container === BACKUP && operation === 'ListBlobs') throw new StorageError('throttled', 'Too busy');
  };
  expect(await vault.verify(id)).toMatchObject({
    status: 'completed-with-failures',
    parts: [{ container: 'more' }, {}],
  });
  vault.before = () => {};
  expect((await vault.verify(id)).counts).toMatchObject({ unchanged: 2 });
});

test('what was read of damaged content proves nothing', async () => {
  const vault = new Vault();
  vault.put('blob 0', 'content 0');
  const { id } = await vault.backup();
  change(vault, 'blob 0', 'CONTENT 0');
  expect((await vault.verify(id)).problems).toMatchObject([{ code: 'content-mismatch' }]);
  vault.source.remove('data', 'blob 0');
  expect((await vault.verify(id)).problems).toMatchObject([{ code: 'content-unproved' }]);
});

test('a damaged verification proves nothing and stops nothing', async () => {
  const { vault, point } = await unproved(1);
  const { parts } = await vault.verify(point);
  for (const { path } of parts) vault.alter(path, () => Buffer.from('not a part'));
  expect((await vault.verify(point)).problems).toMatchObject([{ code: 'content-unproved' }]);
});

test('carrying on costs no request per blob', async () => {
  const { vault, point } = await unproved(100);
  await vault.verify(point);
  let sent = 0;
  vault.before = () => void sent++;
  await vault.verify(point, 'deep', '1/9999');
  // 100 blobs in five slices and some chunks.
  expect(sent).toBeLessThan(80);
});
