import { beforeEach, describe, expect, it } from 'vitest';
import type { Segment } from '#domain/tables/segment.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { RunFields } from '../../../support/builders/run-ref.ts';
import { type Line, READ_AT, TASK, TableBench } from '../../../support/builders/table-bench.ts';

let bench: TableBench;
beforeEach(() => {
  bench = new TableBench();
  bench.limits.sliceBlobs = 50;
});

const task = { container: TASK, destination: 'd' };
const row = (name: string) => ({ partition: 'p', row: name });
const NOW = '2026-05-02T00:00:10.000Z';

/** Lines of the entities that the table has, as they are, and of others. */
function linesOf(names: string, ...others: Line[]): Line[] {
  const lives = bench.tables.tables.get('orders')!;
  const own = [...names].map((name): Line => {
    const { Timestamp } = JSON.parse(lives.get(`p/${name}`)!.versions.at(-1)!.text!);
    return { row: name, at: Timestamp };
  });
  return [...own, ...others];
}

async function updated(segments: Segment[], more: object = {}, wanted: RunFields = {}) {
  const run = await bench.begin(wanted);
  const chunk = await bench.plan(run, segments);
  const answer = await bench.activities.updateSegments({ run, ...task, chunk, from: 0, piece: 0, ...more });
  const left = answer.problem || answer.stopped ? undefined : await bench.left(run, 0);
  return { run, chunk, answer, segments: left?.segments ?? [], tally: left?.tally };
}

