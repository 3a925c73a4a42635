import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient, type BlockBlobClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import type { ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed({
  app: {
    job: { destination: { account: 'VAULT', container: '{container}backup', prefix: 'of/' } },
    limits: { sliceBlobs: 20, chunkBlobs: 8, sliceChunks: 2, retryDelayMs: 20 },
  },
});

const failures = async (app: Strongroom, id: string) =>
  (await app.outcomes(id, 'status=failed')).map(({ container, name, code }) => `${container}/${name} ${code}`).sort();

const CONTAINERS = ['one', 'two'];
const BLOBS = 30;
const nameOf = (i: number) => `dir-${i % 7}/blob-${String(i).padStart(3, '0')}`;

/** Two containers of small blobs; some without an MD5, since they were written in blocks. */
const fill = async () => {
  for (const container of CONTAINERS) {
    const client = await makeContainer(bed.source.connectionString, container);
    await Promise.all(
      Array.from({ length: BLOBS }, async (_, i) => {
        const blob = client.getBlockBlobClient(nameOf(i));
        const text = `content of ${container} ${String(i).padStart(3, '0')}`;
        if (i % 10 === 3) await inBlocks(blob, text);
        else await blob.upload(text, text.length, { metadata: { mixedCase: 'Yes' }, tags: { no: String(i) } });
      }),
    );
  }
};

/** In blocks, as large uploads are: the service has no hash then, unless it is given one. */
const inBlocks = async (blob: BlockBlobClient, text: string, more: object = {}) => {
  const id = Buffer.from('0').toString('base64');
  await blob.stageBlock(id, text, text.length);
  await blob.commitBlockList([id], more);
};

const backupOf = (container: string) => bed.backup(`${container}backup`);
const copyOf = (container: string, i: number) => backupOf(container).getBlockBlobClient(`of/${nameOf(i)}`);

/** Changes the bytes and neither the record nor the hash: no listing shows it. */
const rot = async (blob: BlockBlobClient, change: (content: Buffer) => Buffer) => {
  const { metadata, contentMD5 } = await blob.getProperties();
  const content = change(await blob.downloadToBuffer());
  await inBlocks(blob, content.toString('latin1'), {
    metadata,
    ...(contentMD5 && { blobHTTPHeaders: { blobContentMD5: contentMD5 } }),
  });
};

const flipped = (content: Buffer) => {
  content[content.length - 1]! ^= 1;
  return content;
};

test('I6: a verification flags nothing in an undamaged restore point, and the point shows the proof', async () => {
  await fill();
  const app = await bed.start();
  const point = await app.run();
  expect(point).toMatchObject({ status: 'succeeded', counts: { copied: 60 } });
  const client = bed.original('one');
  // The source changes in each way: other content, other tags, deleted.
  await Promise.all([0, 1, 2, 4].map((i) => client.getBlockBlobClient(nameOf(i)).upload('changed since', 13)));
  await Promise.all([5, 6].map((i) => client.getBlobClient(nameOf(i)).setTags({ other: 'yes' })));
  await Promise.all([7, 8].map((i) => client.deleteBlob(nameOf(i))));
  await app.run({ mode: 'incremental' });
  await app.run({ mode: 'full' });

  const quick = await app.verify({ restorePoint: point.id });
  expect(quick).toMatchObject({ mode: 'verify', status: 'succeeded', counts: { listed: 60, unchanged: 60 } });
  expect(quick.requests.GetBlobProperties).toBeUndefined();
  const deep = await app.verify({ restorePoint: point.id, kind: 'deep' });
  expect(deep).toMatchObject({ status: 'succeeded', counts: { listed: 60, unchanged: 60, failed: 0 } });
  expect(await app.verify()).toMatchObject({ status: 'succeeded', counts: { listed: 58, failed: 0 } });

  const shown = await app.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({
    verified: { run: deep.id, kind: 'deep', items: 60, read: 60, failed: 0 },
    verifications: [{ kind: 'deep' }, { run: quick.id, kind: 'quick', items: 60, read: 0, failed: 0 }],
  });
});

test('I6: a quick verification finds all damage that a listing shows, and flags nothing else', async () => {
  await fill();
  const app = await bed.start();
  const point = await app.run();
  await makeContainer(bed.source.connectionString, 'one').then((client) =>
    client.getBlockBlobClient(nameOf(20)).upload('changed', 7),
  );
  await app.run({ mode: 'incremental' });

  await copyOf('one', 1).delete();
  for await (const { snapshot } of backupOf('one').listBlobsFlat({
    includeSnapshots: true,
    prefix: `of/${nameOf(20)}`,
  })) {
    if (snapshot) await copyOf('one', 20).withSnapshot(snapshot).delete();
  }
  const { metadata } = await copyOf('two', 2).getProperties();
  await copyOf('two', 2).upload('content of xxx 002', 18, { metadata: metadata! });
  const { metadata: about } = await copyOf('two', 4).getProperties();
  await copyOf('two', 4).upload('cut', 3, { metadata: about! });
  const report = await app.verify({ restorePoint: point.id });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 60, failed: 3 } });
  expect(await failures(app, report.id)).toEqual([
    `one/${nameOf(1)} content-missing`,
    `one/${nameOf(20)} content-missing`,
    expect.stringMatching(`two/${nameOf(4)} content-m`),
  ]);
  const shown = await app.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({ verified: { kind: 'quick', failed: 3 } });
  // The latest restore point has other content under the name whose snapshot was deleted.
  expect(await failures(app, (await app.verify()).id)).toHaveLength(2);
  // No listing shows bytes: the other blob has its record and its length.
  const deep = await app.verify({ kind: 'deep' });
  expect(await failures(app, deep.id)).toContain(`two/${nameOf(2)} content-mismatch`);
});

