import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, test } from 'vitest';
import { accountAliases, anyConfigured } from '../../../host/azurite/account-aliases.ts';
import { newAccountKey, startAzurite } from '../../../host/azurite/azurite.ts';
import { isAlive, readOwner } from '../../../host/data/process-identity.ts';
import { Fixture, temporaryDirectory, until } from './fixture.ts';

test('finds the accounts that a configuration names, and ignores the rest', () => {
  const configuration = {
    jobs: [
      { source: { account: 'SOURCE' }, destination: { account: 'VAULT' }, retention: { account: 'PRUNER' } },
      { source: { account: 'SOURCE' }, destination: { account: 7 }, retention: { account: 'LOST' } },
      null,
    ],
    archives: [
      {
        source: { account: 'UPLOADS' },
        destination: { account: 'ARCHIVE' },
        events: { queueAccount: 'EVENTS' },
        receipts: { account: 'JANITOR' },
      },
      // The app's own storage is not an alias of the configuration. A vault is not another alias of itself.
      {
        source: { account: 'UPLOADS' },
        destination: { account: 'ARCHIVE' },
        events: { queueAccount: 'AzureWebJobsStorage' },
        receipts: { account: 'ARCHIVE' },
      },
    ],
    accounts: ['ELSEWHERE', 3],
  };
  expect(accountAliases(configuration)).toEqual({
    accounts: ['SOURCE', 'VAULT', 'UPLOADS', 'ARCHIVE', 'EVENTS', 'ELSEWHERE'],
    ofVaults: new Map([
      ['PRUNER', 'VAULT'],
      ['JANITOR', 'ARCHIVE'],
    ]),
  });
  for (const odd of [undefined, null, 'x', { jobs: {} }, { jobs: [[]] }])
    expect(accountAliases(odd)).toEqual({ accounts: [], ofVaults: new Map() });
});

test('a connection string or a signature in the place of an alias becomes no name and no key', async () => {
  const secrets = [
    'DefaultEndpointsProtocol=https;AccountName=real;AccountKey=cmVhbA==;EndpointSuffix=core.windows.net',
    'https://real.blob.core.windows.net/c?sv=2026-01-01&sig=c2lnbmF0dXJl',
    '?sv=2026-01-01&sig=c2lnbmF0dXJl',
  ];
  for (const secret of secrets) {
    const places = [
      { jobs: [{ source: { account: 'A' }, destination: { account: secret } }] },
      { jobs: [{ source: { account: secret }, destination: { account: 'B' }, retention: { account: 'C' } }] },
      { jobs: [{ source: { account: 'A' }, destination: { account: 'B' }, retention: { account: secret } }] },
      { archives: [{ source: { account: 'A' }, events: { queueAccount: secret } }] },
      { jobs: [{ source: { account: 'A' }, destination: { account: 'B' } }], accounts: [secret] },
    ];
    for (const place of places) expect(accountAliases(place)).toEqual({ accounts: [], ofVaults: new Map() });
  }
  const directory = temporaryDirectory();
  const jobs = [{ source: { account: 'A' }, destination: { account: secrets[0] } }];
  writeFileSync(join(directory, 'strongroom.json'), JSON.stringify({ jobs }));
  const fixture = await Fixture.start({}, directory);
  expect(fixture.host.output()).not.toMatch(/Azurite|AccountKey/);
  expect(existsSync(join(directory, 'data', 'azurite.json'))).toBe(false);
});

test('a single configured account is enough not to start Azurite', () => {
  expect(anyConfigured(['SOURCE', 'VAULT'], { VAULT: 'x' })).toBe(true);
  expect(anyConfigured(['SOURCE', 'VAULT'], { SOURCE__blobServiceUri: 'x' })).toBe(true);
  expect(anyConfigured(['SOURCE', 'VAULT'], { SOURCES: 'x', VAULT_2: 'x', OTHER__blobServiceUri: 'x' })).toBe(false);
});

