import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { getRaw, HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';

let source: TestAccount;
let vault: TestAccount;
let app: Strongroom;

/** An address by which every name of a container can be read and written as it is. */
async function openContainer(account: TestAccount, name: string): Promise<string> {
  const client = await makeContainer(account.connectionString, name);
  return client.generateSasUrl({
    permissions: ContainerSASPermissions.parse('rcwl'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
}

async function namesIn(account: TestAccount, container: string): Promise<string[]> {
  const client = BlobServiceClient.fromConnectionString(account.connectionString).getContainerClient(container);
  const names: string[] = [];
  for await (const { name } of client.listBlobsFlat()) names.push(name);
  return names;
}

/**
 * Whether nothing on the way from a name to an address and back may change it: no segment ends in a dot (Azure drops
 * it, and clients resolve "." and ".."), nothing is a backslash, a control character or a noncharacter.
 */
function isPlain(name: string): boolean {
  const odd = [...name].some((character) => {
    const code = character.codePointAt(0)!;
    return (
      code < 32 ||
      (code > 126 && code < 160) ||
      (code >= 0xfdd0 && code <= 0xfdef) ||
      code === 0xfffe ||
      code === 0xffff
    );
  });
  return !odd && !name.includes('\\') && !name.split('/').some((segment) => segment.endsWith('.'));
}

beforeAll(() => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
});

afterAll(() => app?.host.stop());

const RUN = String.raw`jobs/nightly/runs/nightly-[^/]+/(?:run\.json|signs|[a-z]+/data/[\w.-]+)`;
const CONTROL_NAME = new RegExp(String.raw`^(?:locks/nightly\.json|jobs/nightly/chain/\d{10}\.json|${RUN})$`);

describe('I8: blobs with hostile names', () => {
  const taken: string[] = [];
  let runId: string;

  test('are copied under exactly their names or skipped by name, and nothing is written elsewhere', async () => {
    expect(new Set(HOSTILE_NAMES).size).toBeGreaterThanOrEqual(200);
    const data = await openContainer(source, 'data');
    const names = [...new Set(HOSTILE_NAMES)];
    await Promise.all(names.map((name, index) => putRaw(data, name, `content ${index}`)));
    taken.push(...(await namesIn(source, 'data')));
    // What the emulator does not take, or lists as something else, cannot be tried here.
    expect(taken.length).toBeGreaterThanOrEqual(200);

    for (const account of [source, vault]) {
      const canary = await makeContainer(account.connectionString, 'canary');
      await canary.getBlockBlobClient('x').upload('untouched', 9);
    }
    const before = [
      await lookInto(source.connectionString, 'canary'),
      await lookInto(vault.connectionString, 'canary'),
    ];

    app = await startStrongroom({
      source: source.connectionString,
      vault: vault.connectionString,
      job: { source: { account: 'SOURCE', containers: ['data'] } },
      limits: { sliceBlobs: 100, chunkBlobs: 60 },
    });
    const report = await app.run();
    runId = report.id;
    const plain = taken.filter(isPlain);
    expect(report).toMatchObject({
      status: 'succeeded',
      counts: { listed: taken.length, copied: plain.length, skipped: taken.length - plain.length, failed: 0 },
    });

    const backup = await openContainer(vault, 'databackup');
    expect((await namesIn(vault, 'databackup')).sort()).toEqual([...plain].sort());
    const looked = plain.map(async (name) => {
      const [original, copy] = await Promise.all([getRaw(data, name), getRaw(backup, name)]);
      expect(copy, JSON.stringify(name)).toBe(original);
      return copy;
    });
    // Each has its own content: one under another's name would show.
    const contents = await Promise.all(looked);
    expect(new Set(contents).size).toBe(plain.length);
    expect(contents).not.toContain(undefined);

    expect([
      await lookInto(source.connectionString, 'canary'),
      await lookInto(vault.connectionString, 'canary'),
    ]).toEqual(before);
    const containers: string[] = [];
    const service = BlobServiceClient.fromConnectionString(vault.connectionString);
    for await (const { name } of service.listContainers()) containers.push(name);
    expect(containers.sort()).toEqual(['canary', 'databackup', 'strongroom']);
    for (const name of await namesIn(vault, 'strongroom')) {
      expect(name).toMatch(CONTROL_NAME);
    }
    console.log(
      `${taken.length} hostile names: ${plain.length} copied, ${taken.length - plain.length} skipped by name`,
    );
  });

  test('have exactly their names in the answers of the API, page by page', async () => {
    const outcomes = await app.outcomes(runId, 'limit=37');
    expect(outcomes.map(({ name }) => name!).sort()).toEqual([...taken].sort());
    for (const { name, status, code } of outcomes) {
      expect([status, code], JSON.stringify(name)).toEqual(
        isPlain(name!) ? ['copied', undefined] : ['skipped', 'unsupported-name'],
      );
    }
  });

  test('are unchanged for the next run', async () => {
    const report = await app.run({ mode: 'incremental' });
    const plain = taken.filter(isPlain).length;
    expect(report).toMatchObject({
      status: 'succeeded',
      counts: { listed: taken.length, copied: 0, unchanged: plain, skipped: taken.length - plain, failed: 0 },
    });
    const marks = [...app.host.output()].filter(
      (character) => character !== '\n' && !isPlain(character.replace('.', '')),
    );
    expect(marks.join('')).toBe('');
  });
});

test('a name too long for the address of a copy is skipped by name', async () => {
  const [from, to] = takeAccounts(2) as [TestAccount, TestAccount];
  const name = '中'.repeat(1024);
  const data = await openContainer(from, 'data');
  expect(await putRaw(data, name, 'content')).toBe(201);
  expect(await putRaw(data, 'plain', 'content')).toBe(201);
  const room = await startStrongroom({ source: from.connectionString, vault: to.connectionString });
  try {
    const report = await room.run();
    expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 1, skipped: 1, failed: 0 } });
    const skipped = await room.outcomes(report.id, 'status=skipped');
    expect(skipped).toMatchObject([{ name, code: 'unsupported-name' }]);
  } finally {
    await room.host.stop();
  }
});