test('I6: a deep verification finds a flipped bit and swapped contents, and flags nothing else', async () => {
  await fill();
  const app = await bed.start();
  await app.run();
  await rot(copyOf('one', 1), flipped);
  // Written in blocks, and so without an MD5: the source shows the difference.
  await rot(copyOf('two', 13), flipped);
  const [left, right] = [await copyOf('two', 20).downloadToBuffer(), await copyOf('two', 21).downloadToBuffer()];
  await rot(copyOf('two', 20), () => right);
  await rot(copyOf('two', 21), () => left);

  expect(await app.verify()).toMatchObject({ status: 'succeeded', counts: { unchanged: 60, failed: 0 } });
  const report = await app.verify({ kind: 'deep' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { unchanged: 56, failed: 4 } });
  const damaged = [`one/${nameOf(1)}`, `two/${nameOf(13)}`, `two/${nameOf(20)}`, `two/${nameOf(21)}`].sort();
  expect(await failures(app, report.id)).toEqual(damaged.map((name) => `${name} content-mismatch`));

  // Three turns read each of them once.
  const found: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    found.push(...(await failures(app, (await app.verify({ kind: 'deep', portion: '1/3' })).id)));
  }
  expect(found.sort()).toEqual(damaged.map((name) => `${name} content-mismatch`));
});

test('a deep verification reports content without an MD5 whose source has changed as unproved', async () => {
  await fill();
  const app = await bed.start();
  await app.run();
  const client = await makeContainer(bed.source.connectionString, 'one');
  await client.deleteBlob(nameOf(3));
  await inBlocks(client.getBlockBlobClient(nameOf(13)), 'changed since');
  const report = await app.verify({ kind: 'deep' });
  expect(report).toMatchObject({ status: 'succeeded', counts: { unchanged: 58, skipped: 2, failed: 0 } });
  const skipped = await app.outcomes(report.id, 'status=skipped');
  expect(skipped.map(({ name, code }) => [name, code]).sort()).toEqual(
    [nameOf(3), nameOf(13)].sort().map((name) => [name, 'content-unproved']),
  );
});

test('a deep verification flags nothing when the service is busy or breaks off in the middle of a body', async () => {
  await fill();
  const large = Buffer.alloc(300_000, 'large ');
  await (await makeContainer(bed.source.connectionString, 'one'))
    .getBlockBlobClient('large')
    .upload(large, large.length);
  const app = await bed.start();
  await app.run();
  const reads = ({ method, path, query }: ProxiedRequest) =>
    method === 'GET' && /\/(one|two)backup\//.test(path) && !query.has('comp');
  const seen = new Map<string, number>();
  const nth = ({ path }: ProxiedRequest) => {
    seen.set(path, (seen.get(path) ?? 0) + 1);
    return seen.get(path)!;
  };
  let cut = 0;
  let busy = 0;
  bed.proxy.rules.push({
    match: (request) => reads(request) && nth(request) <= 2,
    after: (request, response) => {
      if (seen.get(request.path) === 1) {
        busy++;
        return { status: 503, headers: { 'x-ms-error-code': 'ServerBusy' }, body: '' };
      }
      cut++;
      const body = Buffer.from(response.body);
      return { ...response, body: body.subarray(0, Math.floor(body.length / 2)), announced: body.length };
    },
  });
  const report = await app.verify({ kind: 'deep' });
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 61, unchanged: 61, failed: 0 } });
  expect([busy, cut]).toEqual([61, 61]);
});

const reads = ({ method, path }: ProxiedRequest) => method === 'GET' && path.includes('backup/of/');

test('a verification that is killed again and again continues and reports each blob once', async () => {
  await fill();
  let app = await bed.start();
  await app.run();
  await rot(copyOf('two', 25), flipped);
  bed.proxy.rules.push({ match: reads, before: () => sleep(40) });

  const id = await app.begin('/api/verifications', { kind: 'deep' });
  for (let kills = 0; kills < 3; kills++) {
    const before = bed.proxy.requests.filter(reads).length;
    while (bed.proxy.requests.filter(reads).length < before + 12) await sleep(10);
    await app.host.kill();
    app = await bed.start();
  }
  const report = await app.ended(id);
  expect(report).toMatchObject({ id, status: 'completed-with-failures', counts: { listed: 60, unchanged: 59 } });
  expect(await failures(app, id)).toEqual([`two/${nameOf(25)} content-mismatch`]);
  expect(await app.outcomes(id)).toHaveLength(60);
});

