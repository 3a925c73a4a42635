import { afterEach, describe, expect, it } from 'vitest';
import { type Archiving, type ArchivingOptions, startArchiving } from '../../support/app/archiving.ts';
import { takeAccounts } from '../../support/azurite/accounts.ts';

let archiving: Archiving | undefined;

async function start(options: ArchivingOptions = {}): Promise<Archiving> {
  const [source, vault] = takeAccounts(2);
  archiving = await startArchiving(source!, vault!, options);
  return archiving;
}

afterEach(async () => {
  await archiving?.app.host.stop();
  archiving = undefined;
});

describe('an upload is archived', { timeout: 60_000 }, () => {
  it('by an event in a queue, with its properties and a receipt', async () => {
    const room = await start();
    const client = room.source.getContainerClient('incoming').getBlockBlobClient('2026/a b.txt');
    await client.upload('hello', 5, {
      metadata: { Owner: 'me' },
      blobHTTPHeaders: { blobContentType: 'text/x-note' },
      tags: { kind: 'note' },
    });
    const etag = (await client.getProperties()).etag!.replaceAll('"', '');
    await room.tell({ container: 'incoming', name: '2026/a b.txt', etag });
    await room.until(async () => (await room.receipts('2026/a b.txt'))[0]?.state === 'done');
    expect(await room.archived()).toEqual({ '2026/a b.txt': 'hello' });
    const copy = room.vault.getContainerClient('incomingarchive').getBlobClient('2026/a b.txt');
    const properties = await copy.getProperties();
    expect(properties).toMatchObject({ contentType: 'text/x-note', metadata: { owner: 'me', strongroom_etag: etag } });
    expect((await copy.getTags()).tags).toEqual({ kind: 'note' });
    const [receipt] = await room.receipts('2026/a b.txt');
    expect(receipt).toMatchObject({
      state: 'done',
      source: { name: '2026/a b.txt', etag },
      archived: { container: 'incomingarchive', name: '2026/a b.txt', method: 'sync' },
    });
    expect(receipt!.archived!.etag).toBe(properties.etag!.replaceAll('"', ''));
  });

  it('once, although fifty events arrive at the same time', async () => {
    const room = await start();
    const etag = await room.upload('a.txt', 'one');
    await Promise.all(Array.from({ length: 50 }, () => room.tell({ container: 'incoming', name: 'a.txt', etag })));
    await room.drained();
    expect(await room.versions('a.txt')).toEqual(['one']);
    expect(await room.receipts('a.txt')).toMatchObject([{ state: 'done' }]);
  });

  it('by a reconciliation when no event arrived, and the next reconciliation finds nothing', async () => {
    const room = await start();
    for (const name of ['a', 'a/b', 'a-b', 'ü/ß', 'z.txt']) await room.upload(name, `of ${name}`);
    const first = await room.reconcile();
    expect(first).toMatchObject({ status: 'succeeded', mode: 'reconcile', counts: { listed: 5, copied: 5 } });
    expect(await room.archived()).toEqual({
      a: 'of a',
      'a/b': 'of a/b',
      'a-b': 'of a-b',
      'ü/ß': 'of ü/ß',
      'z.txt': 'of z.txt',
    });
    const { body } = await room.app.call('GET', '/api/archives/uploads');
    expect(body).toMatchObject({
      ...{ reconcile: { words: expect.any(String) }, source: { container: 'incoming' } },
      receipts: { done: 5, failed: 0, isComplete: true, newest: { name: expect.any(String) } },
      poison: { open: 0, oldest: null, codes: {} },
    });
    expect((await room.app.call('GET', '/api/archives')).body.archives).toMatchObject([{ name: 'uploads' }]);
    const second = await room.reconcile();
    expect(second).toMatchObject({ status: 'succeeded', counts: { listed: 5, copied: 0, unchanged: 5 } });
    expect(second.requests.CopyBlobFromURL ?? 0).toBe(0);
  });
});
