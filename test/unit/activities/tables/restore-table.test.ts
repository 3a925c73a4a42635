import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planTableRestore } from '#activities/tables/plan-table-restore.ts';
import { makeWriteEntities } from '#activities/tables/write-entities.ts';
import { CONTROL_CONTAINER, summaryPath } from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { partEntries } from '#domain/run/report.ts';
import type { RunRef } from '#domain/run/run.ts';
import { taskOfTable } from '#domain/run/task-name.ts';
import { type StoredEntity, sameEntity } from '#domain/tables/entity-text.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { PASSING } from '#orchestrations/limits.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { TableCall } from '../../../../prove/memory/memory-tables.ts';
import { entity, HeldTable, POINT, TABLE } from '../../../support/builders/held-table.ts';

const rowOf = (i: number) => String(i).padStart(6, '0');
const some = (partition: string, count: number, from = 0, properties?: object) =>
  Array.from({ length: count }, (_, i) => entity(partition, rowOf(from + i), properties));
const names = (entities: readonly StoredEntity[] | undefined) => entities?.map(({ key }) => nameOfKey(key));
const reported = (outcomes: Outcome[]) => outcomes.map(({ name, status, code }) => [name, status, code]);
const writes = ({ tables }: HeldTable) => tables.asked.filter(({ operation }) => /Write|Transaction/.test(operation));

/** Whether the table has exactly these, each as it was. */
function expectHeld(world: HeldTable, wanted: readonly StoredEntity[], table = TABLE): void {
  const there = world.tables.all(table) ?? [];
  expect(names(there)).toEqual(names(wanted));
  expect(there.filter(({ text }, i) => !sameEntity(text, wanted[i]!.text))).toEqual([]);
}

/** Three segments in two pages, one with changes on top. */
async function held(limits: object = {}): Promise<{ world: HeldTable; all: StoredEntity[] }> {
  const world = new HeldTable(limits);
  const [a, b, c] = [some('a', 250), some('b', 130), some('c', 70)];
  const changed = b.slice(10, 20).map(({ key }) => entity(key.partition, key.row, { Value: 'newer' }));
  const added = some('b', 5, 500);
  const deleted = b.slice(0, 3).map(({ key }) => key);
  await world.hold(
    { range: { upTo: { partition: 'a' } }, files: [a] },
    {
      range: { after: { partition: 'a' }, upTo: { partition: 'b' } },
      files: [b, { upserts: [...changed, ...added], deleted }],
    },
  );
  await world.hold({ range: { after: { partition: 'b' } }, files: [c] });
  return { world, all: [...a, ...b.slice(3, 10), ...changed, ...b.slice(20), ...added, ...c] };
}

