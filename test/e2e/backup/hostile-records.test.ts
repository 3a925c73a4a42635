import { createHash } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { containerIn, useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed();

/** The service's limit for names and values of metadata together. */
const MOST = 8192;
const sizeOf = (metadata: Record<string, string>) => Object.entries(metadata).flat().join('').length;
const padded = (metadata: Record<string, string>) => ({
  ...metadata,
  p: 'p'.repeat(MOST - sizeOf(metadata) - 1),
});
const md5Of = (text: string) => createHash('md5').update(text).digest();

async function sourceEtag(name: string): Promise<string> {
  return (await bed.original().getBlobClient(name).getProperties()).etag!.replaceAll('"', '');
}

async function textIn(name: string, container = bed.backup()): Promise<string> {
  return String(await container.getBlobClient(name).downloadToBuffer());
}

/** What the vault has under a name: whose version each blob says it is, and its text. */
async function held(name: string): Promise<[etag: string | undefined, text: string][]> {
  const found: [string | undefined, string][] = [];
  for await (const item of bed
    .backup()
    .listBlobsFlat({ prefix: name, includeSnapshots: true, includeMetadata: true })) {
    if (item.name !== name) continue;
    const base = bed.backup().getBlobClient(name);
    const blob = item.snapshot ? base.withSnapshot(item.snapshot) : base;
    found.push([item.metadata?.strongroom_etag, String(await blob.downloadToBuffer())]);
  }
  return found;
}

describe('I10: a writer who forges the record of a version that was backed up before', () => {
  const GOOD = 'GOOD content of the first night';
  const EVIL = 'EVIL content of a second night!';

  async function forge(name: string, etag: string, run: string): Promise<Record<string, string>> {
    const metadata = padded({ strongroom_etag: etag, STRONGROOM_Modified: 'x', strongroom_run: run });
    expect(sizeOf(metadata)).toBe(MOST);
    await bed.original().getBlockBlobClient(name).upload(EVIL, EVIL.length, { metadata });
    await bed
      .original()
      .getBlobClient(name)
      .setHTTPHeaders({ blobContentMD5: md5Of(GOOD) });
    return metadata;
  }

  it('cannot make an older restore point give back other bytes, nor a later one lose its content', async () => {
    for (const name of ['pay', 'pay2']) await bed.upload(name, GOOD);
    const app = await bed.start();
    const first = await app.run();
    const etags = { pay: await sourceEtag('pay'), pay2: await sourceEtag('pay2') };
    const forged = await forge('pay', etags.pay, first.id);
    await forge('pay2', etags.pay2, 'x');

    const second = await app.run({ mode: 'incremental' });
    expect(second).toMatchObject({ status: 'succeeded', counts: { copied: 2, failed: 0 } });
    for (const name of ['pay', 'pay2'] as const) {
      expect(Object.fromEntries(await held(name))).toEqual({ [etags[name]]: GOOD, [await sourceEtag(name)]: EVIL });
    }
    const [line] = await app.outcomes(second.id, 'status=copied');
    expect(line).toMatchObject({ name: 'pay', metadata: forged });

    // It is found unchanged, and no run makes a further snapshot of it.
    const third = await app.run({ mode: 'incremental' });
    expect(third).toMatchObject({ status: 'succeeded', counts: { copied: 0, unchanged: 2 } });
    expect(await held('pay')).toHaveLength(2);
    expect((await app.outcomes(third.id, 'status=unchanged'))[0]).toMatchObject({ name: 'pay', metadata: forged });

    for (const [restorePoint, text] of [
      [first.id, GOOD],
      [second.id, EVIL],
      [third.id, EVIL],
    ] as const) {
      const target = { container: `{container}-${text === GOOD ? 'good' : restorePoint === third.id ? 'c' : 'b'}` };
      const report = await app.restore({ restorePoint, containers: ['data'], target });
      expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 2 } });
      const restored = containerIn(bed.source, target.container.replace('{container}', 'data'));
      for (const name of ['pay', 'pay2']) expect(await textIn(name, restored)).toBe(text);
    }
  });

  it('cannot hide a change within one size, with the same Content-MD5, right after the copy', async () => {
    await bed.original().createIfNotExists();
    const metadata = padded({ a: 'a' });
    const client = bed.original().getBlockBlobClient('ledger');
    await client.upload(GOOD, GOOD.length, { metadata });
    const app = await bed.start();
    await app.run();
    await client.upload(EVIL, EVIL.length, { metadata });
    await client.setHTTPHeaders({ blobContentMD5: md5Of(GOOD) });
    const report = await app.run({ mode: 'incremental' });
    expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
    expect(await app.outcomes(report.id)).toMatchObject([{ status: 'copied', reason: 'changed' }]);
    expect(await textIn('ledger')).toBe(EVIL);
  });
});

