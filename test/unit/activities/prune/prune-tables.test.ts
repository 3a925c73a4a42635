import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { ListContainersResult } from '#activities/run/container-task.ts';
import { makePlanTablePrune } from '#activities/tables/plan-table-prune.ts';
import {
  CONTROL_CONTAINER,
  entityFilePath,
  entityFilesPrefix,
  lockPath,
  partPath,
  rangeKey,
} from '#domain/run/control-paths.ts';
import type { PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { emptyTally, tallyToMetadata } from '#domain/run/tally.ts';
import { tableOfTask, taskOfTable } from '#domain/run/task-name.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { countSegment, coverRange, type EntityFile, type Segment, segmentOf } from '#domain/tables/segment.ts';
import { refusal } from '../../../../prove/memory/memory-account.ts';
import { held } from '../../../support/builders/held-run.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { Random } from '../../../support/builders/random.ts';

const FOLDER = entityFilesPrefix('nightly', 'orders');
const HELD = { hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } };

let room: Vault;
const retaining = (more: object) => {
  const retention = { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 }, ...more };
  return [jobOf('nightly', { retention })];
};

beforeEach(() => {
  room = new Vault();
});

/** Writes a file of one entity for a run, as a piece of its work does. */
async function written(
  vault: Vault,
  run: RunRef,
  table: string,
  piece: number,
  attempt = 'first0',
): Promise<EntityFile> {
  const path = entityFilePath(run, table, rangeKey(piece), attempt);
  const writer = new EntityFileWriter();
  writer.add(JSON.stringify({ PartitionKey: 'p', RowKey: `${run.id} ${piece}` }));
  const { body, sha256 } = writer.finish({
    ...{ file: path, format: 1, table, source: 'https://source.test', run: run.id, range: {}, kind: 'entities' },
    ...{ readFrom: run.startedAt, readTo: run.startedAt },
  });
  await vault.control.writeEntityFile(path, { body, sha256 });
  return { path, items: 1, bytes: body.length, sha256 };
}

/** Of each segment, the files: those of earlier runs as they were given, and a number for one that this run writes. */
type Files = (EntityFile | number)[];

async function segmentsOf(vault: Vault, run: RunRef, table: string, segments: Files[]): Promise<Segment[]> {
  const all: Segment[] = [];
  for (const [index, wanted] of segments.entries()) {
    const files: EntityFile[] = [];
    for (const file of wanted) files.push(typeof file === 'number' ? await written(vault, run, table, file) : file);
    const at = (place: number) => ({ partition: `p${place}` });
    const range = {
      ...(index > 0 && { after: at(index) }),
      ...(index + 1 < segments.length && { upTo: at(index + 1) }),
    };
    all.push(segmentOf({ status: 'copied', range, entities: 1, size: 10, files, readAt: run.startedAt }));
  }
  return all;
}

async function manifest(vault: Vault, run: RunRef, table: string, segments: Segment[]): Promise<void> {
  for (const [piece, segment] of segments.entries()) {
    const tally = emptyTally(taskOfTable(table), `strongroom/jobs/nightly/tables/${table}`);
    countSegment(tally, segment, { copied: 1, added: 0, changed: 0, deleted: 0, bytes: 10 }, false);
    coverRange(tally, segment.range, [run.startedAt, run.startedAt]);
    const part = new PartWriter<Segment>();
    part.add(segment);
    await vault.control.writePart(held(run), 'range', rangeKey(piece), part, tally, {});
  }
}

/** A backup of tables, as it leaves the vault. */
async function backup(vault: Vault, tables: Record<string, Files[]>, wanted: object = {}): Promise<RunSummary> {
  const run = await vault.begin({ mode: 'incremental', ...wanted }, 'nightly');
  for (const [table, files] of Object.entries(tables)) {
    await manifest(vault, run, table, await segmentsOf(vault, run, table, files));
  }
  const { publishRun } = makeActivities(vault.deps());
  const containers = Object.keys(tables).length;
  await publishRun({ run, containers, problems: [], cancelled: false, requests: {} });
  const summary = (await vault.control.readSummary(run))!;
  expect(summary).toMatchObject({ restorePoint: true, status: 'succeeded' });
  return summary;
}