describe('a restore of a table', () => {
  it('a restore writes what the files hold together, whatever the limits are', async () => {
    for (const limits of [{}, { chunkBlobs: 1 }, { sliceChunks: 1, chunkBlobs: 1 }, { scanMs: 1, copyMs: 1 }]) {
      const { world, all } = await held(limits);
      world.tick = 1;
      const { counts, outcomes } = await world.restore();
      expect(counts).toEqual({ listed: 452, copied: 452, unchanged: 0, skipped: 0, failed: 0 });
      expect(outcomes).toEqual([]);
      expectHeld(world, all);
    }
  });

  it('a restore ends before the next transaction when its time is up', async () => {
    const { world, all } = await held({ copyMs: 1 });
    world.tick = 1;
    const { pieces, counts } = await world.restore();
    expect(pieces).toBe(6);
    expect(counts.copied).toBe(452);
    expectHeld(world, all);
  });

  it('a restore sends one request per hundred entities, and creates the table once', async () => {
    const { world } = await held();
    await world.restore();
    expect(writes(world).map(({ entities }) => entities.length)).toEqual([100, 100, 50, 100, 32, 70]);
    expect(world.tables.asked.filter(({ operation }) => operation === 'CreateTable')).toHaveLength(1);
  });

  it('a restore creates a table that was empty', async () => {
    const world = new HeldTable();
    await world.hold({ files: [[]] });
    const { counts } = await world.restore();
    expect(counts.listed).toBe(0);
    expect(world.tables.all(TABLE)).toEqual([]);
  });

  it('a dry run of a restore changes nothing, and reports what it would write', async () => {
    const { world } = await held();
    const { counts } = await world.restore({}, { dryRun: true });
    expect(counts).toMatchObject({ listed: 452, copied: 0 });
    expect(world.tables.all(TABLE)).toBeUndefined();
  });

  it('a dry run foretells what the restore does with each entity, whatever the target has', async () => {
    const digits = fc.uniqueArray(fc.nat(9), { maxLength: 10 });
    const existing = fc.constantFrom('skip' as const, 'replace' as const, 'merge' as const);
    const rowsFrom = (partition: string, rows: readonly number[], add = 0) =>
      rows.toSorted().map((row) => entity(partition, `${row}`, { Number: row + add }));
    await fc.assert(
      fc.asyncProperty(existing, digits, digits, digits, fc.option(fc.nat(9)), async (how, rows, same, other, from) => {
        const world = new HeldTable();
        await world.hold({ range: { upTo: { partition: 'p' } }, files: [rowsFrom('p', rows)] });
        await world.hold({ range: { after: { partition: 'p' } }, files: [rowsFrom('q', [1, 2, 3])] });
        world.tables.put(TABLE, [...rowsFrom('p', same), ...rowsFrom('p', other, 10), ...rowsFrom('q', [3, 4])]);
        const before = world.tables.all(TABLE)!;
        const keys = from === null ? {} : { keys: { partition: 'p', from: `${from}` } };
        const dry = await world.restore({ existing: how, ...keys }, { dryRun: true });
        expect(world.tables.all(TABLE)).toEqual(before);
        const done = await world.restore({ existing: how, ...keys }, { id: 'nightly-20260502T000000Z-dddddd' });
        expect(done.counts).toEqual({ ...dry.counts, copied: dry.foretold!.planned });
        expect(reported(dry.outcomes)).toEqual(reported(done.outcomes));
        const made = world.tables.all(TABLE)!.length - before.length;
        expect(dry.foretold!.replaced).toBe(how === 'skip' ? 0 : dry.foretold!.planned - made);
      }),
      { numRuns: 60 },
    );
  });

  it('a restore reports a key range that the restore point lacks', async () => {
    const world = new HeldTable();
    await world.hold({ range: { upTo: { partition: 'a' } }, files: [some('a', 3)] });
    await world.hold({ range: { after: { partition: 'a' } }, files: [], status: 'failed' });
    const { counts, outcomes } = await world.restore();
    expect(counts).toMatchObject({ listed: 4, copied: 3, failed: 1 });
    expect(reported(outcomes)).toEqual([['segment 1', 'failed', 'container-not-held']]);
    expect(outcomes[0]!.message).toBe('The restore point lacks these keys. Its backup said: Too busy');
  });

  it('a second execution answers as the first did, though the table is no longer empty', async () => {
    const { world } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const first = await planTableRestore(world.deps, { ...task, slice: 0 });
    await makeWriteEntities()(world.deps, { ...task, chunk: first.chunks![0]!, from: 0 });
    expect(await planTableRestore(world.deps, { ...task, slice: 0 })).toMatchObject(first);
  });

  it('a later execution continues where the first ended, and reads nothing that is done', async () => {
    const { world, all } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const { chunks } = await planTableRestore(world.deps, { ...task, slice: 0 });
    world.damage(world.segments[0]!.files[0]!);
    expect(await makeWriteEntities()(world.deps, { ...task, chunk: chunks![0]!, from: 250 })).toEqual({});
    const { counts, outcomes } = await world.reported(run, false);
    expect(counts).toMatchObject({ copied: 202, failed: 0 });
    expect(outcomes).toEqual([]);
    expectHeld(world, all.slice(250));
  });

  it('a restore stops when it is cancelled, and reports what it has done', async () => {
    const { world } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const { chunks } = await planTableRestore(world.deps, { ...task, slice: 0 });
    world.tick = 6_000;
    world.tables.fate = () => {
      void world.cancel(run);
      return undefined;
    };
    const ended = await makeWriteEntities()(world.deps, { ...task, chunk: chunks![0]!, from: 0 });
    expect(ended).toEqual({ stopped: 'cancelled' });
    const { counts } = await world.reported(run, false);
    expect(counts.copied).toBe(world.tables.all(TABLE)!.length);
    expect(counts.copied).toBeLessThan(452);
    expect(await planTableRestore(world.deps, { ...task, slice: 1 })).toEqual({ stopped: 'cancelled' });
  });
});

