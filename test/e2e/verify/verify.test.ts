import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient, type BlockBlobClient, type ContainerClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let dataDir: string;
let app: Strongroom | undefined;

const start = async (more: object = {}) => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    job: { destination: { account: 'VAULT', container: '{container}backup', prefix: 'of/' } },
    dataDir,
    limits: { sliceBlobs: 40, chunkBlobs: 15, sliceChunks: 2, retryDelayMs: 20 },
    ...more,
  });
  return app;
};

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-verify-'));
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

const begin = async (room: Strongroom, body: object = {}) => {
  const answer = await room.call('POST', '/api/verifications', body);
  if (answer.status !== 202) throw new Error(`Not started: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.id;
};

const verify = async (room: Strongroom, body: object = {}) => room.ended(await begin(room, body));

const failures = async (room: Strongroom, id: string) =>
  (await room.outcomes(id, 'status=failed')).map(({ container, name, code }) => `${container}/${name} ${code}`).sort();

const CONTAINERS = ['one', 'two'];
const BLOBS = 60;
const nameOf = (i: number) => `dir-${i % 7}/blob-${String(i).padStart(3, '0')}`;

/** Two containers of small blobs; some without an MD5, since they were written in blocks. */
const fill = async () => {
  for (const container of CONTAINERS) {
    const client = await makeContainer(source.connectionString, container);
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

/** As large uploads are: the service is left without a hash, unless one is given. */
const inBlocks = async (blob: BlockBlobClient, text: string, more: object = {}) => {
  const id = Buffer.from('0').toString('base64');
  await blob.stageBlock(id, text, text.length);
  await blob.commitBlockList([id], more);
};

const mirrorOf = (container: string): ContainerClient =>
  BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient(`${container}backup`);
const held = (container: string, i: number) => mirrorOf(container).getBlockBlobClient(`of/${nameOf(i)}`);

/** Other bytes with the record as it was, and with a hash as it was: no listing can tell. */
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

test('I6: an undamaged restore point: nothing is flagged, whatever has come after it, and the proof is noted', async () => {
  await fill();
  const room = await start();
  const point = await room.run();
  expect(point).toMatchObject({ status: 'succeeded', counts: { copied: 120 } });
  const client = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('one');
  // Each way of moving on: other content, other tags alone, gone.
  await Promise.all([0, 1, 2, 4].map((i) => client.getBlockBlobClient(nameOf(i)).upload('changed since', 13)));
  await Promise.all([5, 6].map((i) => client.getBlobClient(nameOf(i)).setTags({ other: 'yes' })));
  await Promise.all([7, 8].map((i) => client.deleteBlob(nameOf(i))));
  await room.run({ mode: 'incremental' });
  await room.run({ mode: 'full' });

  const quick = await verify(room, { restorePoint: point.id });
  expect(quick).toMatchObject({ mode: 'verify', status: 'succeeded', counts: { listed: 120, unchanged: 120 } });
  expect(quick.requests.GetBlobProperties).toBeUndefined();
  const deep = await verify(room, { restorePoint: point.id, kind: 'deep' });
  expect(deep).toMatchObject({ status: 'succeeded', counts: { listed: 120, unchanged: 120, failed: 0 } });
  expect(await verify(room)).toMatchObject({ status: 'succeeded', counts: { listed: 118, failed: 0 } });

  const shown = await room.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({
    verified: { run: deep.id, kind: 'deep', items: 120, read: 120, failed: 0 },
    verifications: [{ kind: 'deep' }, { run: quick.id, kind: 'quick', items: 120, read: 0, failed: 0 }],
  });
});

test('I6: what a listing can tell is found by a quick look, and nothing else is flagged', async () => {
  await fill();
  const room = await start();
  const point = await room.run();
  await makeContainer(source.connectionString, 'one').then((client) =>
    client.getBlockBlobClient(nameOf(20)).upload('changed', 7),
  );
  await room.run({ mode: 'incremental' });

  await held('one', 1).delete();
  for await (const { snapshot } of mirrorOf('one').listBlobsFlat({
    includeSnapshots: true,
    prefix: `of/${nameOf(20)}`,
  })) {
    if (snapshot) await held('one', 20).withSnapshot(snapshot).delete();
  }
  const { metadata } = await held('two', 2).getProperties();
  await held('two', 2).upload('content of xxx 002', 18, { metadata: metadata! });
  const { metadata: about } = await held('two', 4).getProperties();
  await held('two', 4).upload('cut', 3, { metadata: about! });
  const report = await verify(room, { restorePoint: point.id });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 120, failed: 4 } });
  expect(await failures(room, report.id)).toEqual([
    `one/${nameOf(1)} content-missing`,
    `one/${nameOf(20)} content-missing`,
    `two/${nameOf(2)} content-mismatch`,
    expect.stringMatching(`two/${nameOf(4)} content-m`),
  ]);
  const shown = await room.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({ verified: { kind: 'quick', failed: 4 } });
  // The one after it has its own content under the name whose snapshot is gone.
  expect(await failures(room, (await verify(room)).id)).toHaveLength(3);
});

test('I6: a flipped bit and two contents swapped, with every property as it was: found by reading, and nothing else', async () => {
  await fill();
  const room = await start();
  await room.run();
  await rot(held('one', 1), flipped);
  // Written in blocks, and so without an MD5: the source tells.
  await rot(held('two', 13), flipped);
  const [left, right] = [await held('two', 20).downloadToBuffer(), await held('two', 21).downloadToBuffer()];
  await rot(held('two', 20), () => right);
  await rot(held('two', 21), () => left);

  expect(await verify(room)).toMatchObject({ status: 'succeeded', counts: { unchanged: 120, failed: 0 } });
  const report = await verify(room, { kind: 'deep' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { unchanged: 116, failed: 4 } });
  const damaged = [`one/${nameOf(1)}`, `two/${nameOf(13)}`, `two/${nameOf(20)}`, `two/${nameOf(21)}`].sort();
  expect(await failures(room, report.id)).toEqual(damaged.map((name) => `${name} content-mismatch`));

  // In three turns each of them has been read once.
  const found: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    found.push(...(await failures(room, (await verify(room, { kind: 'deep', share: '1/3' })).id)));
  }
  expect(found.sort()).toEqual(damaged.map((name) => `${name} content-mismatch`));
});

test('what nothing proves is said to be so: no MD5, and the source has moved on', async () => {
  await fill();
  const room = await start();
  await room.run();
  const client = await makeContainer(source.connectionString, 'one');
  await client.deleteBlob(nameOf(3));
  await inBlocks(client.getBlockBlobClient(nameOf(13)), 'changed since');
  const report = await verify(room, { kind: 'deep' });
  expect(report).toMatchObject({ status: 'succeeded', counts: { unchanged: 118, skipped: 2, failed: 0 } });
  const skipped = await room.outcomes(report.id, 'status=skipped');
  expect(skipped.map(({ name, code }) => [name, code]).sort()).toEqual(
    [nameOf(3), nameOf(13)].sort().map((name) => [name, 'content-unproved']),
  );
});

test('a service that is busy and connections that break in mid-body flag nothing', async () => {
  await fill();
  const large = Buffer.alloc(300_000, 'large ');
  await (await makeContainer(source.connectionString, 'one')).getBlockBlobClient('large').upload(large, large.length);
  const room = await start();
  await room.run();
  const reads = ({ method, path, query }: ProxiedRequest) =>
    method === 'GET' && /\/(one|two)backup\//.test(path) && !query.has('comp');
  const seen = new Map<string, number>();
  const nth = ({ path }: ProxiedRequest) => {
    seen.set(path, (seen.get(path) ?? 0) + 1);
    return seen.get(path)!;
  };
  let cut = 0;
  let busy = 0;
  proxy.rules.push({
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
  const report = await verify(room, { kind: 'deep' });
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 121, unchanged: 121, failed: 0 } });
  expect([busy, cut]).toEqual([121, 121]);
});

const reads = ({ method, path }: ProxiedRequest) => method === 'GET' && path.includes('backup/of/');

test('killed again and again, it carries on and tells of each blob once', async () => {
  await fill();
  let room = await start();
  await room.run();
  await rot(held('two', 50), flipped);
  proxy.rules.push({ match: reads, before: () => sleep(20) });

  const id = await begin(room, { kind: 'deep' });
  for (let kills = 0; kills < 3; kills++) {
    const before = proxy.requests.filter(reads).length;
    while (proxy.requests.filter(reads).length < before + 25) await sleep(10);
    await room.host.kill();
    room = await start();
  }
  const report = await room.ended(id);
  expect(report).toMatchObject({ id, status: 'completed-with-failures', counts: { listed: 120, unchanged: 119 } });
  expect(await failures(room, id)).toEqual([`two/${nameOf(50)} content-mismatch`]);
  expect(await room.outcomes(id)).toHaveLength(120);
});

test('cancelled, it ends what is being read, and proves nothing', async () => {
  await fill();
  const room = await start();
  const point = await room.run();
  let seen = 0;
  const release: (() => void)[] = [];
  // After the first few, reads hang for as long as somebody waits for them.
  proxy.rules.push({
    match: (request) => reads(request) && ++seen > 10,
    before: () => new Promise((resolve) => release.push(resolve)),
  });
  const id = await begin(room, { kind: 'deep' });
  while (release.length === 0) await sleep(10);
  expect((await room.call('POST', `/api/runs/${id}/cancel`)).status).toBe(202);
  const report = await room.ended(id);
  for (const each of release) each();
  expect(report).toMatchObject({ status: 'cancelled', counts: { failed: 0 } });
  const shown = await room.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({ verified: null });
});

const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

test('a drill restores a sample beside the mirror, compares it and takes it away, also after a kill', async () => {
  await fill();
  const client = await makeContainer(source.connectionString, 'one');
  await client.getPageBlobClient('disk').create(1024);
  await client.getAppendBlobClient('log').create({ metadata: { kind: 'append' } });
  await client.getAppendBlobClient('log').appendBlock('line\n', 5);
  let room = await start();
  const point = await room.run();
  const scratch = ({ path }: ProxiedRequest) => path.includes('/strongroom-drill-');
  const containers = async () => {
    const names: string[] = [];
    for await (const { name } of BlobServiceClient.fromConnectionString(vault.connectionString).listContainers()) {
      names.push(name);
    }
    return names.sort();
  };
  const before = await containers();
  const content = digestOf(await held('one', 1).downloadToBuffer());

  const drill = await verify(room, { kind: 'drill', sample: 12 });
  expect(drill).toMatchObject({ status: 'succeeded', counts: { listed: 12, unchanged: 12, failed: 0 }, problems: [] });
  const restored = proxy.requests.filter((request) => scratch(request) && 'x-ms-copy-source' in request.headers);
  expect(new Set(restored.map(({ path }) => path)).size).toBe(12);
  expect(await containers()).toEqual(before);
  // Nothing was written to the source, nor to the mirror; the emulator itself asks after what it copies.
  const written = proxy.requests
    .slice(proxy.requests.indexOf(restored[0]!))
    .filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  expect(written.filter(({ path }) => path.includes(source.name) || path.includes('backup/'))).toEqual([]);
  expect(digestOf(await held('one', 1).downloadToBuffer())).toBe(content);

  // All of it, damaged in one place, and killed on the way.
  await rot(held('two', 50), flipped);
  proxy.rules.push({ match: scratch, before: () => sleep(10) });
  const id = await begin(room, { kind: 'drill', sample: 122 });
  const mark = proxy.requests.length;
  while (proxy.requests.slice(mark).filter(scratch).length < 60) await sleep(10);
  await room.host.kill();
  room = await start();
  const all = await room.ended(id);
  expect(all).toMatchObject({ status: 'completed-with-failures', counts: { listed: 122, unchanged: 121, failed: 1 } });
  expect(await failures(room, id)).toEqual([`two/${nameOf(50)} content-mismatch`]);
  expect(await containers()).toEqual(before);
  const shown = await room.call('GET', `/api/restore-points/${point.id}`);
  expect(shown.body).toMatchObject({ verifications: [{ run: id, kind: 'drill', items: 122, read: 122, failed: 1 }] });
});

test('what cannot be verified is refused, with what to do', async () => {
  await fill();
  const room = await start();
  const ask = (body: object) => room.call('POST', '/api/verifications', body);
  expect(await ask({})).toMatchObject({ status: 404, body: { code: 'restore-point-not-found' } });
  const point = await room.run();
  for (const body of [
    { kind: 'thorough' },
    { share: '5%' },
    { kind: 'deep', share: '0%' },
    { kind: 'drill', sample: 0 },
    { kind: 'drill', sample: 1001 },
    { sample: 5 },
    { unknown: 1 },
  ]) {
    expect(await ask(body)).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
  }
  const verification = await begin(room, { restorePoint: point.id, kind: 'deep', share: '50%' });
  expect(await ask({})).toMatchObject({ status: 409, body: { code: 'run-in-progress', run: verification } });
  expect(await room.ended(verification)).toMatchObject({
    status: 'succeeded',
    verify: { point: point.id, kind: 'deep', share: '50%' },
  });
  expect(await ask({ restorePoint: verification })).toMatchObject({ status: 404 });
  expect(await ask({ job: 'other' })).toMatchObject({ status: 404, body: { code: 'job-not-found' } });
});
