import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import {
  judgeBackup,
  judgeRestorePoint,
  judgeVault,
  type Remembered,
  remember,
  type Sides,
  steadyBetween,
  type Violation,
} from '../../support/judge/judge.ts';

/**
 * The judge decides what the proofs are worth: each way to damage a vault must be seen, and an undamaged one must pass.
 * One host fills a vault by several jobs alike, each of which is then damaged in its own ways.
 */
interface Room {
  job: string;
  /** Restore points in the order they were made. */
  runs: string[];
  backup: ContainerClient;
  control: ContainerClient;
}

interface Damage {
  what: string;
  damage(room: Room): Promise<unknown>;
  expected: [invariant: string, message: RegExp];
}

let sides: Sides;
let moments: Remembered[];

const now = () => moments.at(-1)!;

/** Every verdict on one job, as a proof would ask for it. */
const judge = async ({ job, runs, backup }: Room): Promise<Violation[]> => [
  ...(await judgeRestorePoint(sides, job, runs.at(-1)!, now())),
  ...(await judgeVault(sides, job, moments)),
  ...(await judgeBackup(sides, 'data', backup.containerName, moments)),
];

const rewriteJson = async (control: ContainerClient, path: string, change: (value: Json) => object) => {
  const client = control.getBlockBlobClient(path);
  const text = JSON.stringify(change(JSON.parse((await client.downloadToBuffer()).toString())));
  await client.upload(text, text.length);
};

const forgeSummary = (room: Room, run: number, change: (summary: Json) => object) =>
  rewriteJson(room.control, `jobs/${room.job}/runs/${room.runs[run]}/run.json`, change);

type Json = Record<string, unknown>;
const parts = (summary: Json) => summary.parts as { path: string }[];

type Item = Record<string, string | number | undefined>;

const partOf = async ({ job, runs, control }: Room, run: number, kind: 'slice' | 'chunk') => {
  for await (const { name, metadata } of control.listBlobsFlat({
    prefix: `jobs/${job}/runs/${runs[run]}/manifest/data/`,
    includeMetadata: true,
  })) {
    if (name.includes(kind)) return { path: name, metadata: metadata ?? {} };
  }
  throw new Error(`The run has no ${kind} part`);
};

/** Changes a part and everything that vouches for it, as a bug in the app would: only the content is wrong. */
const forgePart = async (
  room: Room,
  run: number,
  kind: 'slice' | 'chunk',
  change: (items: Item[]) => Item[],
  changedEnd = {},
) => {
  const { path, metadata } = await partOf(room, run, kind);
  const client = room.control.getBlockBlobClient(path);
  const lines = gunzipSync(await client.downloadToBuffer())
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { end } = lines.pop();
  const items = change(lines);
  const body = gzipSync(
    `${[...items, { end: { ...end, items: items.length, ...changedEnd } }].map((each) => JSON.stringify(each)).join('\n')}\n`,
  );
  const count = (status: string) => items.filter((item) => item.status === status).length;
  const counts = Object.fromEntries(
    ['copied', 'unchanged', 'skipped', 'failed'].map((status) => [status, count(status)]),
  );
  const sha256 = createHash('sha256').update(body).digest('hex');
  const tally = { ...JSON.parse(metadata.strongroom_tally!), ...counts, sha256 };
  await client.upload(body, body.length, { metadata: { strongroom_tally: JSON.stringify(tally) } });
  await forgeSummary(room, run, (summary) => ({
    ...summary,
    parts: parts(summary).map((part) => (part.path === path ? { ...part, ...counts, sha256 } : part)),
  }));
};

const forgeItem = (room: Room, run: number, name: string, changed: Item) =>
  forgePart(room, run, 'slice', (items) => items.map((item) => (item.name === name ? { ...item, ...changed } : item)));

const overwrite = async ({ backup }: Room, name: string, text: string) => {
  const client = backup.getBlockBlobClient(name);
  const { metadata, contentType } = await client.getProperties();
  await client.upload(text, text.length, {
    ...(metadata && { metadata }),
    ...(contentType && { blobHTTPHeaders: { blobContentType: contentType } }),
  });
};

