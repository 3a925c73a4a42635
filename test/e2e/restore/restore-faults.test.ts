import { TableClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { containerIn, useTestBed } from '../../support/app/test-bed.ts';
import type { TestAccount } from '../../support/azurite/accounts.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { getRaw, HOSTILE_NAMES, putRaw } from '../../support/builders/hostile-names.ts';
import { Random } from '../../support/builders/random.ts';
import { azureCopies, type CopyFate, FOR_EVER } from '../../support/faults/azure-copies.ts';
import { DROP, type FaultRule, isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { FAULTS, type FaultContext, refusal } from '../../support/faults/faults.ts';
import { contentOf, type WholeBlob } from '../../support/judge/content-of.ts';

const JOB = {
  source: { account: 'SOURCE', containers: ['data'] },
  destination: { account: 'VAULT', container: '{container}backup', prefix: 'of/' },
};
const bed = useTestBed({ app: { job: JOB, more: { accounts: ['ELSEWHERE'] }, limits: { retryDelayMs: 20 } } });

const put = (client: ContainerClient, name: string, text: string, more: object = {}) =>
  client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), more);

/** A few of every kind: most without metadata of their own, which is where ours would stay. */
async function fill(plain = 10): Promise<ContainerClient> {
  const data = await makeContainer(bed.source.connectionString, 'data');
  await Promise.all(Array.from({ length: plain }, (_, index) => put(data, `plain/${index}`, `plain ${index}`)));
  await put(data, 'rich', 'rich', { metadata: { Author: 'Ada' }, tags: { state: 'done' }, tier: 'Cool' });
  await put(data, 'tagged', 'tagged', { tags: { a: '1' } });
  await put(data, 'empty', '');
  const log = data.getAppendBlobClient('log');
  await log.create();
  await log.appendBlock('line\n', 5);
  await page(data, 'disk', 1);
  return data;
}

async function page(data: ContainerClient, name: string, byte: number): Promise<void> {
  const disk = data.getPageBlobClient(name);
  // Not written over: the emulator lets a page blob share its pages with copies of it.
  await disk.deleteIfExists();
  await disk.create(512);
  await disk.uploadPages(Buffer.alloc(512, byte), 0, 512);
}

const failures = async (app: Strongroom, id: string) =>
  Object.fromEntries((await app.outcomes(id, 'status=failed')).map(({ name, code }) => [name, code]));

const into =
  (container: string, name = '') =>
  (request: ProxiedRequest) =>
    request.path.includes(`/${container}/${name}`) && isCopy(request);
const isClearing =
  (container: string) =>
  ({ method, path, query }: ProxiedRequest) =>
    method === 'PUT' && path.includes(`/${container}/`) && query.get('comp') === 'metadata';

const only = (all: Record<string, WholeBlob>, holds: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => holds(name)));

const snapshotCount = async (account: TestAccount, container: string): Promise<number> => {
  let count = 0;
  for await (const { snapshot } of containerIn(account, container).listBlobsFlat({ includeSnapshots: true })) {
    if (snapshot) count++;
  }
  return count;
};