describe('checks before the first write', () => {
  const DAMAGE: Record<string, (body: Buffer) => Buffer> = {
    'a flipped bit': (body) => {
      body[body.length >> 1]! ^= 1;
      return body;
    },
    'a truncation': (body) => body.subarray(0, -1),
    'another file in its place': () => Buffer.alloc(100),
  };

  it.each([...Object.keys(DAMAGE), 'a deletion'])('a restore finds %s of the last file', async (what) => {
    const { world } = await held({ sliceChunks: 1, chunkBlobs: 1 });
    world.damage(world.segments.at(-1)!.files[0]!, DAMAGE[what]);
    const { problem, slices } = await world.restore();
    expect(problem).toMatchObject({ code: 'damaged', count: 0, container: 'table.orders' });
    expect(problem?.message).toContain(world.segments.at(-1)!.files[0]!.path);
    expect(slices).toBe(3);
    expect(writes(world)).toEqual([]);
  });

  it('a restore finds a segment that holds another number of entities than it says', async () => {
    const { world } = await held();
    const more = await world.file({ upserts: some('z', 1, 9) });
    await world.hold({
      range: { after: { partition: 'c' } },
      files: [some('z', 3)],
      change: (segment) => segment.files.push(more),
    });
    expect((await world.restore()).problem?.message).toMatch(/hold 4 entities, and should hold 3/);
  });

  it('a restore finds a part of the manifest that cannot be read', async () => {
    const { world } = await held();
    const [part] = await world.control.listParts(POINT);
    world.damage(part!, DAMAGE['a flipped bit']);
    expect((await world.restore()).problem).toMatchObject({ code: 'damaged' });
    expect(writes(world)).toEqual([]);
  });

  it('a target that is not empty is refused as a whole, unless the request says what to do', async () => {
    const { world } = await held();
    world.tables.put(TABLE, [entity('zzz', '1')]);
    const { problem } = await world.restore();
    expect(problem).toMatchObject({ code: 'table-not-empty', count: 0 });
    expect(problem?.message).toBe('Table orders of SOURCE is not empty');
    expect(writes(world)).toEqual([]);
    const again = { id: 'nightly-20260502T010000Z-rrrrrr' };
    expect((await world.restore({ existing: 'skip' }, again)).counts.copied).toBe(452);
  });

  it('F81: a table that is being deleted is a problem that may pass', async () => {
    const { world } = await held();
    world.tables.fate = ({ operation }) =>
      operation === 'CreateTable'
        ? new StorageError('being-deleted', 'The table is being deleted', 409, 'TableBeingDeleted')
        : undefined;
    const { problem } = await world.restore();
    expect(problem).toMatchObject({ code: 'container-being-deleted', message: 'The table is being deleted' });
    expect(PASSING).toContain(problem!.code);
  });

  it('a target that may not be looked at is a problem', async () => {
    const { world } = await held();
    world.tables.fate = () => new StorageError('access-denied', 'Not you', 403);
    expect((await world.restore()).problem).toMatchObject({ code: 'access-denied-target', message: 'Not you' });
  });
});

