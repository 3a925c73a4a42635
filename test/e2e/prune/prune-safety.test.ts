import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startHost } from '../../support/app/host-process.ts';
import { Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';
import { azureCopies } from '../../support/faults/azure-copies.ts';
import { DROP, type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';
import { contentOf, type WholeBlob } from '../../support/judge/content-of.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let dataDir: string;
let app: Strongroom | undefined;

const LIMITS = { sliceBlobs: 7, chunkBlobs: 3, retryDelayMs: 5 };

const start = async ({ retention, ...job }: { retention?: object; [key: string]: unknown } = {}, more: object = {}) => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    job: { retention: { keepLast: 1, marginHours: 0, ...retention }, ...job },
    limits: LIMITS,
    dataDir,
    ...more,
  });
  return app;
};

beforeAll(() => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
});

beforeEach(async () => {
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-prune-'));
  for (const account of [source, vault]) {
    const service = BlobServiceClient.fromConnectionString(account.connectionString);
    for await (const { name } of service.listContainers()) await service.deleteContainer(name);
  }
});

afterEach(async () => {
  await app?.host.kill();
  app = undefined;
  await proxy.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const containerOf = (account: TestAccount, name: string) =>
  BlobServiceClient.fromConnectionString(account.connectionString).getContainerClient(name);
const put = (name: string, text: string, container = 'data') =>
  containerOf(source, container)
    .getBlockBlobClient(name)
    .upload(text, Buffer.byteLength(text), { metadata: { of: 'mine' } });

interface Day {
  id: string;
  content: Record<string, WholeBlob>;
}

/** The id of a backup, once the run before, or the one that follows it, has let go of the lock. */
async function begun(room: Strongroom): Promise<string> {
  const answers: { status: number; body: { id: string } }[] = [];
  const ask = async () => {
    answers.unshift(await room.call('POST', '/api/jobs/nightly/runs', { mode: 'incremental' }));
    return answers[0]!.status;
  };
  await expect.poll(ask, { timeout: 20_000, interval: 100 }).toBe(202);
  return answers[0]!.body.id;
}

/** A restore point a day, and what the source was: some blobs change each day, one comes, one goes. */
async function lived(room: Strongroom, days: number, from = 0): Promise<Day[]> {
  await makeContainer(source.connectionString, 'data');
  const seen: Day[] = [];
  for (let day = from; day < from + days; day++) {
    for (let index = 0; index < 8; index++) {
      if (day === 0 || index % 2 === 0) await put(`blob-${index}`, index % 2 === 0 ? `day ${day}` : 'always');
    }
    await put(`only-${day}`, `only on day ${day}`);
    if (day > 0) await containerOf(source, 'data').deleteBlob(`only-${day - 1}`);
    const { id, status } = await room.ended(await begun(room));
    expect(status).toBe('succeeded');
    seen.push({ id, content: await contentOf(source.connectionString, 'data') });
  }
  return seen;
}

interface Plan {
  id: string;
  status: string;
  counts: Record<string, number>;
  problems: { code: string }[];
  plan: { hash: string; remove: string[]; expired: string[] };
}

async function planned(room: Strongroom): Promise<Plan> {
  const answer = await room.call('POST', '/api/prunes', {});
  expect(answer.status).toBe(202);
  return (await room.ended(answer.body.id)) as unknown as Plan;
}

const ask = (room: Strongroom, { id, plan }: Plan, hash = plan.hash) =>
  room.call('POST', '/api/prunes', { plan: id, hash });

async function carriedOut(room: Strongroom, plan: Plan) {
  const answer = await ask(room, plan);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return room.ended(answer.body.id);
}

/** Every one of these restore points gives back what the source was, and nothing else. */
async function expectWhole(room: Strongroom, days: Day[]): Promise<void> {
  for (const [index, { id, content }] of days.entries()) {
    const container = `back-${index}-${Math.random().toString(36).slice(2, 8)}`;
    const { body } = await room.call('POST', '/api/restores', { restorePoint: id, target: { container } });
    expect(await room.ended(body.id)).toMatchObject({ status: 'succeeded' });
    expect(await contentOf(source.connectionString, container)).toEqual(content);
  }
}

/** Blobs, snapshots and notes in the vault, as they are. */
async function everything(): Promise<string[]> {
  const found: string[] = [];
  const service = BlobServiceClient.fromConnectionString(vault.connectionString);
  for await (const { name: container } of service.listContainers()) {
    const client = service.getContainerClient(container);
    for await (const { name, snapshot, properties } of client.listBlobsFlat({ includeSnapshots: true })) {
      // Runs leave their reports, whatever they did.
      if (container === 'strongroom' && !name.includes('/restore-points/')) continue;
      found.push([container, name, snapshot, properties.etag].join(' '));
    }
  }
  return found.sort();
}

const points = async (room: Strongroom) => {
  const { body } = await room.call('GET', '/api/restore-points');
  return (body.restorePoints as unknown as { id: string }[]).map(({ id }) => id);
};

const isDelete = ({ method, path }: ProxiedRequest) => method === 'DELETE' && !path.endsWith('may-delete');
const isIn = (what: RegExp) => (request: ProxiedRequest) => what.test(decodeURIComponent(request.path));

test.each<[string, (request: ProxiedRequest) => boolean, number]>([
  ['marking', (request) => request.method === 'PUT' && isIn(/restore-points/)(request), 2],
  ['deleting', (request) => isDelete(request) && isIn(/databackup/)(request), 3],
  ['taking manifests away', (request) => isDelete(request) && isIn(/jobs\/.*\/manifest\//)(request), 2],
  ['taking summaries away', (request) => isDelete(request) && isIn(/run\.json$/)(request), 1],
])('F12, I4: killed while %s, it goes on where it was, and what is kept is whole', async (_, isMoment, nth) => {
  let room = await start();
  const days = await lived(room, 2);
  const plan = await planned(room);
  expect(plan.plan.remove).toHaveLength(1);
  let seen = 0;
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  proxy.rules.push({
    match: (request) => isMoment(request) && ++seen === nth,
    before: () => room.host.kill().then(resolve),
  });
  const { body } = await ask(room, plan);
  await killed;
  await proxy.idle();
  room = await start();
  expect(await room.ended(body.id)).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  expect(await points(room)).toEqual([days[1]!.id]);
  expect(Object.keys(await contentOf(vault.connectionString, 'databackup'))).toEqual(Object.keys(days[1]!.content));
  expect(await snapshotsOf(vault.connectionString, 'databackup', 'blob-0')).toEqual([]);
  await expectWhole(room, days.slice(1));
});

test('F28: activities executed twice delete the same, once', async () => {
  const config = join(dataDir, 'strongroom.json');
  const job = {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['*'] },
    destination: { account: 'VAULT', container: '{container}backup' },
    retention: { keepLast: 2, marginHours: 0 },
  };
  writeFileSync(config, JSON.stringify({ jobs: [job] }));
  const host = await startHost({
    dataDir,
    args: ['--app', new URL('../../support/app/twice-app', import.meta.url).pathname],
    env: {
      SOURCE: proxy.connectionString(source),
      VAULT: proxy.connectionString(vault),
      STRONGROOM_CONFIG: config,
      STRONGROOM_LIMITS: JSON.stringify(LIMITS),
      ACTIVITIES_TWICE: 'soonest',
    },
  });
  const room = new Strongroom(host);
  app = room;
  const days = await lived(room, 3);
  const plan = await planned(room);
  expect(plan).toMatchObject({ status: 'succeeded' });
  const done = await carriedOut(room, plan);
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  expect(await points(room)).toEqual([days[2]!.id, days[1]!.id]);
  await expectWhole(room, days.slice(1));
});

test('F8: with the answer to every DELETE lost, each is still told as what it was', async () => {
  const room = await start();
  const days = await lived(room, 3);
  const plan = await planned(room);
  const lost = new Set<string>();
  proxy.rules.push({
    match: (request) => isDelete(request) && !lost.has(request.url),
    after: ({ url }) => {
      lost.add(url);
      return DROP;
    },
  });
  const done = await carriedOut(room, plan);
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  expect(lost.size).toBeGreaterThan(plan.counts.planned!);
  await expectWhole(room, days.slice(2));
});

test('a vault that refuses to delete: nothing is marked, what is refused stays, and a later prune takes it', async () => {
  const room = await start();
  const days = await lived(room, 3);
  const before = await everything();
  proxy.rules.push({
    match: ({ method }) => method === 'DELETE',
    answer: () => refusal(403, 'AuthorizationPermissionMismatch'),
  });
  let plan = await planned(room);
  expect(plan.status).toBe('succeeded');
  expect(await carriedOut(room, plan)).toMatchObject({ status: 'failed', problems: [{ code: 'access-denied-prune' }] });
  expect(await everything()).toEqual(before);
  expect(await points(room)).toHaveLength(3);

  // The right is taken away in the middle; one blob is leased, one immutable.
  proxy.rules.length = 0;
  let deleted = 0;
  proxy.rules.push({
    match: (request) => isDelete(request) && ++deleted > 4,
    answer: () => refusal(403, 'AuthorizationPermissionMismatch'),
  });
  plan = await planned(room);
  const broken = await carriedOut(room, plan);
  expect(broken).toMatchObject({ status: 'completed-with-failures', counts: { removed: 4 } });
  expect(broken.problems.map(({ code }) => code)).toEqual(['access-denied-prune']);

  proxy.rules.length = 0;
  const lease = containerOf(vault, 'databackup').getBlobClient('only-0').getBlobLeaseClient();
  await lease.acquireLease(-1);
  proxy.rules.push({
    match: (request) => isDelete(request) && isIn(/databackup\/only-1$/)(request),
    answer: () => refusal(409, 'BlobImmutableDueToPolicy'),
  });
  const held = await carriedOut(room, await planned(room));
  expect(held.status).toBe('completed-with-failures');
  expect(held.problems.map(({ code }) => code).sort()).toEqual(['destination-immutable', 'destination-leased']);
  expect(Object.keys(await contentOf(vault.connectionString, 'databackup'))).toEqual(
    expect.arrayContaining(['only-0', 'only-1']),
  );
  await lease.releaseLease();
  proxy.rules.length = 0;
  const last = await carriedOut(room, await planned(room));
  expect(last).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
  expect(Object.keys(await contentOf(vault.connectionString, 'databackup'))).toEqual(Object.keys(days[2]!.content));
  await expectWhole(room, days.slice(2));
});

test('F10, F13: where a listing does not come to its end, or is empty, nothing is planned, deleted or marked', async () => {
  const room = await start();
  const days = await lived(room, 2);
  const hold = containerOf(vault, 'strongroom').getBlockBlobClient(`jobs/nightly/restore-points/${days[0]!.id}.json`);
  const notes = JSON.stringify({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } });
  await hold.upload(notes, notes.length, { metadata: { strongroom_notes: notes } });
  const before = await everything();
  const half = (body: Buffer | string) => Buffer.from(body).subarray(0, Buffer.from(body).length / 2);
  const empty = (body: Buffer | string) =>
    body
      .toString()
      .replace(/<Blobs>.*<\/Blobs>/s, '<Blobs></Blobs>')
      .replace(/<NextMarker>.*<\/NextMarker>/, '');
  const faults: Partial<FaultProxy['rules'][number]>[] = [
    { answer: () => refusal(403, 'AuthorizationFailure') },
    { after: (_request, response) => ({ ...response, body: half(response.body) }) },
    { after: (_request, response) => ({ ...response, body: empty(response.body) }) },
  ];
  const listed: [string, string | null][] = [
    ['strongroom', 'jobs/'],
    ['strongroom', 'jobs/nightly/runs/'],
    ['strongroom', 'jobs/nightly/restore-points/'],
    ['strongroom', 'locks/'],
    ['databackup', null],
  ];
  for (const [container, prefix] of listed) {
    for (const [which, fault] of faults.entries()) {
      // A mirror that cannot be read for a while is waited for: another test has that.
      if (container === 'databackup' && which === 1) continue;
      let struck = 0;
      proxy.rules.push({
        match: ({ path, query }) =>
          query.get('comp') === 'list' &&
          path.endsWith(`/${container}`) &&
          query.get('prefix') === prefix &&
          ++struck > 0,
        ...fault,
      });
      const ended = await planned(room);
      proxy.rules.length = 0;
      expect(struck, `${prefix}`).toBeGreaterThan(0);
      // Without the locks, or without a page of notes, all that matters is found all the same.
      if (ended.status === 'succeeded') expect(ended).toMatchObject({ counts: { planned: 0 }, plan: { remove: [] } });
      expect(await everything()).toEqual(before);
    }
  }
  await expectWhole(room, days);
}, 40_000);

test('F12: a plan is carried out by one of those who ask, once, and only as it was made', async () => {
  let room = await start();
  const days = await lived(room, 3);
  const plan = await planned(room);
  expect(await ask(room, plan, '0'.repeat(32))).toMatchObject({ status: 409, body: { code: 'plan-stale' } });
  expect(await ask(room, { ...plan, id: days[0]!.id })).toMatchObject({
    status: 404,
    body: { code: 'plan-not-found' },
  });
  expect(await room.call('POST', '/api/prunes', { job: 'other', plan: plan.id, hash: plan.plan.hash })).toMatchObject({
    status: 404,
  });
  // With another policy since, it does nothing.
  await room.host.stop();
  room = await start({ retention: { keepLast: 2 } });
  const before = await everything();
  expect(await carriedOut(room, plan)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  expect(await everything()).toEqual(before);
  // What begins to be held in the meantime, too.
  const other = await planned(room);
  await room.call('POST', `/api/restore-points/${days[0]!.id}/hold`, { reason: 'audit' });
  expect(await carriedOut(room, other)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  expect(await points(room)).toHaveLength(3);
  await room.call('POST', `/api/restore-points/${days[0]!.id}/unhold`, {});

  const answers = await Promise.all([ask(room, other), ask(room, other), ask(room, other)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  const { body } = answers.find(({ status }) => status === 202)!;
  expect(await room.ended(body.id)).toMatchObject({ status: 'succeeded' });
  expect(await carriedOut(room, other)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  await expectWhole(room, days.slice(1));
});

test('F10: base blobs stay while their source is there, or cannot be looked at', async () => {
  const room = await start();
  const days = await lived(room, 3);
  const plan = await planned(room);
  await put('only-0', 'there again');
  const looksAt = (request: ProxiedRequest) =>
    request.method === 'HEAD' && request.path.startsWith(`/${source.name}/data/only-1`);
  proxy.rules.push({ match: looksAt, answer: () => DROP });
  const done = await carriedOut(room, plan);
  expect(done).toMatchObject({ status: 'completed-with-failures', counts: { failed: 1, unchanged: 1 } });
  expect(done.problems.map(({ code }) => code)).toEqual(['unreachable']);
  const mirror = await contentOf(vault.connectionString, 'databackup');
  expect(Object.keys(mirror).filter((name) => name.startsWith('only'))).toEqual(['only-0', 'only-1', 'only-2']);
  await expectWhole(room, days.slice(2));
});

test('F12: what is marked is not restorable nor to be held, and its content stays until the margin is over', async () => {
  const room = await start({ retention: { marginHours: 48 } });
  const days = await lived(room, 3);
  const [first, second] = days as [Day, Day, Day];
  const mirror = await contentOf(vault.connectionString, 'databackup');
  expect(await carriedOut(room, await planned(room))).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
  expect(await points(room)).toEqual([days[2]!.id]);
  const gone = { body: { code: 'point-removed' } };
  expect(await room.call('POST', '/api/restores', { restorePoint: first.id })).toMatchObject({ status: 404, ...gone });
  expect(await room.call('POST', `/api/restore-points/${first.id}/hold`, { reason: 'x' })).toMatchObject({
    status: 409,
    ...gone,
  });
  expect(await planned(room)).toMatchObject({ counts: { planned: 0 }, plan: { remove: [], expired: [] } });
  const age = async (id: string, hours: number) => {
    const client = containerOf(vault, 'strongroom').getBlockBlobClient(`jobs/nightly/restore-points/${id}.json`);
    const notes = JSON.parse((await client.downloadToBuffer()).toString());
    notes.removed.at = new Date(Date.now() - hours * 3_600_000).toISOString();
    const text = JSON.stringify(notes);
    await client.upload(text, text.length);
  };
  // The margin of one is over; what came to be within it stays all the same.
  await age(first.id, 49);
  await age(second.id, 47);
  const plan = await planned(room);
  expect(plan).toMatchObject({ counts: { planned: 0 }, plan: { remove: [], expired: [first.id] } });
  expect(await carriedOut(room, plan)).toMatchObject({ status: 'succeeded' });
  expect(await contentOf(vault.connectionString, 'databackup')).toEqual(mirror);
  await expectWhole(room, days.slice(2));
});

test('F11: what rewrites most of a container is noticed, passed over by `latest`, and keeps all that is older', async () => {
  const room = await start({ retention: { brake: { percent: 70, blobs: 5 } } });
  const days = await lived(room, 2);
  for (let index = 0; index < 8; index++) await put(`blob-${index}`, 'encrypted');
  const { id: bad } = await room.run({ mode: 'full' });
  await room.run({ mode: 'incremental' });
  await room.run({ mode: 'full' });
  const newest = (await points(room))[0]!;
  expect(room.host.output()).toMatch(new RegExp(`brake-engaged .*${bad}`));
  const { body } = await room.call('GET', `/api/restore-points/${bad}`);
  expect(body.brake).toMatchObject({ reason: expect.stringContaining('data: 8 changed of 9 blobs') });
  let plan = await planned(room);
  expect(plan.plan.remove).toHaveLength(1);
  expect(plan.plan.remove).not.toContain(bad);
  await carriedOut(room, plan);
  expect(await points(room)).toEqual([newest, bad, days[1]!.id, days[0]!.id]);
  await expectWhole(room, days);
  await room.call('POST', `/api/restore-points/${bad}/release`, {});
  plan = await planned(room);
  expect(await carriedOut(room, plan)).toMatchObject({ status: 'succeeded' });
  expect(await points(room)).toEqual([newest]);
});

test('by its schedule, the plan and its execution follow each other, and a verification follows a backup', async () => {
  const room = await start({
    retention: { keepLast: 2, schedule: '0 0 3 1 1 *' },
    verify: { afterRun: 'quick' },
  });
  const days = await lived(room, 3);
  interface Row {
    id: string;
    mode: string;
    status: string;
    dryRun: boolean;
    trigger: string;
  }
  // The catalog has those of other tests as well.
  const runs = async () =>
    ((await room.call('GET', '/api/runs')).body.runs as unknown as Row[]).filter(({ id }) => id >= days[0]!.id);
  const verified = async () => (await room.call('GET', `/api/restore-points/${days[2]!.id}`)).body.verified;
  await expect.poll(verified, { timeout: 20_000 }).toMatchObject({ kind: 'quick', failed: 0 });
  await expect
    .poll(async () => (await runs()).every(({ status }) => status !== 'running'), { timeout: 20_000 })
    .toBe(true);
  expect((await room.call('POST', '/admin/functions/prune-nightly', {})).status).toBe(202);
  const prunes = async () => (await runs()).filter(({ mode, status }) => mode === 'prune' && status === 'succeeded');
  await expect.poll(prunes, { timeout: 20_000 }).toHaveLength(2);
  expect(await prunes()).toMatchObject([
    { dryRun: false, trigger: 'run' },
    { dryRun: true, trigger: 'timer' },
  ]);
  expect(await points(room)).toEqual([days[2]!.id, days[1]!.id]);
  await expectWhole(room, days.slice(1));
});

test('I8: of containers that share a mirror, and with names that strangers chose, only what is planned goes', async () => {
  const names = HOSTILE_NAMES.filter((name) => name.length < 500).filter((_, index) => index % 5 === 0);
  const room = await start({
    retention: { brake: { percent: 100, blobs: 1_000_000 } },
    destination: { account: 'VAULT', container: 'mirror', prefix: '{container}/' },
  });
  const canary = await makeContainer(vault.connectionString, 'canary');
  for (const name of ['x', 'blob', 'data/x']) await canary.getBlockBlobClient(name).upload(name, name.length);
  const before = await contentOf(vault.connectionString, 'canary');
  for (const container of ['data', 'data-2']) {
    const client = await makeContainer(source.connectionString, container);
    const url = await client.generateSasUrl({
      permissions: ContainerSASPermissions.parse('rcwl'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    for (const name of names) await putRaw(url, name, `${container} ${name}`);
    await put('plain', container, container);
  }
  await room.run();
  const mirror = Object.keys(await contentOf(vault.connectionString, 'mirror'));
  expect(mirror.length).toBeGreaterThan(names.length);
  // All of one goes but for one blob; of the other, everything stays.
  const first = containerOf(source, 'data');
  await first.delete();
  await makeContainer(source.connectionString, 'data');
  await put('plain', 'data', 'data');
  await room.run({ mode: 'incremental' });
  const foreign = containerOf(vault, 'mirror').getBlockBlobClient('data/of-somebody');
  await foreign.upload('x', 1);
  const copies = azureCopies(vault, () => undefined);
  proxy.layers.push(copies.layer);
  await copies.orphan('mirror', 'data/pending');
  await foreign.createSnapshot();
  await containerOf(vault, 'mirror').getBlockBlobClient('data/uncommitted').stageBlock('AAAA', 'x', 1);
  expect(await carriedOut(room, await planned(room))).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  const left = Object.keys(await contentOf(vault.connectionString, 'mirror'));
  expect(left).toEqual([
    ...mirror.filter((name) => name.startsWith('data-2/')),
    'data/of-somebody',
    'data/pending',
    'data/plain',
  ]);
  expect(await snapshotsOf(vault.connectionString, 'mirror', 'data/of-somebody')).toEqual(['x']);
  expect(await contentOf(vault.connectionString, 'canary')).toEqual(before);
});
