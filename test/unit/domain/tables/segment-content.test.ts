import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamagedPartError } from '#domain/run/part.ts';
import { EntityFileWriter, readEntityFile } from '#domain/tables/entity-file.ts';
import { itemsOf, segmentContent } from '#domain/tables/segment-content.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';

/** Few enough for the files of a segment to be about the same ones. */
const keys = fc.record({
  partition: fc.constantFrom('', 'a', 'b', "it's", '"', 'é', '\ue000', '😀'),
  row: fc.constantFrom('', '1', '2', '10', 'deleted', '\\ud83d', '{"deleted":{'),
});
const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null), fc.boolean());
const changes = fc.record({
  upserts: fc.uniqueArray(fc.tuple(keys, fc.dictionary(fc.constantFrom('deleted', 'Value', 'x@odata.type'), value)), {
    selector: ([key]) => nameOfKey(key),
  }),
  deleted: fc.uniqueArray(keys, { selector: nameOfKey }),
});

function fileOf(
  number: number,
  { upserts, deleted }: typeof changes extends fc.Arbitrary<infer Changes> ? Changes : never,
) {
  const writer = new EntityFileWriter();
  for (const [{ partition, row }, properties] of upserts) {
    // A property may come first, whatever it is called.
    writer.add(JSON.stringify({ ...properties, PartitionKey: partition, RowKey: row }));
  }
  for (const key of deleted) writer.addDeletion(key);
  const times = { readFrom: '2026-05-01T00:00:00Z', readTo: '2026-05-01T00:00:10Z' };
  const about = { file: `f${number}`, format: 1, table: 't', source: 's', run: 'r', range: {}, ...times } as const;
  return readEntityFile(
    writer.finish({ ...about, kind: number === 0 && deleted.length === 0 ? 'entities' : 'changes' }).body,
    `f${number}`,
  );
}

/** A file of one line that any writer may have made. */
function planted(line: string) {
  const writer = new EntityFileWriter();
  writer.add(line);
  const times = { readFrom: '2026-05-01T00:00:00Z', readTo: '2026-05-01T00:00:10Z' };
  const about = {
    file: 'f',
    format: 1,
    table: 't',
    source: 's',
    run: 'r',
    range: {},
    kind: 'entities',
    ...times,
  } as const;
  return readEntityFile(writer.finish(about).body, 'f');
}

describe('what a segment holds', () => {
  it('equals a map to which the lines of its files are applied one after another', () => {
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 5 }), (given) => {
        const model = new Map<string, string>();
        for (const { upserts, deleted } of given) {
          for (const [key, properties] of upserts) {
            const { partition, row } = key;
            model.set(nameOfKey(key), JSON.stringify({ ...properties, PartitionKey: partition, RowKey: row }));
          }
          for (const key of deleted) model.delete(nameOfKey(key));
        }
        const content = [...segmentContent(given.map((each, index) => fileOf(index, each)))];
        expect(new Map(content.map(({ key, text }) => [nameOfKey(key), text]))).toEqual(model);
        expect(content).toHaveLength(model.size);
      }),
    );
  });

  it.each([
    ['a long deletion', `{"deleted":{${'['.repeat(20 * 1024 * 1024)}`, /a line has 20971532 characters/],
    ['a long entity', `{"PartitionKey":"${'x'.repeat(5 * 1024 * 1024)}"}`, /a line has 524\d+ characters/],
    ['a CR that would have all lines parsed', `{"a":\r${'['.repeat(4_000_000)}`, /a line has a CR in it/],
  ])('I10: %s in a planted file is refused at once', (_what, line, message) => {
    const began = process.cpuUsage();
    expect(() => [...itemsOf(planted(line))]).toThrow(message);
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });

  it('lines that another tool ended with CR LF are read', () => {
    const [item] = [...itemsOf(planted('{"PartitionKey":"a","RowKey":"1"}\r'))];
    expect(item).toEqual({ entity: { key: { partition: 'a', row: '1' }, text: '{"PartitionKey":"a","RowKey":"1"}' } });
  });

  it('comes in the order of the first file, and then what others have added', () => {
    const of = (...rows: string[]) => ({
      upserts: rows.map((row) => [{ partition: 'a', row }, {}] as [{ partition: string; row: string }, object]),
      deleted: [],
    });
    const rows = (...files: ReturnType<typeof of>[]) =>
      [...segmentContent(files.map((each, index) => fileOf(index, each as never)))].map(({ key }) => key.row);
    expect(rows(of('😀', '\ue000', 'b'))).toEqual(['😀', '\ue000', 'b']);
    expect(rows(of('\ue000', 'b'), of('😀', 'a'), of('b'))).toEqual(['\ue000', 'b', '😀', 'a']);
  });

  it('a line that is no entity and no deletion is damage, and the file is named', () => {
    for (const line of [
      '',
      'x',
      '{}',
      '{"PartitionKey":"a"}',
      '{"deleted":{"PartitionKey":"a"}}',
      '[]',
      '1',
      '{"PartitionKey":"a","RowKey":"1"},{"PartitionKey":"a","RowKey":"2"}',
    ]) {
      const end = { file: 'jobs/x.gz' } as never;
      const file = { lines: () => [[line]].values() as never, end };
      expect(() => [...itemsOf(file)], line).toThrow(DamagedPartError);
      expect(() => [...itemsOf(file)]).toThrow(/^jobs\/x\.gz is damaged: /);
    }
  });
});