describe('entities that exist in the target', () => {
  const there = (world: HeldTable) => {
    world.tables.put(TABLE, some('a', 40, 30));
    world.tables.put(TABLE, some('a', 10, 100, { Value: 'foreign', Own: 1 }));
    world.tables.put(TABLE, some('a', 1, 999_999, { Value: 'foreign' }));
  };

  it('skip: equal entities are unchanged, others are named, and the rest is written', async () => {
    const { world } = await held();
    there(world);
    const { counts, outcomes } = await world.restore({ existing: 'skip' });
    expect(counts).toEqual({ listed: 452, copied: 402, unchanged: 40, skipped: 10, failed: 0 });
    expect(reported(outcomes)).toEqual(
      some('a', 10, 100).map(({ key }) => [nameOfKey(key), 'skipped', 'target-exists']),
    );
    expect(world.tables.all(TABLE)).toHaveLength(453);
  });

  it.each(['replace', 'overwrite', 'if-different'] as const)('%s: all entities are as they were', async (existing) => {
    const { world, all } = await held();
    there(world);
    const { counts } = await world.restore({ existing });
    expect(counts).toMatchObject({ copied: 452, failed: 0 });
    const foreign = entity('a', '999999', { Value: 'foreign' });
    expectHeld(world, [...all.slice(0, 250), foreign, ...all.slice(250)]);
  });

  it('merge: other properties of an entity stay', async () => {
    const { world } = await held();
    there(world);
    await world.restore({ existing: 'merge' });
    const merged = world.tables.all(TABLE)!.find(({ key }) => key.row === rowOf(100))!;
    expect(JSON.parse(merged.text)).toMatchObject({ Value: `of ${rowOf(100)}`, Own: 1 });
  });

  it('fail: an entity that appears in the meantime is named, and the others are written', async () => {
    const { world } = await held();
    let came = false;
    world.tables.fate = ({ operation }: TableCall) => {
      if (operation === 'ExecuteTransaction' && !came) {
        came = true;
        world.tables.put(TABLE, [entity('a', rowOf(7), { Value: 'foreign' })]);
      }
      return undefined;
    };
    const { counts, outcomes } = await world.restore();
    expect(counts).toMatchObject({ copied: 451, failed: 1 });
    expect(reported(outcomes)).toEqual([['a/000007', 'failed', 'target-exists']]);
  });

  it('a restore finds existing entities in one pass, though later files add keys between those of the first', async () => {
    const world = new HeldTable();
    const added = some('a', 99, 0).map(({ key }) => entity('a', `${key.row}x`));
    await world.hold({ files: [some('a', 101, 100), { upserts: added }] });
    world.tables.put(TABLE, [...some('a', 101, 100), ...added]);
    const { counts } = await world.restore({ existing: 'skip' });
    expect(counts).toMatchObject({ copied: 0, unchanged: 200 });
    expect(world.tables.asked.filter(({ operation }) => operation === 'QueryEntities').length).toBeLessThan(6);
  });

  it('a restore finds existing entities in one pass, though many others lie between them', async () => {
    const { world } = await held();
    world.tables.put(TABLE, some('a', 250).slice(0, 240));
    for (let i = 0; i < 30; i++)
      world.tables.put(
        TABLE,
        some('a', 300).map(({ key }) => entity('a', `${key.row}-${i}`)),
      );
    const { counts } = await world.restore({ existing: 'skip' });
    expect(counts).toMatchObject({ copied: 212, unchanged: 240 });
    expect(world.tables.asked.filter(({ operation }) => operation === 'QueryEntities').length).toBeLessThan(40);
  });

  it.each([/[\\/#?]/, /\ud7ff/])(
    'a restore finds an existing entity with an odd or empty key, though the service refuses %s',
    async (refuses) => {
      const odd = ['', ' ', '0', 'a', 'a0', "it's", 'é', '\ue000', '😀', 'a🦜'];
      const all = odd
        .flatMap((partition) => odd.map((row) => entity(partition, row)))
        .sort((a, b) => (nameOfKey(a.key) < nameOfKey(b.key) ? -1 : 1));
      const world = new HeldTable();
      world.tables.refuses = refuses;
      await world.hold({ files: [all] });
      world.tables.put(TABLE, all);
      const { counts, outcomes } = await world.restore({ existing: 'skip' });
      expect(reported(outcomes)).toEqual([]);
      expect(counts).toMatchObject({ listed: 100, unchanged: 100 });
    },
  );

  it('a restore searches for a single existing entity to the end', async () => {
    const world = new HeldTable();
    await world.hold({ files: [[entity('a', 'x')]] });
    world.tables.put(TABLE, [...some('a', 50), entity('a', 'x')]);
    Object.assign(world.tables, { refuses: /\ud7ff/, page: 5 });
    expect((await world.restore({ existing: 'skip' })).counts).toMatchObject({ unchanged: 1 });
  });
});

describe('failures', () => {
  it('a lost answer costs nothing: an entity that is there and equal was written', async () => {
    const { world, all } = await held();
    let count = 0;
    world.tables.fate = ({ operation }) =>
      /Write|Transaction/.test(operation) && count++ % 2 === 0 ? 'lost' : undefined;
    const { counts } = await world.restore();
    expect(counts).toMatchObject({ copied: 452, unchanged: 0, failed: 0 });
    expectHeld(world, all);
  });

  it('two executions of one piece at once report the same, and write each entity once', async () => {
    const { world, all } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const { chunks } = await planTableRestore(world.deps, { ...task, slice: 0 });
    const write = () => makeWriteEntities()(world.deps, { ...task, chunk: chunks![0]!, from: 0 });
    const [one, other] = await Promise.all([write(), write()]);
    expect(one.next).toEqual(other.next);
    expect((await world.reported(run)).counts).toMatchObject({ copied: 452, failed: 0 });
    expectHeld(world, all);
  });

  for (const tells of [true, false]) {
    it(`an entity that is refused is named, and the others are written${tells ? '' : ', though the service does not say which'}`, async () => {
      const { world, all } = await held();
      const bad = new Set(['a/000007', 'a/000099', 'c/000001']);
      world.tables.fate = ({ entities }) => {
        const at = entities.findIndex(({ key }) => bad.has(nameOfKey(key)));
        if (at < 0) return undefined;
        return Object.assign(new StorageError('invalid', 'The property name is invalid', 400), tells ? { at } : {});
      };
      const { counts, outcomes } = await world.restore();
      expect(counts).toMatchObject({ copied: 449, failed: 3 });
      expect(reported(outcomes)).toEqual([...bad].map((name) => [name, 'failed', 'entity-refused']));
      expect(outcomes[0]!.message).toBe('The property name is invalid');
      expectHeld(
        world,
        all.filter(({ key }) => !bad.has(nameOfKey(key))),
      );
      expect(writes(world).length).toBeLessThan(tells ? 20 : 50);
    });
  }

  it('an entity that is throttled to the end is named, and a retry writes it', async () => {
    const { world, all } = await held();
    world.tables.fate = ({ entities }) =>
      entities[0]?.key.partition === 'b' ? new StorageError('throttled', 'Too busy', 503) : undefined;
    const first = await world.restore();
    expect(first.counts).toMatchObject({ copied: 320, failed: 132 });
    expect(new Set(first.outcomes.map(({ code }) => code))).toEqual(new Set(['throttled']));
    world.tables.fate = () => undefined;
    const retryOf = world.restoreRun({}, {}).id;
    const again = await world.restore({}, { id: 'nightly-20260502T010000Z-rrrrrr', retryOf });
    expect(again.counts).toEqual({ listed: 452, copied: 132, unchanged: 320, skipped: 0, failed: 0 });
    expectHeld(world, all);
  });

  it('a retry of a restore that was refused as a whole is refused again', async () => {
    const { world } = await held();
    world.tables.put(TABLE, [entity('zzz', '1')]);
    await world.restore();
    const retryOf = world.restoreRun({}, {}).id;
    const again = await world.restore({}, { id: 'nightly-20260502T010000Z-rrrrrr', retryOf });
    expect(again.problem?.code).toBe('table-not-empty');
  });

  describe('a retry where entities are replaced', () => {
    const busyIn = (partition: string) => (call: TableCall) =>
      call.entities[0]?.key.partition === partition ? new StorageError('throttled', 'Too busy', 503) : undefined;
    /** Leaves the summary of a run as it was told. */
    const publish = async (world: HeldTable, run: RunRef, status: string, more: { failed?: number } = {}) => {
      const parts = partEntries(await world.control.listParts(run));
      const { counts } = await world.reported(run, false);
      const containers = [{ container: taskOfTable(TABLE), status, counts: { ...counts, ...more } }];
      const summary = { ...run, format: 3, status, counts, bytes: {}, containers, problems: [], parts, compared: [] };
      const body = Buffer.from(JSON.stringify(summary));
      world.vault.putObject(CONTROL_CONTAINER, summaryPath(run), body, { contentType: 'text/plain' });
    };
    const again = (run: RunRef, hour: number) => ({ id: `nightly-20260502T0${hour}0000Z-rrrrrr`, retryOf: run.id });
    const existing = 'replace';

    it('a retry writes what failed, and no restored entity that may have changed since', async () => {
      const { world, all } = await held({ chunkBlobs: 1 });
      world.tables.fate = busyIn('b');
      const first = world.restoreRun({ existing }, {});
      await world.restore({ existing });
      await publish(world, first, 'completed-with-failures');
      world.tables.fate = () => undefined;
      const newer = entity('a', rowOf(0), { Value: 'written since' });
      world.tables.put(TABLE, [newer]);
      world.tables.asked.length = 0;
      const { counts, pieces } = await world.restore({ existing }, again(first, 1));
      expect(counts).toEqual({ listed: 132, copied: 132, unchanged: 0, skipped: 0, failed: 0 });
      expect(pieces).toBe(1);
      expectHeld(world, [newer, ...all.slice(1)]);
      expect(writes(world).flatMap(({ entities }) => entities)).toHaveLength(132);
    });

    it('a retry of an unfinished retry still writes what failed first, and of a segment only the failed entities', async () => {
      const { world, all } = await held();
      world.tables.fate = ({ entities }) =>
        entities.some(({ key }) => nameOfKey(key) === 'b/000050') ? new StorageError('invalid', 'No', 400) : undefined;
      const first = world.restoreRun({ existing }, {});
      await world.restore({ existing });
      await publish(world, first, 'completed-with-failures');
      const second = { ...first, ...again(first, 1) };
      await publish(world, second, 'failed');
      world.tables.fate = () => undefined;
      const newer = entity('b', rowOf(51), { Value: 'written since' });
      world.tables.put(TABLE, [newer]);
      const { counts } = await world.restore({ existing }, again(second, 2));
      expect(counts).toMatchObject({ copied: 1, unchanged: 0, failed: 0 });
      expectHeld(
        world,
        all.map((each) => (nameOfKey(each.key) === 'b/000051' ? newer : each)),
      );
    });

    it('a segment that could not be read is written as a whole', async () => {
      const { world, all } = await held();
      const { path } = world.segments[1]!.files[1]!;
      const { body, metadata } = world.vault.all(CONTROL_CONTAINER, path)[0]!;
      world.tables.fate = ({ operation }) => {
        if (operation === 'ExecuteTransaction') world.damage({ path }, () => Buffer.from('x'));
        return undefined;
      };
      const first = world.restoreRun({ existing }, {});
      const { counts } = await world.restore({ existing });
      expect(counts).toMatchObject({ copied: 320, failed: 132 });
      await publish(world, first, 'completed-with-failures');
      world.tables.fate = () => undefined;
      world.vault.write(CONTROL_CONTAINER, { name: path, body: Buffer.from(body), metadata });
      expect((await world.restore({ existing }, again(first, 1))).counts).toMatchObject({ listed: 132, copied: 132 });
      expectHeld(world, all);
    });

    it('a retry after more failures than memory holds writes everything', async () => {
      const { world, all } = await held();
      const first = world.restoreRun({ existing }, {});
      await publish(world, first, 'completed-with-failures', { failed: 50_001 });
      expect((await world.restore({ existing }, again(first, 1))).counts).toMatchObject({ copied: 452 });
      expectHeld(world, all);
    });

    it('a retry of a run that failed as a whole writes everything', async () => {
      const { world, all } = await held();
      const first = world.restoreRun({ existing }, {});
      await publish(world, first, 'failed');
      expect((await world.restore({ existing }, again(first, 1))).counts).toMatchObject({ copied: 452 });
      expectHeld(world, all);
    });
  });

  it('a retry of a retry that did not reach this table continues from the first', async () => {
    const { world, all } = await held();
    world.tables.fate = ({ entities }) =>
      entities[0]?.key.partition === 'b' ? new StorageError('throttled', 'Too busy', 503) : undefined;
    await world.restore();
    world.tables.fate = () => undefined;
    const first = world.restoreRun({}, {});
    const second = { ...first, id: 'nightly-20260502T010000Z-rrrrrr', retryOf: first.id };
    const nothing = { format: 3, counts: {}, bytes: {}, containers: [], problems: [], parts: [], compared: [] };
    const summary = Buffer.from(JSON.stringify({ ...second, ...nothing, status: 'failed' }));
    world.vault.putObject(CONTROL_CONTAINER, summaryPath(second), summary, { contentType: 'text/plain' });
    const again = await world.restore({}, { id: 'nightly-20260502T020000Z-rrrrrr', retryOf: second.id });
    expect(again.counts).toMatchObject({ copied: 132, unchanged: 320, failed: 0 });
    expectHeld(world, all);
  });

  it('a restore waits for a partition that accepts only so much', async () => {
    const world = new HeldTable();
    const all = some('a', 3_000);
    await world.hold({ files: [all] });
    let underWay = 0;
    let refused = 0;
    const write = world.tables.writeEntities.bind(world.tables);
    world.tables.writeEntities = async (...asked) => {
      underWay++;
      const isTooMuch = underWay > 2;
      await new Promise(setImmediate);
      underWay--;
      if (isTooMuch) refused++;
      if (isTooMuch) throw new StorageError('throttled', 'Too busy', 503);
      return write(...asked);
    };
    expect((await world.restore()).counts).toMatchObject({ copied: 3_000, failed: 0 });
    expectHeld(world, all);
    expect(refused).toBeGreaterThan(10);
    expect(refused).toBeLessThan(80);
  });

  it('a restore does not wait without end for a partition that accepts nothing', async () => {
    const world = new HeldTable();
    await world.hold({ files: [some('a', 10_000)] });
    world.tables.fate = ({ operation }) =>
      operation === 'ExecuteTransaction' ? new StorageError('throttled', 'Too busy', 503) : undefined;
    expect((await world.restore()).counts).toMatchObject({ copied: 0, failed: 10_000 });
    expect(writes(world).length).toBeLessThan(200);
  });

  it.each(['replace', 'merge'] as const)(
    '%s: a restore meets other writers of the same entities again',
    async (existing) => {
      const { world, all } = await held();
      let count = 0;
      world.tables.fate = ({ operation }) =>
        /Write|Transaction/.test(operation) && count++ % 3 < 2
          ? new StorageError('precondition', 'The specified entity already exists', 409, 'EntityAlreadyExists')
          : undefined;
      expect((await world.restore({ existing })).counts).toMatchObject({ copied: 452, failed: 0 });
      expectHeld(world, all);
    },
  );

  it('replace: an entity that other writers change all the time costs no other entity', async () => {
    const { world } = await held();
    world.tables.fate = ({ entities }) =>
      entities.some(({ key }) => nameOfKey(key) === 'a/000007')
        ? Object.assign(new StorageError('precondition', 'The update condition is not satisfied', 412), { at: 7 })
        : undefined;
    const { counts, outcomes } = await world.restore({ existing: 'replace' });
    expect(counts).toMatchObject({ copied: 451, failed: 1 });
    expect(reported(outcomes)).toEqual([['a/000007', 'failed', 'target-changing']]);
  });

  it('a restore does not try the rest after the account refuses everything, and names it', async () => {
    const world = new HeldTable();
    await world.hold({ files: [some('a', 5_000)] });
    world.tables.fate = ({ operation }) =>
      operation === 'ExecuteTransaction' ? new StorageError('access-denied', 'Not you', 403) : undefined;
    const { counts, outcomes } = await world.restore();
    expect(counts).toMatchObject({ copied: 0, failed: 5_000 });
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['access-denied-target']));
    expect(outcomes.at(-1)!.message).toBe('Not tried after 16 failures in a row: Not you');
    expect(writes(world).length).toBeLessThan(40);
  });

  it('a table that is deleted in the meantime is a problem of the whole, as the written entities are gone with it', async () => {
    const { world } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const { chunks } = await planTableRestore(world.deps, { ...task, slice: 0 });
    let taken = 0;
    world.tables.fate = ({ operation }) => {
      if (operation === 'ExecuteTransaction' && ++taken === 3) void world.tables.deleteTable(TABLE);
      return undefined;
    };
    const { problem } = await makeWriteEntities()(world.deps, { ...task, chunk: chunks![0]!, from: 0 });
    expect(problem).toMatchObject({ code: 'target-changing', container: 'table.orders' });
    expect(problem!.message).toContain('Table orders of SOURCE was deleted while the restore wrote to it');
    expect(world.tables.all(TABLE)).toBeUndefined();
  });

  it('a vault that is unreachable for a while leaves the rest to the next attempt, and what was read is written', async () => {
    const { world, all } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const { chunks } = await planTableRestore(world.deps, { ...task, slice: 0 });
    const vault = world.deps.blobs('VAULT');
    const { getObject } = vault;
    const away = world.segments[1]!.files[0]!.path;
    vault.getObject = async (container, path) => {
      if (path === away) throw new StorageError('unreachable', 'No way');
      return getObject.call(vault, container, path);
    };
    const write = (from: number) => makeWriteEntities()(world.deps, { ...task, chunk: chunks![0]!, from });
    expect(await write(0)).toEqual({ next: 250 });
    await expect(write(250)).rejects.toThrow('No way');
    vault.getObject = getObject;
    expect(await write(250)).toEqual({});
    expect((await world.reported(run)).counts).toMatchObject({ listed: 452, copied: 452 });
    expectHeld(world, all);
  });

  it('a file that is damaged after the planning is reported with what it held, and the rest is written', async () => {
    const { world } = await held();
    const run = await world.begun();
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const { chunks } = await planTableRestore(world.deps, { ...task, slice: 0 });
    world.damage(world.segments[1]!.files[1]!);
    await makeWriteEntities()(world.deps, { ...task, chunk: chunks![0]!, from: 0 });
    const { counts, outcomes } = await world.reported(run);
    expect(counts).toEqual({ listed: 452, copied: 320, unchanged: 0, skipped: 0, failed: 132 });
    expect(reported(outcomes)).toEqual([['segment 1', 'failed', 'damaged']]);
    expect(outcomes[0]!.message).toMatch(/it is missing; 132 entities of it are not restored/);
  });
});