describe('updating a segment', () => {
  it('an unchanged segment costs one request, from five minutes before it was read', async () => {
    bench.put(...'abc');
    const segment = await bench.segment(linesOf('abc'));
    const { segments, tally, answer } = await updated([segment]);
    expect(answer).toEqual({});
    expect(bench.asked).toEqual([{ since: '2026-04-30T23:55:00.000Z' }]);
    expect(segments).toEqual([
      { ...segment, status: 'unchanged', modified: NOW, readAt: NOW, deletionsUnknownSince: READ_AT },
    ]);
    expect(tally).toMatchObject({ listed: 3, unchanged: 3, copied: 0, deletionsUnknownSince: READ_AT });
    expect(bench.files).toHaveLength(1);
  });

  it('an update adds new and changed entities, and none that is stored already', async () => {
    bench.put(...'abcdefghijklmnopqrstuvwxyz');
    const segment = await bench.segment([
      ...linesOf('abcdefghijklmnopqrstuvwx'),
      { row: 'y', at: '2026-05-01T00:00:00.0000001Z' },
    ]);
    const { segments, tally } = await updated([segment]);
    expect(segments[0]).toMatchObject({ status: 'copied', entities: 26, readAt: NOW });
    expect(segments[0]!.files[0]).toEqual(segment.files[0]);
    expect(await bench.rows(segments[0]!.files[1]!)).toEqual(['y', 'z']);
    expect(tally).toMatchObject({ listed: 26, copied: 2, unchanged: 24, added: 1, changed: 1 });
    const { end } = await bench.control.readEntityFile(segments[0]!.files[1]!);
    expect(end).toMatchObject({
      kind: 'changes',
      since: '2026-04-30T23:55:00.000Z',
      range: {},
      items: 2,
      run: tally && expect.any(String),
    });
  });

  it('an update follows later files: an entity deleted in one is new again in the next', async () => {
    bench.put(...'abcdefghij');
    const segment = await bench.segment(linesOf('abcdefghij'));
    segment.files.push(await bench.file('more00', [{ row: 'j' }]));
    segment.entities = 9;
    const { segments, tally } = await updated([segment]);
    expect(segments[0]).toMatchObject({ entities: 10 });
    expect(await bench.rows(segments[0]!.files[2]!)).toEqual(['j']);
    expect(tally).toMatchObject({ added: 1, copied: 1, unchanged: 9 });
  });

  it('an update that compares keys finds deletions, and they are no longer unknown', async () => {
    bench.deletions = true;
    bench.put(...'abcdefgh');
    const lines = linesOf('abcdefgh', { row: 'x', at: READ_AT }, { row: 'y', at: READ_AT });
    const segment = await bench.segment(lines, { deletionsUnknownSince: '2026-04-01T00:00:00.000Z' });
    const { segments, tally } = await updated([segment]);
    expect(segments[0]).toMatchObject({ status: 'copied', entities: 8 });
    expect(segments[0]!.deletionsUnknownSince).toBeUndefined();
    expect(await bench.rows(segments[0]!.files[1]!)).toEqual(['-x', '-y']);
    expect(tally).toMatchObject({ listed: 8, copied: 0, unchanged: 8, deleted: 2 });
    expect(tally!.deletionsUnknownSince).toBeUndefined();
  });

  it('F24: an update leaves out an entity that is gone by the time the keys are compared', async () => {
    bench.deletions = true;
    bench.put(...'abcdefgh');
    const lines = linesOf('abcdefg');
    bench.before = ({ keysOnly }) => {
      if (!keysOnly) return;
      bench.tables.remove('orders', row('h'));
      bench.put('late');
    };
    const { segments, tally } = await updated([await bench.segment(lines)]);
    expect(segments[0]).toMatchObject({ status: 'unchanged', entities: 7 });
    expect(tally).toMatchObject({ listed: 7, unchanged: 7 });
  });

  it('F24: an update asks again for entities written between the two requests, as they may have been deleted before', async () => {
    bench.deletions = true;
    bench.put(...'abcdefgh');
    const segment = await bench.segment(linesOf('abcdefgh'));
    let compared = false;
    bench.before = ({ keysOnly }) => {
      if (keysOnly) bench.put('c', 'e');
      else if (compared) bench.tables.remove('orders', row('e'));
      compared ||= keysOnly === true;
    };
    const { segments, tally } = await updated([segment]);
    expect(segments[0]).toMatchObject({ status: 'copied', entities: 7 });
    expect(tally).toMatchObject({ listed: 7, copied: 1, changed: 1, deleted: 1 });
    expect(await bench.rows(segments[0]!.files[1]!)).toEqual(['c', '-e']);
  });

  it('an update counts no stored entity as a change, however many there are', async () => {
    bench.put(...'abcdefgh');
    const segment = await bench.segment(linesOf('abcdefgh'));
    bench.limits.sliceBlobs = 2;
    const { segments, answer } = await updated([segment]);
    expect(answer.read).toBeUndefined();
    expect(segments[0]).toMatchObject({ status: 'unchanged', files: segment.files });
  });

  it('an update keeps the time since when deletions are unknown', async () => {
    bench.put('a');
    const since = '2026-04-01T00:00:00.000Z';
    const { segments, tally } = await updated([await bench.segment(linesOf('a'), { deletionsUnknownSince: since })]);
    expect(segments[0]!.deletionsUnknownSince).toBe(since);
    expect(tally).toMatchObject({ deletionsUnknownSince: since, problems: { 'deletions-not-compared': 1 } });
  });

  it('a segment is read as a whole after too many changes, with eight files, or if its changes exceed memory', async () => {
    bench.put(...'abcdefghijklmnopqrstuvwxyz');
    const changed = (names: string): Line[] => [...names].map((name) => ({ row: name, at: READ_AT }));
    const [first, second] = ['abcdefghijklm', 'nopqrstuvwxyz'];
    const half = await bench.segment([...linesOf(first), ...changed(second)]);
    expect((await updated([half])).answer.read).toBeUndefined();
    const seven = await updated([await withFiles(7)], {}, { id: 'nightly-20260502T000008Z-cccccc' });
    expect(seven.segments[0]!.files).toHaveLength(8);
    const more = await bench.segment([...linesOf(first.slice(1)), ...changed(`a${second}`)]);
    for (const [index, segment] of [more, await withFiles(8), await bench.segment([])].entries()) {
      const run = await bench.begin({ id: `nightly-20260502T00000${index}Z-cccccc` });
      const chunk = await bench.plan(run, [segment]);
      const answer = await bench.activities.updateSegments({ run, ...task, chunk, from: 0, piece: 0 });
      expect(answer, `segment ${index}`).toEqual({ read: { range: {}, old: { key: chunk.key, index: 0 } } });
      expect((await bench.left(run, 0)).tally.keys).toBeUndefined();
    }
    bench.limits.sliceBlobs = 12;
    expect((await updated([half], {}, { id: 'nightly-20260502T000009Z-cccccc' })).answer.read).toBeDefined();
    // What earlier files have changed counts as well.
    const before = await withFiles(5, 4);
    bench.limits.sliceBlobs = 50;
    expect((await updated([before], {}, { id: 'nightly-20260502T000010Z-cccccc' })).answer.read).toBeDefined();

    /** Each file but the first changes so many. */
    async function withFiles(count: number, lines = 1): Promise<Segment> {
      const segment = await bench.segment([...linesOf(first + second.slice(1)), ...changed('n')]);
      const again = changed('nnnn'.slice(0, lines));
      for (let n = 1; n < count; n++) segment.files.push(await bench.file(`c${count}x${n}xx`, again));
      return segment;
    }
  });

  it('I1: a segment is read as a whole if it was lost or its files are altered', async () => {
    bench.put(...'ab');
    const lost = await bench.segment([], { status: 'failed', files: [] });
    expect((await updated([lost])).answer).toEqual({ read: { range: {} } });
    expect(bench.asked).toEqual([]);
    const damaged = await bench.segment(linesOf('a'));
    bench.spoil(damaged.files[0]!.path, Buffer.from('x'));
    const { answer, chunk } = await updated([damaged], {}, { id: 'nightly-20260502T000001Z-cccccc' });
    expect(answer).toEqual({ read: { range: {}, old: { key: chunk.key, index: 0 } } });
  });

  it('an update of a dry run counts, and stores nothing', async () => {
    bench.put(...'abcdef');
    const segment = await bench.segment([...linesOf('abcde'), { row: 'f', at: READ_AT }]);
    const { segments, tally } = await updated([segment], {}, { dryRun: true });
    expect(segments).toEqual([]);
    expect(tally).toMatchObject({ listed: 6, unchanged: 5, planned: 1, copied: 0 });
    expect(bench.files).toHaveLength(1);
  });
});