test('F3: a restore waits for pending copies and names those that fail, and a retry makes them again', async () => {
  const data = await fill(8);
  await page(data, 'broken disk', 2);
  const before = await contentOf(bed.source.connectionString, 'data');
  const starts = new Map<string, number>();
  const once = (end: CopyFate['end']) => (count: number) =>
    count === 1 ? { looks: 1, end } : { looks: 0, end: 'success' };
  const fates: Record<string, (count: number) => object> = {
    'plain/0': once('failed'),
    'plain/1': once('aborted'),
    'plain/2': once('vanishes'),
    'plain/3': once('replaced'),
    'plain/4': () => ({ looks: 0, end: 'failed' }),
    'plain/5': () => FOR_EVER,
    'broken disk': () => ({ looks: 0, end: 'failed' }),
  };
  const copies = azureCopies(bed.source, (container, blob) => {
    if (container !== 'back') return undefined;
    starts.set(blob, (starts.get(blob) ?? 0) + 1);
    return (fates[blob]?.(starts.get(blob)!) ?? { looks: 1, end: 'success' }) as CopyFate;
  });
  bed.proxy.layers.push(copies.layer);
  const app = await bed.start({ job: { ...JOB, method: 'async' }, limits: { copyDeadlineMs: 6000 } });
  await app.run();
  const report = await app.restore({ target: { container: 'back' } });
  expect(await failures(app, report.id)).toEqual({
    'plain/2': 'target-exists',
    'plain/3': 'target-exists',
    'broken disk': 'copy-failed',
  });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 14, copied: 11, failed: 3 } });
  const sound = (name: string) => !['plain/2', 'plain/3', 'broken disk'].includes(name);
  expect(only(await contentOf(bed.source.connectionString, 'back'), sound)).toEqual(only(before, sound));
  // The retry leaves blobs of other writers alone, and blobs that nothing shows to be ours. It replaces what the failed
  // copy left, although it replaces no existing blob.
  copies.heal();
  delete fates['broken disk'];
  const again = await app.retry(report.id);
  expect(again).toMatchObject({ counts: { listed: 3, copied: 1, failed: 2 } });
  expect(await failures(app, again.id)).toEqual({ 'plain/2': 'target-exists', 'plain/3': 'target-exists' });
  const mended = (name: string) => sound(name) || name === 'broken disk';
  expect(only(await contentOf(bed.source.connectionString, 'back'), mended)).toEqual(only(before, mended));
});

test('a cancelled restore aborts its pending copies, and the next restore is complete', async () => {
  await fill(6);
  const before = await contentOf(bed.source.connectionString, 'data');
  let hang = true;
  const copies = azureCopies(bed.source, (container, blob) =>
    container === 'back' && hang && blob.startsWith('plain/') ? FOR_EVER : undefined,
  );
  bed.proxy.layers.push(copies.layer);
  const app = await bed.start({ job: { ...JOB, method: 'async' } });
  await app.run();
  const id = await app.begin('/api/restores', { target: { container: 'back' } });
  const looks = (request: ProxiedRequest) => request.method === 'HEAD' && request.path.includes('/back/plain');
  await expect.poll(() => bed.proxy.requests.some(looks), { timeout: 20_000 }).toBe(true);
  await app.call('POST', `/api/runs/${id}/cancel`);
  expect(await app.ended(id)).toMatchObject({ status: 'cancelled', counts: { copied: 5 } });
  expect((await app.outcomes(id)).filter(({ name }) => name!.startsWith('plain/'))).toEqual([]);
  const aborted = bed.proxy.requests.filter(({ query }) => query.has('copyid'));
  expect(aborted.map(({ status }) => status)).toEqual(Array(6).fill(204));
  // Aborted copies have left empty blobs. A restore that replaces no blob writes over them, since they belong to no
  // one.
  hang = false;
  const whole = await app.restore({ target: { container: 'back' } });
  expect(await failures(app, whole.id)).toEqual({
    ...Object.fromEntries(['disk', 'empty', 'log', 'rich', 'tagged'].map((name) => [name, 'target-exists'])),
  });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
});

