import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 20 } } });

/** The vault as a connection that names no table service, or one that does not answer. */
const vaultWith = (tableEndpoint: string) =>
  bed.proxy.connectionString(bed.vault).replace(/TableEndpoint=[^;]*;?/, tableEndpoint);

test.each([
  ['no table service', ''],
  ['a table service that does not answer', 'TableEndpoint=http://127.0.0.1:9/none'],
])('F82: a vault with %s serves every list from the vault itself, and says so', async (_what, tableEndpoint) => {
  await bed.fill(2);
  const app = await bed.start({ vault: vaultWith(tableEndpoint) });
  const first = await app.run();
  // The ids of two runs in one second do not sort by time.
  await sleep(1000);
  const second = await app.run({ mode: 'incremental' });
  const notice = [{ code: 'catalog-unavailable', account: 'VAULT', hint: expect.any(String) }];
  const { body } = await app.call('GET', '/api/runs?limit=1');
  expect(body).toMatchObject({
    problems: notice,
    runs: [{ id: second.id, status: 'succeeded', counts: { listed: 2 } }],
  });
  const rest = await app.call('GET', `/api/runs?limit=1&cursor=${body.next}`);
  expect(rest.body).toMatchObject({ runs: [{ id: first.id }], next: null });
  const points = await app.call('GET', '/api/restore-points');
  expect(points).toMatchObject({ status: 200, body: { problems: notice } });
  expect((points.body.restorePoints as unknown as { id: string }[]).map(({ id }) => id)).toEqual([second.id, first.id]);
  expect(await app.call('GET', '/api/health/details')).toMatchObject({
    status: 200,
    body: { status: 'ok', accounts: [{ alias: 'SOURCE' }, { status: 'ok', catalog: { code: 'catalog-unavailable' } }] },
  });
  expect(await app.call('POST', '/api/catalog/rebuild')).toMatchObject({
    status: tableEndpoint === '' ? 502 : 503,
    body: { code: 'catalog-unavailable' },
  });
  // With a table service, everything is as it would have been.
  await app.host.kill();
  const mended = await bed.start();
  expect((await mended.call('POST', '/api/catalog/rebuild')).body).toMatchObject({ runs: 2 });
  const listed = await mended.call('GET', '/api/runs');
  expect(listed.body).toMatchObject({ runs: [{ id: second.id }, { id: first.id }], next: null });
  expect(listed.body).not.toHaveProperty('problems');
});

test('F82: a run whose process could not write its row, and ended, is listed until a rebuild and after it', async () => {
  await bed.fill(2);
  const first = await bed.start();
  const before = await first.run();
  await first.host.kill();
  const refused = await bed.start({ vault: vaultWith('TableEndpoint=http://127.0.0.1:9/none') });
  const missed = await refused.run({ mode: 'incremental' });
  // A process that is killed before its run has done all that follows the summary does it again, with the row.
  const holder = async () =>
    JSON.parse(String(await bed.control.getBlobClient('locks/nightly.json').downloadToBuffer())).run;
  await expect.poll(holder, { timeout: 30_000 }).toBeNull();
  await sleep(1000);
  await refused.host.kill();
  const app = await bed.start();
  const after = await app.run({ mode: 'incremental' });
  const ids = [after.id, missed.id, before.id];
  const check = async (problems?: object[]) => {
    for (const list of ['runs', 'restorePoints'] as const) {
      const { body } = await app.call('GET', list === 'runs' ? '/api/runs' : '/api/restore-points');
      expect((body[list] as unknown as { id: string }[]).map(({ id }) => id).sort()).toEqual(ids.toSorted());
      expect(body.problems).toEqual(problems);
    }
  };
  const message = `The catalog lacks run ${missed.id}, or has no readable row of it`;
  await check([{ code: 'catalog-differs', account: 'VAULT', message, hint: expect.any(String) }]);
  expect((await app.call('POST', '/api/catalog/rebuild')).body).toMatchObject({ runs: 3, damaged: [] });
  await check();
});

test('F82: a run in progress and a lost one are listed without a catalog', async () => {
  await bed.fill(2);
  const app = await bed.start({ vault: vaultWith('') });
  const fast = bed.slowCopies(2000);
  const id = await app.start();
  expect((await app.call('GET', '/api/runs')).body).toMatchObject({ runs: [{ id, mode: 'full', status: 'running' }] });
  fast();
  await app.ended(id);
  await bed.control.deleteBlob(`jobs/nightly/runs/${id}/run.json`);
  expect((await app.call('GET', '/api/runs?job=nightly')).body).toMatchObject({ runs: [{ id, status: 'failed' }] });
});

test('F82: what a restore in progress is, is listed without a catalog, from its first moment', async () => {
  await bed.fill(2);
  const app = await bed.start({ vault: vaultWith('') });
  await app.run();
  const fast = bed.slowCopies(2000);
  const { body } = await app.call('POST', '/api/restores', { target: { container: 'elsewhere' } });
  const restore = { id: body.id, mode: 'restore', status: 'running' };
  expect((await app.call('GET', '/api/runs?limit=1')).body).toMatchObject({ runs: [restore] });
  const planned = async () => (await app.report(String(body.id))).counts.listed;
  await expect.poll(planned, { timeout: 20_000 }).toBe(2);
  expect((await app.call('GET', '/api/runs?limit=1')).body).toMatchObject({ runs: [restore] });
  fast();
  expect(await app.ended(String(body.id))).toMatchObject({ status: 'succeeded' });
});