/** Damages of one job, which do not hide each other; each has a blob, a part or a run of its own. */
const GROUPS: Record<string, Damage[]> = {
  backup: [
    {
      what: 'a blob is missing',
      damage: ({ backup }) => backup.deleteBlob('gone'),
      expected: ['I2', /gone is in no blob and no snapshot any more/],
    },
    {
      what: 'one byte has changed',
      damage: (room) => overwrite(room, 'flipped', 'conTent'),
      expected: ['I2', /flipped has other bytes/],
    },
    {
      what: 'the content is empty, and its record says it is complete',
      damage: (room) => overwrite(room, 'emptied', ''),
      expected: ['I2', /emptied has 0 bytes instead of 7/],
    },
    {
      what: 'an earlier content is missing',
      damage: ({ backup }) => backup.getBlobClient('edited').delete({ deleteSnapshots: 'only' }),
      expected: ['I2', /edited is in no blob and no snapshot any more/],
    },
    {
      what: 'the content is older than the source',
      damage: (room) => overwrite(room, 'edited', 'first'),
      expected: ['I1', /edited has other bytes than the source/],
    },
    {
      what: 'metadata is missing',
      damage: async ({ backup }) => {
        const { metadata = {} } = await backup.getBlobClient('dressed').getProperties();
        const record = Object.entries(metadata).filter(([key]) => key.startsWith('strongroom_'));
        await backup.getBlobClient('dressed').setMetadata(Object.fromEntries(record));
      },
      expected: ['I7', /dressed has other metadata/],
    },
    {
      what: 'the content type has changed',
      damage: ({ backup }) => backup.getBlobClient('dressed').setHTTPHeaders({ blobContentType: 'text/html' }),
      expected: ['I7', /dressed has other headers/],
    },
    {
      what: 'the tags have changed',
      damage: ({ backup }) => backup.getBlobClient('dressed').setTags({ of: 'another' }),
      expected: ['I7', /dressed has other tags/],
    },
    {
      what: 'the tier has changed',
      damage: ({ backup }) => backup.getBlobClient('dressed').setAccessTier('Hot'),
      expected: ['I7', /dressed is in the tier Hot, the source in Cool/],
    },
    {
      what: 'the vault has a blob that never was in the source',
      damage: ({ backup }) => backup.getBlockBlobClient('stranger').upload('x', 1),
      expected: ['I8', /stranger was never in the source/],
    },
  ],
  entries: [
    {
      what: 'an entry is missing',
      damage: (room) => forgePart(room, 1, 'slice', (items) => items.filter(({ name }) => name !== 'gone')),
      expected: ['I1', /data\/gone was in the source all the time and has no entry/],
    },
    {
      what: 'an entry is there twice',
      damage: (room) =>
        forgePart(room, 1, 'slice', (items) => [...items, items.find(({ name }) => name === 'dressed')!]),
      expected: ['I1', /data\/dressed has more than one entry/],
    },
    {
      what: 'an entry has the ETag of another version',
      damage: (room) => forgeItem(room, 1, 'flipped', { etag: '0x8DD000000000000' }),
      expected: ['I1', /data\/flipped has the ETag 0x8DD000000000000 in the manifest/],
    },
    {
      what: 'a blob is skipped for a reason that it does not have',
      damage: (room) => forgeItem(room, 1, 'emptied', { status: 'skipped', code: 'source-vanished' }),
      expected: ['I1', /data\/emptied was skipped as source-vanished, which it is not/],
    },
    {
      what: 'a run that succeeded has a failure',
      damage: (room) => forgeItem(room, 1, 'empty', { status: 'failed', code: 'throttled' }),
      expected: ['I1', /data\/empty failed in a run that succeeded/],
    },
    {
      what: 'a run counts deletions that it does not name',
      damage: (room) =>
        forgeSummary(room, 1, (summary) => ({
          ...summary,
          noLongerHeld: { deleted: 3, skipped: 0, failed: 0, notSelected: 0 },
        })),
      expected: ['I10', /it counts 3 deleted, and names 0/],
    },
    {
      what: 'there are fewer entries than counted',
      damage: (room) => forgePart(room, 0, 'chunk', (items) => items.slice(1)),
      expected: ['I1', /data counts 6 copied, and its parts 5/],
    },
  ],
  parts: [
    {
      what: 'a part is cut off',
      damage: async (room) => {
        const { path, metadata } = await partOf(room, 0, 'chunk');
        const client = room.control.getBlockBlobClient(path);
        const body = (await client.downloadToBuffer()).subarray(0, -1);
        await client.upload(body, body.length, { metadata });
      },
      expected: ['I2', /chunk.* has another SHA-256/],
    },
    {
      what: 'a part is missing',
      damage: async (room) => room.control.deleteBlob((await partOf(room, 0, 'slice')).path),
      expected: ['I2', /slice.* is missing/],
    },
    {
      what: 'the summary does not name a part',
      damage: (room) =>
        forgeSummary(room, 1, (summary) => ({
          ...summary,
          parts: parts(summary).filter(({ path }) => path.includes('chunk')),
        })),
      expected: ['I1', /run.json does not name .*slice/],
    },
    {
      what: 'a part has a pending copy',
      damage: (room) =>
        forgePart(room, 1, 'chunk', (items) => [...items, { copyId: 'c0ffee00-0000-4000-8000-000000000000' }]),
      expected: ['I2', /has an item that is no outcome/],
    },
  ],
  runs: [
    {
      what: 'a failed run calls itself a restore point',
      damage: (room) => forgeSummary(room, 1, (summary) => ({ ...summary, status: 'failed' })),
      expected: ['I1', /it is failed and says restorePoint true/],
    },
    {
      what: 'a run has a part of another run',
      damage: async (room) => {
        const { path } = await partOf(room, 0, 'chunk');
        await forgePart(room, 1, 'slice', (items) => items, { part: path });
      },
      expected: ['I2', /slice.* says that it is .*chunk/],
    },
    {
      what: 'a run has no summary',
      damage: ({ job, runs, control }) => control.deleteBlob(`jobs/${job}/runs/${runs[0]}/run.json`),
      expected: ['I4', /is not running, and has no readable run.json/],
    },
    {
      what: 'a run that has ended holds the lock',
      damage: ({ job, control, runs }) =>
        rewriteJson(control, `locks/${job}.json`, (lock) => ({ ...lock, run: { id: runs[0] } })),
      expected: ['I4', /the lock is held by run .*, which is not running/],
    },
  ],
};