test('I4: a restore that is killed at each of its steps ends as if nothing had happened', async () => {
  await fill(30);
  const before = await contentOf(bed.source.connectionString, 'data');
  const limits = { sliceBlobs: 12, chunkBlobs: 6 };
  let app = await bed.start({ limits });
  await app.run();
  const backup = await contentOf(bed.vault.connectionString, 'databackup');
  const isPart =
    (kind: string) =>
    ({ method, path }: ProxiedRequest) =>
      method === 'PUT' && path.includes('/strongroom/jobs/') && path.includes(kind);
  const id = await app.begin('/api/restores', { target: { container: 'back' } });
  // At the first: a plan, a copy, the request after a copy, outcomes, the summary. Done by the service, and never told.
  for (const match of [
    isPart('/plan/'),
    into('back', 'plain/1'),
    isClearing('back'),
    isPart('-chunk-'),
    isPart('run.json'),
  ]) {
    const { promise: struck, resolve: seen } = Promise.withResolvers<void>();
    const rule: FaultRule = {
      match: (request: ProxiedRequest) =>
        match(request) && !(request.path.includes('run.json') && !request.path.includes(id)),
      times: 1,
      after: () => {
        seen();
        return DROP;
      },
    };
    bed.proxy.rules.push(rule);
    await struck;
    await app.host.kill();
    await bed.proxy.idle();
    app = await bed.start({ limits });
  }
  const report = await app.ended(id);
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 35, copied: 35, failed: 0 } });
  expect((await app.outcomes(id)).map(({ name }) => name).sort()).toEqual(Object.keys(before).sort());
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
  expect(await snapshotCount(bed.source, 'back')).toBe(0);
  expect(await contentOf(bed.vault.connectionString, 'databackup')).toEqual(backup);
});

test.each(['soonest', 'in-turn'])(
  'F28: a restore whose activities all execute twice (%s answers) writes each blob once',
  async (answers) => {
    await fill(8);
    const before = await contentOf(bed.source.connectionString, 'data');
    const app = await bed.start({ twice: answers, limits: { sliceBlobs: 8, chunkBlobs: 4 } });
    await app.run();
    const fresh = await app.restore({ target: { container: 'back' } });
    expect(fresh).toMatchObject({ status: 'succeeded', counts: { listed: 13, copied: 13 } });
    expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
    const back = bed.original('back');
    for (let index = 0; index < 8; index++) await put(back, `plain/${index}`, 'in the way');
    const over = await app.restore({ target: { container: 'back' }, existing: 'overwrite', prefix: 'plain/' });
    expect(over).toMatchObject({ status: 'succeeded', counts: { listed: 8, copied: 8 } });
    expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
    for (let index = 0; index < 8; index++) {
      const snapshots = await snapshotsOf(bed.source.connectionString, 'back', `plain/${index}`);
      expect(new Set(snapshots)).toEqual(new Set(['in the way']));
    }
  },
);

test('I6: a restore does not count blobs of an earlier restore as its own', async () => {
  const data = await fill(2);
  const app = await bed.start();
  const first = await app.run();
  const then = await contentOf(bed.source.connectionString, 'data');
  const target = { container: 'back' };
  expect(await app.restore({ target })).toMatchObject({ status: 'succeeded' });
  await put(data, 'plain/0', 'other 0');
  await page(data, 'disk', 9);
  const now = await contentOf(bed.source.connectionString, 'data');
  expect(await app.run({ mode: 'incremental' })).toMatchObject({ counts: { copied: 2 } });

  const refused = await app.restore({ target });
  expect(refused).toMatchObject({ counts: { copied: 0, failed: 7 } });
  expect(await app.retry(refused.id)).toMatchObject({ counts: { listed: 7, copied: 0, failed: 7 } });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(then);
  expect(await app.restore({ target, existing: 'overwrite' })).toMatchObject({ status: 'succeeded' });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(now);
  expect(await app.restore({ target, existing: 'overwrite', restorePoint: first.id })).toMatchObject({
    status: 'succeeded',
  });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(then);
});

test('I7: no record of ours stays on a restored blob, also when it cannot be removed at first', async () => {
  await fill(4);
  const before = await contentOf(bed.source.connectionString, 'data');
  const app = await bed.start({ job: { ...JOB, method: 'blocks' } });
  await app.run();
  const refuse = { match: isClearing('back'), answer: () => refusal(403, 'AuthorizationPermissionMismatch') };
  bed.proxy.rules.push(refuse);
  const report = await app.restore({ target: { container: 'back' } });
  // These the service copies itself.
  const copied = ['disk', 'empty', 'log'];
  expect(await failures(app, report.id)).toEqual(
    Object.fromEntries(copied.map((name) => [name, 'access-denied-target'])),
  );
  bed.proxy.rules.length = 0;
  expect(await app.retry(report.id)).toMatchObject({ status: 'succeeded', counts: { listed: 3, copied: 3 } });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
});

