import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { tableOf } from '../../support/builders/tables.ts';
import { refusal } from '../../support/faults/faults.ts';

const bed = useTestBed({
  app: {
    job: {
      source: { account: 'SOURCE', containers: ['*'], tables: ['*'] },
      destination: { account: 'VAULT', container: '{container}backup' },
    },
  },
  tables: true,
});

const START = new Date('2026-01-01T00:00:00.000Z');
const EXPIRY = new Date('2036-01-01T00:00:00.000Z');
const PARTNER = { id: 'partner & "co"', accessPolicy: { startsOn: START, expiresOn: EXPIRY, permissions: 'rl' } };
const OPEN_END = { id: 'open end', accessPolicy: { permissions: 'r' } };
const READERS = { id: 'readers <all>', accessPolicy: { start: START, expiry: EXPIRY, permission: 'r' } };

/** What a container is apart from its blobs, as the plain SDK shows it. */
async function nature(client: ContainerClient) {
  if (!(await client.exists())) return undefined;
  const service = BlobServiceClient.fromConnectionString(bed.source.connectionString);
  const { blobPublicAccess, signedIdentifiers } = await client.getAccessPolicy();
  for await (const { name, metadata } of service.listContainers({ includeMetadata: true })) {
    if (name === client.containerName) {
      return { publicAccess: blobPublicAccess, policies: signedIdentifiers, metadata: metadata ?? {} };
    }
  }
  return undefined;
}

async function policiesOf(table: string) {
  return (await tableOf(bed.source.connectionString, table).getAccessPolicy()).map(({ id, accessPolicy }) => ({
    id,
    accessPolicy: { ...accessPolicy },
  }));
}

async function build() {
  await bed.upload('logo.png', 'logo', 'shop');
  const shop = bed.original('shop');
  await shop.setMetadata({ Owner: 'web', costCenter: '12 3' });
  await shop.setAccessPolicy('blob', [PARTNER, OPEN_END]);
  const inbox = bed.original('inbox');
  await inbox.create({ metadata: { app: 'orders' } });
  await bed.upload('a', 'a', 'plain');
  const orders = tableOf(bed.source.connectionString, 'Orders');
  await orders.createTable();
  await orders.createEntity({ partitionKey: 'p', rowKey: '1', n: 1 });
  await orders.setAccessPolicy([READERS]);
  await tableOf(bed.source.connectionString, 'Empty').createTable();
  return { shop, inbox, plain: bed.original('plain'), orders };
}

async function lose({ shop, inbox, plain, orders }: Awaited<ReturnType<typeof build>>) {
  await Promise.all([shop.delete(), inbox.delete(), plain.delete(), orders.deleteTable()]);
  await tableOf(bed.source.connectionString, 'Empty').deleteTable();
}

test('a restore makes lost containers with their metadata, empty ones too, and opens nothing to others', async () => {
  const there = await build();
  const before = { shop: await nature(there.shop), inbox: await nature(there.inbox) };
  expect(before.shop).toMatchObject({ publicAccess: 'blob', metadata: { Owner: 'web', costCenter: '12 3' } });
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', problems: [] });
  await lose(there);

  const forecast = await app.restore({ dryRun: true });
  const report = await app.restore({});
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 3 } });
  expect(await nature(there.shop)).toEqual({ publicAccess: undefined, policies: [], metadata: before.shop!.metadata });
  expect(await nature(there.inbox)).toEqual(before.inbox);
  expect(await nature(there.plain)).toEqual({ publicAccess: undefined, policies: [], metadata: {} });
  expect(await policiesOf('Orders')).toEqual([]);
  expect(await tableOf(bed.source.connectionString, 'Empty').getAccessPolicy()).toEqual([]);
  // What did not return is named, with the reason, and is no failure.
  const named = report.problems.map(({ code, container, message }) => ({ code, container, message }));
  expect(named).toEqual([
    {
      code: 'access-not-restored',
      container: 'shop',
      message: expect.stringMatching(/public access \("blob"\).*"partner & \\"co\\"".*"open end"/),
    },
    { code: 'access-not-restored', container: 'table.Orders', message: expect.stringContaining('"readers <all>"') },
  ]);
  // A dry run says the same.
  expect(forecast.problems.map(({ code, container, message }) => ({ code, container, message }))).toEqual(named);
});

