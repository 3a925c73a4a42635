import { describe, expect, it } from 'vitest';
import { expand, isValidContainerName } from '#domain/blobs/container-template.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';
import { containerProblem, safePlace, tableProblem } from '../../../ui/model/safe-place.ts';

const LONG = `${'a'.repeat(53)}-bcdefghi`;

describe('the place that a restore goes to unless one chooses another', () => {
  it.each([
    [['images'], 0, { container: 'images-restored', prefix: '' }],
    [['images'], 1, { container: 'images-restored-2', prefix: '' }],
    [['$web'], 0, { container: 'web-restored', prefix: '' }],
    [[LONG], 0, { container: `${'a'.repeat(53)}-restored`, prefix: '' }],
    [['images', 'docs'], 0, { container: '{container}-restored', prefix: '' }],
    [['images', '$web'], 0, { container: 'restored', prefix: '{container}/' }],
    [['images', LONG], 1, { container: 'restored-2', prefix: '{container}/' }],
  ])('%j, try %d', (containers, attempt, place) => expect(safePlace(containers, [], attempt)).toMatchObject(place));

  it('is a name that the service takes', () => {
    const names = ['abc', '$web', '$root', LONG, 'a'.repeat(63), `${'a-'.repeat(31)}b`];
    for (const name of names) {
      for (let attempt = 0; attempt < 12; attempt++) {
        const { container } = safePlace([name], [], attempt);
        expect(isValidContainerName(container), container).toBe(true);
        for (const each of names)
          expect(isValidContainerName(expand(safePlace([name, each, 'x-y'], [], attempt).container, each))).toBe(true);
      }
    }
    for (const table of ['orders', 'A'.repeat(63)])
      for (const tables of [[table], [table.slice(0, 40), 'other']])
        expect(isValidTableName(safePlace([], tables, 1).table.replace('{table}', tables[0]!))).toBe(true);
  });
});

it.each(['images', '{container}-x', 'a-b', 'ab', 'A', 'a--b', '-a', 'a_b', '', 'a'.repeat(64)])(
  'whether %j is the name of a container is what the API says',
  (name) => expect(containerProblem(name) === undefined).toBe(isValidContainerName(expand(name, 'abc'))),
);

it.each(['orders', '{table}Restored', 'tables', '1a', 'ab', 'a-b', ''])('whether %j is the name of a table', (name) =>
  expect(tableProblem(name) === undefined).toBe(isValidTableName(name.replace('{table}', 'abc'))),
);
