import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundId, type KeyBound, keyOfName, nameOfKey, nameOfRange } from '#domain/tables/table-key.ts';

/** Anything but a slash, halves of characters among them: JSON must keep them apart. */
const part = fc
  .array(fc.oneof(fc.constantFrom(...'ab,"[]\\{} %', '\ud800', '\udc00', 'é'), fc.string({ maxLength: 1 })), {
    maxLength: 5,
  })
  .map((units) => units.join('').replaceAll('/', ''));
const bound: fc.Arbitrary<KeyBound> = fc.record({ partition: part, row: part }, { requiredKeys: ['partition'] });

describe('keys', () => {
  it('come back from their names, whatever they hold, and empty ones too', () => {
    fc.assert(
      fc.property(part, part, (partition, row) => {
        expect(keyOfName(nameOfKey({ partition, row }))).toEqual({ partition, row });
      }),
    );
    expect(keyOfName(nameOfKey({ partition: '', row: '' }))).toEqual({ partition: '', row: '' });
  });
});

describe('bounds', () => {
  it('have the same id only when they are the same', () => {
    fc.assert(
      fc.property(bound, bound, (one, other) => {
        const same = one.partition === other.partition && one.row === other.row;
        expect(boundId(one) === boundId(other), JSON.stringify([one, other])).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  it('tell the end of a partition from a row without a name, and both from the end of the table', () => {
    const ids = [undefined, { partition: '' }, { partition: '', row: '' }, { partition: 'undefined' }].map(boundId);
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toBe('');
  });

  it('have ids that are short and fit a header, however long the keys', () => {
    expect(boundId({ partition: '日'.repeat(512), row: '\u{1f600}'.repeat(256) })).toMatch(/^[0-9a-f]{20}$/);
  });
});

it('a stretch is named for people', () => {
  expect(nameOfRange({})).toBe('all keys');
  expect(nameOfRange({ after: { partition: 'a', row: '1' } })).toBe('after a/1');
  expect(nameOfRange({ after: { partition: 'a' }, upTo: { partition: 'b', row: '' } })).toBe('after a/… up to b/');
});