/** The files that a restore point names, by table and segment; each as it was written. */
async function filesOf(vault: Vault, { parts }: RunSummary): Promise<EntityFile[][]> {
  const segments: EntityFile[][] = [];
  for (const { path, sha256, container } of parts) {
    if (tableOfTask(container) === undefined) continue;
    const { items } = await vault.control.readPart<Segment, object>(path, sha256);
    for (const { files } of items) {
      for (const file of files) await vault.control.readEntityFile(file);
      segments.push(files);
    }
  }
  return segments;
}

/** The files that there are, without the folder. */
function left(vault: Vault, folder = FOLDER): string[] {
  const { blobs } = vault.vault.listBlobs(CONTROL_CONTAINER, { prefix: folder });
  return blobs.map(({ name }) => name.slice(folder.length));
}

const nameOf = ({ path }: EntityFile) => path.slice(FOLDER.length);

/**
 * Three days of a table of three segments: one is never written again, one has changes on top each day, one is read
 * anew.
 */
async function threeDays(): Promise<[RunSummary, RunSummary, RunSummary]> {
  const first = await backup(room, { orders: [[0], [1], [2]] });
  const [[same], [changing]] = (await filesOf(room, first)) as [EntityFile[], EntityFile[]];
  const second = await backup(room, { orders: [[same!], [changing!, 1], [2]] });
  const [, chain] = (await filesOf(room, second)) as [EntityFile[], EntityFile[]];
  const third = await backup(room, { orders: [[same!], [...chain!, 1], [2]] });
  return [first, second, third];
}