test('a restore gives public access and access policies back where it is asked to, at the original place only', async () => {
  const there = await build();
  const before = await nature(there.shop);
  const policies = await policiesOf('Orders');
  const app = await bed.start();
  await app.run();
  // An incremental restore point has them, too.
  const { id } = await app.run({ mode: 'incremental' });
  await lose(there);

  const elsewhere = { restoreAccess: true, containers: ['shop'], target: { container: '{container}-2' } };
  expect(await app.call('POST', '/api/restores', elsewhere)).toMatchObject({
    status: 400,
    body: { code: 'body-invalid' },
  });
  const report = await app.restore({ restorePoint: id, restoreAccess: true });
  expect(report).toMatchObject({ status: 'succeeded', problems: [] });
  expect(await nature(there.shop)).toEqual(before);
  expect(await policiesOf('Orders')).toEqual(policies);
  // Once more: nothing is left to do.
  const again = await app.restore({ existing: 'overwrite', restoreAccess: true });
  expect(again).toMatchObject({ status: 'succeeded', problems: [] });
});

test('a restore overwrites no property of a container that is there, and names each difference', async () => {
  const { shop } = await build();
  const app = await bed.start();
  await app.run();
  await shop.setMetadata({ Owner: 'sales' });
  await shop.setAccessPolicy('container', [{ ...PARTNER, accessPolicy: { permissions: 'w' } }]);
  const now = await nature(shop);

  const report = await app.restore({ containers: ['shop'], existing: 'skip', restoreAccess: true });
  expect(report.problems).toContainEqual(
    expect.objectContaining({
      code: 'properties-differ',
      container: 'shop',
      message: expect.stringMatching(/metadata.*public access.*"partner/),
    }),
  );
  const after = await nature(shop);
  // Only the policy that it lacked is new.
  expect(after).toMatchObject({ publicAccess: 'container', metadata: now!.metadata });
  expect(after!.policies.map(({ id, accessPolicy }) => [id, accessPolicy?.permissions])).toEqual([
    [PARTNER.id, 'w'],
    [OPEN_END.id, 'r'],
  ]);
});

test('a backup without the right to read access policies says so, and so does its restore', async () => {
  const there = await build();
  const app = await bed.start();
  const denied = () => refusal(403, 'AuthorizationPermissionMismatch');
  bed.proxy.rules.push({ match: ({ url }) => url.includes('comp=acl'), answer: denied });
  const point = await app.run();
  expect(point.status).toBe('succeeded');
  expect(point.problems).toEqual([]);
  const unread = point.containers.filter(({ notPreserved }) => notPreserved?.['unread-properties'] === 1);
  expect(unread.map(({ container }) => container).sort()).toEqual([
    'inbox',
    'plain',
    'shop',
    'table.Empty',
    'table.Orders',
  ]);
  bed.proxy.rules.length = 0;
  await there.inbox.delete();
  const report = await app.restore({ containers: ['inbox'] });
  expect(report.problems).toContainEqual(expect.objectContaining({ code: 'properties-not-read', container: 'inbox' }));
  expect(await nature(there.inbox)).toMatchObject({ metadata: { app: 'orders' } });
});

test('a tier of a page blob and a seal return where the target takes them, and what is not held is counted', async () => {
  await bed.upload('a', 'a', 'disks');
  const disks = bed.original('disks');
  await disks.getPageBlobClient('disk').create(512);
  await disks.getAppendBlobClient('log').create();
  // The emulator has no premium account, no seals and no encryption scopes.
  const more: Record<string, string> = {
    disk: '<AccessTier>P30</AccessTier>',
    log: '<Sealed>true</Sealed>',
    a: '<EncryptionScope>tenant-7</EncryptionScope>',
  };
  bed.proxy.rules.push({
    match: ({ path, query }) => path.endsWith(`${bed.source.name}/disks`) && query.get('comp') === 'list',
    after: (_, response) => ({
      ...response,
      body: Object.entries(more).reduce(
        (body, [name, element]) => body.replace(`<Name>${name}</Name><Properties>`, `$&${element}`),
        String(response.body),
      ),
    }),
  });
  const app = await bed.start();
  const { id } = await app.run();
  const point = (await app.call('GET', `/api/restore-points/${id}`)).body;
  expect(point.notPreserved).toMatchObject({
    containers: { disks: { 'blob-encryption-scope': 1 } },
    notLookedFor: expect.arrayContaining(['source-snapshots', 'acls']),
  });
  const held = await app.outcomes(id, 'container=disks');
  expect(held.find(({ name }) => name === 'log')).toMatchObject({ sealed: true });
  bed.proxy.rules.length = 0;
  await disks.delete();
  const report = await app.restore({ containers: ['disks'] });
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 3 } });
  const sent = (name: string, header: string) =>
    bed.proxy.requests
      .filter(({ path, headers }) => path.endsWith(`/disks/${name}`) && 'x-ms-copy-source' in headers)
      .map(({ headers }) => headers[header]);
  expect(sent('log', 'x-ms-seal-blob')).toEqual(['true']);
  // The emulator refuses the tier; without it, the blob returns all the same.
  expect(sent('disk', 'x-ms-access-tier')).toEqual(['P30', undefined]);
  expect(report.problems.map(({ code, count }) => [code, count])).toEqual([['tier-not-kept', 1]]);
});