describe('updating one segment after another', () => {
  const ranges = [{ upTo: row('c') }, { after: row('c'), upTo: row('f') }, { after: row('f') }];
  const three = () =>
    Promise.all(['abc', 'def', 'ghi'].map((names, at) => bench.segment(linesOf(names), { range: ranges[at]! })));

  it('an update covers all segments, each within its own key range', async () => {
    bench.put(...'abcdefghi');
    const { segments, tally, answer } = await updated(await three());
    expect(answer).toEqual({});
    expect(segments.map(({ range }) => range)).toEqual(ranges);
    expect(bench.asked.map(({ after, upTo }) => ({ ...(after && { after }), ...(upTo && { upTo }) }))).toEqual(ranges);
    expect(tally!.keys).toEqual(['', '']);
  });

  it('an update stops when its time is over or a segment must be read, and says where to continue', async () => {
    bench.put(...'abcdefghi');
    const segments = await three();
    bench.tick = 60_000;
    const { run, chunk, answer } = await updated(segments);
    expect(answer).toEqual({ next: 1 });
    bench.tick = 0;
    segments[2] = { ...segments[2]!, status: 'failed' };
    expect(await bench.activities.updateSegments({ run, ...task, chunk, from: 1, piece: 1 })).toEqual({});
    const again = await updated(
      [segments[0]!, { ...segments[1]!, status: 'failed' }, segments[2]!],
      {},
      { id: 'nightly-20260502T000001Z-cccccc' },
    );
    expect(again.answer).toEqual({ read: { range: ranges[1], old: { key: again.chunk.key, index: 1 } }, next: 2 });
    expect(again.segments.map(({ range }) => range)).toEqual([ranges[0]]);
  });

  it('F28: two executions of an update continue from what the first has left', async () => {
    bench.put(...'abcdefghi');
    const segments = await three();
    segments[1]!.readAt = '2026-05-02T00:00:00.000Z';
    const run = await bench.begin();
    const chunk = await bench.plan(run, segments);
    const input = { run, ...task, chunk, from: 0, piece: 0 };
    const [first, second] = await Promise.all([
      bench.activities.updateSegments(input),
      bench.activities.updateSegments(input),
    ]);
    bench.put('d0', 'e0', 'e1');
    for (const answer of [first, second, await bench.activities.updateSegments(input)]) {
      expect(answer).not.toHaveProperty('next');
      expect(answer).not.toHaveProperty('read');
    }
    expect((await bench.left(run, 0)).segments).toHaveLength(3);
  });

  it('I1: an update that failed permanently names each segment', async () => {
    bench.put(...'abcdefghi');
    const failPermanently = { code: 'throttled' as const, message: 'Busy' };
    const before = await three();
    const { segments, tally } = await updated(before, { failPermanently });
    expect(segments.map(({ status, files, code, range }) => [status, files, code, range])).toEqual(
      // What the run before had of them is what the next one is compared with.
      ranges.map((range, at) => ['failed', before[at]!.files, 'throttled', range]),
    );
    expect(tally).toMatchObject({ listed: 3, failed: 3, problems: { throttled: 3 }, keys: ['', ''] });
    expect(bench.asked).toEqual([]);
  });

  it('an update asks again for everything that a failure left out', async () => {
    bench.put(...'abcdefghi');
    bench.before = ({ after }) => {
      if (after) throw new StorageError('throttled', 'Busy');
    };
    const { answer, run } = await updated(await three());
    expect(answer.problem).toMatchObject({ code: 'throttled', container: TASK });
    expect((await bench.control.listParts(run)).filter(({ path }) => path.includes('-range'))).toEqual([]);
  });

  it('an update of a retry takes over whole segments unchanged, and asks only for lost ones', async () => {
    bench.put(...'abcdefghi');
    const segments = await three();
    segments[1] = { ...segments[1]!, status: 'failed', files: [] };
    const { answer, segments: kept, tally } = await updated(segments, {}, { mode: 'retry', retryOf: 'r' });
    expect(answer).toEqual({ read: { range: ranges[1] }, next: 2 });
    expect(tally!.problems).toEqual({ 'changes-not-counted': 1 });
    expect(kept).toEqual([{ ...segments[0], status: 'unchanged' }]);
    expect(bench.asked).toEqual([]);
  });

  it('I1: an update of a retry from an older restore point asks for everything written since', async () => {
    bench.put(...'abcdefghi');
    const segments = await three();
    bench.put('a');
    const { segments: found } = await updated(segments, { scan: true }, { mode: 'retry', retryOf: 'r' });
    expect(bench.asked).toHaveLength(3);
    expect(found[0]).toMatchObject({ status: 'copied' });
  });

  it('F29: an update ends when the run is stopped', async () => {
    bench.put(...'abcdefghi');
    const segments = await three();
    bench.tick = 5_000;
    bench.before = () => void bench.cancel();
    expect((await updated(segments)).answer).toEqual({ stopped: 'cancelled' });
  });
});