test('a restore names each blob that the target or the vault refuses, and writes the rest', async () => {
  const data = await fill(6);
  const app = await bed.start();
  const point = await app.run();
  const before = await contentOf(bed.source.connectionString, 'data');
  await put(data, 'plain/0', 'newer');
  await app.run({ mode: 'incremental' });
  const of = (container: string, more: object = {}) =>
    app.restore({ restorePoint: point.id, target: { account: 'ELSEWHERE', container }, ...more });

  bed.proxy.rules.push({ match: into('denied'), answer: () => refusal(403, 'AuthorizationPermissionMismatch') });
  const denied = await of('denied');
  expect(denied).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: 11 } });
  expect(new Set(Object.values(await failures(app, denied.id)))).toEqual(new Set(['access-denied-target']));
  bed.proxy.rules.length = 0;

  const isOfSnapshot = ({ headers }: ProxiedRequest) => /[?&]snapshot=/.test(headers['x-ms-copy-source'] ?? '');
  bed.proxy.rules.push({
    match: isOfSnapshot,
    answer: () =>
      refusal(403, 'CannotVerifyCopySource', {
        'x-ms-copy-source-status-code': '403',
        'x-ms-copy-source-error-code': 'AuthorizationPermissionMismatch',
      }),
  });
  expect(await failures(app, (await of('locked')).id)).toEqual({ 'plain/0': 'access-denied-copy-source' });
  bed.proxy.rules.length = 0;
  const others = (name: string) => name !== 'plain/0';
  expect(only(await contentOf(bed.elsewhere.connectionString, 'locked'), others)).toEqual(only(before, others));

  const isListing = ({ path, query }: ProxiedRequest) => path.endsWith('/databackup') && query.get('comp') === 'list';
  bed.proxy.rules.push({ match: isListing, answer: () => refusal(403, 'AuthorizationPermissionMismatch') });
  const blind = await of('blind');
  expect(blind.status).toBe('failed');
  expect(blind.problems).toMatchObject([{ code: 'access-denied-vault', container: 'data' }]);
  bed.proxy.rules.length = 0;

  const gone = containerIn(bed.elsewhere, 'gone');
  await gone.create();
  bed.proxy.rules.push({ match: into('gone'), times: 1, before: async () => void (await gone.delete()) });
  expect(await of('gone')).toMatchObject({ status: 'succeeded', counts: { copied: 11 } });
  expect(await contentOf(bed.elsewhere.connectionString, 'gone')).toEqual(before);

  const leased = await makeContainer(bed.elsewhere.connectionString, 'leased');
  await put(leased, 'plain/1', 'in use');
  await leased.getBlobClient('plain/1').getBlobLeaseClient().acquireLease(-1);
  // Another comes in between.
  const busy = {
    match: into('leased', 'plain/2'),
    times: 1,
    before: async () => void (await put(leased, 'plain/2', 'mine')),
  };
  bed.proxy.rules.push(busy);
  const report = await of('leased', { existing: 'overwrite' });
  expect(await failures(app, report.id)).toEqual({ 'plain/1': 'destination-leased' });
  expect(await snapshotsOf(bed.elsewhere.connectionString, 'leased', 'plain/2')).toEqual(['mine']);
  const populated = await makeContainer(bed.elsewhere.connectionString, 'populated');
  // The very same, to the byte; and not by us.
  const same = {
    match: into('populated', 'plain/3'),
    times: 1,
    before: async () => void (await put(populated, 'plain/3', 'plain 3')),
  };
  bed.proxy.rules.push(same);
  expect(await failures(app, (await of('populated')).id)).toEqual({ 'plain/3': 'target-exists' });
});

