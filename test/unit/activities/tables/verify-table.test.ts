import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '#domain/run/outcome.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { StorageError } from '#storage/storage-error.ts';
import { entity, HeldTable, POINT, TABLE } from '../../../support/builders/held-table.ts';
import { Random } from '../../../support/builders/random.ts';

const some = (partition: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => entity(partition, String(from + i).padStart(6, '0')));
const reported = (outcomes: Outcome[]) => outcomes.map(({ name, status, code }) => [name, status, code]);

/** A table as its source still has it: two segments in a page, of which one has changes on top, and one more. */
async function held(limits: object = {}): Promise<{ world: HeldTable; all: StoredEntity[] }> {
  const world = new HeldTable(limits);
  const [a, b, c] = [some('a', 50), some('b', 30), some('c', 20)].map((each) => world.tables.put(TABLE, each));
  const newer = world.tables.put(TABLE, [entity('b', '000003', { Value: 'newer' })]);
  const deleted = [{ partition: 'b', row: '000004' }];
  world.tables.take(TABLE, deleted[0]!);
  await world.hold(
    { range: { upTo: { partition: 'a' } }, files: [a!] },
    { range: { after: { partition: 'a' }, upTo: { partition: 'b' } }, files: [b!, { upserts: newer, deleted }] },
  );
  await world.hold({ range: { after: { partition: 'b' } }, files: [c!] });
  return { world, all: world.tables.all(TABLE)! };
}

describe('quick', () => {
  it('a quick verification of a sound table counts every entity and names none, whatever the limits are', async () => {
    for (const limits of [{}, { sliceBlobs: 1 }, { scanMs: 1 }]) {
      const { world } = await held(limits);
      world.tick = 1;
      const { counts, outcomes, slices } = await world.verify();
      expect(counts).toEqual({ listed: 99, copied: 0, unchanged: 99, skipped: 0, failed: 0 });
      expect(outcomes).toEqual([]);
      expect(slices).toBe('sliceBlobs' in limits || 'scanMs' in limits ? 3 : 1);
      expect(world.tables.asked).toEqual([]);
    }
  });

  it('I6: a quick verification finds and names one damage to one file, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = new Random(seed);
        const { world } = await held();
        const segment = random.pick(world.segments);
        const gone = random.below(4) === 0;
        const flipped = (body: Buffer) => {
          body[random.below(body.length)]! ^= 1 << random.below(8);
          return body;
        };
        world.damage(random.pick(segment.files), gone ? undefined : flipped);
        const { counts, outcomes } = await world.verify();
        expect(reported(outcomes)).toEqual([[segment.name, 'failed', gone ? 'content-missing' : 'content-mismatch']]);
        expect(counts).toMatchObject({ listed: 100 - segment.entities, unchanged: 99 - segment.entities, failed: 1 });
      }),
      { numRuns: 40 },
    );
  });

  it('a file of other keys or of another table is not a proof', async () => {
    for (const [range, table] of [
      [{}, TABLE],
      [{ after: { partition: 'b' } }, 'customers'],
    ] as const) {
      const world = new HeldTable();
      const other = await world.file(some('c', 5), range, table);
      await world.hold({
        range: { after: { partition: 'b' } },
        files: [some('c', 5)],
        change: (segment) => segment.files.splice(0, 1, other),
      });
      expect(reported((await world.verify()).outcomes)).toEqual([['segment 0', 'failed', 'content-mismatch']]);
    }
  });

  it('files with another number of entities than the manifest says are not a proof', async () => {
    const world = new HeldTable();
    await world.hold({ files: [some('c', 5)], change: (segment) => segment.entities-- });
    const { outcomes } = await world.verify();
    expect(reported(outcomes)).toEqual([['segment 0', 'failed', 'content-mismatch']]);
    expect(outcomes[0]!.message).toMatch(/hold 5 entities, and should hold 4$/);
  });

  it('a part of the manifest that cannot be read is named, and the others are verified', async () => {
    const { world } = await held();
    const parts = await world.control.listParts(POINT);
    world.damage(parts[0]!, (body) => body.subarray(0, -9));
    const { counts, outcomes } = await world.verify();
    expect(counts).toMatchObject({ listed: 21, unchanged: 20, failed: 1 });
    expect(reported(outcomes)).toEqual([[parts[0]!.path, 'failed', 'damaged']]);
    expect(outcomes[0]!.message).toMatch(/79 entities of the restore point cannot be named$/);
  });

  it('a quick verification does not search for what the restore point lacks', async () => {
    const { world } = await held();
    await world.hold({ range: { after: { partition: 'z' } }, files: [], status: 'failed' });
    expect((await world.verify()).counts).toMatchObject({ listed: 99, failed: 0 });
  });
});

