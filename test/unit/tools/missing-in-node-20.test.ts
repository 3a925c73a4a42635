import { expect, it } from 'vitest';
import { missingInNode20 } from '../../../tools/missing-in-node-20.ts';

it.each([
  ['x=Map.groupBy(a,b)', 'Map.groupBy'],
  ['let{promise:p}=Promise.withResolvers()', 'Promise.withResolvers'],
  ['await Array.fromAsync(a)', 'Array.fromAsync'],
  ['[...m.values().map(f)]', '.values().map('],
  ['t.matchAll(r).toArray()', '.matchAll(r).toArray('],
  ['a.isSubsetOf(b)', '.isSubsetOf('],
])('%j calls what Node 20 does not have', (text, call) => expect(missingInNode20(text)).toBe(call));

it.each(['Object.values(a).map(f)', 'Object.entries(a.b).filter(f)', '[...m.values()].map(f)', 'z.union([a,b])'])(
  '%j runs on Node 20',
  (text) => expect(missingInNode20(text)).toBeUndefined(),
);