test('a dry run foretells what the restore does, with archived content and with what is there', async () => {
  await fill(4);
  const app = await bed.start();
  await app.run();
  for (const name of ['plain/0', 'plain/1']) await bed.backup().getBlobClient(`of/${name}`).setAccessTier('Archive');
  for (const name of ['plain/1', 'plain/2']) await bed.upload(name, 'another', 'there');
  for (const existing of ['fail', 'skip', 'overwrite']) {
    for (const rehydrate of [undefined, 'high']) {
      const body = { existing, target: { container: 'there' }, ...(rehydrate && { rehydrate }) };
      const dry = await app.restore({ ...body, dryRun: true });
      // A later restore finds what an earlier one has restored.
      const real = await app.restore({ ...body, target: { container: 'there' } });
      expect(await failures(app, dry.id), JSON.stringify(body)).toEqual(await failures(app, real.id));
      expect(dry.counts, JSON.stringify(body)).toMatchObject({
        planned: real.counts.copied,
        failed: real.counts.failed,
      });
      const awaited = dry.problems.filter(({ code }) => code === 'content-to-rehydrate').map(({ count }) => count);
      expect(real.problems.some(({ code }) => code === 'content-to-rehydrate')).toBe(false);
      if (existing === 'fail') expect(awaited).toEqual(rehydrate ? [1] : []);
    }
  }
});

test('a restore names archived content or rehydrates it, and names damaged outcomes and writes the rest', async () => {
  await fill(20);
  const before = await contentOf(bed.source.connectionString, 'data');
  const app = await bed.start({ limits: { sliceBlobs: 10, chunkBlobs: 5 } });
  const point = await app.run();
  const archived = bed.backup().getBlobClient('of/plain/0');
  await archived.setAccessTier('Archive');
  const plain = await app.restore({ target: { container: 'back' } });
  expect(await failures(app, plain.id)).toEqual({ 'plain/0': 'content-archived' });
  const asked = await app.restore({ target: { container: 'again' }, rehydrate: 'high' });
  expect(asked).toMatchObject({ status: 'succeeded', counts: { copied: 25 } });
  // The emulator gives a copy the tier of what it is made from.
  const readable = { ...before, 'plain/0': { ...before['plain/0'], tier: 'Hot' } };
  expect(await contentOf(bed.source.connectionString, 'again')).toEqual(readable);
  // Asked back by somebody meanwhile: now a retry manages it.
  expect(await app.retry(plain.id)).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1 } });
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(readable);

  const control = bed.control;
  const part = `jobs/nightly/runs/${point.id}/manifest/data/000000-chunk-00-000000.ndjson.gz`;
  const { metadata } = await control.getBlobClient(part).getProperties();
  await control.getBlockBlobClient(part).upload('not what was written', 20, { metadata: metadata! });
  const report = await app.restore({ target: { container: 'rest' } });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 20, failed: 1 } });
  expect(await failures(app, report.id)).toEqual({ [part]: 'damaged' });
  const rest = await contentOf(bed.source.connectionString, 'rest');
  expect(rest).toEqual(only(before, (name) => name in rest));
  expect(Object.keys(rest)).toHaveLength(20);
  // A retry cannot name them either, and does not look as if it had.
  expect(await app.retry(report.id)).toMatchObject({
    status: 'completed-with-failures',
    counts: { copied: 0, failed: 1 },
  });
});