describe('deep', () => {
  it('keys that were added in between do not end a deep verification: it compares the keys behind them, too', async () => {
    const world = new HeldTable();
    const whole = world.tables.put(TABLE, some('a', 50));
    const added = world.tables.put(TABLE, [entity('a', '000003x')]);
    const other = whole.at(-1)!;
    const text = other.text.replace('of 000049', 'of nobody');
    await world.hold({ files: [[...whole.slice(0, -1), { ...other, text }], { upserts: added }] });
    expect(reported((await world.verify({ kind: 'deep' })).outcomes)).toEqual([
      ['a/000049', 'failed', 'content-mismatch'],
    ]);
  });

  it('an entity that the source still has is compared; one that changed or is gone is proved by its file', async () => {
    const { world } = await held();
    world.tables.page = 7;
    world.tables.put(TABLE, [entity('a', '000001', { Value: 'now' }), entity('a', '000001x'), entity('zz', '1')]);
    world.tables.take(TABLE, { partition: 'c', row: '000019' });
    const { counts, outcomes } = await world.verify({ kind: 'deep' });
    expect(reported(outcomes)).toEqual([]);
    expect(counts).toEqual({ listed: 99, copied: 0, unchanged: 99, skipped: 0, failed: 0 });
  });

  it('a deep verification finds an entity that was not stored as the source has it', async () => {
    const world = new HeldTable();
    const stored = world.tables.put(TABLE, some('a', 20));
    const wrong = { ...stored[7]!, text: stored[7]!.text.replace('of 000007', 'of 000008') };
    await world.hold({ files: [stored.with(7, wrong)] });
    expect(reported((await world.verify({ kind: 'deep' })).outcomes)).toEqual([
      ['a/000007', 'failed', 'content-mismatch'],
    ]);
    expect((await world.verify({}, 'nightly-20260503T000000Z-vvvvvv')).outcomes).toEqual([]);
  });

  it('a portion compares each entity once in all turns', async () => {
    const { world, all } = await held();
    const named: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      // What is compared shows by what cannot be.
      world.tables.fate = () => new StorageError('unreachable', 'No');
      const { counts, outcomes } = await world.verify(
        { kind: 'deep', portion: '1/3', turn },
        `nightly-2026050${turn + 3}T000000Z-vvvvvv`,
      );
      expect(counts).toMatchObject({ listed: 99, skipped: outcomes.length, unchanged: 99 - outcomes.length });
      named.push(...outcomes.map(({ name }) => name));
    }
    expect(named.sort()).toEqual(all.map(({ key }) => nameOfKey(key)));
  });

  it('a source that is gone or unreadable proves nothing, and is not a failure', async () => {
    for (const kind of ['container-not-found', 'access-denied', 'unreachable'] as const) {
      const { world } = await held();
      world.tables.fate = () => new StorageError(kind, 'No');
      expect((await world.verify({ kind: 'deep' })).counts).toMatchObject({ skipped: 99, failed: 0 });
    }
  });
});

