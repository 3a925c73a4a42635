import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyDeadline, isAtomic, methodsFor, SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const MB = 1024 * 1024;

describe('the methods to try', () => {
  it.each([
    ['block', 256 * MB, 'auto', ['sync', 'async', 'blocks']],
    ['block', 256 * MB + 1, 'auto', ['async', 'blocks']],
    ['block', 0, 'auto', ['sync', 'async', 'blocks']],
    ['block', 1, 'sync', ['sync', 'async', 'blocks']],
    ['block', 256 * MB + 1, 'sync', ['blocks']],
    ['block', 1, 'async', ['async']],
    ['block', 1, 'blocks', ['blocks']],
    ['page', 1, 'auto', ['async']],
    ['page', 1, 'blocks', ['async']],
    ['append', 1, 'sync', ['async']],
  ] as const)('for a %s blob of %i bytes, %s wanted: %j', (type, size, wanted, methods) => {
    expect(methodsFor(blobState({ type, size }), wanted)).toEqual(methods);
  });

  it('are never none, never the same twice, and none that the service refuses', () => {
    const types = fc.constantFrom('block' as const, 'page' as const, 'append' as const);
    const wanted = fc.constantFrom('auto' as const, 'sync' as const, 'async' as const, 'blocks' as const);
    const sizes = fc.oneof(fc.nat(), fc.constantFrom(SYNC_LIMIT, SYNC_LIMIT + 1, 2 ** 42));
    fc.assert(
      fc.property(types, sizes, wanted, (type, size, method) => {
        const methods = methodsFor(blobState({ type, size }), method);
        expect(methods.length).toBeGreaterThan(0);
        expect(new Set(methods).size).toBe(methods.length);
        if (type !== 'block') expect(methods).toEqual(['async']);
        if (size > SYNC_LIMIT) expect(methods).not.toContain('sync');
      }),
    );
  });

  it('F2: only the asynchronous one can leave neither the old content nor the new', () => {
    expect([isAtomic('sync'), isAtomic('blocks'), isAtomic('async')]).toEqual([true, true, false]);
  });
});

describe('the deadline of an asynchronous copy', () => {
  it('grows with the size, and is never above six days', () => {
    expect(copyDeadline(0, 3_600_000)).toBe(3_600_000);
    expect(copyDeadline(4_000_000_000, 3_600_000)).toBe(3_600_000 + 1_000_000);
    expect(copyDeadline(2 ** 50, 3_600_000)).toBe(6 * 24 * 3_600_000);
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(copyDeadline(Math.min(a, b), 1000)).toBeLessThanOrEqual(copyDeadline(Math.max(a, b), 1000));
      }),
    );
  });
});
