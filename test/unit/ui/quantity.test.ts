import { expect, it } from 'vitest';
import { bytes, counted, listed } from '../../../ui/model/quantity.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [4096, '4.1 kB'],
  [12_340, '12.3 kB'],
  [188_252_160, '188 MB'],
  [999_950, '1 MB'],
  [1_010_000, '1.01 MB'],
  [1_200_000_000, '1.2 GB'],
  [2_100_000_000_000, '2.1 TB'],
  [1e21, '1000 EB'],
])('%d bytes are %s', (count, words) => expect(bytes(count)).toBe(words));

it.each([
  [0, '0 blobs'],
  [1, '1 blob'],
  [5018, '5,018 blobs'],
])('%d blobs are %s', (count, words) => expect(counted(count, 'blob')).toBe(words));

it.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and c'],
])('%j are listed as %s', (words, list) => expect(listed(words)).toBe(list));
