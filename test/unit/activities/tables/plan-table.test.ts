import { beforeEach, describe, expect, it } from 'vitest';
import { notesPath, partPath, rangeKey, summaryPath } from '#domain/run/control-paths.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { RUN } from '../../../support/builders/run-ref.ts';
import { POINT, TASK, TableBench } from '../../../support/builders/table-bench.ts';

let bench: TableBench;
beforeEach(() => {
  bench = new TableBench();
});

const task = { container: TASK, destination: 'd' };
const AGAIN = [{}];
const OTHER = 'nightly-20260430T000000Z-oooooo';

/** So many segments, one behind another, each too large to be joined to others. */
async function segments(count: number, entities = 10_000): Promise<Segment[]> {
  const bound = (n: number) => ({ partition: `p${String(n).padStart(5, '0')}` });
  const { files } = await bench.segment([{ row: '1', at: 't' }]);
  return Promise.all(
    Array.from({ length: count }, async (_, n): Promise<Segment> => {
      const range = { ...(n > 0 && { after: bound(n) }), ...(n < count - 1 && { upTo: bound(n + 1) }) };
      return { ...(await bench.segment([])), entities, files, range, name: String(n) };
    }),
  );
}

async function planned(
  mode: 'full' | 'incremental' | 'retry' = 'incremental',
  more: object = {},
  lock: object = { last: POINT, point: POINT },
) {
  const run = await bench.begin({ mode, ...(mode === 'retry' && { retryOf: POINT }) }, lock);
  const plan = await bench.activities.planTable({ run, ...task, ...more });
  const chunks = plan.chunks ?? [];
  const parts = await Promise.all(
    chunks.map(({ key }) => bench.control.readPart<Segment, object>(partPath(run, 'plan', TASK, key))),
  );
  return { ...plan, run, segments: parts.map(({ items }) => items) };
}

