import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyRange } from '#domain/tables/table-key.ts';
import { StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { TASK, TableBench } from '../../../support/builders/table-bench.ts';

let bench: TableBench;
beforeEach(() => {
  bench = new TableBench();
});

const task = { container: TASK, destination: 'd' };
const row = (name: string) => ({ partition: 'p', row: name });

/** Reads from the beginning to the end, piece by piece; the rows of each. */
async function readAll(more: object = {}): Promise<string[][]> {
  const run = await bench.begin({ mode: 'full' });
  const found: string[][] = [];
  let range: KeyRange | undefined = {};
  for (let piece = 0; range; piece++) {
    const answer = await bench.activities.readRange({ run, ...task, range, piece, ...more });
    expect(answer.problem).toBeUndefined();
    const { segments, tally } = await bench.left(run, piece);
    expect(tally).toMatchObject({ listed: tally.copied, unchanged: 0, failed: 0 });
    for (const segment of segments) {
      expect(segment).toMatchObject({
        status: 'copied',
        entities: segment.files[0]!.items,
        readAt: '2026-05-02T00:00:10.000Z',
      });
      found.push(await bench.rows(segment.files[0]!));
    }
    range = answer.rest;
  }
  return found;
}

describe('reading a key range of a table', () => {
  it.each([
    ['', [[]]],
    ['a', [['a']]],
    ['abcde', [['a', 'b', 'c', 'd', 'e']]],
    ['abcdef', [['a', 'b', 'c', 'd', 'e'], ['f']]],
    ['abcdefghijk', [['a', 'b', 'c', 'd', 'e'], ['f', 'g', 'h', 'i', 'j'], ['k']]],
  ])('readRange writes files of so many entities: %j', async (names, files) => {
    bench.put(...names);
    expect(await readAll()).toEqual(files);
  });

  it('readRange leaves out nothing if the service sends short pages', async () => {
    bench.put(...'abcdefg');
    bench.tables.traits.page = (limit) => Math.min(limit, 2);
    expect(await readAll()).toEqual([
      ['a', 'b', 'c', 'd', 'e'],
      ['f', 'g'],
    ]);
    expect(bench.asked.map(({ limit }) => limit)).toEqual([5, 3, 1, 5]);
  });

  it('readRange ends at a page after its time, and after 8 MiB of text', async () => {
    bench.put(...'abcdef');
    bench.tables.traits.page = () => 2;
    bench.tick = 60_000;
    const run = await bench.begin({ mode: 'full' });
    const answer = await bench.activities.readRange({ run, ...task, range: {}, piece: 0 });
    expect(answer).toMatchObject({ rest: { after: row('b') } });
    bench = new TableBench();
    bench.limits.sliceBlobs = 1_000;
    bench.tables.traits.page = (limit) => Math.min(limit, 4);
    const text = 'x'.repeat(2 ** 20);
    for (let n = 0; n < 30; n++) bench.tables.write('orders', row(String(n).padStart(2, '0')), { text });
    const files = await readAll();
    expect(files.map(({ length }) => length)).toEqual([8, 8, 8, 6]);
  });

  it('readRange ends within a page that is larger than a file may be, and leaves nothing out', async () => {
    bench.limits.sliceBlobs = 1_000;
    const text = 'x'.repeat(2 ** 20);
    for (let n = 0; n < 30; n++) bench.tables.write('orders', row(String(n).padStart(2, '0')), { text });
    const files = await readAll();
    expect(files.map(({ length }) => length)).toEqual([8, 8, 8, 6]);
    expect(files.flat()).toEqual(Array.from({ length: 30 }, (_, n) => String(n).padStart(2, '0')));
  });

  it('readRange reads a little first if the size of the key range is unknown', async () => {
    bench.limits.sliceBlobs = 50_000;
    const run = await bench.begin({ mode: 'full' });
    for (let n = 0; n < 5_001; n++) bench.tables.write('orders', row(String(n).padStart(5, '0')));
    const answer = await bench.activities.readRange({ run, ...task, range: {}, piece: 0, first: true });
    expect(answer).toMatchObject({ rest: { after: row('04999') } });
  });

  it('readRange covers what it has read, and hands on the rest of the key range', async () => {
    bench.put(...'abcdefghijk');
    const range = { after: row('b'), upTo: { partition: 'p', row: 'i' } };
    const run = await bench.begin({ mode: 'full' });
    expect(await bench.activities.readRange({ run, ...task, range, piece: 0 })).toMatchObject({
      rest: { after: row('g'), upTo: row('i') },
    });
    const { segments, tally } = await bench.left(run, 0);
    expect(segments[0]).toMatchObject({ range: { after: row('b'), upTo: row('g') }, entities: 5 });
    expect(tally.window).toEqual(['2026-05-02T00:00:10.000Z', '2026-05-02T00:00:10.000Z']);
    const { end } = await bench.control.readEntityFile(segments[0]!.files[0]!);
    expect(end).toMatchObject({ kind: 'entities', table: 'orders', run: run.id, items: 5, range: segments[0]!.range });
  });

  it('F28: two executions of readRange at once continue from what the first has read', async () => {
    bench.put(...'abcdefgh');
    const run = await bench.begin({ mode: 'full' });
    const { readRange } = bench.activities;
    let reads = 0;
    // Between the two, somebody writes.
    bench.before = () => {
      if (++reads === 2) bench.put('a0', 'b0');
    };
    const input = { run, ...task, range: {}, piece: 0 };
    const answers = [...(await Promise.all([readRange(input), readRange(input)])), await readRange(input)];
    const { segments } = await bench.left(run, 0);
    expect(segments).toHaveLength(1);
    for (const answer of answers) expect(answer.rest).toEqual({ after: segments[0]!.range.upTo });
    expect(new Set(bench.files).size).toBe(3);
    expect(await bench.rows(segments[0]!.files[0]!)).toHaveLength(5);
  });

  it('readRange of a dry run counts, and stores nothing', async () => {
    bench.put(...'abcdefg');
    const run = await bench.begin({ mode: 'full', dryRun: true });
    expect(await bench.activities.readRange({ run, ...task, range: {}, piece: 0 })).toMatchObject({
      rest: { after: row('e') },
    });
    const { segments, tally } = await bench.left(run, 0);
    expect(segments).toEqual([]);
    expect(tally).toMatchObject({ listed: 5, planned: 5, copied: 0 });
    expect(bench.files).toEqual([]);
  });

  it('readRange counts against the segment that it replaces', async () => {
    bench.put('a', 'b', 'c');
    const [a, b] = ['a', 'b'].map((name) =>
      JSON.parse(bench.tables.tables.get('orders')!.get(`p/${name}`)!.versions[0]!.text!),
    );
    const run = await bench.begin();
    const segment = await bench.segment([
      { row: 'a', at: a.Timestamp },
      { row: 'b', at: `${b.Timestamp}0` },
      { row: 'gone', at: a.Timestamp },
    ]);
    const { key } = await bench.plan(run, [segment]);
    const old = { key, index: 0 };
    await bench.activities.readRange({ run, ...task, range: {}, piece: 0, old });
    expect((await bench.left(run, 0)).tally).toMatchObject({
      listed: 3,
      copied: 2,
      unchanged: 1,
      added: 1,
      changed: 1,
    });
    // Where that cannot be told any more, all of it is new.
    bench.spoil(segment.files[0]!.path);
    await bench.activities.readRange({ run, ...task, range: {}, piece: 1, old });
    expect((await bench.left(run, 1)).tally).toMatchObject({ listed: 3, copied: 3, unchanged: 0 });
  });

  it.each([
    ['container-not-found', 'table-not-found'],
    ['access-denied', 'access-denied-source'],
    ['throttled', 'throttled'],
    ['unreachable', 'unreachable'],
    ['server', 'server-error'],
  ] as [StorageErrorKind, string][])('readRange reports %s as %s, and leaves no part', async (kind, code) => {
    const run = await bench.begin({ mode: 'full' });
    bench.before = () => {
      throw new StorageError(kind, 'No');
    };
    const { problem } = await bench.activities.readRange({ run, ...task, range: {}, piece: 0 });
    expect(problem).toMatchObject({ code, container: TASK, count: 0 });
    expect(await bench.control.listParts(run)).toEqual([]);
    expect(bench.files).toEqual([]);
  });

  it('I1: readRange of a key range that failed permanently names it, without reading it again', async () => {
    const run = await bench.begin({ mode: 'full' });
    const range = { after: row('m') };
    const failPermanently = { code: 'throttled' as const, message: 'Busy' };
    expect(
      await bench.activities.readRange({ run, ...task, range, piece: 0, failPermanently, requests: { ListBlobs: 1 } }),
    ).toEqual({});
    const { segments, tally } = await bench.left(run, 0);
    expect(segments).toEqual([
      expect.objectContaining({
        status: 'failed',
        range,
        entities: 0,
        files: [],
        code: 'throttled',
        message: 'Busy',
        name: 'after p/m',
      }),
    ]);
    expect(tally).toMatchObject({ listed: 1, failed: 1, problems: { throttled: 1 }, requests: { ListBlobs: 1 } });
    expect(bench.asked).toEqual([]);
  });

  it('F29: readRange ends when the run is stopped, also in the middle, and leaves no part', async () => {
    bench.put(...'abcdefg');
    bench.tables.traits.page = () => 1;
    bench.tick = 5_000;
    const run = await bench.begin({ mode: 'full' });
    let cancelled: Promise<void> | undefined;
    bench.before = () => {
      if (bench.asked.length === 2) cancelled = bench.cancel();
    };
    expect(await bench.activities.readRange({ run, ...task, range: {}, piece: 0 })).toEqual({ stopped: 'cancelled' });
    await cancelled;
    expect(bench.asked.length).toBeLessThan(5);
    expect(await bench.control.listParts(run)).toEqual([]);
  });
});
