import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { rebuildCatalogHandler } from '#functions/rebuild-catalog.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';

let room: Vault;
let deps: Dependencies;
let template: RunSummary;
let page = 5_000;

beforeEach(async () => {
  page = 5_000;
  room = new Vault({ page: (limit: number) => Math.min(limit, page) });
  room.jobs = [jobOf('nightly', {}), jobOf('weekly', {})];
  room.put('a', 'a');
  template = await room.backup();
  deps = room.deps();
});

/** Summaries of many runs of a job. */
function fill(job: string, runs: number): void {
  for (let number = 0; number < runs; number++) {
    const id = `${job}-20260101T000000Z-${String(number).padStart(6, '0')}`;
    const body = Buffer.from(JSON.stringify({ ...template, id, job }));
    room.vault.write('strongroom', { name: `jobs/${job}/runs/${id}/run.json`, body });
  }
}

async function rebuild(cursor?: string) {
  const request = httpRequest({ query: cursor === undefined ? {} : { cursor } });
  const context = { functionName: 'f' } as InvocationContext;
  const answer = await rebuildCatalogHandler(deps)(request, {} as DurableClient, context);
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
}

const rows = async () => {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const listed = await deps.catalog('VAULT').list({ limit: 500, ...(cursor !== undefined && { cursor }) });
    ids.push(...listed.rows.map(({ id }) => id));
    cursor = listed.next;
  } while (cursor !== undefined);
  return ids;
};

test('a rebuild of a small vault ends with the first answer', async () => {
  fill('nightly', 3);
  expect(await rebuild()).toEqual({ status: 200, body: { runs: 4, damaged: [], next: null } });
  expect(await rows()).toHaveLength(4);
});

test('a rebuild that takes long answers in time, and its cursors lead through all jobs, whatever the pages', async () => {
  fill('nightly', 90);
  fill('weekly', 60);
  page = 20;
  // Each request takes two seconds.
  room.before = () => room.pass(2 / 3600);
  let calls = 0;
  let runs = 0;
  let next: string | null | undefined;
  do {
    const before = room.clock.app;
    const { status, body } = await rebuild(next ?? undefined);
    expect(status).toBe(200);
    expect(room.clock.app - before).toBeLessThan(230_000);
    runs += body.runs;
    next = body.next;
    calls++;
  } while (next !== null);
  expect([calls > 1, runs]).toEqual([true, 151]);
  expect(new Set(await rows())).toHaveProperty('size', 151);
});

test('a rebuild ends by leaving out rows of runs that the vault no longer has, and no others', async () => {
  fill('nightly', 30);
  const row = (id: string, startedAt: string) =>
    deps.catalog('VAULT').put({ ...catalogRowOf(template), id, startedAt });
  const gone = Array.from({ length: 40 }, (_, at) => `nightly-20250101T000000Z-${String(at).padStart(6, '0')}`);
  for (const id of gone) await row(id, '2025-01-01T00:00:00.000Z');
  // The clock of whoever wrote a row does not matter.
  await row('nightly-20990101T000000Z-aaaaaa', '2099-01-01T00:00:00.000Z');
  const running = await room.begin({ mode: 'incremental' });
  await row(running.id, running.startedAt);
  room.before = () => room.pass(2 / 3600);
  let calls = 0;
  for (let next: string | null | undefined; next !== null; calls++) next = (await rebuild(next ?? undefined)).body.next;
  expect(calls).toBeGreaterThan(1);
  const listed = await rows();
  expect(listed).toHaveLength(32);
  expect(listed).toEqual(expect.arrayContaining([running.id, template.id]));
});

test('a rebuild keeps the rows of a vault or a job that has lost all of its runs', async () => {
  await rebuild();
  const other = 'weekly-20250101T000000Z-aaaaaa';
  await deps
    .catalog('VAULT')
    .put({ ...catalogRowOf(template), id: other, job: 'weekly', startedAt: '2025-01-01T00:00:00.000Z' });
  const damaged = ['The catalog of VAULT lists runs of job "weekly", of which the vault has nothing'];
  expect((await rebuild()).body).toEqual({ runs: 1, damaged, next: null });
  expect((await rows()).sort()).toEqual([template.id, other].sort());
  room.vault.deleteContainer('strongroom');
  expect((await rebuild()).body.damaged).toHaveLength(2);
  expect((await rows()).sort()).toEqual([template.id, other].sort());
});

test('a rebuild does not name a job whose first run has just begun', async () => {
  const first = await room.begin({ mode: 'incremental' }, 'weekly');
  const status = 'running' as const;
  await deps.catalog('VAULT').put({ ...catalogRowOf(template), id: first.id, job: 'weekly', status });
  expect((await rebuild()).body.damaged).toEqual([]);
});

describe('a rebuild refuses', () => {
  it.each(['x', 'aaaaaaaaaaaaaaaaaaaa'])('the cursor %s', async (cursor) => {
    expect(await rebuild(cursor)).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
  });
});

test('I6: a rebuild keeps the row of a restore point that is on record and missing, and names it', async () => {
  await deps.catalog('VAULT').put(catalogRowOf(template));
  room.put('a', 'b');
  await room.backup();
  const folder = `jobs/nightly/runs/${template.id}/`;
  for (const { name } of room.vault.listBlobs('strongroom', { prefix: folder }).blobs) {
    room.vault.remove('strongroom', name);
  }
  const { body } = await rebuild();
  expect(body.damaged).toEqual([expect.stringContaining(`Restore point ${template.id} is on record`)]);
  expect(await rows()).toContain(template.id);
});
