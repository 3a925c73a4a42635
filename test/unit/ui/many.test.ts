import { expect, it } from 'vitest';
import { withText } from '../../../ui/model/many.ts';

it('of many, those are found whose names contain a text, whatever their case', () => {
  const names = ['tenant-1', 'Tenant-12', 'other'];
  const found = (text: string) => withText(names, (name) => name, text);
  expect(found('NANT-1')).toEqual(['tenant-1', 'Tenant-12']);
  expect(found(' 12 ')).toEqual(['Tenant-12']);
  expect(found(' ')).toBe(names);
  expect(found('none')).toEqual([]);
});
