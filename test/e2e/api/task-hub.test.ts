import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';

/** Apps on one host storage, as far as the storage shows it: the single-machine host keeps its runs to itself. */

let hostStorage: TestAccount;
let source: TestAccount;
let vaults: TestAccount[];
const apps: Strongroom[] = [];

async function start(vault: TestAccount, env: Record<string, string>): Promise<Strongroom> {
  const app = await startStrongroom({
    source: source.connectionString,
    vault: vault.connectionString,
    env: { AzureWebJobsStorage: hostStorage.connectionString, ...env },
  });
  apps.push(app);
  return app;
}

beforeAll(async () => {
  [hostStorage, source, ...vaults] = takeAccounts(4) as [TestAccount, TestAccount, ...TestAccount[]];
  const container = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('images');
  await container.create();
  await container.getBlockBlobClient('a.jpg').upload('a', 1);
});

afterAll(async () => {
  await Promise.all(apps.map(({ host }) => host.stop()));
});

test('an app with another vault is refused the hub of the first, and has one of its own', async () => {
  const first = await start(vaults[0]!, { STRONGROOM_HUB: 'strongroomtest' });
  expect(await first.run()).toMatchObject({ status: 'succeeded' });
  expect((await first.call('GET', '/api/health/details')).body.taskHub).toBeUndefined();

  const [other, apart] = await Promise.all([
    // The service ignores the case of names of hubs.
    start(vaults[1]!, { STRONGROOM_HUB: 'strongroomTest' }),
    start(vaults[1]!, { STRONGROOM_HUB: 'strongroomtest2' }),
  ]);
  const words = `The task hub "strongroomtest" belongs to an app outside of Azure with the vault ${identity(vaults[0]!)}`;
  expect(await other.call('POST', '/api/jobs/nightly/runs', {})).toMatchObject({
    status: 409,
    body: { code: 'task-hub-taken', detail: words, hint: expect.stringContaining('STRONGROOM_HUB') },
  });
  expect(await other.call('GET', '/api/health/details')).toMatchObject({
    status: 503,
    body: { status: 'degraded', taskHub: { code: 'task-hub-taken', hint: expect.stringContaining('strongroom-hubs') } },
  });
  expect(await apart.run()).toMatchObject({ status: 'succeeded' });
});

function identity(account: TestAccount): string {
  return account.blobEndpoint.replace('http://', '').replace(/\/$/, '');
}