test('I7: a copy carries as much metadata as has room beside its record, and the entry has it all if there is more', async () => {
  const fits = { a: 'a'.repeat(7000), b: 'b'.repeat(678) };
  await bed.upload('fits', 'x', 'data', { metadata: fits, tags: { project: 'p'.repeat(200) }, tier: 'Cool' });
  await bed.upload('more', 'x', 'data', { metadata: { ...fits, c: 'c' } });
  const app = await bed.start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 2 } });
  const [first, second] = await app.outcomes(report.id);
  expect([first!.metadata, second!.metadata]).toEqual([undefined, { ...fits, c: 'c' }]);
  for (const name of ['fits', 'more']) {
    const { metadata } = await bed.backup().getBlobClient(name).getProperties();
    expect(metadata).toMatchObject({ ...fits, strongroom_run: report.id });
    expect(metadata).not.toHaveProperty('c');
  }
});

test('I10: blobs that their writer marks as directories are backed up like all others, again and again', async () => {
  await bed.fill(5);
  const app = await bed.start();
  await app.run();
  const client = bed.original();
  for (let index = 0; index < 5; index++) {
    const metadata = index === 0 ? { HDI_IsFolder: 'true', a: 'a' } : { hdi_isfolder: 'true' };
    await client
      .getBlockBlobClient(`blob-00${index}`)
      .upload(index === 4 ? '' : 'new', index === 4 ? 0 : 3, { metadata });
  }
  for (const [mode, counts] of [
    ['incremental', { copied: 5, unchanged: 0 }],
    ['incremental', { copied: 0, unchanged: 5 }],
    ['full', { copied: 5, unchanged: 0 }],
  ] as const) {
    const report = await app.run({ mode });
    expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 5, skipped: 0, ...counts } });
    expect((await app.outcomes(report.id))[1]).toMatchObject({ metadata: { hdi_isfolder: 'true' } });
  }
  for await (const { name, metadata = {} } of bed.backup().listBlobsFlat({ includeMetadata: true })) {
    const keys = Object.keys(metadata).filter((key) => !key.startsWith('strongroom_'));
    expect([name, keys]).toEqual([name, name === 'blob-000' ? ['a'] : []]);
    expect(await textIn(name)).toBe(name === 'blob-004' ? '' : 'new');
  }
});

test('I9: the address that the vault shows beside a copy opens no other blob of the source', async () => {
  await bed.fill(2);
  const app = await bed.start();
  await app.run();
  const { copySource } = await bed.backup().getBlobClient('blob-000').getProperties();
  // The emulator keeps the signature.
  expect(new URL(copySource!).searchParams.get('sr')).toBe('b');
  const other = copySource!.replace('blob-000', 'blob-001');
  expect((await fetch(copySource!)).status).toBe(200);
  expect((await fetch(other)).status).toBe(403);
});

test('a second copy of a vault keeps the records of the first one in its entries, and reports what they are', async () => {
  await bed.fill(3);
  const second = {
    name: 'second',
    source: { account: 'VAULT', containers: ['databackup'] },
    destination: { account: 'ELSEWHERE', container: '{container}2' },
  };
  const nightly = {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['data'] },
    destination: { account: 'VAULT', container: '{container}backup' },
  };
  const app = await bed.start({ jobs: [nightly, second] });
  expect((await app.run()).problems).toEqual([]);
  for (const counts of [{ copied: 3 }, { unchanged: 3 }]) {
    const report = await app.run({ mode: 'incremental' }, 'second');
    expect(report).toMatchObject({ status: 'succeeded', counts });
    expect(report.problems).toMatchObject([{ code: 'other-vault', container: 'databackup', count: 3 }]);
    const [line] = await app.outcomes(report.id);
    expect(line!.metadata).toMatchObject({ strongroom_etag: await sourceEtag('blob-000') });
  }
  const copy = containerIn(bed.elsewhere, 'databackup2').getBlobClient('blob-000');
  const vaultEtag = (await bed.backup().getBlobClient('blob-000').getProperties()).etag!.replaceAll('"', '');
  expect((await copy.getProperties()).metadata).toMatchObject({ strongroom_etag: vaultEtag });
});
