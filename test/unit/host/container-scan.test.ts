import type { ContainerClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { ContainerScan, type FoundBlob } from '../../../host/blobs/container-scan.ts';
import type { HostContainer } from '../../../host/blobs/host-container.ts';

const DAY = '2026-11-21T12:00:';

/** A scan of a container whose blobs are given by name and second, listed two at a time. */
function scanOf(listing: () => [name: string, second: string][] | Error) {
  const stored = new Map<string, string>();
  const looks: string[][] = [];
  const state = { well: true };
  const container = {
    accountName: 'acct',
    containerName: 'incoming',
    listBlobsFlat: () => ({
      byPage: ({ continuationToken = '0', maxPageSize }: { continuationToken?: string; maxPageSize: number }) => ({
        async next() {
          const all = listing();
          if (all instanceof Error) throw all;
          const [from, to] = [Number(continuationToken), Number(continuationToken) + maxPageSize];
          const blobItems = all.slice(from, to).map(([name, second]) => ({
            name,
            properties: { lastModified: new Date(`${DAY}${second}Z`), etag: `0x${second}`, blobType: 'BlockBlob' },
          }));
          return { value: { segment: { blobItems }, continuationToken: to < all.length ? String(to) : '' } };
        },
      }),
    }),
  };
  const scan = () =>
    new ContainerScan({
      container: container as unknown as ContainerClient,
      hostId: 'host',
      records: {
        read: async (name: string) => stored.get(name),
        write: async (name: string, text: string) => void stored.set(name, text),
      } as unknown as HostContainer,
      limit: 2,
      async found(blobs: FoundBlob[]) {
        looks.push(blobs.map(({ name, etag }) => `${name} ${etag}`));
        return state.well;
      },
    });
  return { scan, looks, state, record: () => stored.get('blobscaninfo/host/acct/incoming/scanInfo') };
}

test('looks at a page at a time, and from then on at what is as new as the newest', async () => {
  const blobs: [string, string][] = [
    ['a', '03'],
    ['b', '05'],
    ['c', '05'],
  ];
  const { scan, looks, record } = scanOf(() => blobs);
  const first = scan();
  await first.scanPage();
  expect([looks.splice(0), record()]).toEqual([[['a "0x03"', 'b "0x05"']], undefined]);
  await first.scanPage();
  expect([looks.splice(0), record()]).toEqual([[['c "0x05"']], `{"LatestScan":"${DAY}04.999Z"}`]);
  // One more of that very second is found, older ones are not; also by another host, which finds how far this one came.
  blobs.unshift(['0', '05']);
  for (const one of [first, scan()]) {
    await one.scanPage();
    await one.scanPage();
    expect(looks.splice(0)).toEqual([['0 "0x05"'], ['b "0x05"', 'c "0x05"']]);
  }
});

test('what could not be noted is found again', async () => {
  const { scan, looks, state, record } = scanOf(() => [['a', '03']]);
  const one = scan();
  state.well = false;
  await one.scanPage();
  expect(record()).toBeUndefined();
  state.well = true;
  await one.scanPage();
  expect(looks).toEqual([['a "0x03"'], ['a "0x03"']]);
  expect(record()).toBe(`{"LatestScan":"${DAY}02.999Z"}`);
});

test('a container that does not exist has no blobs; any other error is thrown', async () => {
  let answer: [string, string][] | Error = Object.assign(new Error('no container'), { statusCode: 404 });
  const { scan, looks } = scanOf(() => answer);
  const one = scan();
  await one.scanPage();
  answer = Object.assign(new Error('forbidden'), { statusCode: 403 });
  await expect(one.scanPage()).rejects.toThrow('forbidden');
  answer = [['a', '03']];
  await one.scanPage();
  expect(looks).toEqual([['a "0x03"']]);
});