describe('the plan for a table', () => {
  it('the plan reads the whole table in the first run, and if no segment is known', async () => {
    expect((await planned('incremental', {}, {})).ranges).toEqual(AGAIN);
    await bench.leave([]);
    expect((await planned()).ranges).toEqual(AGAIN);
    bench = new TableBench();
    await bench.leave(await segments(2));
    expect((await planned('full')).ranges).toBeUndefined();
    expect((await planned()).ranges).toBeUndefined();
  });

  it('the plan of a full run has every segment read, with its files, and joins what fits into one file', async () => {
    const all = await segments(6);
    const { files } = all[0]!;
    for (const [index, entities] of [900, 60, 40, 1, 99, 901].entries()) all[index]!.entities = entities;
    all[5]!.size = 2 ** 23;
    await bench.leave(all);
    bench.limits.sliceBlobs = 1_000;
    const plan = await planned('full');
    expect(plan.segments.flat().map((each) => [each.status, each.files.length, each.range.upTo?.partition])).toEqual([
      ['failed', 3 * files.length, 'p00003'],
      ['failed', 2 * files.length, 'p00005'],
      ['failed', files.length, undefined],
    ]);
    // Each is read by an activity of its own.
    expect(plan.chunks!.map(({ items }) => items)).toEqual([1, 1, 1]);
  });

  it('the plan names the segments of the previous restore point in the order of their keys, several per chunk', async () => {
    const all = await segments(40);
    await bench.leave([...all.slice(20), ...all.slice(0, 20)]);
    const plan = await planned();
    expect(plan.segments.flat().map(({ name }) => name)).toEqual(all.map(({ name }) => name));
    expect(plan.chunks!.map(({ chunk, items }) => [chunk, items])).toEqual([
      [0, 16],
      [1, 16],
      [2, 8],
    ]);
    expect(plan.requests).toMatchObject({});
  });

  it('the plan joins many small segments, except in a retry, which takes them over', async () => {
    await bench.leave(await segments(40, 3));
    bench.limits.sliceBlobs = 8 * 60;
    const plan = await planned();
    expect(
      plan.segments.flat().map(({ status, files, range: { upTo } }) => [status, files.length, upTo?.partition]),
    ).toEqual([
      ['failed', 20, 'p00020'],
      ['failed', 20, undefined],
    ]);
    expect((await planned('retry')).segments.flat()).toHaveLength(40);
  });

  it('I10: the plan after runs that could not back up the table reads it against the last restore point that has it', async () => {
    const third = 'nightly-20260502T000000Z-tttttt';
    const table = { ...{ path: '', container: TASK, destination: '', sha256: '', last: true }, failed: 1 };
    const compared = [{ ...table, changed: 0, deleted: 0, skipped: 0, notSelected: 0, lost: [0] }];
    const failed = { parts: [], compared };
    await bench.leave(await segments(3), { id: OTHER });
    await bench.leave([], { ...failed, comparedWith: OTHER });
    await bench.leave([], { ...failed, id: third, comparedWith: POINT });
    const plan = await planned('incremental', {}, { last: third, point: third });
    expect(plan.segments.flat().map(({ status, files }) => [status, files.length])).toEqual(
      Array(3).fill(['failed', 1]),
    );
    // Without that one, nothing is there to compare with.
    await bench.control.changeNotes({ ...RUN, id: OTHER }, () => ({ removed: { at: '', run: 'r' } }));
    const lost = await planned('incremental', {}, { last: third, point: third });
    expect(lost.segments.flat()).toMatchObject([{ status: 'failed', range: {}, files: [] }]);
    // A table that the restore point before does not owe is new.
    await bench.leave([], { id: 'nightly-20260503T000000Z-ffffff', parts: [] });
    const next = 'nightly-20260503T000000Z-ffffff';
    expect((await planned('incremental', {}, { last: next, point: next })).ranges).toEqual(AGAIN);
  });

  it('the plan of a huge table has few chunks', async () => {
    await bench.leave(await segments(5_000));
    for (const mode of ['incremental', 'full'] as const) {
      const plan = await planned(mode);
      expect(plan.chunks!.length).toBeLessThanOrEqual(256);
      expect(plan.segments.flat()).toHaveLength(5_000);
    }
  });

  it('F28: two plans that are made at once are both whole', async () => {
    await bench.leave(await segments(3));
    const run = await bench.begin({}, { last: POINT });
    const { planTable } = bench.activities;
    const plans = await Promise.all([planTable({ run, ...task }), planTable({ run, ...task })]);
    const keys = plans.map(({ chunks }) => chunks![0]!.key);
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) {
      expect((await bench.control.readPart(partPath(run, 'plan', TASK, key))).items).toHaveLength(3);
    }
  });

  it('I1: the plan reads a segment as a whole if one of its files is missing or altered', async () => {
    const all = await segments(3);
    const [lost, other] = [await bench.file('lost00', []), await bench.file('other0', [])];
    all[0]!.files = [...all[0]!.files, lost];
    all[1]!.files = [{ ...other, sha256: 'another' }];
    await bench.leave(all);
    bench.spoil(lost.path);
    const plan = await planned();
    expect(plan.segments.flat().map(({ status, files }) => [status, files.length])).toEqual([
      ['failed', 0],
      ['failed', 0],
      ['copied', 1],
    ]);
  });

  it('I6: the plan concludes nothing from a restore point that is damaged, lacks keys, or is of another account', async () => {
    const all = await segments(2);
    const spoil: (() => Promise<unknown>)[] = [
      () => bench.leave(all.slice(1)),
      () => bench.leave([...all, all[1]!]),
      () => bench.leave(all, { source: 'https://another.test' }),
      async () => {
        await bench.leave(all);
        bench.spoil(partPath({ ...RUN, id: POINT }, 'range', TASK, rangeKey(0)), Buffer.from('{}'));
      },
      async () => {
        await bench.leave(all);
        bench.spoil(partPath({ ...RUN, id: POINT }, 'range', TASK, rangeKey(0)));
      },
      async () => {
        await bench.leave(all);
        bench.spoil(summaryPath({ ...RUN, id: POINT }), Buffer.from('{"format":1}'));
      },
      async () => {
        await bench.leave(all);
        bench.spoil(notesPath({ ...RUN, id: POINT }), Buffer.from('x'));
      },
    ];
    const before = { status: 'failed', range: {}, files: [] };
    for (const [index, each] of spoil.entries()) {
      bench = new TableBench();
      await segments(2);
      await each();
      for (const mode of ['incremental', 'full'] as const) {
        const plan = await planned(mode);
        expect(plan.ranges, `case ${index}`).toBeUndefined();
        expect(plan.segments.flat(), `case ${index}`).toEqual([expect.objectContaining(before)]);
      }
    }
  });

  it('the plan continues from the last run only if that left a restore point whose files can be relied on', async () => {
    const [older, newer] = [await segments(2), await segments(3)];
    const from = async (lock: object) => (await planned('incremental', {}, lock)).segments.flat().length;
    await bench.leave(older, { id: OTHER });
    await bench.leave(newer, { status: 'failed', restorePoint: false });
    expect(await from({ last: POINT, point: OTHER })).toBe(2);
    expect(await from({ last: 'nightly-20260501T000000Z-nobody', point: OTHER })).toBe(2);
    bench.spoil(summaryPath({ ...RUN, id: POINT }));
    bench.spoil(partPath({ ...RUN, id: POINT }, 'range', TASK, rangeKey(0)));
    await bench.leave(newer);
    expect(await from({ last: POINT, point: OTHER })).toBe(3);
    const removed = { at: '2026-05-01T00:00:00.000Z', run: 'r' };
    await bench.control.changeNotes({ ...RUN, id: POINT }, () => ({ removed }));
    expect(await from({ last: POINT, point: OTHER })).toBe(2);
  });

  it('the plan of a retry names the segments of the run it completes, or else of a restore point', async () => {
    await bench.leave(await segments(2), { id: OTHER });
    await bench.leave(await segments(3), { status: 'failed', restorePoint: false });
    const lock = { last: POINT, point: OTHER };
    expect((await planned('retry', {}, lock)).segments.flat()).toHaveLength(3);
    expect((await planned('retry', { scan: true }, lock)).segments.flat()).toHaveLength(2);
  });

  it('I10: the plan of a retry has the table read against the last restore point if the run it completes has not', async () => {
    await bench.leave(await segments(3), { id: OTHER });
    await bench.leave((await segments(3)).slice(1), { status: 'cancelled', restorePoint: false });
    const plan = await planned('retry', {}, { last: POINT, point: OTHER });
    expect(plan.segments.flat().map(({ status, files }) => [status, files.length])).toEqual(
      Array(3).fill(['failed', 1]),
    );
  });

  it('F29: no plan is made for a run that is stopped or superseded', async () => {
    const run = await bench.begin({}, {});
    await bench.cancel();
    expect(await bench.activities.planTable({ run, ...task })).toEqual({ stopped: 'cancelled' });
    await bench.begin({ id: OTHER });
    expect(await bench.activities.planTable({ run, ...task })).toEqual({ stopped: 'superseded' });
  });
});
