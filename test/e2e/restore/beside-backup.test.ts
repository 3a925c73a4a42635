import { expect, test } from 'vitest';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { containerIn, useTestBed } from '../../support/app/test-bed.ts';
import { isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 20 } } });

const textOf = async (container: string, name: string) =>
  String(await containerIn(bed.source, container).getBlobClient(name).downloadToBuffer());

/** Writes every blob of the source again. */
async function change(names: string[]): Promise<void> {
  for (const name of names) await bed.upload(name, `${name}, changed`);
}

const restoreOf = (app: Strongroom, point: string, prefix: string, container: string) =>
  app.restore({ restorePoint: point, ...(prefix && { prefix }), target: { container } });

test('F30: restores and verifications wait for no backup, and no backup waits for them', async () => {
  await bed.fill(12);
  const app = await bed.start();
  const point = await app.run();
  await change(['blob-003', 'blob-007']);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const intoVault = (request: ProxiedRequest) => isCopy(request) && request.path.includes('/databackup/');
  const before = bed.proxy.requests.length;
  bed.proxy.rules.push({ match: intoVault, before: () => held });
  const backup = await app.start({ mode: 'incremental' });
  await expect.poll(() => bed.proxy.requests.slice(before).some(isCopy), { timeout: 20_000 }).toBe(true);
  const ended = await Promise.all([
    restoreOf(app, point.id, 'blob-007', 'one'),
    restoreOf(app, point.id, 'blob-00', 'ten'),
    app.verify({ restorePoint: point.id, kind: 'deep' }),
    app.verify({ restorePoint: point.id, kind: 'drill' }),
  ]);
  expect(ended.map(({ status }) => status)).toEqual(Array(4).fill('succeeded'));
  expect(ended.map(({ counts }) => counts.listed)).toEqual([1, 10, 12, 12]);
  expect(await textOf('one', 'blob-007')).toBe('text of blob-007');
  const refused = await app.call('POST', '/api/jobs/nightly/runs');
  expect(refused).toMatchObject({ status: 409, body: { code: 'run-in-progress', run: backup } });
  expect(await app.report(backup)).toMatchObject({ status: 'running' });
  const { body } = await app.call('GET', '/api/runs?job=nightly');
  expect(body.runs).toHaveLength(6);
  release();
  expect(await app.ended(backup)).toMatchObject({ status: 'succeeded', counts: { copied: 2, unchanged: 10 } });
  const retry = await app.call('POST', `/api/runs/${point.id}/retry`);
  expect(retry).toMatchObject({ status: 409, body: { code: 'nothing-to-retry' } });
});

test.each(['restore', 'deep', 'drill'] as const)(
  'I2: what a backup overwrites while a run reads it is found where it was kept: %s',
  async (kind) => {
    await bed.fill(3);
    const app = await bed.start();
    const point = await app.run();
    await change(['blob-000', 'blob-001', 'blob-002']);
    const isReading = ({ method, path, query }: ProxiedRequest) =>
      kind === 'deep'
        ? method === 'GET' && path.includes('/databackup/blob-000') && !query.has('comp')
        : method === 'PUT' && /\/(?:back|strongroom-drill-[^/]+)\/blob-000/.test(path);
    let backup: { status: string } | undefined;
    bed.proxy.rules.push({
      match: isReading,
      times: 1,
      before: async () => {
        backup = await app.run({ mode: 'incremental' });
      },
    });
    const read =
      kind === 'restore'
        ? await restoreOf(app, point.id, '', 'back')
        : await app.verify({ restorePoint: point.id, kind });
    expect(backup).toMatchObject({ status: 'succeeded' });
    expect(read).toMatchObject({ status: 'succeeded', counts: { listed: 3, failed: 0, skipped: 0 } });
    if (kind === 'restore') expect(await textOf('back', 'blob-000')).toBe('text of blob-000');
    await bed.expectBackedUp();
  },
);

test('I7: two restores into one container at once leave each blob whole, and the next restore ends the mixture', async () => {
  await bed.fill(12);
  const app = await bed.start({ limits: { copiesAtOnce: 4 } });
  const first = await app.run();
  const names = Array.from({ length: 12 }, (_, index) => `blob-${String(index).padStart(3, '0')}`);
  await change(names);
  const second = await app.run({ mode: 'incremental' });
  const hurry = bed.slowCopies(150);
  const target = { container: 'back' };
  const into = (restorePoint: string, existing: string) => app.restore({ restorePoint, existing, target });
  const ended = await Promise.all([into(first.id, 'overwrite'), into(second.id, 'overwrite'), into(first.id, 'fail')]);
  hurry();
  for (const { id, counts, problems } of ended) {
    expect(counts).toMatchObject({ listed: 12, skipped: 0 });
    expect(counts.copied + counts.unchanged + counts.failed).toBe(12);
    // What another run wrote first is named.
    const failed = await app.outcomes(id, 'status=failed');
    expect(
      failed.every(({ code }) => code === 'target-exists' || code === 'target-changing'),
      JSON.stringify(problems),
    ).toBe(true);
  }
  for (const name of names) expect([`text of ${name}`, `${name}, changed`]).toContain(await textOf('back', name));
  expect(await into(first.id, 'overwrite')).toMatchObject({ status: 'succeeded', counts: { listed: 12 } });
  for (const name of names) expect(await textOf('back', name)).toBe(`text of ${name}`);
});

test('a restore point that a prune has marked can be unmarked, and is whole', async () => {
  const names = ['blob-000', 'blob-001'];
  await bed.fill(2);
  const app = await bed.start({
    job: { retention: { keepLast: 1, marginHours: 24 } },
  });
  const point = await app.run();
  await change(names);
  await app.run({ mode: 'incremental' });
  const plan = await app.ended(await app.begin('/api/prunes', { job: 'nightly' }));
  const prune = { plan: plan.id, hash: plan.plan!.hash };
  expect(await app.ended(await app.begin('/api/prunes', prune))).toMatchObject({ status: 'succeeded' });
  const refused = await app.call('POST', '/api/restores', { restorePoint: point.id });
  expect(refused).toMatchObject({ status: 404, body: { code: 'point-removed' } });
  expect(refused.body.hint).toContain('unmark');
  const unmark = () => app.call('POST', `/api/restore-points/${point.id}/unmark`);
  expect(await unmark()).toMatchObject({ status: 200, body: { id: point.id } });
  expect(await unmark()).toMatchObject({ status: 409, body: { code: 'not-marked' } });
  const again = { restorePoint: point.id, target: { container: 'again' } };
  expect(await app.restore(again)).toMatchObject({ status: 'succeeded', counts: { copied: 2 } });
  expect(await textOf('again', 'blob-001')).toBe('text of blob-001');
});