describe('a prune of tables', () => {
  it('I5: a prune deletes files that only removed restore points name; named files stay, whichever run wrote them', async () => {
    const [first, second, third] = await threeDays();
    const gone = [(await filesOf(room, first))[2]![0]!, (await filesOf(room, second))[2]![0]!];
    const before = left(room);
    expect(before).toHaveLength(7);
    const plan = await room.plan();
    expect(plan).toMatchObject({ status: 'succeeded', counts: { listed: 7, planned: 2, unchanged: 5 } });
    expect(left(room)).toEqual(before);
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
    expect(left(room)).toEqual(before.filter((name) => !gone.map(nameOf).includes(name)));
    // The runs themselves are gone, and what they have written is named on.
    for (const { id } of [first, second]) expect(room.left(id).filter((path) => path.includes('/runs/'))).toEqual([]);
    expect((await filesOf(room, third)).flat()).toHaveLength(5);
    expect(await room.plan()).toMatchObject({ status: 'succeeded', counts: { planned: 0 } });
  });

  it('a prune leaves the files of a restore point with a hold', async () => {
    const [first, , third] = await threeDays();
    await room.note(first.id, () => HELD);
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 1 } });
    expect((await filesOf(room, first)).flat()).toHaveLength(3);
    expect((await filesOf(room, third)).flat()).toHaveLength(5);
  });

  it('a prune leaves the files that a retry names when the run it completes is removed', async () => {
    const part = await backup(room, { orders: [[0], [1]] });
    const [[kept]] = (await filesOf(room, part)) as [EntityFile[]];
    const retry = await backup(room, { orders: [[kept!], [1]] }, { mode: 'retry', retryOf: part.id });
    await room.note(retry.id, () => HELD);
    await backup(room, { orders: [[0], [1]] });
    expect(await room.prune()).toMatchObject({ plan: { remove: [part.id] }, counts: { removed: 1 } });
    expect((await filesOf(room, retry)).flat()).toHaveLength(2);
  });

  it('a prune deletes files that no restore point names: of failed runs, and of activities executed twice', async () => {
    const lost = await room.begin({ mode: 'full' });
    await written(room, lost, 'orders', 0);
    await written(room, lost, 'forgotten', 0);
    const { publishRun } = makeActivities(room.deps());
    await publishRun({ run: lost, containers: 1, problems: [], cancelled: true, requests: {} });
    const run = await room.begin({ mode: 'full' });
    const segments = await segmentsOf(room, run, 'orders', [[0]]);
    await written(room, run, 'orders', 0, 'second');
    await manifest(room, run, 'orders', segments);
    await publishRun({ run, containers: 1, problems: [], cancelled: false, requests: {} });
    room.pass(1);
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 3 } });
    expect(left(room)).toEqual(segments[0]!.files.map(nameOf));
    expect(left(room, entityFilesPrefix('nightly', 'forgotten'))).toEqual([]);
  });

  it('a prune of tables runs beside that of containers, and mistakes no blob for a file of entities', async () => {
    await backup(room, { orders: [[0]] });
    room.put('a', 'x');
    const point = await room.backup('full');
    const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
    const { containers } = (await makeActivities(room.deps()).listContainers({ run })) as ListContainersResult;
    expect(containers).toEqual([
      { container: 'databackup', destination: 'databackup' },
      { container: 'table.orders', destination: 'strongroom/jobs/nightly/tables/orders' },
    ]);
    // The job no longer selects the table.
    expect(point).toMatchObject({ noLongerHeld: { notSelected: 1 } });
    expect(point.restorePoint).toBe(true);
  });

  it('a prune leaves files that are not certainly ours', async () => {
    const [, , third] = await threeDays();
    const [file] = (await filesOf(room, third)).flat();
    const foreign = [
      'notes.txt',
      `${third.id}.ndjson.gz`,
      `${third.id}-000009-range-x.ndjson`,
      `sub/${third.id}-000009-range-x.ndjson.gz`,
      `${third.id.replace('nightly', 'weekly')}-000009-range-x.ndjson.gz`,
    ];
    for (const name of foreign) room.vault.write(CONTROL_CONTAINER, { name: FOLDER + name, body: Buffer.from('x') });
    const elsewhere = file!.path.replace('/nightly/', '/weekly/');
    room.vault.write(CONTROL_CONTAINER, { name: elsewhere, body: Buffer.from('x') });
    room.pass(1);
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
    expect(left(room)).toEqual(expect.arrayContaining(foreign));
    expect(room.vault.blob(CONTROL_CONTAINER, elsewhere)).toBeDefined();
  });

  it('a prune finds a table in every spelling of its name, as the service does', async () => {
    const first = await backup(room, { Orders: [[0], [1]] });
    const [[same]] = (await filesOf(room, first)) as [EntityFile[]];
    const second = await backup(room, { orders: [[same!], [1]] });
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 1 } });
    expect((await filesOf(room, second)).flat()).toHaveLength(2);
  });

  it('a prune reads the summary of a restore point once, however many tables there are', async () => {
    room.jobs = retaining({ marginHours: 24 });
    const names = Array.from({ length: 12 }, (_, n) => `tenant${n}`);
    const tables = Object.fromEntries(names.map((name) => [name, [[0]]]));
    for (let day = 0; day < 3; day++) await backup(room, tables);
    const plan = makePlanTablePrune();
    const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
    const { containers } = (await makeActivities(room.deps()).listContainers({ run })) as ListContainersResult;
    const read: string[] = [];
    room.before = ({ operation, name }) => {
      if (operation === 'GetBlob' && name?.endsWith('/run.json')) read.push(name);
    };
    for (const pair of containers) await plan(room.deps(), { run, ...pair, slice: 0 });
    expect(containers).toHaveLength(12);
    // Of three restore points, which all stay for as long as the margin is.
    expect(read).toHaveLength(3);
  });

  it('a prune deletes through the account that has the right to delete', async () => {
    room.jobs = retaining({ account: 'PRUNER' });
    await threeDays();
    const deleted: string[] = [];
    room.before = ({ operation, alias, name }) => {
      if (operation === 'DeleteBlob' && name?.startsWith(FOLDER)) deleted.push(alias);
    };
    expect(await room.prune()).toMatchObject({ counts: { removed: 2 } });
    expect(deleted).toEqual(['PRUNER', 'PRUNER']);
  });
});

