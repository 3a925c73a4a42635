import { afterEach, describe, expect, it } from 'vitest';
import { type Archiving, startArchiving } from '../../support/app/archiving.ts';
import { takeAccounts } from '../../support/azurite/accounts.ts';

let archiving: Archiving | undefined;

async function start(): Promise<Archiving> {
  const [source, vault] = takeAccounts(2);
  archiving = await startArchiving(source!, vault!, {});
  return archiving;
}

afterEach(async () => {
  await archiving?.app.host.stop();
  archiving = undefined;
});

describe('I10: an upload whose writer marks it as a directory', { timeout: 60_000 }, () => {
  it('is archived by an event and by a reconciliation, and its receipt has the mark', async () => {
    const room = await start();
    const metadata = { hdi_isfolder: 'true', owner: 'me' };
    const client = room.source.getContainerClient('incoming');
    await client.getBlockBlobClient('event.txt').upload('event', 5, { metadata });
    await room.tell({ container: 'incoming', name: 'event.txt' });
    await room.until(async () => (await room.receipts('event.txt'))[0]?.state === 'done');
    await client.getBlockBlobClient('found.txt').upload('found', 5, { metadata });
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 1, skipped: 0 } });
    expect(await room.archived()).toEqual({ 'event.txt': 'event', 'found.txt': 'found' });
    for (const name of ['event.txt', 'found.txt']) {
      expect(await room.receipts(name)).toMatchObject([{ state: 'done', source: { metadata } }]);
      const copy = room.vault.getContainerClient('incomingarchive').getBlobClient(name);
      const own = Object.keys((await copy.getProperties()).metadata!).filter((key) => !key.startsWith('strongroom_'));
      expect(own).toEqual(['owner']);
    }
  });
});

describe('I10: an upload whose writer forges the record of a version that was never archived', {
  timeout: 60_000,
}, () => {
  it('is archived as what it is, and the receipt of that version does not say that it was archived', async () => {
    const room = await start();
    await room.upload('note', 'an earlier text');
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded' });
    const lease = room.vault.getContainerClient('incomingarchive').getBlobClient('note').getBlobLeaseClient();
    await lease.acquireLease(-1);
    const lost = await room.upload('note', 'TRUE TEXT');
    expect(await room.reconcile()).toMatchObject({ counts: { failed: 1 } });
    await lease.releaseLease();

    const forged = { strongroom_etag: lost, Strongroom_Modified: 'x', strongroom_run: 'uploads-event-x' };
    const metadata = { ...forged, p: 'p'.repeat(8191 - Object.entries(forged).flat().join('').length) };
    await room.source.getContainerClient('incoming').getBlockBlobClient('note').upload('FAKE TEXT', 9, { metadata });
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
    const states = (await room.receipts('note')).map(({ source, state }) => [source.etag === lost, state]);
    expect(states).toEqual(
      expect.arrayContaining([
        [true, 'missed'],
        [false, 'done'],
        [false, 'done'],
      ]),
    );
    expect(states).toHaveLength(3);
    expect(await room.archived()).toEqual({ note: 'FAKE TEXT' });
  });
});