describe('drill', () => {
  const scratch = ({ vaultTables }: HeldTable) =>
    vaultTables.names.filter((name) => name.startsWith('strongroomdrill'));

  /** Which entities were sent to the vault's tables, but for those that found no table there at first. */
  const writtenTo = ({ vaultTables: { asked } }: HeldTable) =>
    asked
      .slice(asked.findIndex(({ operation }) => operation === 'CreateTable'))
      .flatMap(({ entities }) => entities.map(({ key }) => nameOfKey(key)));

  it('a drill restores the sample with its neighbors, and leaves nothing behind', async () => {
    const { world } = await held();
    const { counts, outcomes } = await world.verify({ kind: 'drill', sample: 3 });
    expect(outcomes).toEqual([]);
    expect(counts.unchanged).toBe(counts.listed);
    expect(counts.listed).toBeGreaterThanOrEqual(20);
    expect(new Set(writtenTo(world))).toHaveProperty('size', counts.listed);
    expect(world.vaultTables.names).toEqual([]);
    expect(world.tables.asked).toEqual([]);
  });

  it('a drill restores no entity of a large sample twice, and no more than some thousand', async () => {
    const world = new HeldTable();
    await world.hold({ files: [some('a', 20_000)] });
    const { counts } = await world.verify({ kind: 'drill', sample: 1_000 });
    expect(counts.listed).toBeGreaterThan(1_000);
    expect(counts.listed).toBeLessThanOrEqual(5_000);
    expect(writtenTo(world)).toHaveLength(counts.listed);
    expect(new Set(writtenTo(world))).toHaveProperty('size', counts.listed);
  });

  it('a drill finds an entity that is not restored as it was', async () => {
    const { world } = await held();
    world.vaultTables.fate = ({ operation, table }) => {
      if (operation === 'QueryEntities') {
        world.vaultTables.put(table, [entity('b', '000005', { Value: 5 })]);
        world.vaultTables.take(table, { partition: 'b', row: '000006' });
      }
      return undefined;
    };
    const { counts, outcomes } = await world.verify({ kind: 'drill', sample: 99 });
    expect(reported(outcomes)).toEqual([
      ['b/000005', 'failed', 'content-mismatch'],
      ['b/000006', 'failed', 'content-mismatch'],
    ]);
    expect(outcomes.map(({ message }) => message?.split(', ')[1])).toEqual([
      'it has other properties than the vault',
      'it is not there',
    ]);
    expect(counts).toMatchObject({ listed: 99, unchanged: 97, failed: 2 });
    expect(scratch(world)).toEqual([]);
  });

  it('a drill finds a file that cannot be read, and an entity that the service refuses', async () => {
    const { world } = await held();
    world.damage(world.segments[2]!.files[0]!);
    world.vaultTables.fate = ({ operation, entities }) => {
      const at = entities.findIndex(({ key }) => nameOfKey(key) === 'a/000007');
      return /Write|Transaction/.test(operation) && at >= 0
        ? new StorageError('invalid', 'No', 400, '', at)
        : undefined;
    };
    const { outcomes } = await world.verify({ kind: 'drill', sample: 99 });
    expect(reported(outcomes)).toEqual([
      ['segment 2', 'failed', 'content-mismatch'],
      ['a/000007', 'failed', 'entity-refused'],
    ]);
  });

  it('a drill without the right to delete says where its table is left; a later drill deletes it, and nothing else', async () => {
    const { world } = await held();
    world.vaultTables.put('strongroomdrilling', [entity('a', '1')]);
    world.vaultTables.put('strongroomdrillzzzzzz000000', [entity('a', '1')]);
    world.vaultTables.fate = ({ operation }) =>
      operation === 'DeleteTable' ? new StorageError('access-denied', 'Not you', 403) : undefined;
    const { counts, outcomes } = await world.verify({ kind: 'drill' });
    expect(reported(outcomes)).toMatchObject([[expect.any(String), 'unchanged', 'access-denied-prune']]);
    const [left] = scratch(world).filter((name) => name.includes('vvvvvv'));
    expect(outcomes[0]!.message).toBe(`The restored entities are left in table ${left} of VAULT: Not you`);
    expect(counts).toMatchObject({ failed: 0, unchanged: counts.listed });
    world.vaultTables.fate = () => undefined;
    await world.ended({ kind: 'drill' });
    await world.verify({ kind: 'drill' }, 'nightly-20260503T000000Z-wwwwww');
    expect(scratch(world)).toEqual(['strongroomdrilling', 'strongroomdrillzzzzzz000000']);
  });
});
