import { expect, test } from 'vitest';
import { type ListContainersInput, listContainers } from '#activities/modes/list-containers.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { StorageError } from '#storage/storage-error.ts';
import { RUN } from '../../../support/builders/run-ref.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

const RETRIED = 'nightly-20260501T000000Z-rrrrrr';

function listing(
  source: object,
  listTables: (from?: string) => Promise<{ names: string[]; next?: string }>,
  summary?: Buffer,
  names = ['images', 'docs'],
) {
  const job = {
    name: RUN.job,
    source: { account: 'SOURCE', containers: [], tables: [], ...source },
    destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
  };
  const deps = {
    configuration: { jobs: [job], archives: [] },
    blobs: (alias: string) => ({
      alias,
      endpoint: `https://${alias}`,
      listContainers: async () => ({ names }),
      appendObject: async () => {},
      listBlobs: async () => ({ blobs: [], prefixes: [] }),
      getObject: async (_: string, path: string) =>
        summary && path.endsWith('/run.json') ? storedObject(summary) : undefined,
    }),
    tables: () => ({ listTables }),
    limits: { silentMs: 600_000 },
    now: () => new Date(0),
  } as unknown as Dependencies;
  return (input: ListContainersInput) => listContainers(deps, input);
}

const run = { ...RUN, mode: 'full' as const };

test('listContainers finds containers first, then tables, page by page, each once in any spelling', async () => {
  const pages: Record<string, { names: string[]; next?: string }> = {
    first: { names: ['Orders', 'tenant1', 'strongroom', 'other'], next: 'second' },
    second: { names: ['tenant2'] },
  };
  const list = listing(
    { containers: ['*'], tables: ['orders', 'ORDERS', 'tenant*'] },
    async (from = 'first') => pages[from]!,
  );
  const one = await list({ run });
  expect(one.containers.map(({ container }) => container)).toEqual(['images', 'docs', 'table.orders', 'table.tenant1']);
  expect(one.containers[2]).toEqual({
    container: 'table.orders',
    destination: 'strongroom/jobs/nightly/tables/orders',
  });
  const two = await list({ run, from: one.next! });
  expect(two).toMatchObject({ containers: [{ container: 'table.tenant2' }], problems: [] });
  expect(two.next).toBeUndefined();
});

test('a container that a pattern matches, with a name too long for a backup container, is skipped by name', async () => {
  const long = `tenant-${'x'.repeat(56)}`;
  const list = listing({ containers: ['tenant-*', 'images'] }, async () => ({ names: [] }), undefined, [
    'tenant-1',
    long,
  ]);
  const { containers, problems } = await list({ run });
  expect(containers.map(({ container }) => container)).toEqual(['images', 'tenant-1']);
  expect(problems).toMatchObject([
    { code: 'container-skipped', container: long, count: 0, message: expect.stringContaining(`${long}backup`) },
  ]);
});

test('patterns that match nothing are remarks of the last page, with a name that is there', async () => {
  const pages: Record<string, { names: string[]; next?: string }> = {
    first: { names: ['Tenant1', 'orders'], next: 'second' },
    second: { names: ['strongroomdrill1', 'users'] },
  };
  const source = { containers: ['images', 'doc*', 'typo-*', 'x*'], tables: ['tenant*', 'user*', 'ordrs*'] };
  const list = listing(source, async (from = 'first') => pages[from]!);
  const one = await list({ run });
  expect(one.remarks?.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'pattern-unmatched: No container matches "typo-*" or "x*"; there is "images"',
  ]);
  const two = await list({ run, from: one.next!, search: one.search! });
  expect(two.remarks?.map(({ message }) => message)).toEqual(['No table matches "ordrs*"; there is "orders"']);
  expect(two.problems).toEqual([]);
  // A run that an earlier version began does not know what the pages before had.
  expect((await list({ run, from: one.next! })).remarks).toEqual([]);
});

test('a run without the right to list tables backs up containers and the tables that the job names', async () => {
  const refused = async () => {
    throw new StorageError('access-denied', 'Not allowed', 403);
  };
  const list = listing({ containers: ['*'], tables: ['orders', '*'] }, refused);
  const { containers, problems } = await list({ run });
  expect(containers.map(({ container }) => container)).toEqual(['images', 'docs', 'table.orders']);
  expect(problems).toMatchObject([{ code: 'access-denied-source', container: 'table.*', count: 0 }]);
});

test('a retry lists tables that could not be listed before, and backs up those that the earlier run has not', async () => {
  const reports = [
    { container: 'images', destination: 'imagesbackup', status: 'succeeded' },
    { container: 'table.orders', destination: '', status: 'succeeded' },
    { container: 'table.*', destination: '', status: 'failed' },
    { container: 'long', destination: '', status: 'skipped' },
  ];
  const summary = { format: 3, id: RETRIED, job: RUN.job, status: 'completed-with-failures', containers: reports };
  const body = Buffer.from(
    JSON.stringify({ ...summary, counts: {}, bytes: {}, problems: [], parts: [], compared: [] }),
  );
  const pages: Record<string, { names: string[]; next?: string }> = {
    first: { names: ['Orders', 'logs'], next: 'second' },
    second: { names: ['users'] },
  };
  const list = listing({ containers: ['*'], tables: ['orders', '*'] }, async (from = 'first') => pages[from]!, body);
  const retry = { ...RUN, mode: 'retry' as const, retryOf: RETRIED };
  const one = await list({ run: retry });
  expect(one).toMatchObject({ containers: [{ container: 'table.logs', scan: true }], problems: [] });
  expect(one.containers).toHaveLength(1);
  const two = await list({ run: retry, from: one.next! });
  expect(two.containers).toMatchObject([{ container: 'table.users', scan: true }]);
  expect(two.next).toBeUndefined();
});
