import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ShownProof } from '#api/proof.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed();

async function proofOf(app: Strongroom, id: string): Promise<ShownProof> {
  const { status, body } = await app.call('GET', `/api/restore-points/${id}/proof`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as ShownProof;
}

const bytesOf = (path: string) => bed.control.getBlobClient(path).downloadToBuffer();
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const recordPath = (number: number) => `jobs/nightly/chain/${String(number).padStart(10, '0')}.json`;

test('a proof names every verification on record, with hashes that anyone can check', async () => {
  await bed.fill(3);
  const app = await bed.start();
  const { id } = await app.run();
  expect(await proofOf(app, id)).toMatchObject({ verifications: [], record: { number: 1 }, chain: { records: 1 } });
  const quick = await app.verify({ restorePoint: id });
  const deep = await app.verify({ restorePoint: id, kind: 'deep' });
  // A later restore point, and what was verified of it, is no part of this one.
  const other = await app.run();
  await app.verify({ restorePoint: other.id });

  const proof = await proofOf(app, id);
  expect(proof).toMatchObject({
    restorePoint: { id, blobs: 3, lacks: { failed: 0 }, by: { via: 'loopback' }, hold: null },
    summary: { isAsRecorded: true },
    verifications: [
      { run: deep.id, kind: 'deep', portion: '100%', items: 3, read: 3, failed: 0, isSound: true },
      { run: quick.id, kind: 'quick', portion: null, read: 0, isSound: true, by: { via: 'loopback' } },
    ],
    ...{ more: 0, chain: { records: 5, head: { number: 5 }, problem: null } },
  });
  const [first, second] = proof.verifications;
  for (const { record, summary } of [{ record: proof.record!, summary: proof.summary }, first!, second!]) {
    const bytes = await bytesOf(recordPath(record.number));
    expect(sha256Of(bytes)).toBe(record.sha256);
    expect(JSON.parse(String(bytes))).toMatchObject({ summary: { path: summary.path, sha256: summary.sha256 } });
    expect(sha256Of(await bytesOf(summary.path))).toBe(summary.sha256);
  }
  expect(second!.record.previous).toBe(proof.record!.sha256);
  expect(proof.text).toContain(`Verified at ${first!.finishedAt} (deep, 100% of the content): nothing wrong`);

  // Someone makes a verification look better than it was.
  const path = second!.summary.path;
  const altered = String(await bytesOf(path)).replace(quick.startedAt, '2020-01-01T00:00:00.000Z');
  await bed.control.getBlockBlobClient(path).upload(altered, altered.length);
  await bed.control.getBlobClient(recordPath(4)).delete();
  const after = await proofOf(app, id);
  expect(after.verifications[1]).toMatchObject({ summary: { isAsRecorded: false }, startedAt: null, by: null });
  expect(after.chain.problem).toContain(recordPath(4));
  expect(after.text).toContainEqual(expect.stringContaining('NOT AS RECORDED'));
  expect((await app.call('GET', `/api/restore-points/${deep.id}/proof`)).status).toBe(404);
});