test('a new host restores a retry’s restore point from the vault alone, in a storm of faults', async () => {
  await put(await fill(30), 'a', 'first of all');
  const limits = { sliceBlobs: 12, chunkBlobs: 5 };
  const app = await bed.start({ limits });
  const broken = (request: ProxiedRequest) => into('databackup')(request) && /[1357]$|rich|log|\/a$/.test(request.path);
  const refuse = { match: broken, answer: () => refusal(403, 'AuthorizationPermissionMismatch') };
  bed.proxy.rules.push(refuse);
  const first = await app.run();
  expect(first.counts.failed).toBeGreaterThan(10);
  bed.proxy.rules.length = 0;
  const point = await app.retry(first.id);
  expect(point.status).toBe('succeeded');
  const before = await contentOf(bed.source.connectionString, 'data');
  await app.host.stop();
  await TableClient.fromConnectionString(bed.vault.connectionString, 'strongroom', {
    allowInsecureConnection: true,
  }).deleteTable();
  await bed.original().delete();

  const random = new Random(7);
  const isTarget = ({ path, method }: ProxiedRequest) => path.includes(`/${bed.elsewhere.name}/`) && method !== 'GET';
  bed.proxy.rules.push(
    { match: () => random.chance(0.3), answer: () => refusal(503, 'ServerBusy') },
    { match: (request) => isTarget(request) && random.chance(0.15), after: () => DROP },
  );
  // Nothing answers where the source was.
  const nowhere = bed.source.connectionString.replace(
    /BlobEndpoint=[^;]*/,
    `BlobEndpoint=http://127.0.0.1:9/${bed.source.name}`,
  );
  bed.loseData();
  const another = await bed.start({ source: nowhere, limits: { ...limits, sliceBlobs: 1 } });
  const id = await another.begin('/api/restores', { target: { account: 'ELSEWHERE' } });
  // To whoever asks in such weather, too, may be told that the vault does not answer.
  let report = await another.until(id, ({ status }) => typeof status === 'string' && status !== 'running');
  bed.proxy.rules.length = 0;
  // Five tries are not always enough in such weather; then it is told, and a retry is.
  if (report.status !== 'succeeded') report = await another.retry(report.id);
  expect(report.status).toBe('succeeded');
  expect(await contentOf(bed.elsewhere.connectionString, 'data')).toEqual(before);
  // Every blob is found in its place, however the listing is cut and in any order of the retry's outcomes: the pass
  // over the retry's names begins at the first page again.
  const { after } = FAULTS.find(({ name }) => name === 'short-page')!.strike({
    addRule: (rule) => void bed.proxy.rules.unshift(rule),
  } as Partial<FaultContext> as FaultContext);
  const isFirstPage = ({ path, query }: ProxiedRequest) =>
    path === `/${bed.elsewhere.name}/data` && query.get('comp') === 'list' && !query.has('marker');
  bed.proxy.rules.push({ match: isFirstPage, ...(after && { after }) });
  const there = await another.restore({ target: { account: 'ELSEWHERE' }, existing: 'skip', dryRun: true });
  expect(there.counts).toMatchObject({ listed: 36, skipped: 36 });
});

test('I8: a restore writes blobs with hostile names under exactly these names, and no others', async () => {
  const open = async (account: TestAccount, name: string) =>
    (await makeContainer(account.connectionString, name)).generateSasUrl({
      permissions: ContainerSASPermissions.parse('rcwl'),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
  const data = await open(bed.source, 'data');
  const names = HOSTILE_NAMES.filter((name, index) => name.length < 250 && (index % 2 === 0 || /[%.]/.test(name)));
  await Promise.all(names.map((name) => putRaw(data, name, name)));
  const canary = await makeContainer(bed.elsewhere.connectionString, 'canary');
  await put(canary, 'x', 'untouched');
  const untouched = await contentOf(bed.elsewhere.connectionString, 'canary');
  const app = await bed.start({ limits: { sliceBlobs: 100, chunkBlobs: 60 } });
  const point = await app.run();
  const held = (await app.outcomes(point.id, 'status=copied')).map(({ name }) => name!);
  expect(held.length).toBeGreaterThan(80);
  const report = await app.restore({ target: { account: 'ELSEWHERE' } });
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: held.length, copied: held.length } });
  const restored = await open(bed.elsewhere, 'data');
  const found: string[] = [];
  for await (const { name } of containerIn(bed.elsewhere, 'data').listBlobsFlat()) found.push(name);
  expect(found.sort()).toEqual([...held].sort());
  await Promise.all(
    held.map(async (name) => expect(await getRaw(restored, name), JSON.stringify(name)).toBe(await getRaw(data, name))),
  );
  expect(await contentOf(bed.elsewhere.connectionString, 'canary')).toEqual(untouched);
  const containers: string[] = [];
  const service = BlobServiceClient.fromConnectionString(bed.elsewhere.connectionString);
  for await (const { name } of service.listContainers()) containers.push(name);
  expect(containers.sort()).toEqual(['canary', 'data']);
});
