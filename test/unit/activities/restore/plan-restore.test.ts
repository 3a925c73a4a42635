import { afterEach, describe, expect, it, vi } from 'vitest';
import { planRetry } from '#activities/backup/plan-retry.ts';
import { planRestore } from '#activities/restore/plan-restore.ts';
import { CONTROL_CONTAINER, partPath, summaryPath } from '#domain/run/control-paths.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { partEntries } from '#domain/run/report.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { BACKUP, HeldPoint, POINT } from '../../../support/builders/held-point.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

const TASK: RestoreTask = {
  ...{ point: POINT.id, account: 'SOURCE', container: '{container}', prefix: '', table: '{table}' },
  ...{ existing: 'overwrite', containers: ['data'], tables: [], startsWith: '', include: [], exclude: [] },
  original: true,
};

function restoreRef(task: Partial<RestoreTask>): RestoreRef {
  return { ...RUN, mode: 'restore', restore: { ...TASK, ...task } };
}

const sliceOf = <Run extends RestoreRef>(run: Run) => ({
  ...{ run, container: 'data', destination: 'data', slice: 0 },
  vaultLocation: { container: BACKUP, prefix: '' },
});

/** A restore point of a container with names from 0000 on, a hundred in each slice. */
async function many(slices: number, limits: object = {}): Promise<HeldPoint> {
  const point = new HeldPoint(limits);
  for (let slice = 0; slice < slices; slice++) {
    const names = Array.from({ length: 100 }, (_, i) => String(100 * slice + i).padStart(4, '0'));
    await point.hold(Object.fromEntries(names.map((name) => [name, { body: Buffer.from(name), gone: true }])));
  }
  return point;
}

/** Plans a restore, and returns what it would copy and what it has settled. */
async function planned(point: HeldPoint, run: RestoreRef) {
  await point.begin(run);
  const { chunks = [], problem, nextManifest } = await planRestore(point.deps, sliceOf(run));
  expect({ problem, nextManifest }).toEqual({});
  const copies: string[] = [];
  for (const { key } of chunks) {
    const { items } = await point.control.readPart<PlannedItem, object>(partPath(run, 'plan', 'data', key));
    copies.push(...items.map(({ entry }) => entry!.name));
  }
  const settled: Outcome[] = [];
  for (const { path } of partEntries(await point.control.listParts(run)))
    settled.push(...(await point.control.readPart<Outcome, object>(path)).items);
  return { copies, settled };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a restore of some names', () => {
  it('plans them in one slice, and reads neither the listings nor the rest of the manifest', async () => {
    const point = await many(8, { sliceBlobs: 1 });
    const listed = [point.deps.blobs('SOURCE'), point.deps.blobs('VAULT')].map((each) => vi.spyOn(each, 'listBlobs'));
    const read = vi.spyOn(ControlStore.prototype, 'readManifest');
    const { copies, settled } = await planned(point, restoreRef({ names: ['0105', '0700'] }));
    expect({ copies, settled }).toEqual({ copies: ['0105', '0700'], settled: [] });
    const prefixes = listed.flatMap(({ mock }) => mock.calls.flatMap(([, asked]) => asked?.prefix ?? []));
    expect(prefixes.filter((prefix) => /^\d/.test(prefix)).sort()).toEqual(['0105', '0105', '0700', '0700']);
    expect(read.mock.calls.map(([{ parts }]) => parts.length)).toEqual([0, 1, 0, 0, 0, 0, 0, 1]);
  });

  it('takes what the target has of the name itself', async () => {
    const point = new HeldPoint();
    await point.hold({ a: { body: Buffer.from('a') }, ab: { body: Buffer.from('ab'), gone: true } });
    const { copies, settled } = await planned(point, restoreRef({ names: ['a', 'ab'] }));
    expect(copies).toEqual(['ab']);
    expect(settled).toMatchObject([{ name: 'a', status: 'unchanged' }]);
  });

  it('finds content that was kept when the backup blob was overwritten', async () => {
    const point = new HeldPoint();
    await point.hold({ a: { body: Buffer.from('a'), newer: Buffer.from('newer') } });
    const { copies } = await planned(point, restoreRef({ names: ['a'] }));
    expect(copies).toEqual(['a']);
  });

  it('fails by name for what the restore point does not hold, and the retry fails for it again', async () => {
    const point = await many(1);
    const run = restoreRef({ names: ['0001', 'none', '*'] });
    const { copies, settled } = await planned(point, run);
    expect(copies).toEqual(['0001']);
    const missing = ['none', '*'].map((name) => ({ name, status: 'failed', code: 'container-not-held' }));
    expect(settled).toMatchObject(missing);

    const parts = partEntries(await point.control.listParts(run));
    const summary = { format: 3, ...run, status: 'completed-with-failures', restorePoint: false, parts, compared: [] };
    const more = { counts: {}, bytes: {}, containers: [], problems: [] };
    const body = Buffer.from(JSON.stringify({ ...summary, ...more }));
    point.vault.putObject(CONTROL_CONTAINER, summaryPath(run), body, { contentType: 'text/plain' });
    const retry = { ...run, id: 'nightly-20260502T010000Z-bbbbbb', retryOf: run.id };
    await point.begin(retry);
    expect(await planRetry(point.deps, sliceOf(retry))).toEqual({ chunks: [] });
    const [part] = partEntries(await point.control.listParts(retry));
    expect((await point.control.readPart<Outcome, object>(part!.path)).items).toMatchObject(missing);
  });

  it('does not say that a name is not held where a part cannot be read', async () => {
    const point = await many(2);
    const [part] = partEntries(await point.control.listParts(POINT));
    const run = restoreRef({ names: ['0001', '0100'] });
    await point.begin(run);
    point.vault.putObject(CONTROL_CONTAINER, part!.path, Buffer.from('no part'), { contentType: 'text/plain' });
    const { chunks = [] } = await planRestore(point.deps, sliceOf(run));
    expect(chunks).toMatchObject([{ items: 1 }]);
    const [own] = partEntries(await point.control.listParts(run));
    const { items } = await point.control.readPart<Outcome, object>(own!.path);
    expect(items.map(({ name, code }) => [name, code])).toEqual([
      [part!.path, 'damaged'],
      ['0001', 'damaged'],
    ]);
  });
});
