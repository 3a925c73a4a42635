import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { seed } from '../../support/builders/tables.ts';
import type { ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';
import { storageOperation } from '../../support/faults/storage-operation.ts';

/** What a cloud may know that gets new versions last. */
const KNOWN = { blob: '2021-12-02', table: '2019-02-02' };

/** Every kind of request must have been seen. */
const KINDS = [
  ...['ListContainers', 'ListBlobs', 'GetBlob', 'GetBlobProperties', 'GET acl', 'CreateContainer', 'DeleteContainer'],
  ...['CopyBlobFromURL', 'CopyBlob', 'PutBlockFromURL', 'PutBlockList', 'SnapshotBlob', 'DeleteBlob', 'SetBlobTier'],
  ...['SetBlobTags', 'SetBlobMetadata', 'PutBlob', 'AppendBlock'],
]
  .map((name) => `blob ${name}`)
  .concat(['table QueryTables', 'table QueryEntities', 'table CreateTable', 'table InsertOrReplaceEntity']);

const bed = useTestBed({
  tables: true,
  app: {
    jobs: ['sync', 'async', 'blocks'].map((method) => ({
      name: method,
      method,
      source: { account: 'SOURCE', containers: [method], tables: method === 'sync' ? ['Orders'] : [] },
      destination: { account: 'VAULT', container: '{container}backup' },
      retention: { account: 'VAULT', keepLast: 1 },
    })),
    more: { accounts: ['ELSEWHERE'] },
    limits: { retryDelayMs: 5 },
  },
});

/** The versions that a request asks for: its own, and that of the signature with which the service reads the source. */
function versionsOf({ headers, url }: ProxiedRequest): string[] {
  const signed = [url, headers['x-ms-copy-source'] ?? ''].flatMap(
    (address) => /[?&]sv=([^&]*)/.exec(address)?.[1] ?? [],
  );
  return [headers['x-ms-version'] ?? '', ...signed];
}

/** Everything that the app does with blobs and tables. */
async function useAll(): Promise<void> {
  const containers = ['sync', 'async', 'blocks'];
  const put = (text: string, tier: string) =>
    Promise.all(containers.map((name) => bed.upload('a', text, name, { tags: { a: text }, tier })));
  await put('first', 'Hot');
  await seed(bed.source.connectionString, 'Orders', [{ partitionKey: 'p', rowKey: 'r', n: 1 }]);
  const app = await bed.start();
  expect((await app.call('GET', '/api/health/details')).status).toBe(200);
  const backUp = async (job: string, mode: string) => {
    const report = await app.run({ mode }, job);
    expect(report, JSON.stringify(report.problems)).toMatchObject({ status: 'succeeded' });
  };
  for (const job of containers) await backUp(job, 'full');
  await bed.original('sync').getBlobClient('a').setAccessTier('Cool');
  await bed.original('sync').getBlobClient('a').setTags({ a: 'other' });
  await backUp('sync', 'incremental');
  await put('second', 'Cold');
  await backUp('sync', 'full');
  for (const kind of ['quick', 'deep', 'drill']) {
    expect(await app.verify({ job: 'sync', kind }), kind).toMatchObject({ status: 'succeeded' });
  }
  const restored = await app.restore({ job: 'sync', target: { account: 'ELSEWHERE' } });
  expect(restored).toMatchObject({ status: 'succeeded' });
  const plan = await app.ended(await app.begin('/api/prunes', { job: 'sync' }));
  expect(plan).toMatchObject({ status: 'succeeded' });
}

test('every request asks for a version of the service that is old enough to be known everywhere', async () => {
  bed.proxy.rules.push({
    match: (request) => versionsOf(request).some((version) => version > KNOWN[request.service]),
    answer: () => ({
      ...refusal(400, 'InvalidHeaderValue'),
      body: '<Error><Code>InvalidHeaderValue</Code><Message>No.</Message><HeaderName>x-ms-version</HeaderName></Error>',
    }),
  });
  await useAll();
  const asked = new Map<string, Set<string>>();
  // With axios, the emulator itself reads the source of a copy.
  const sent = bed.proxy.requests.filter(({ headers }) => !headers['user-agent']?.startsWith('axios'));
  for (const request of sent) {
    const { name } = storageOperation(request, bed.source.name);
    const versions = asked.get(`${request.service} ${name}`) ?? new Set();
    for (const version of versionsOf(request)) versions.add(version);
    asked.set(`${request.service} ${name}`, versions);
  }
  for (const [operation, versions] of asked) {
    expect([...versions], operation).toEqual([operation.startsWith('table') ? KNOWN.table : KNOWN.blob]);
  }
  for (const operation of KINDS) expect(asked.keys().toArray(), operation).toContain(operation);
});
