import { BlobServiceClient, StorageSharedKeyCredential, type UserDelegationKey } from '@azure/storage-blob';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAccessMinter } from '#storage/azure/read-access.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-21T06:00:00Z');
const TIME = '2026-11-20T05:57:45.1234567Z';
const ENDPOINT = 'https://acct.blob.core.windows.net';
const KEY = Buffer.from('key').toString('base64');

function service(query = ''): BlobServiceClient {
  return new BlobServiceClient(ENDPOINT + query, new StorageSharedKeyCredential('acct', KEY));
}

/** An account reached by identity; keeps the spans that delegation keys were asked for. */
function delegating() {
  const client = service();
  const asked: [Date, Date][] = [];
  let broken = false;
  const getUserDelegationKey = async (start: Date, end: Date) => {
    asked.push([start, end]);
    if (broken) throw new Error('denied');
    const key: UserDelegationKey = {
      signedObjectId: 'object',
      signedTenantId: 'tenant',
      signedStartsOn: start,
      signedExpiresOn: end,
      signedService: 'b',
      signedVersion: '2026-10-06',
      value: KEY,
    };
    return key;
  };
  Object.assign(client, { getUserDelegationKey });
  const credential = { getToken: async () => null };
  const mint = readAccessMinter(client, { kind: 'identity', accountName: 'acct', credential });
  const accessUntil = (until: number) => mint(client.getContainerClient('data'), new Date(until));
  const queryUntil = async (until: number) => {
    const access = await accessUntil(until);
    return new URL(access.urlOf('n')).searchParams;
  };
  return { asked, accessUntil, queryUntil, fail: (value: boolean) => (broken = value) };
}

