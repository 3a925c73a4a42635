import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { dueNow } from '../../support/app/due-now.ts';
import { askForPrune, executePrune, planPrune, restorePoints } from '../../support/app/pruning.ts';
import type { Strongroom, StrongroomOptions } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';
import { azureCopies } from '../../support/faults/azure-copies.ts';
import { DROP, type FaultProxy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';
import { contentOf, type WholeBlob } from '../../support/judge/content-of.ts';

const bed = useTestBed({ app: { limits: { sliceBlobs: 7, chunkBlobs: 3, retryDelayMs: 5 } } });

const start = (
  { retention, ...job }: { retention?: object; [key: string]: unknown } = {},
  more: Partial<StrongroomOptions> = {},
) => bed.start({ job: { retention: { keepLast: 1, marginHours: 0, ...retention }, ...job }, ...more });

const put = (name: string, text: string, container = 'data') =>
  bed.upload(name, text, container, { metadata: { of: 'mine' } });

interface Day {
  id: string;
  content: Record<string, WholeBlob>;
}

/** Starts a backup as soon as no other run holds the lock. */
async function startWhenFree(app: Strongroom): Promise<string> {
  const answers: { status: number; body: { id: string } }[] = [];
  const ask = async () => {
    answers.unshift(await app.call('POST', '/api/jobs/nightly/runs', { mode: 'incremental' }));
    return answers[0]!.status;
  };
  await expect.poll(ask, { timeout: 20_000, interval: 100 }).toBe(202);
  return answers[0]!.body.id;
}

/** Makes a restore point for each day: some blobs change each day, one is added, one is deleted. */
async function live(app: Strongroom, days: number, from = 0): Promise<Day[]> {
  await makeContainer(bed.source.connectionString, 'data');
  const seen: Day[] = [];
  for (let day = from; day < from + days; day++) {
    for (let index = 0; index < 8; index++) {
      if (day === 0 || index % 2 === 0) await put(`blob-${index}`, index % 2 === 0 ? `day ${day}` : 'always');
    }
    await put(`only-${day}`, `only on day ${day}`);
    if (day > 0) await bed.original().deleteBlob(`only-${day - 1}`);
    const { id, status } = await app.ended(await startWhenFree(app));
    expect(status).toBe('succeeded');
    seen.push({ id, content: await contentOf(bed.source.connectionString, 'data') });
  }
  return seen;
}

/** Each of these restore points restores the source as it was, and nothing else. */
async function expectWhole(app: Strongroom, days: Day[]): Promise<void> {
  for (const [index, { id, content }] of days.entries()) {
    const container = `back-${index}-${Math.random().toString(36).slice(2, 8)}`;
    expect(await app.restore({ restorePoint: id, target: { container } })).toMatchObject({ status: 'succeeded' });
    expect(await contentOf(bed.source.connectionString, container)).toEqual(content);
  }
}

/** All blobs, snapshots and notes in the vault, by ETag. */
async function everything(): Promise<string[]> {
  const found: string[] = [];
  const service = BlobServiceClient.fromConnectionString(bed.vault.connectionString);
  for await (const { name: container } of service.listContainers()) {
    const client = service.getContainerClient(container);
    for await (const { name, snapshot, properties } of client.listBlobsFlat({ includeSnapshots: true })) {
      // Every run leaves its report.
      if (container === 'strongroom' && !name.includes('/restore-points/')) continue;
      found.push([container, name, snapshot, properties.etag].join(' '));
    }
  }
  return found.sort();
}

const isDelete = ({ method, path }: ProxiedRequest) => method === 'DELETE' && !path.endsWith('may-delete');
const isIn = (what: RegExp) => (request: ProxiedRequest) => what.test(decodeURIComponent(request.path));

test.each<[string, (request: ProxiedRequest) => boolean, number]>([
  ['marks restore points', (request) => request.method === 'PUT' && isIn(/restore-points/)(request), 2],
  ['deletes blobs', (request) => isDelete(request) && isIn(/databackup/)(request), 3],
  ['deletes manifests', (request) => isDelete(request) && isIn(/jobs\/.*\/manifest\//)(request), 2],
  ['deletes summaries', (request) => isDelete(request) && isIn(/run\.json$/)(request), 1],
])(
  'F12, I4: a prune that is killed while it %s continues, and the remaining restore points stay whole',
  async (_, isMoment, nth) => {
    let app = await start();
    const days = await live(app, 2);
    const plan = await planPrune(app);
    expect(plan.plan.remove).toHaveLength(1);
    let seen = 0;
    const { promise: killed, resolve } = Promise.withResolvers<void>();
    bed.proxy.rules.push({
      match: (request) => isMoment(request) && ++seen === nth,
      before: () => app.host.kill().then(resolve),
    });
    const { body } = await askForPrune(app, plan);
    await killed;
    await bed.proxy.idle();
    app = await start();
    expect(await app.ended(body.id)).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
    expect(await restorePoints(app)).toEqual([days[1]!.id]);
    expect(Object.keys(await contentOf(bed.vault.connectionString, 'databackup'))).toEqual(
      Object.keys(days[1]!.content),
    );
    expect(await snapshotsOf(bed.vault.connectionString, 'databackup', 'blob-0')).toEqual([]);
    await expectWhole(app, days.slice(1));
  },
);

test('F28: a prune whose activities all execute twice deletes the same, once', async () => {
  const app = await start({ retention: { keepLast: 2 } }, { twice: 'soonest' });
  const days = await live(app, 3);
  const plan = await planPrune(app);
  expect(plan).toMatchObject({ status: 'succeeded' });
  const done = await executePrune(app, plan);
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  expect(await restorePoints(app)).toEqual([days[2]!.id, days[1]!.id]);
  await expectWhole(app, days.slice(1));
});

test('F8: a prune that loses the answer to every DELETE still reports each deletion', async () => {
  const app = await start();
  const days = await live(app, 3);
  const plan = await planPrune(app);
  const lost = new Set<string>();
  bed.proxy.rules.push({
    match: (request) => isDelete(request) && !lost.has(request.url),
    after: ({ url }) => {
      lost.add(url);
      return DROP;
    },
  });
  const done = await executePrune(app, plan);
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  expect(lost.size).toBeGreaterThan(plan.counts.planned!);
  await expectWhole(app, days.slice(2));
});

test('a prune marks nothing in a vault that refuses to delete, and a later prune deletes the rest', async () => {
  const app = await start();
  const days = await live(app, 3);
  const before = await everything();
  bed.proxy.rules.push({
    match: ({ method }) => method === 'DELETE',
    answer: () => refusal(403, 'AuthorizationPermissionMismatch'),
  });
  let plan = await planPrune(app);
  expect(plan.status).toBe('succeeded');
  expect(await executePrune(app, plan)).toMatchObject({
    status: 'failed',
    problems: [{ code: 'access-denied-prune' }],
  });
  expect(await everything()).toEqual(before);
  expect(await restorePoints(app)).toHaveLength(3);

  // The app loses the right in the middle; then one blob is leased, and one immutable.
  bed.proxy.rules.length = 0;
  let deleted = 0;
  bed.proxy.rules.push({
    match: (request) => isDelete(request) && ++deleted > 4,
    answer: () => refusal(403, 'AuthorizationPermissionMismatch'),
  });
  plan = await planPrune(app);
  const broken = await executePrune(app, plan);
  expect(broken).toMatchObject({ status: 'completed-with-failures', counts: { removed: 4 } });
  expect(broken.problems.map(({ code }) => code)).toEqual(['access-denied-prune']);

  bed.proxy.rules.length = 0;
  const lease = bed.backup().getBlobClient('only-0').getBlobLeaseClient();
  await lease.acquireLease(-1);
  bed.proxy.rules.push({
    match: (request) => isDelete(request) && isIn(/databackup\/only-1$/)(request),
    answer: () => refusal(409, 'BlobImmutableDueToPolicy'),
  });
  const held = await executePrune(app, await planPrune(app));
  expect(held.status).toBe('completed-with-failures');
  expect(held.problems.map(({ code }) => code).sort()).toEqual(['destination-immutable', 'destination-leased']);
  expect(Object.keys(await contentOf(bed.vault.connectionString, 'databackup'))).toEqual(
    expect.arrayContaining(['only-0', 'only-1']),
  );
  await lease.releaseLease();
  bed.proxy.rules.length = 0;
  const last = await executePrune(app, await planPrune(app));
  expect(last).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
  expect(Object.keys(await contentOf(bed.vault.connectionString, 'databackup'))).toEqual(Object.keys(days[2]!.content));
  await expectWhole(app, days.slice(2));
});

test('F10, F13: a prune plans, deletes and marks nothing when a listing is cut off, refused or empty', async () => {
  const app = await start();
  const days = await live(app, 2);
  const hold = bed.control.getBlockBlobClient(`jobs/nightly/restore-points/${days[0]!.id}.json`);
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
      // The run waits for a backup container that cannot be read for a while: another test covers that.
      if (container === 'databackup' && which === 1) continue;
      let struck = 0;
      bed.proxy.rules.push({
        match: ({ path, query }) =>
          query.get('comp') === 'list' &&
          path.endsWith(`/${container}`) &&
          query.get('prefix') === prefix &&
          ++struck > 0,
        ...fault,
      });
      const ended = await planPrune(app);
      bed.proxy.rules.length = 0;
      expect(struck, `${prefix}`).toBeGreaterThan(0);
      // Without the locks, or without a page of notes, the plan is still complete.
      if (ended.status === 'succeeded') expect(ended).toMatchObject({ counts: { planned: 0 }, plan: { remove: [] } });
      expect(await everything()).toEqual(before);
    }
  }
  await expectWhole(app, days);
}, 40_000);

test('F12: a plan is executed once, for one of all who ask, and only as it was made', async () => {
  let app = await start();
  const days = await live(app, 3);
  const plan = await planPrune(app);
  expect(await askForPrune(app, plan, '0'.repeat(32))).toMatchObject({ status: 409, body: { code: 'plan-stale' } });
  expect(await askForPrune(app, { ...plan, id: days[0]!.id })).toMatchObject({
    status: 404,
    body: { code: 'plan-not-found' },
  });
  expect(await app.call('POST', '/api/prunes', { job: 'other', plan: plan.id, hash: plan.plan.hash })).toMatchObject({
    status: 404,
  });
  // After a change of the policy, the plan is stale.
  await app.host.stop();
  app = await start({ retention: { keepLast: 2 } });
  const before = await everything();
  expect(await executePrune(app, plan)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  expect(await everything()).toEqual(before);
  // After a new hold, too.
  const other = await planPrune(app);
  await app.call('POST', `/api/restore-points/${days[0]!.id}/hold`, { reason: 'audit' });
  expect(await executePrune(app, other)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  expect(await restorePoints(app)).toHaveLength(3);
  await app.call('POST', `/api/restore-points/${days[0]!.id}/unhold`, {});

  const answers = await Promise.all([1, 2, 3].map(() => askForPrune(app, other)));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  const { body } = answers.find(({ status }) => status === 202)!;
  expect(await app.ended(body.id)).toMatchObject({ status: 'succeeded' });
  expect(await executePrune(app, other)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  await expectWhole(app, days.slice(1));
});

test('F10: a prune deletes no base blob whose source exists or cannot be checked', async () => {
  const app = await start();
  const days = await live(app, 3);
  const plan = await planPrune(app);
  await put('only-0', 'there again');
  const looksAt = (request: ProxiedRequest) =>
    request.method === 'HEAD' && request.path.startsWith(`/${bed.source.name}/data/only-1`);
  bed.proxy.rules.push({ match: looksAt, answer: () => DROP });
  const done = await executePrune(app, plan);
  expect(done).toMatchObject({ status: 'completed-with-failures', counts: { failed: 1, unchanged: 1 } });
  expect(done.problems.map(({ code }) => code)).toEqual(['unreachable']);
  const backup = await contentOf(bed.vault.connectionString, 'databackup');
  expect(Object.keys(backup).filter((name) => name.startsWith('only'))).toEqual(['only-0', 'only-1', 'only-2']);
  await expectWhole(app, days.slice(2));
});

test('F12: a marked restore point cannot be restored or held, and its content stays for the margin', async () => {
  const app = await start({ retention: { marginHours: 48 } });
  const days = await live(app, 3);
  const [first, second] = days as [Day, Day, Day];
  const backup = await contentOf(bed.vault.connectionString, 'databackup');
  expect(await executePrune(app, await planPrune(app))).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
  expect(await restorePoints(app)).toEqual([days[2]!.id]);
  const gone = { body: { code: 'point-removed' } };
  expect(await app.call('POST', '/api/restores', { restorePoint: first.id })).toMatchObject({ status: 404, ...gone });
  expect(await app.call('POST', `/api/restore-points/${first.id}/hold`, { reason: 'x' })).toMatchObject({
    status: 409,
    ...gone,
  });
  expect(await planPrune(app)).toMatchObject({ counts: { planned: 0 }, plan: { remove: [], expired: [] } });
  const age = async (id: string, hours: number) => {
    const client = bed.control.getBlockBlobClient(`jobs/nightly/restore-points/${id}.json`);
    const notes = JSON.parse((await client.downloadToBuffer()).toString());
    notes.removed.at = new Date(Date.now() - hours * 3_600_000).toISOString();
    const text = JSON.stringify(notes);
    await client.upload(text, text.length);
  };
  // The margin of one is over. The content of the other stays.
  await age(first.id, 49);
  await age(second.id, 47);
  const plan = await planPrune(app);
  expect(plan).toMatchObject({ counts: { planned: 0 }, plan: { remove: [], expired: [first.id] } });
  expect(await executePrune(app, plan)).toMatchObject({ status: 'succeeded' });
  expect(await contentOf(bed.vault.connectionString, 'databackup')).toEqual(backup);
  await expectWhole(app, days.slice(2));
});

test('F11: a run that rewrites most of a container engages the safety brake, and older points stay', async () => {
  const app = await start({ retention: { brake: { percent: 70, blobs: 5 } } });
  const days = await live(app, 2);
  for (let index = 0; index < 8; index++) await put(`blob-${index}`, 'encrypted');
  const { id: bad } = await app.run({ mode: 'full' });
  await app.run({ mode: 'incremental' });
  await app.run({ mode: 'full' });
  const newest = (await restorePoints(app))[0]!;
  expect(app.host.output()).toMatch(new RegExp(`brake-engaged .*${bad}`));
  const { body } = await app.call('GET', `/api/restore-points/${bad}`);
  expect(body.brake).toMatchObject({ reason: expect.stringMatching(/^data: \d of 9 blobs changed or lost since /) });
  let plan = await planPrune(app);
  expect(plan.plan.remove).toHaveLength(1);
  expect(plan.plan.remove).not.toContain(bad);
  await executePrune(app, plan);
  expect(await restorePoints(app)).toEqual([newest, bad, days[1]!.id, days[0]!.id]);
  await expectWhole(app, days);
  await app.call('POST', `/api/restore-points/${bad}/release`, {});
  plan = await planPrune(app);
  expect(await executePrune(app, plan)).toMatchObject({ status: 'succeeded' });
  expect(await restorePoints(app)).toEqual([newest]);
});

test('a scheduled prune executes its plan, and a verification follows a backup', async () => {
  const app = await start({
    retention: { keepLast: 2, schedule: dueNow() },
    verify: { afterRun: 'quick' },
  });
  const days = await live(app, 3);
  interface Row {
    id: string;
    mode: string;
    status: string;
    dryRun: boolean;
    trigger: string;
  }
  // The catalog may list earlier runs as well.
  const runs = async () =>
    ((await app.call('GET', '/api/runs')).body.runs as unknown as Row[]).filter(({ id }) => id >= days[0]!.id);
  const verified = async () => (await app.call('GET', `/api/restore-points/${days[2]!.id}`)).body.verified;
  await expect.poll(verified, { timeout: 20_000 }).toMatchObject({ kind: 'quick', failed: 0 });
  await expect
    .poll(async () => (await runs()).every(({ status }) => status !== 'running'), { timeout: 20_000 })
    .toBe(true);
  expect((await app.call('POST', '/admin/functions/prune_nightly', {})).status).toBe(202);
  const prunes = async () => (await runs()).filter(({ mode, status }) => mode === 'prune' && status === 'succeeded');
  await expect.poll(prunes, { timeout: 20_000 }).toHaveLength(2);
  expect(await prunes()).toMatchObject([
    { dryRun: false, trigger: 'run' },
    { dryRun: true, trigger: 'timer' },
  ]);
  expect(await restorePoints(app)).toEqual([days[2]!.id, days[1]!.id]);
  await expectWhole(app, days.slice(1));
});

test('I8: in a shared backup container with hostile names, a prune deletes only what is planned', async () => {
  const names = HOSTILE_NAMES.filter((name) => name.length < 500).filter((_, index) => index % 5 === 0);
  const app = await start({
    retention: { brake: { percent: 100, blobs: 1_000_000 } },
    destination: { account: 'VAULT', container: 'shared', prefix: '{container}/' },
  });
  const canary = await makeContainer(bed.vault.connectionString, 'canary');
  for (const name of ['x', 'blob', 'data/x']) await canary.getBlockBlobClient(name).upload(name, name.length);
  const before = await contentOf(bed.vault.connectionString, 'canary');
  for (const container of ['data', 'data-2']) {
    const client = await makeContainer(bed.source.connectionString, container);
    const url = await client.generateSasUrl({
      permissions: ContainerSASPermissions.parse('rcwl'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    for (const name of names) await putRaw(url, name, `${container} ${name}`);
    await put('plain', container, container);
  }
  await app.run();
  const backup = Object.keys(await contentOf(bed.vault.connectionString, 'shared'));
  expect(backup.length).toBeGreaterThan(names.length);
  // The source of one container loses all blobs but one; the other stays as it is.
  const first = bed.original();
  await first.delete();
  await makeContainer(bed.source.connectionString, 'data');
  await put('plain', 'data', 'data');
  await app.run({ mode: 'incremental' });
  const foreign = bed.backup('shared').getBlockBlobClient('data/of-somebody');
  await foreign.upload('x', 1);
  const copies = azureCopies(bed.vault, () => undefined);
  bed.proxy.layers.push(copies.layer);
  await copies.orphan('shared', 'data/pending');
  await foreign.createSnapshot();
  await bed.backup('shared').getBlockBlobClient('data/uncommitted').stageBlock('AAAA', 'x', 1);
  expect(await executePrune(app, await planPrune(app))).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  const left = Object.keys(await contentOf(bed.vault.connectionString, 'shared'));
  expect(left).toEqual([
    ...backup.filter((name) => name.startsWith('data-2/')),
    'data/of-somebody',
    'data/pending',
    'data/plain',
  ]);
  expect(await snapshotsOf(bed.vault.connectionString, 'shared', 'data/of-somebody')).toEqual(['x']);
  expect(await contentOf(bed.vault.connectionString, 'canary')).toEqual(before);
});
