import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { contentOf } from '../../support/judge/content-of.ts';

/** What someone who may write to the source, and nothing else, can do to restores. */
const bed = useTestBed({});

const md5Of = (text: string) => createHash('md5').update(text).digest();
const textOf = async (name: string, container = 'data', account = bed.source) =>
  (await makeContainer(account.connectionString, container)).getBlobClient(name).downloadToBuffer().then(String);

/** Overwrites a blob, and sets the Content-MD5 of other text on it. */
async function forge(name: string, text: string, like: string, metadata: Record<string, string> = {}): Promise<void> {
  await bed.upload(name, text, 'data', { metadata });
  const blobHTTPHeaders = { blobContentMD5: md5Of(like), blobContentType: 'text/plain' };
  await bed.original().getBlobClient(name).setHTTPHeaders(blobHTTPHeaders);
}

test('I10: "if-different" restores a blob that was overwritten under the same length and Content-MD5', async () => {
  await forge('ledger', 'GOOD content', 'GOOD content');
  await bed.upload('untouched', 'untouched');
  const app = await bed.start();
  await app.run();
  await forge('ledger', 'EVIL content', 'GOOD content');
  expect(await app.restore({ existing: 'if-different' })).toMatchObject({
    status: 'succeeded',
    counts: { copied: 1, unchanged: 1 },
  });
  expect(await textOf('ledger')).toBe('GOOD content');
  // Elsewhere nothing shows that a blob is the same.
  const copy = { target: { container: 'copy' }, existing: 'if-different' };
  expect(await app.restore(copy)).toMatchObject({ counts: { copied: 2 } });
  expect(await app.restore(copy)).toMatchObject({ counts: { copied: 2, unchanged: 0 } });
});

test('I10: every restore point gives back its own content, whatever records and MD5s the source forges', async () => {
  await bed.upload('pay', 'GOOD content');
  await bed.upload('pay2', 'GOOD content');
  const app = await bed.start();
  const before = await app.run();
  for (const name of ['pay', 'pay2']) {
    const { etag } = await bed.original().getBlobClient(name).getProperties();
    const forged = { strongroom_etag: etag!.replaceAll('"', ''), strongroom_modified: 'x', strongroom_run: before.id };
    const used = Object.entries(forged).reduce((sum, [key, value]) => sum + key.length + value.length, 3);
    // The service's limit exactly: a record of ours has no room beside it.
    await forge(name, 'EVIL content', name === 'pay' ? 'GOOD content' : 'OTHER', {
      ...forged,
      pad: 'p'.repeat(8192 - used),
    });
  }
  const after = await app.run({ mode: 'incremental' });
  expect(after).toMatchObject({ counts: { copied: 2 } });

  const restored = async (point: string, container: string) => {
    const report = await app.restore({ restorePoint: point, target: { container } });
    expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 2, failed: 0 } });
    return [await textOf('pay', container), await textOf('pay2', container)];
  };
  expect(await restored(before.id, 'then')).toEqual(['GOOD content', 'GOOD content']);
  expect(await restored(after.id, 'now')).toEqual(['EVIL content', 'EVIL content']);
});

test('I10: a Content-MD5 that is not that of the bytes is no damage, and does not keep a blob from a restore', async () => {
  await forge('lying', 'the content', 'something else');
  const log = (await makeContainer(bed.source.connectionString, 'data')).getAppendBlobClient('log');
  await log.create();
  await log.appendBlock('one\n', 4);
  await log.setHTTPHeaders({ blobContentMD5: md5Of('one\n') });
  await log.appendBlock('two\n', 4);
  await bed.upload('plain', 'plain');
  const app = await bed.start();
  const point = await app.run();
  const deep = { restorePoint: point.id, kind: 'deep' };
  // Nothing but the source could prove the bytes of two of them.
  await bed.original().delete();
  const unproved = await app.verify(deep);
  expect(unproved).toMatchObject({ status: 'succeeded', counts: { unchanged: 1, skipped: 2, failed: 0 } });
  const outcomes = await app.outcomes(unproved.id, 'status=skipped');
  expect(outcomes).toHaveLength(2);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      code: 'content-unproved',
      message: expect.stringContaining('Content-MD5 was another'),
    });
    expect(outcome).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  }
  // What the first verification read is on record for the next one.
  expect(await app.verify(deep)).toMatchObject({ status: 'succeeded', counts: { unchanged: 3 } });
  // A container that was just deleted may not be created again at once.
  expect(await app.restore({ target: { container: 'back' } })).toMatchObject({
    status: 'succeeded',
    counts: { copied: 3 },
  });
  expect(await textOf('log', 'back')).toBe('one\ntwo\n');
  expect(await textOf('lying', 'back')).toBe('the content');
});