const jobs = Object.keys(GROUPS);
const rooms = new Map<string, Room>();

beforeAll(async () => {
  const [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  sides = { source: source.connectionString, vault: vault.connectionString };
  const data = await makeContainer(sides.source, 'data');
  for (const name of ['gone', 'flipped', 'emptied']) await data.getBlockBlobClient(name).upload('content', 7);
  await data.getBlockBlobClient('edited').upload('first', 5);
  await data.getBlockBlobClient('empty').upload('', 0);
  await data.getBlockBlobClient('dressed').upload('{}', 2, {
    blobHTTPHeaders: { blobContentType: 'application/json' },
    metadata: { Author: 'someone' },
    tags: { of: 'its own' },
    tier: 'Cool',
  });
  moments = [await remember(sides.source)];
  const app = await startStrongroom({
    ...sides,
    jobs: [...jobs, 'retried', 'moved'].map((name) => ({
      name,
      source: { account: 'SOURCE', containers: ['data'] },
      destination: {
        account: 'VAULT',
        container: `{container}-${name}`,
        ...(name === 'moved' && { prefix: 'of/{container}/' }),
      },
      ...(name === 'moved' && { method: 'async' }),
    })),
  });
  try {
    const each = [...jobs, 'moved'];
    const full = await Promise.all(each.map((job) => app.run({}, job)));
    await data.getBlockBlobClient('edited').upload('second time', 11);
    moments.push(await remember(sides.source));
    const incremental = await Promise.all(each.map((job) => app.run({ mode: 'incremental' }, job)));
    const service = BlobServiceClient.fromConnectionString(sides.vault);
    const control = service.getContainerClient('strongroom');
    for (const [index, job] of each.entries()) {
      const runs = [full[index]!.id, incremental[index]!.id];
      rooms.set(job, { job, runs, backup: service.getContainerClient(`data-${job}`), control });
    }
    rooms.set('retried', { ...rooms.get(jobs[0]!)!, job: 'retried', ...(await retried(app, service)) });
  } finally {
    await app.host.stop();
  }
});

/** A run in which one blob fails, and the retry of it. */
const retried = async (app: Strongroom, service: BlobServiceClient) => {
  const backup = service.getContainerClient('data-retried');
  await backup.createIfNotExists();
  await backup.getBlockBlobClient('gone').upload('in the way', 10);
  const lease = backup.getBlobClient('gone').getBlobLeaseClient();
  await lease.acquireLease(-1);
  const first = await app.run({}, 'retried');
  await lease.releaseLease();
  const { body } = await app.call('POST', `/api/runs/${first.id}/retry`);
  await app.ended(body.id);
  return { backup, runs: [first.id, body.id] };
};

describe('the judges accept an undamaged vault', () => {
  test('after a full and an incremental run', async () => {
    for (const job of [jobs[0]!, 'retried']) expect(await judge(rooms.get(job)!), job).toEqual([]);
  });

  test('with copies under a prefix, made asynchronously', async () => {
    const { job, runs } = rooms.get('moved')!;
    expect(await judgeRestorePoint(sides, job, runs[1]!, now())).toEqual([]);
    expect(await judgeVault(sides, job, moments)).toEqual([]);
  });

  test('whose blobs changed during an unfinished run', async () => {
    const { job, runs } = rooms.get(jobs[0]!)!;
    const steady = steadyBetween(moments[0]!, moments[1]!);
    expect([...steady.get('data')!.keys()].sort()).toEqual(['dressed', 'emptied', 'empty', 'flipped', 'gone']);
    expect(await judgeRestorePoint(sides, job, runs[0]!, steady)).toEqual([]);
    const found = await judgeRestorePoint(sides, job, runs[0]!, now());
    expect(found).toMatchObject([{ invariant: 'I1', message: expect.stringMatching(/data\/edited has the ETag/) }]);
  });
});

test('the judges accept a running run that holds the lock and has no summary', async () => {
  const { job, control } = rooms.get('moved')!;
  const alive = `${job}-20300101T000000Z-aaaaaa`;
  await control.getBlockBlobClient(`jobs/${job}/runs/${alive}/plan/data/x`).upload('', 0);
  await rewriteJson(control, `locks/${job}.json`, (lock) => ({ ...lock, run: { id: alive } }));
  expect(await judgeVault(sides, job, moments, [alive])).toEqual([]);
  expect(await judgeVault(sides, job, moments)).toHaveLength(2);
});

for (const [job, damages] of Object.entries(GROUPS)) {
  describe(`the judges see damage of ${job}`, () => {
    let found: Violation[];

    beforeAll(async () => {
      const room = rooms.get(job)!;
      expect(await judge(room)).toEqual([]);
      for (const { damage } of damages) await damage(room);
      found = await judge(room);
    });

    for (const { what, expected } of damages) {
      test(what, () => {
        const [invariant, message] = expected;
        expect(found).toContainEqual({ invariant, message: expect.stringMatching(message) });
      });
    }
  });
}

test('the judges see blobs where no run writes any', async () => {
  const { job, control } = rooms.get('retried')!;
  const stray = await makeContainer(sides.vault, 'elsewhere');
  expect(await judgeVault(sides, job, moments)).toEqual([]);
  await stray.getBlockBlobClient('escaped').upload('x', 1);
  await control.getBlockBlobClient('stray').upload('x', 1);
  expect(await judgeVault(sides, job, moments)).toEqual([
    { invariant: 'I8', message: 'strongroom/stray is nothing that the app keeps there' },
    { invariant: 'I8', message: 'the container elsewhere is the place of no run, and holds blobs' },
  ]);
});
