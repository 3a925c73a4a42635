import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameKey, nameKeyPrefix, poisonId, receiptName, receiptsPath } from '#domain/archive/receipt-path.ts';
import { byCodePoint } from '#domain/blobs/name-order.ts';

const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1024 }),
  fc.constantFrom(
    'a',
    'a/b',
    'a-b',
    '../x',
    'a//b',
    'a.',
    'a/',
    '~',
    `${'x'.repeat(360)}~`,
    '\ud800',
    '\ud801',
    '\ufffd',
  ),
);

describe('I8: the key of a name', () => {
  it('is its own: no two names share one', () => {
    fc.assert(fc.property(name, name, (a, b) => (a === b) === (nameKey(a) === nameKey(b))));
  });

  it('has nothing in it that could reach out of its folder, and leaves room for the rest of the path', () => {
    fc.assert(
      fc.property(name, (each) => {
        expect(nameKey(each)).toMatch(/^[0-9a-f~]{2,785}$/);
      }),
    );
  });

  it('keeps names in order, and together with those that begin alike', () => {
    const short = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((each) => each.isWellFormed());
    fc.assert(
      fc.property(short, short, (a, b) => {
        const keys = nameKey(a) < nameKey(b) ? -1 : nameKey(a) > nameKey(b) ? 1 : 0;
        expect(keys).toBe(Math.sign(byCodePoint(a, b)));
        expect(nameKey(a + b).startsWith(nameKeyPrefix(a))).toBe(true);
      }),
    );
  });
});

it('receipts of one name lie between those of the names before and after it', () => {
  const paths = ['a', 'a-b', 'a/b', 'ab'].map((each) => receiptName(each, '0x8DFFFFFFFFFFFFF'));
  expect(paths.toSorted()).toEqual(paths);
  expect(receiptName('a', '0x8DD')).toBe('61/0x8DD.json');
  expect(receiptName('a', '../../"x"')).toMatch(/^61\/[0-9a-f]{32}\.json$/);
});

it('accounts are distinguished by their address, whatever its form', () => {
  expect(receiptsPath('uploads', 'https://acct.blob.core.windows.net', 'in')).toBe(
    'archives/uploads/receipts/acct.blob.core.windows.net/in/',
  );
  expect(receiptsPath('uploads', 'http://127.0.0.1:10000/acct', 'in')).toBe('archives/uploads/receipts/acct/in/');
});

it('poisoned uploads of other containers, names and versions have other ids', () => {
  const ids = [
    poisonId('c', 'a', undefined),
    poisonId('c', 'a', '0x1'),
    poisonId('c', 'a', '0x2'),
    poisonId('d', 'a', '0x1'),
    poisonId('ca', '', '0x1'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});