describe('Azurite', () => {
  test('has the given accounts, and keeps their data apart', async () => {
    const azurite = await startAzurite({ accounts: ['one', 'two'].map((name) => ({ name, key: newAccountKey() })) });
    try {
      const [one, two] = ['one', 'two'].map((name) =>
        BlobServiceClient.fromConnectionString(azurite.connectionString(name)),
      );
      await one!.createContainer('mine');
      expect(await two!.getContainerClient('mine').exists()).toBe(false);
      expect(() => azurite.connectionString('three')).toThrow(/without an account "three"/);
    } finally {
      await azurite.stop();
    }
  });

  test('takes another port if the requested one is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const azurite = await startAzurite({ accounts: [{ name: 'one', key: newAccountKey() }], blobPort: port });
    expect(azurite.blobPort).not.toBe(port);
    await azurite.stop();
    other.close();
  });

  test('starts with the host if no account is configured, ends with it, and keeps data, keys and ports', async () => {
    const directory = temporaryDirectory();
    const job = { name: 'j', source: { account: 'MY_SOURCE' }, destination: { account: 'VAULT' } };
    writeFileSync(join(directory, 'strongroom.json'), JSON.stringify({ jobs: [job] }));
    let fixture = await Fixture.start({}, directory);
    expect(fixture.host.output()).toMatch(/blobs http:\/\/127\.0\.0\.1:\d+/);
    expect(fixture.host.output()).toContain('by the names in strongroom.json: MY_SOURCE, VAULT, AzureWebJobsStorage.');
    const stored = readFileSync(join(directory, 'data', 'azurite.json'), 'utf8');
    const { keys, ports, connectionStrings } = JSON.parse(stored) as {
      keys: Record<string, string>;
      ports: { blob: number };
      connectionStrings: Record<string, string>;
    };
    expect(Object.keys(connectionStrings)).toEqual(['MY_SOURCE', 'VAULT', 'AzureWebJobsStorage']);
    expect(connectionStrings.VAULT).toContain(`AccountName=vault;AccountKey=${keys.vault};BlobEndpoint=`);
    expect(Object.keys(keys)).toEqual(['mysource', 'vault', 'azurewebjobsstorage']);
    for (const key of Object.values(keys)) expect(fixture.host.output()).not.toContain(key);
    const connection =
      `DefaultEndpointsProtocol=http;AccountName=vault;AccountKey=${keys.vault};` +
      `BlobEndpoint=http://127.0.0.1:${ports.blob}/vault;`;
    const container = BlobServiceClient.fromConnectionString(connection).getContainerClient('kept');
    await container.create();
    const owner = readOwner(join(directory, 'data', 'azurite', 'azurite.pid'));

    await fixture.host.kill('SIGKILL');
    await until('its Azurite to end', () => (owner && !isAlive(owner) ? true : undefined), 8_000);
    fixture = await fixture.restart();
    expect(readFileSync(join(directory, 'data', 'azurite.json'), 'utf8')).toBe(stored);
    expect(await container.exists()).toBe(true);
    const second = readOwner(join(directory, 'data', 'azurite', 'azurite.pid'));
    expect(await fixture.host.stop()).toBe(0);
    expect(second && isAlive(second)).toBe(false);
  });

  test('gives the app storage of its own if it has none or an emulator', async () => {
    const directory = temporaryDirectory();
    const rule = { source: { account: 'A' }, destination: { account: 'B' }, receipts: { account: 'C' } };
    writeFileSync(join(directory, 'strongroom.json'), JSON.stringify({ archives: [rule] }));
    const settings = ['AzureWebJobsStorage', 'B', 'C'];
    const env = { FIXTURE_STORAGE: 'own', OWN_QUEUE: 'own-queue', SETTINGS: settings.join() };
    const shown = async (fixture: Fixture) => (await (await fixture.fetch('/api/settings')).json()) as string[];

    let fixture = await Fixture.start(
      { env: { ...env, AzureWebJobsStorage: 'UseDevelopmentStorage=true' } },
      directory,
    );
    const [own = '', vault, other] = await shown(fixture);
    expect(own).toMatch(
      /AccountName=azurewebjobsstorage;.*QueueEndpoint=http:\/\/127\.0\.0\.1:\d+\/azurewebjobsstorage;/,
    );
    expect(vault).toContain('AccountName=b;');
    expect(other).toBe(vault);
    const queue = QueueServiceClient.fromConnectionString(own).getQueueClient('own-queue');
    await queue.create();
    await queue.sendMessage(Buffer.from('hello').toString('base64'));
    await until('the message', () => (fixture.effects('own').length > 0 ? true : undefined));
    await fixture.host.stop();

    // The host does not replace a real account, or a setting that is meant to name one.
    const real = 'DefaultEndpointsProtocol=https;AccountName=real;AccountKey=cmVhbA==;EndpointSuffix=core.windows.net';
    const withoutQueue = { ...env, FIXTURE_STORAGE: undefined };
    fixture = await fixture.restart({ env: { ...withoutQueue, AzureWebJobsStorage: real } });
    expect((await shown(fixture))[0]).toBe(real);
    await fixture.host.stop();
    fixture = await fixture.restart({ env: { ...withoutQueue, AzureWebJobsStorage__accountName: 'real' } });
    expect((await shown(fixture))[0]).toBeNull();
  });

  test('does not start if an account is configured', async () => {
    const directory = mkdtempSync(join(temporaryDirectory(), 'x'));
    writeFileSync(
      join(directory, 'strongroom.json'),
      JSON.stringify({ jobs: [{ source: { account: 'A' }, destination: { account: 'B' } }] }),
    );
    const fixture = await Fixture.start({ env: { A__blobServiceUri: 'https://a.example' } }, directory);
    expect(fixture.host.output()).not.toContain('Azurite');
  });

  test('ends the host with a reason if it crashes', async () => {
    const directory = temporaryDirectory();
    writeFileSync(
      join(directory, 'strongroom.json'),
      JSON.stringify({ jobs: [{ source: { account: 'A' }, destination: { account: 'B' } }] }),
    );
    const fixture = await Fixture.start({}, directory);
    process.kill(readOwner(join(directory, 'data', 'azurite', 'azurite.pid'))?.pid ?? -1, 'SIGKILL');
    await until('the reason', () => (fixture.host.output().includes('Azurite exited unexpectedly') ? true : undefined));
  });
});