describe('F12: the margin', () => {
  it('the margin protects younger files, whether marked or never named', async () => {
    room.jobs = retaining({ marginHours: 24 });
    const [first, , third] = await threeDays();
    const stray = await room.begin({ mode: 'full' });
    const { path } = await written(room, stray, 'orders', 0);
    const { publishRun } = makeActivities(room.deps());
    await publishRun({ run: stray, containers: 1, problems: [], cancelled: true, requests: {} });
    expect(await room.prune()).toMatchObject({ counts: { removed: 0 } });
    expect(await room.notes(first.id)).toMatchObject({ removed: { at: expect.any(String) } });
    room.pass(20);
    expect(await room.prune()).toMatchObject({ counts: { removed: 0 } });
    expect((await filesOf(room, first)).flat()).toHaveLength(3);
    room.pass(10);
    expect(await room.prune()).toMatchObject({ counts: { removed: 3 } });
    expect(room.vault.blob(CONTROL_CONTAINER, path)).toBeUndefined();
    expect((await filesOf(room, third)).flat()).toHaveLength(5);
  });
});

describe('F13: a prune deletes no file if anything needed is missing or altered', () => {
  const pinned = (path: string): [string, { ifMatch: string }] => [
    path,
    { ifMatch: room.vault.blob(CONTROL_CONTAINER, path)!.etag },
  ];
  /** Exchanges a part for another list of segments, with everything else as it was. */
  const rewrite = async (point: RunSummary, change: (segment: Segment) => object) => {
    const { path } = point.parts[0]!;
    const { items } = await room.control.readPart<Segment, object>(path);
    const part = new PartWriter<object>();
    for (const segment of items) part.add(change(segment));
    const { body, sha256 } = part.finish({ part: path });
    const tally = { ...emptyTally('table.orders', ''), sha256 };
    room.vault.write(CONTROL_CONTAINER, { name: path, body, metadata: tallyToMetadata(tally) });
    const summary = `jobs/nightly/runs/${point.id}/run.json`;
    const { body: text, metadata } = room.vault.blob(CONTROL_CONTAINER, summary)!;
    const changed = String(text).replace(point.parts[0]!.sha256, sha256);
    room.vault.write(CONTROL_CONTAINER, { name: summary, body: Buffer.from(changed), metadata });
  };

  it.each<[string, (third: RunSummary, needed: EntityFile) => unknown]>([
    [
      'a part of a manifest is missing',
      ({ parts }) => room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(parts[1]!.path)),
    ],
    [
      'the bytes of a part are altered',
      ({ parts }) => room.alter(parts[1]!.path, (body) => Buffer.concat([body, body])),
    ],
    ['a file of a segment is missing', (_, { path }) => room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(path))],
    [
      'a file is replaced by another',
      (_, { path }) => {
        const other = room.vault.blob(CONTROL_CONTAINER, FOLDER + left(room).at(-1)!)!;
        room.vault.write(CONTROL_CONTAINER, { ...other, name: path });
      },
    ],
    ['a segment names no files', (third) => rewrite(third, ({ files: _, ...segment }) => segment)],
    [
      'the files of a segment have no names',
      (third) => rewrite(third, (segment) => ({ ...segment, files: [{ sha256: 'x' }] })),
    ],
    [
      'the files of a segment are in another folder',
      (third) =>
        rewrite(third, ({ files, ...segment }) => ({
          ...segment,
          files: files.map((file) => ({ ...file, path: file.path.replace('jobs/', '') })),
        })),
    ],
  ])('a prune deletes no file if %s', async (_, harm) => {
    const [, , third] = await threeDays();
    const [needed] = (await filesOf(room, third)).flat();
    await harm(third, needed!);
    const before = left(room);
    const plan = await room.plan();
    expect(plan.status).toBe('failed');
    expect(plan.problems).toMatchObject([{ code: 'damaged' }]);
    expect(left(room)).toEqual(before);
  });

  it('a file under another spelling of the table name stops the prune', async () => {
    const first = await backup(room, { Orders: [[0], [1]] });
    const [[same]] = (await filesOf(room, first)) as [EntityFile[]];
    await backup(room, { orders: [[same!], [1]] });
    room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(same!.path));
    const plan = await room.plan();
    expect(plan.problems.map(({ container, code }) => `${container} ${code}`).sort()).toEqual([
      'table.Orders damaged',
      'table.orders damaged',
    ]);
  });

  it('a summary that vanishes during planning stops the prune', async () => {
    const [, , third] = await threeDays();
    let decided = false;
    room.before = ({ operation, name }) => {
      if (operation === 'PutBlob' && name?.endsWith('/prune.json')) decided = true;
      const path = `jobs/nightly/runs/${third.id}/run.json`;
      if (!decided || operation !== 'GetBlob' || name !== path || !room.vault.blob(CONTROL_CONTAINER, path)) return;
      room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(path));
    };
    expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
  });

  it('a listing of the folder that is refused or incomplete stops the prune', async () => {
    await threeDays();
    let listings = 0;
    room.before = ({ operation, container }) => {
      // The last ones are of the folder, and of what the plan itself has left.
      if (operation === 'ListBlobs' && container === CONTROL_CONTAINER) listings++;
    };
    expect(await room.plan()).toMatchObject({ status: 'succeeded' });
    const all = listings;
    for (let at = 1; at < all; at++) {
      listings = 0;
      room.before = ({ operation, container }) => {
        if (operation !== 'ListBlobs' || container !== CONTROL_CONTAINER || ++listings !== at) return;
        throw refusal('throttled', 503, 'ServerBusy');
      };
      const plan = await room.plan();
      expect(plan.status).toBe('failed');
    }
    room.before = () => {};
    const list = room.vault.listBlobs.bind(room.vault);
    room.vault.listBlobs = (container, options) => {
      const page = list(container, options);
      return options.prefix === FOLDER ? { ...page, blobs: page.blobs.slice(2) } : page;
    };
    expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
  });
});

