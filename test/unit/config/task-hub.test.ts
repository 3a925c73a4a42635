import { expect, test } from 'vitest';
import { taskHubOf, taskHubProblems } from '#config/task-hub.ts';

const VAULT = { alias: 'VAULT', blobServiceUri: 'https://myvault.blob.core.windows.net' };
const STORAGE = { AzureWebJobsStorage__blobServiceUri: 'https://sthost.blob.core.usgovcloudapi.net' };

test('a hub has the vaults of the app, each once, in an order of its own', () => {
  const other = { alias: 'B', blobServiceUri: 'https://a.blob.core.windows.net/' };
  const settings = { STRONGROOM_HUB: 'strongroomA', WEBSITE_SITE_NAME: 'func-a', ...STORAGE };
  expect(taskHubOf(settings, [VAULT, other, { ...VAULT, alias: 'AGAIN' }])).toEqual({
    name: 'strongrooma',
    storage: { alias: 'AzureWebJobsStorage', blobServiceUri: STORAGE.AzureWebJobsStorage__blobServiceUri },
    owner: { app: 'func-a', vaults: ['a.blob.core.windows.net', 'myvault.blob.core.windows.net'] },
  });
});

test('the host storage may be known by its name, by its address, or by a connection string', () => {
  const storage = (more: Record<string, string>) =>
    taskHubOf({ STRONGROOM_HUB: 'strongroom', ...more }, [VAULT])?.storage;
  expect(storage({ AzureWebJobsStorage__accountName: 'sthost' })).toMatchObject({
    blobServiceUri: 'https://sthost.blob.core.windows.net',
  });
  expect(storage({ ...STORAGE, AzureWebJobsStorage__accountName: 'sthost' })).toMatchObject({
    blobServiceUri: STORAGE.AzureWebJobsStorage__blobServiceUri,
  });
  expect(storage({ AzureWebJobsStorage: 'UseDevelopmentStorage=true' })).toMatchObject({
    connectionString: 'UseDevelopmentStorage=true',
  });
});

test('there is no hub to share without a name, or without a storage that can be reached', () => {
  expect(taskHubOf(STORAGE, [VAULT])).toBeUndefined();
  expect(taskHubOf({ STRONGROOM_HUB: 'strongroom' }, [VAULT])).toBeUndefined();
});

test('a name that is wrong is a problem of the configuration', () => {
  expect(taskHubProblems({})).toEqual([]);
  expect(taskHubProblems({ STRONGROOM_HUB: 'strongroom1' })).toEqual([]);
  expect(taskHubProblems({ STRONGROOM_HUB: 'hub-1' })).toMatchObject([{ place: 'STRONGROOM_HUB' }]);
});