test('a cancelled verification stops its reads and proves nothing', async () => {
  await fill();
  const app = await bed.start();
  const point = await app.run();
  let seen = 0;
  const release: (() => void)[] = [];
  // After the first few, reads hang until the end of the test.
  bed.proxy.rules.push({
    match: (request) => reads(request) && ++seen > 10,
    before: () => new Promise((resolve) => release.push(resolve)),
  });
  const id = await app.begin('/api/verifications', { kind: 'deep' });
  while (release.length === 0) await sleep(10);
  expect((await app.call('POST', `/api/runs/${id}/cancel`)).status).toBe(202);
  const report = await app.ended(id);
  for (const each of release) each();
  expect(report).toMatchObject({ status: 'cancelled', counts: { failed: 0 } });
  const shown = await app.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({ verified: null });
});

const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

test('a drill restores a sample beside the backup, compares it and deletes it, also after a kill', async () => {
  await fill();
  const client = await makeContainer(bed.source.connectionString, 'one');
  await client.getPageBlobClient('disk').create(1024);
  await client.getAppendBlobClient('log').create({ metadata: { kind: 'append' } });
  await client.getAppendBlobClient('log').appendBlock('line\n', 5);
  let app = await bed.start();
  const point = await app.run();
  const scratch = ({ path }: ProxiedRequest) => path.includes('/strongroom-drill-');
  const containers = async () => {
    const names: string[] = [];
    for await (const { name } of BlobServiceClient.fromConnectionString(bed.vault.connectionString).listContainers()) {
      names.push(name);
    }
    return names.sort();
  };
  const before = await containers();
  const content = digestOf(await copyOf('one', 1).downloadToBuffer());

  const drill = await app.verify({ kind: 'drill', sample: 12 });
  expect(drill).toMatchObject({ status: 'succeeded', counts: { listed: 12, unchanged: 12, failed: 0 }, problems: [] });
  const restored = bed.proxy.requests.filter((request) => scratch(request) && 'x-ms-copy-source' in request.headers);
  expect(new Set(restored.map(({ path }) => path)).size).toBe(12);
  expect(await containers()).toEqual(before);
  // Nothing was written to the source or the backup. The emulator itself sends HEAD for what it copies.
  const written = bed.proxy.requests
    .slice(bed.proxy.requests.indexOf(restored[0]!))
    .filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  expect(written.filter(({ path }) => path.includes(bed.source.name) || path.includes('backup/'))).toEqual([]);
  expect(digestOf(await copyOf('one', 1).downloadToBuffer())).toBe(content);

  // A drill of all blobs, one of them damaged, whose host is killed.
  await rot(copyOf('two', 25), flipped);
  bed.proxy.rules.push({ match: scratch, before: () => sleep(10) });
  const id = await app.begin('/api/verifications', { kind: 'drill', sample: 62 });
  const mark = bed.proxy.requests.length;
  while (bed.proxy.requests.slice(mark).filter(scratch).length < 30) await sleep(10);
  await app.host.kill();
  app = await bed.start();
  const all = await app.ended(id);
  expect(all).toMatchObject({ status: 'completed-with-failures', counts: { listed: 62, unchanged: 61, failed: 1 } });
  expect(await failures(app, id)).toEqual([`two/${nameOf(25)} content-mismatch`]);
  expect(await containers()).toEqual(before);
  const shown = await app.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({ verifications: [{ run: id, kind: 'drill', items: 62, read: 62, failed: 1 }] });
});

test('a request for a verification that cannot be done is refused with its reason', async () => {
  await fill();
  const app = await bed.start();
  const ask = (body: object) => app.call('POST', '/api/verifications', body);
  expect(await ask({})).toMatchObject({ status: 404, body: { code: 'restore-point-not-found' } });
  const point = await app.run();
  for (const body of [
    { kind: 'thorough' },
    { portion: '5%' },
    { kind: 'deep', portion: '0%' },
    { kind: 'drill', sample: 0 },
    { kind: 'drill', sample: 1001 },
    { sample: 5 },
    { unknown: 1 },
  ]) {
    expect(await ask(body)).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
  }
  const verification = await app.begin('/api/verifications', { restorePoint: point.id, kind: 'deep', portion: '50%' });
  expect(await app.ended(verification)).toMatchObject({
    status: 'succeeded',
    verify: { point: point.id, kind: 'deep', portion: '50%' },
  });
  expect(await ask({ restorePoint: verification })).toMatchObject({ status: 404 });
  expect(await ask({ job: 'other' })).toMatchObject({ status: 404, body: { code: 'job-not-found' } });
});