describe('deleting files', () => {
  it('F12: a file that is replaced after the plan stays', async () => {
    const [first] = await threeDays();
    const [, , [old]] = (await filesOf(room, first)) as [EntityFile[], EntityFile[], EntityFile[]];
    const plan = await room.plan();
    const { body, metadata } = room.vault.blob(CONTROL_CONTAINER, old!.path)!;
    room.vault.write(CONTROL_CONTAINER, { name: old!.path, body, metadata });
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 1, unchanged: 1 } });
    expect(left(room)).toContain(nameOf(old!));
  });

  it('F28: a file that is gone already counts as removed, and a second execution adds nothing', async () => {
    const [first] = await threeDays();
    const [, , [old]] = (await filesOf(room, first)) as [EntityFile[], EntityFile[], EntityFile[]];
    const plan = await room.plan();
    room.vault.deleteBlob(CONTROL_CONTAINER, old!.path, {
      ifMatch: room.vault.blob(CONTROL_CONTAINER, old!.path)!.etag,
    });
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
  });

  it('F29: a prune whose lock has been taken over deletes no file, even before it notices', async () => {
    await threeDays();
    const plan = await room.plan();
    const before = left(room);
    let other: Promise<unknown> | undefined;
    room.before = ({ operation, name }) => {
      if (operation !== 'GetBlob' || !name?.includes(`/${plan.id}/plan/`)) return undefined;
      other ??= room.begin({ mode: 'full' });
      return other;
    };
    await room.carryOut(plan);
    expect(other).toBeDefined();
    expect(left(room)).toEqual(before);
  });

  it.each([
    lockPath('nightly'),
    'jobs/nightly/tables/orderlines/nightly-20260501T130000Z-000000-000000-range-x.ndjson.gz',
    `${FOLDER}../../runs/run.json`,
  ])('a plan is refused if it names %s, which is not a file of this table', async (name) => {
    await threeDays();
    const plan = await room.plan();
    room.vault.write(CONTROL_CONTAINER, {
      name,
      body: room.vault.blob(CONTROL_CONTAINER, name)?.body ?? Buffer.from('{}'),
    });
    const [path] = room.left(plan.id).filter((each) => each.includes('/plan/table.orders/'));
    const { items, end } = await room.control.readPart<PlannedItem, object>(path!);
    const { etag } = room.vault.blob(CONTROL_CONTAINER, name)!;
    const part = new PartWriter<PlannedItem>();
    for (const item of items) part.add({ ...item, from: { ...item.from, name, etag } });
    const { body, sha256 } = part.finish(end);
    const metadata = tallyToMetadata({ ...emptyTally('table.orders', ''), sha256 });
    room.vault.write(CONTROL_CONTAINER, { name: path!, body, metadata });
    const before = left(room);
    const deleted: string[] = [];
    room.before = ({ operation, name: of }) => {
      if (operation === 'DeleteBlob') deleted.push(of!);
    };
    expect(await room.carryOut(plan)).toMatchObject({ problems: [{ code: 'internal', container: 'table.orders' }] });
    // It only asks whether it may delete at all.
    expect(deleted.filter((each) => !each.endsWith('/may-delete'))).toEqual([]);
    expect(left(room)).toEqual(before);
  });
});

