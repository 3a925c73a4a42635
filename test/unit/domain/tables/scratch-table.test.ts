import { expect, it } from 'vitest';
import { scratchTable, tableDrillOf } from '#domain/tables/scratch-table.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';

const RUN = 'nightly-20260502T000000Z-k3f9q2';

it('names the drill it belongs to, and is valid for the service', () => {
  const name = scratchTable(RUN, '0a1b2c');
  expect(name).toBe('strongroomdrillk3f9q20a1b2c');
  expect(isValidTableName(name)).toBe(true);
  expect(tableDrillOf(name)).toBe('k3f9q2');
});

it.each([
  'strongroom',
  'strongroomdrill',
  'strongroomdrills',
  'orders',
  'strongroomdrillk3f9q20a1b2c3',
  'xstrongroomdrillk3f9q20a1b2c',
])('%s belongs to none', (name) => expect(tableDrillOf(name)).toBeUndefined());
