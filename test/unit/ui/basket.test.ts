import { describe, expect, it } from 'vitest';
import {
  type Basket,
  basketWords,
  isChosen,
  MOST_CHARACTERS,
  MOST_NAMES,
  namesAt,
  readBasket,
  withChosen,
  withoutChosen,
  withoutPlace,
} from '../../../ui/model/basket.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const place = { point: { id: 'nightly-29', time: '2026-11-29T23:30:00.000Z' }, job: 'nightly', container: 'images' };
const blobs = (count: number, name = (index: number) => `blob-${index}`) =>
  Array.from({ length: count }, (_, index) => ({ name: name(index), size: 1000 }));
const with1 = withChosen([], place, blobs(1)).basket;

describe('a basket', () => {
  it('collects names by restore point and container, each once', () => {
    const again = withChosen(with1, place, blobs(2)).basket;
    const other = withChosen(again, { ...place, container: 'docs' }, blobs(1)).basket;
    const older = withChosen(other, { ...place, point: { id: 'nightly-28', time: '' } }, blobs(1)).basket;
    expect(older.map(({ point, container, blobs: of }) => [point.id, container, of.length])).toEqual([
      ['nightly-29', 'images', 2],
      ['nightly-29', 'docs', 1],
      ['nightly-28', 'images', 1],
    ]);
    expect(basketWords(again)).toBe('2 blobs, 2 kB');
    expect(basketWords(older)).toBe('4 blobs, 4 kB, in 3 restores');
    expect(namesAt(older, place)).toEqual(new Set(['blob-0', 'blob-1']));
    expect(isChosen(older, { ...place, container: 'docs' }, 'blob-1')).toBe(false);
  });

  it('takes what one restore takes, and says how many are left', () => {
    const { basket, left } = withChosen(with1, place, blobs(MOST_NAMES + 5));
    expect(basket[0]!.blobs).toHaveLength(MOST_NAMES);
    expect(left).toBe(5);
    const long = withChosen(
      [],
      place,
      blobs(200, (index) => `${index}`.padEnd(1024, 'x')),
    );
    expect(long.left).toBe(200 - MOST_CHARACTERS / 1024);
    expect(withChosen([], place, []).basket).toEqual([]);
  });

  it('forgets names, and a place without names', () => {
    const two = withChosen(with1, place, blobs(2)).basket;
    expect(withoutChosen(two, place, ['blob-0'])[0]!.blobs).toEqual([{ name: 'blob-1', size: 1000 }]);
    expect(withoutChosen(with1, place, ['blob-0'])).toEqual([]);
    expect(withoutPlace(two, place)).toEqual([]);
  });

  it('survives the session with any name', () => {
    const { basket } = withChosen(
      [],
      place,
      HOSTILE_NAMES.map((name) => ({ name, size: 1 })),
    );
    expect(readBasket(JSON.stringify(basket))).toEqual(basket);
  });

  it.each([
    null,
    '',
    '{',
    'null',
    '{}',
    '[1]',
    '[{}]',
    '[{"point":{"id":"a","time":"b"},"job":"c","container":"d","blobs":[{"name":1,"size":1}]}]',
  ])('is empty if the session has kept %s', (text) => expect(readBasket(text)).toEqual([] satisfies Basket));
});
