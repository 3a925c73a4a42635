import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { containerIn, useTestBed } from '../../support/app/test-bed.ts';
import { refusal } from '../../support/faults/faults.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5 } } });

test('F84: a policy that keeps the control container from changing is reported by health and by a start', async () => {
  await bed.fill(2);
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded' });
  const seen = new Set<string>();
  for await (const { name } of containerIn(bed.vault, 'strongroom').listBlobsFlat()) seen.add(name);
  // What is new may be written, and nothing may be written again.
  bed.proxy.rules.push({
    match: ({ method, path }) => {
      const [, name] = path.split(`/${bed.vault.name}/strongroom/`);
      if (method !== 'PUT' || !name) return false;
      const isThere = seen.has(decodeURIComponent(name));
      seen.add(decodeURIComponent(name));
      return isThere;
    },
    answer: () => refusal(409, 'BlobImmutableDueToPolicy'),
  });
  expect(await app.call('GET', '/api/health/details')).toMatchObject({
    status: 503,
    body: { accounts: [{ status: 'ok' }, { alias: 'VAULT', status: 'failed', code: 'control-immutable' }] },
  });
  expect(await app.call('POST', '/api/jobs/nightly/runs')).toMatchObject({
    status: 502,
    body: { code: 'control-immutable', hint: expect.stringContaining('version-level') },
  });
});

test('a vault without a control container is not written to by health', async () => {
  const app = await bed.start();
  expect((await app.call('GET', '/api/health/details')).status).toBe(200);
  expect(await bed.control.exists()).toBe(false);
});

test('a source whose signature covers one container is healthy, and is backed up', async () => {
  await bed.fill(2);
  const service = BlobServiceClient.fromConnectionString(bed.proxy.connectionString(bed.source));
  const expiresOn = new Date(Date.now() + 3_600_000);
  const container = service.getContainerClient('data');
  const url = await container.generateSasUrl({ expiresOn, permissions: ContainerSASPermissions.parse('rl') });
  const source = `BlobEndpoint=${service.url.replace(/\/$/, '')};SharedAccessSignature=${new URL(url).search.slice(1)}`;
  const app = await bed.start({ source, job: { source: { account: 'SOURCE', containers: ['data'] } } });
  expect(await app.call('GET', '/api/health/details')).toMatchObject({ status: 200 });
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { copied: 2 } });
  await bed.original().delete();
  expect((await app.call('GET', '/api/health/details')).body.accounts).toMatchObject([
    { code: 'container-not-found' },
    {},
  ]);
});