test('I10: no restore writes into an archive, its control container, a host or a website, whatever the spelling', async () => {
  await bed.upload('locks/uploads.json', 'planted', 'tenant-x');
  await bed.upload('report.txt', 'ATTACKER TEXT', 'tenant-x');
  await bed.upload('report.txt', 'the report', 'incoming');
  const rule = {
    ...{ name: 'uploads', source: { account: 'SOURCE', container: 'incoming' } },
    destination: { account: 'ELSEWHERE', container: '{container}archive' },
  };
  const elsewhere = bed.proxy.connectionString(bed.elsewhere);
  const app = await bed.start({
    job: { source: { account: 'SOURCE', containers: ['tenant-*'] } },
    more: { accounts: ['AGAIN'], archives: [rule] },
    env: { AGAIN: elsewhere.replace('127.0.0.1', 'localhost') },
  });
  await app.run();
  await app.ended(await app.begin('/api/archives/uploads/reconcile'));
  const archived = await contentOf(bed.elsewhere.connectionString, 'incomingarchive');

  const into = (target: object) =>
    app.call('POST', '/api/restores', { containers: ['tenant-x'], existing: 'overwrite', target });
  for (const account of ['ELSEWHERE', 'AGAIN']) {
    for (const container of ['strongroom', 'incomingarchive']) {
      expect(await into({ account, container }), `${account} ${container}`).toMatchObject({
        status: 400,
        body: { code: 'body-invalid' },
      });
    }
  }
  for (const container of ['$web', 'azure-webjobs-hosts', 'strongroom-drill-aaaaaa-00000000']) {
    expect(await into({ container }), container).toMatchObject({ status: 400 });
  }
  expect((await into({ account: 'AGAIN', container: 'free' })).status).toBe(202);
  expect(await contentOf(bed.elsewhere.connectionString, 'incomingarchive')).toEqual(archived);
  expect(await app.ended(await app.begin('/api/archives/uploads/reconcile'))).toMatchObject({ status: 'succeeded' });
});

test('I10: a container with a name of a host keeps no other container from being restored', async () => {
  await bed.upload('a', 'a', 'azure-webjobs-x');
  await bed.upload('a', 'a');
  const app = await bed.start();
  await app.run();
  await bed.original().deleteBlob('a');
  const report = await app.restore({ existing: 'overwrite' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 1 } });
  expect(report.problems).toMatchObject([{ code: 'target-protected', container: 'azure-webjobs-x' }]);
  expect(await textOf('a')).toBe('a');
});

test('I10: a planted file of entities does not hold up the app', async () => {
  const planted = gzipSync(`{"end":${'['.repeat(60 * 1024 * 1024)}\n`);
  const client = await makeContainer(bed.source.connectionString, 'data');
  await client.getBlockBlobClient('planted.gz').upload(planted, planted.length);
  const app = await bed.start();
  const asked = app.call('POST', '/api/restores', {
    job: 'nightly',
    file: { account: 'SOURCE', container: 'data', name: 'planted.gz' },
  });
  const began = Date.now();
  await app.call('GET', '/api/runs');
  expect(await asked).toMatchObject({ status: 400, body: { code: 'file-unreadable' } });
  expect(Date.now() - began).toBeLessThan(5_000);
});
