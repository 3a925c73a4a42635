import { BlobServiceClient } from '@azure/storage-blob';
import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnHub, TaskHub } from '#app/task-hub.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import { type TestAccount, takeAccount } from '../support/azurite/accounts.ts';

const MINE = { app: 'func-mine', vaults: ['v1'] };
const OTHER = { app: 'func-other', vaults: ['v1'] };

let storage: TestAccount;
let now = 0;

function hub(name: string, owner = MINE, connectionString = storage.connectionString): TaskHub {
  const account = connectBlobAccount({ alias: 'AzureWebJobsStorage', connectionString }, { tries: 1 });
  return new TaskHub(name, account, owner, () => new Date(now));
}

function noteOf(name: string) {
  const service = BlobServiceClient.fromConnectionString(storage.connectionString);
  return service.getContainerClient('strongroom-hubs').getBlockBlobClient(name);
}

beforeAll(() => {
  storage = takeAccount();
});

describe('a task hub', () => {
  it('belongs to the app that comes first, and to its other instances', async () => {
    expect(await hub('strongrooma').refusal()).toBeUndefined();
    expect(await hub('strongrooma').refusal()).toBeUndefined();
    expect(await hub('strongrooma', OTHER).refusal()).toContain('belongs to the app "func-mine" with the vault v1');
    expect(await hub('strongroomb', OTHER).refusal()).toBeUndefined();
  });

  it('has one owner, however many apps come at once', async () => {
    const apps = [MINE, OTHER, MINE, OTHER, MINE].map((owner) => ({ owner, hub: hub('strongroomrace', owner) }));
    const answers = await Promise.all(apps.map(async (app) => ({ ...app, refusal: await app.hub.refusal() })));
    const served = new Set(answers.filter(({ refusal }) => refusal === undefined).map(({ owner }) => owner));
    expect(served.size).toBe(1);
    expect(answers.filter(({ owner }) => !served.has(owner)).every(({ refusal }) => refusal !== undefined)).toBe(true);
  });

  it('is free for another app, and at once for no one, when its note is deleted', async () => {
    await hub('strongroomfree').refusal();
    const other = hub('strongroomfree', OTHER);
    expect(await other.refusal()).toBeDefined();
    await noteOf('strongroomfree').delete();
    expect(await other.refusal()).toBeDefined();
    now += 60_000;
    expect(await other.refusal()).toBeUndefined();
  });

  it('that cannot be looked up stops no one', async () => {
    const nowhere = `DefaultEndpointsProtocol=http;AccountName=nowhere;AccountKey=${storage.key};BlobEndpoint=http://127.0.0.1:9/nowhere`;
    expect(await hub('strongroomnowhere', MINE, nowhere).refusal()).toBeUndefined();
    await noteOf('strongroomdamaged').upload('{', 1);
    expect(await hub('strongroomdamaged').refusal()).toBeUndefined();
  });
});

describe('a step', () => {
  it('is executed in a hub of its own, and where there is no hub to share', async () => {
    const step = async (input: number) => input + 1;
    expect(await inOwnHub(undefined, step)(1)).toBe(2);
    expect(await inOwnHub({ refusal: async () => undefined }, step)(1)).toBe(2);
  });

  it('of another app is not executed', async () => {
    let executed = false;
    const step = inOwnHub({ refusal: async () => 'The hub belongs to another app' }, async () => {
      executed = true;
    });
    await expect(step(undefined)).rejects.toThrow('The hub belongs to another app');
    expect(executed).toBe(false);
  });
});
