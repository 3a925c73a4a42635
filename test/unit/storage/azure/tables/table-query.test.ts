import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { EntityKey, KeyBound, KeyRange } from '#domain/tables/table-key.ts';
import { cursorOf, filtersOf, inAddress, positionOf } from '#storage/azure/tables/table-query.ts';

const P = { partition: 'b', row: '2' };
const END_OF_B = { partition: 'b' };
const Q = { partition: 'd', row: '4' };

describe('the filters of a range', () => {
  it.each<[string, KeyRange, string[]]>([
    ['the whole table', {}, ['']],
    ['what is behind a key', { after: P }, ["PartitionKey eq 'b' and RowKey gt '2'", "PartitionKey gt 'b'"]],
    ['what is behind a partition', { after: END_OF_B }, ["PartitionKey gt 'b'"]],
    ['everything up to a key', { upTo: P }, ["PartitionKey lt 'b'", "PartitionKey eq 'b' and RowKey le '2'"]],
    ['everything up to the end of a partition', { upTo: END_OF_B }, ["PartitionKey le 'b'"]],
    [
      'a range from key to key',
      { after: P, upTo: Q },
      [
        "PartitionKey eq 'b' and RowKey gt '2'",
        "PartitionKey gt 'b' and PartitionKey lt 'd'",
        "PartitionKey eq 'd' and RowKey le '4'",
      ],
    ],
    [
      'a range within a partition',
      { after: P, upTo: { partition: 'b', row: '3' } },
      ["PartitionKey eq 'b' and RowKey gt '2' and RowKey le '3'"],
    ],
    ['the rest of a partition', { after: P, upTo: END_OF_B }, ["PartitionKey eq 'b' and RowKey gt '2'"]],
    [
      'empty keys',
      { after: { partition: '', row: '' } },
      ["PartitionKey eq '' and RowKey gt ''", "PartitionKey gt ''"],
    ],
    ['keys with quotes', { upTo: { partition: "it's '" } }, ["PartitionKey le 'it''s '''"]],
  ])('the filters select %s', (_what, range, filters) => {
    expect(filtersOf(range)).toEqual(filters);
  });

  it('every filter selects only what was written since', () => {
    const since = '2026-11-01T00:00:00.1234567Z';
    const written = `Timestamp ge datetime'${since}'`;
    expect(filtersOf({}, since)).toEqual([written]);
    expect(filtersOf({ after: P }, since)).toEqual([
      `PartitionKey eq 'b' and RowKey gt '2' and ${written}`,
      `PartitionKey gt 'b' and ${written}`,
    ]);
  });

  it('the filters find every key of the range once, in order, and no other', () => {
    const part = fc.constantFrom('', 'a', "'", 'b', 'ba');
    const bound = fc.record({ partition: part, row: part }, { requiredKeys: ['partition'] }) as fc.Arbitrary<KeyBound>;
    const names = ['', "'", 'a', 'b', 'ba', 'c'];
    const keys = names.flatMap((partition) => names.map((row) => ({ partition, row })));
    fc.assert(
      fc.property(fc.option(bound, { nil: undefined }), fc.option(bound, { nil: undefined }), (after, upTo) => {
        fc.pre(!after || !upTo || compare(after, upTo) <= 0);
        const range = { ...(after && { after }), ...(upTo && { upTo }) };
        const found = filtersOf(range).flatMap((filter) => keys.filter((key) => holds(filter, key)));
        const inside = keys.filter((key) => (!after || compare(key, after) > 0) && (!upTo || compare(key, upTo) <= 0));
        expect(found).toEqual(inside);
      }),
    );
  });

  it('no filter says "or", which makes the service read the whole table', () => {
    expect(filtersOf({ after: P, upTo: Q }).join()).not.toMatch(/ or /);
  });
});

function compare(a: KeyBound, b: KeyBound): number {
  const rank = (bound: KeyBound) => (bound.row === undefined ? 1 : 0);
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  if (rank(a) !== rank(b) || a.row === b.row) return rank(a) - rank(b);
  return a.row! < b.row! ? -1 : 1;
}

/** As the service reads it, for keys without blanks. */
function holds(filter: string, { partition, row }: EntityKey): boolean {
  if (filter === '') return true;
  return filter.split(' and ').every((condition) => {
    const [, name, operator, literal] = /^(PartitionKey|RowKey) (eq|gt|ge|lt|le) '(.*)'$/.exec(condition)!;
    const value = name === 'RowKey' ? row : partition;
    const other = literal!.replaceAll("''", "'");
    const order = value === other ? 'e' : value < other ? 'l' : 'g';
    return operator === 'eq' ? order === 'e' : operator!.includes(order);
  });
}

describe('a cursor', () => {
  it('a cursor returns its position, whatever the service puts into it', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
    fc.assert(
      fc.property(fc.nat(2), text, text, (query, partition, row) => {
        const position = { query, ...(partition !== undefined && { partition }), ...(row !== undefined && { row }) };
        const cursor = cursorOf(position);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(positionOf(cursor, 3)).toEqual(position);
      }),
    );
  });

  it.each([['x'], [''], [cursorOf({ query: 1 })], [Buffer.from('[0,1,null]').toString('base64url')]])(
    'a cursor that is malformed is refused: %s',
    (cursor) => {
      expect(() => positionOf(cursor, 1)).toThrow(expect.objectContaining({ kind: 'invalid' }));
    },
  );
});

test('an address refuses half a character', () => {
  expect(inAddress("a'é/%")).toBe("a'%C3%A9%2F%25");
  expect(() => inAddress('\ud800')).toThrow(expect.objectContaining({ kind: 'invalid' }));
});