test('access that the target refuses is named as a failure, and a retry restores it', async () => {
  const { shop } = await build();
  const before = await nature(shop);
  const app = await bed.start();
  await app.run();
  await shop.delete();
  // As an account answers that permits no public access.
  bed.proxy.rules.push({
    match: ({ method, url, headers }) =>
      method === 'PUT' && url.includes('comp=acl') && 'x-ms-blob-public-access' in headers,
    answer: () => refusal(409, 'PublicAccessNotPermitted'),
  });
  const report = await app.restore({ containers: ['shop'], restoreAccess: true });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 1, failed: 0 } });
  expect(report.problems).toMatchObject([
    { code: 'access-refused', container: 'shop', message: expect.stringContaining('PublicAccessNotPermitted') },
  ]);
  // The policies do not depend on it.
  expect(await nature(shop)).toEqual({ ...before, publicAccess: undefined });
  bed.proxy.rules.length = 0;
  expect(await app.retry(report.id)).toMatchObject({ status: 'succeeded', problems: [] });
  expect(await nature(shop)).toEqual(before);
});

test('I6: properties that were altered in the vault are found, and keep no blob from being restored', async () => {
  const { shop } = await build();
  const app = await bed.start();
  const { id } = await app.run();
  const path = `jobs/nightly/runs/${id}/manifest/shop/properties.ndjson.gz`;
  await bed.control.getBlockBlobClient(path).upload('altered', 7);
  const verified = await app.verify({ restorePoint: id, kind: 'quick' });
  expect(verified).toMatchObject({ status: 'completed-with-failures', counts: { failed: 1 } });
  const damaged = { code: 'damaged', name: path };
  expect(await app.outcomes(verified.id, 'status=failed')).toMatchObject([damaged]);
  await shop.delete();
  const report = await app.restore({ containers: ['shop'], restoreAccess: true });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 1, failed: 1 } });
  expect(await app.outcomes(report.id, 'status=failed')).toMatchObject([damaged]);
  expect(await nature(shop)).toEqual({ publicAccess: undefined, policies: [], metadata: {} });
});