describe('readAccessMinter', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('an account key mints read access to one blob, from 15 minutes ago', async () => {
    const client = service();
    const mint = readAccessMinter(client, { kind: 'key', accountName: 'acct', accountKey: KEY });
    const access = await mint(client.getContainerClient('data'), new Date(NOW + 2 * HOUR));
    const url = new URL(access.urlOf('a b/é#?.txt'));
    expect(url.pathname).toBe('/data/a%20b/%C3%A9%23%3F.txt');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      sr: 'b',
      sp: 'r',
      spr: 'https',
      st: '2026-11-21T05:45:00Z',
      se: '2026-11-21T08:00:00Z',
    });
    const signed = (name: string) => new URL(access.urlOf(name)).searchParams.get('sig');
    expect(signed('a b/é#?.txt')).toBe(url.searchParams.get('sig'));
    expect(signed('another')).not.toBe(url.searchParams.get('sig'));
  });

  it('a signature ends when its copy must have ended, and never after the access does', async () => {
    const client = service();
    const byKey = await readAccessMinter(client, { kind: 'key', accountName: 'acct', accountKey: KEY })(
      client.getContainerClient('data'),
      new Date(NOW + 2 * HOUR),
    );
    for (const access of [byKey, await delegating().accessUntil(NOW + 2 * HOUR)]) {
      for (const kept of [undefined, { snapshot: TIME }, { version: TIME }]) {
        const endOf = (until?: number) =>
          new URL(access.urlOf('n', kept, until === undefined ? undefined : new Date(until))).searchParams.get('se');
        expect(endOf(NOW + HOUR / 2)).toBe('2026-11-21T06:30:00Z');
        expect(endOf(NOW + 3 * HOUR)).toBe('2026-11-21T08:00:00Z');
        expect(endOf()).toBe('2026-11-21T08:00:00Z');
      }
    }
  });

  it('a shared access signature is passed on, once', async () => {
    const client = service('?sv=1&sp=rl&sig=own');
    const access = await readAccessMinter(client, { kind: 'sas', sas: 'sv=1&sp=rl&sig=own' })(
      client.getContainerClient('data'),
      new Date(NOW + HOUR),
    );
    expect(access.urlOf('n')).toBe(`${ENDPOINT}/data/n?sv=1&sp=rl&sig=own`);
    expect(access.urlOf('n', { version: TIME })).toBe(
      `${ENDPOINT}/data/n?versionid=${encodeURIComponent(TIME)}&sv=1&sp=rl&sig=own`,
    );
  });

  it.each([
    ['bs', 'snapshot', { snapshot: TIME }],
    ['bv', 'versionid', { version: TIME }],
  ])('access to a snapshot or version of one blob is minted on its own (%s)', async (resource, parameter, kept) => {
    const client = service();
    const byKey = await readAccessMinter(client, { kind: 'key', accountName: 'acct', accountKey: KEY })(
      client.getContainerClient('data'),
      new Date(NOW + 2 * HOUR),
    );
    const byIdentity = await delegating().accessUntil(NOW + 2 * HOUR);
    for (const access of [byKey, byIdentity]) {
      const address = access.urlOf('a b/é', kept);
      expect(address).toContain(`/data/a%20b/%C3%A9?${parameter}=${encodeURIComponent(TIME)}&sv=`);
      const query = new URL(address).searchParams;
      expect(Object.fromEntries(query)).toMatchObject({
        sr: resource,
        sp: 'r',
        spr: 'https',
        st: '2026-11-21T05:45:00Z',
        se: '2026-11-21T08:00:00Z',
      });
      const signatures = [address, access.urlOf('a b/é'), access.urlOf('other', kept)].map((each) =>
        new URL(each).searchParams.get('sig'),
      );
      expect(new Set(signatures).size).toBe(3);
    }
    expect(new URL(byIdentity.urlOf('n', kept)).searchParams.get('skoid')).toBe('object');
  });

  it('every signature asks for a version that all clouds know, whatever the SDK knows', async () => {
    const client = service();
    const byKey = await readAccessMinter(client, { kind: 'key', accountName: 'acct', accountKey: KEY })(
      client.getContainerClient('data'),
      new Date(NOW + HOUR),
    );
    for (const access of [byKey, await delegating().accessUntil(NOW + HOUR)]) {
      for (const kept of [undefined, { snapshot: TIME }, { version: TIME }]) {
        expect(new URL(access.urlOf('n', kept)).searchParams.get('sv')).toBe('2021-12-02');
      }
    }
  });

  it('a delegation key of less than 7 days signs, and is fetched once', async () => {
    const { asked, queryUntil } = delegating();
    const query = await queryUntil(NOW + 2 * HOUR);
    await queryUntil(NOW + 3 * HOUR);
    expect(asked).toHaveLength(1);
    const [start, end] = asked[0]!;
    expect(start.getTime()).toBe(NOW - HOUR / 4);
    expect(end.getTime() - start.getTime()).toBeLessThan(7 * 24 * HOUR);
    expect(query.get('skoid')).toBe('object');
    expect([query.get('sr'), query.get('sp'), query.get('se')]).toEqual(['b', 'r', '2026-11-21T08:00:00Z']);
  });

  it('a new key is fetched an hour before the old one ends, or when it would end too soon', async () => {
    const { asked, queryUntil } = delegating();
    await queryUntil(NOW + HOUR);
    const end = asked[0]![1].getTime();
    vi.setSystemTime(end - 2 * HOUR);
    await queryUntil(end - HOUR);
    expect(asked).toHaveLength(1);
    await queryUntil(end + HOUR);
    expect(asked).toHaveLength(2);
    vi.setSystemTime(asked[1]![1].getTime() - HOUR / 2);
    await queryUntil(Date.now() + HOUR / 4);
    expect(asked).toHaveLength(3);
  });

  it('no signature outlives its key, and no second key is fetched in vain', async () => {
    const { asked, queryUntil } = delegating();
    const first = await queryUntil(NOW + 30 * 24 * HOUR);
    await queryUntil(NOW + 30 * 24 * HOUR);
    expect(asked).toHaveLength(1);
    expect(Date.parse(first.get('se')!)).toBeLessThanOrEqual(asked[0]![1].getTime());
  });

  it('a key is requested again after a refusal', async () => {
    const { asked, queryUntil, fail } = delegating();
    fail(true);
    await expect(queryUntil(NOW + HOUR)).rejects.toThrow('denied');
    fail(false);
    expect((await queryUntil(NOW + HOUR)).get('skoid')).toBe('object');
    expect(asked).toHaveLength(2);
  });
});