describe('a restore of some keys', () => {
  it('a restore of some keys writes and counts only those, and reads no segment that cannot hold any', async () => {
    for (const limits of [{}, { copyMs: 1 }]) {
      const { world, all } = await held(limits);
      world.tick = 1;
      world.damage(world.segments[0]!.files[0]!);
      const { counts } = await world.restore({
        tables: [TABLE],
        keys: { partition: 'b', from: rowOf(9), to: rowOf(115) },
      });
      const wanted = all.filter(({ key }) => key.partition === 'b' && key.row >= rowOf(9) && key.row <= rowOf(115));
      expect(wanted).toHaveLength(107);
      expect(counts).toEqual({ listed: 107, copied: 107, unchanged: 0, skipped: 0, failed: 0 });
      expectHeld(world, wanted);
    }
  });

  it('a restore of partitions writes those from one to another', async () => {
    const { world, all } = await held();
    await world.restore({ tables: [TABLE], keys: { from: 'b' } });
    expectHeld(
      world,
      all.filter(({ key }) => key.partition >= 'b'),
    );
  });
});

describe('a file on its own', () => {
  const named = (name: string) => ({ account: 'VAULT', container: 'strongroom', name });

  it('a file is restored without its restore point, also elsewhere and under another name', async () => {
    const world = new HeldTable();
    const all = some('a', 250);
    const { path } = await world.file(all);
    const { body } = world.vault.all('strongroom', path)[0]!;
    world.vault.createContainer('elsewhere');
    world.vault.write('elsewhere', { name: 'my.gz', body: Buffer.from(body) });
    const { counts } = await world.restore({ point: '', file: named(path), tables: [TABLE] });
    expect(counts).toMatchObject({ listed: 250, copied: 250 });
    expectHeld(world, all);
    const file = { account: 'VAULT', container: 'elsewhere', name: 'my.gz' };
    const more = { id: 'nightly-20260502T010000Z-rrrrrr' };
    const again = await world.restore({ point: '', file, tables: [TABLE], existing: 'skip' }, more);
    expect(again.counts).toMatchObject({ unchanged: 250 });
  });

  it('a file of changes has its deletions reported, and not carried out', async () => {
    const world = new HeldTable();
    const { path } = await world.file({ upserts: some('a', 2), deleted: [{ partition: 'a', row: 'x' }] });
    world.tables.put(TABLE, [entity('a', 'x')]);
    const { counts, outcomes } = await world.restore({
      point: '',
      file: named(path),
      tables: [TABLE],
      existing: 'skip',
    });
    expect(counts).toMatchObject({ listed: 3, copied: 2, skipped: 1 });
    expect(outcomes).toMatchObject([{ name: 'a/x', status: 'skipped' }]);
    expect(world.tables.all(TABLE)).toHaveLength(3);
  });

  it('a file that Strongroom cannot have written is a problem, not a crash', async () => {
    const world = new HeldTable();
    const nested = {
      key: { partition: 'a', row: '1' },
      text: `{"PartitionKey":"a","RowKey":"1","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    };
    const { path } = await world.file([nested]);
    const { problem } = await world.restore({ point: '', file: named(path), tables: [TABLE] });
    expect(problem?.code).toBe('damaged');
    expect(world.tables.names).toEqual([]);
  });

  it('a damaged file is a problem', async () => {
    const world = new HeldTable();
    const file = await world.file(some('a', 250));
    world.damage(file, (body) => body.subarray(0, -3));
    const { problem } = await world.restore({ point: '', file: named(file.path), tables: [TABLE] });
    expect(problem?.code).toBe('damaged');
  });
});