test('a prune that is cancelled while it reads manifests ends as cancelled', async () => {
  const [, , third] = await threeDays();
  const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
  await makeActivities(room.deps()).listContainers({ run });
  room.before = async ({ operation, name }) => {
    if (operation !== 'GetBlob' || name !== third.parts[0]!.path) return;
    room.before = () => {};
    const lock = (await room.control.readLock('nightly'))!;
    await room.control.writeJson(lockPath('nightly'), { ...lock.value, cancel: true }, { ifMatch: lock.etag });
    room.pass(1);
  };
  const container = 'table.orders';
  const input = { run, container, destination: '', slice: 0 };
  expect(await makePlanTablePrune()(room.deps(), input)).toEqual({ stopped: 'cancelled' });
  expect(room.vault.blob(CONTROL_CONTAINER, partPath(run, 'slice', container, '000000-slice'))).toBeUndefined();
});

test('I5: after random backups, holds and losses, every restore point that stays is whole, and nothing else is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 0xffffff }), async (seed) => {
      const random = new Random(seed);
      const limits = { sliceBlobs: random.between(1, 9), chunkBlobs: random.between(1, 4) };
      let paging = false;
      const vault = new Vault({ ...limits, page: (limit) => (paging ? random.between(1, 5) : limit) });
      vault.jobs = retaining({ keepLast: random.between(1, 3) });
      const points: RunSummary[] = [];
      const kept = new Set<string>();
      for (let day = 0; day < 8; day++) {
        const last = points.at(-1);
        const before = last && random.chance(0.8) ? await filesOf(vault, last) : undefined;
        const segments = Array.from({ length: before?.length ?? random.between(1, 4) }, (_, index): Files => {
          const own = before?.[index] ?? [];
          return random.chance(0.4) || own.length === 0 ? [index] : random.chance(0.5) ? own : [...own, index];
        });
        if (random.chance(0.3)) {
          const lost = await vault.begin({ mode: 'full' });
          await written(vault, lost, 'orders', 0);
          const { publishRun } = makeActivities(vault.deps());
          await publishRun({ run: lost, containers: 1, problems: [], cancelled: true, requests: {} });
        }
        points.push(await backup(vault, { orders: segments }));
        if (random.chance(0.2)) await vault.note(points.at(-1)!.id, () => HELD);
        if (random.chance(0.3)) {
          paging = true;
          await vault.prune();
          paging = false;
        }
      }
      paging = true;
      const done = await vault.prune();
      paging = false;
      expect(done.status).toBe('succeeded');
      for (const point of points) {
        if ((await vault.notes(point.id)).removed || !(await vault.control.readSummary(point))) continue;
        for (const { path } of (await filesOf(vault, point)).flat()) kept.add(path.slice(FOLDER.length));
      }
      expect(left(vault)).toEqual([...kept].sort());
    }),
    { numRuns: 40 },
  );
});
