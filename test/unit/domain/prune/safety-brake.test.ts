import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  brakeOf,
  type ContainerChange,
  changesSince,
  completedBy,
  type EndedBackup,
} from '#domain/prune/safety-brake.ts';
import type { ContainerReport } from '#domain/run/run.ts';

const POLICY = { percent: 50, blobs: 100 };

function change(changes: Partial<ContainerChange>): ContainerChange {
  return { container: 'images', before: 1000, listed: 1000, added: 0, changed: 0, ...changes };
}

const engaged = (changes: Partial<ContainerChange>, policy = POLICY) => brakeOf([change(changes)], policy).length > 0;

describe('the brake', () => {
  it.each<[boolean, string, Partial<ContainerChange>]>([
    [false, 'nothing changed', {}],
    [false, 'half of it changed', { changed: 500 }],
    [true, 'more than half of it changed', { changed: 501 }],
    [false, 'half of it gone', { listed: 500 }],
    [true, 'more than half of it gone', { listed: 499 }],
    [true, 'both together', { changed: 251, listed: 750 }],
    [true, 'blobs renamed, so that as many are listed', { added: 501 }],
    [false, 'much added', { listed: 9000, added: 8000 }],
    [true, 'much added, and much gone', { listed: 8499, added: 8000 }],
    [true, 'a container emptied', { listed: 0 }],
    [false, 'few blobs', { before: 99, listed: 0 }],
    [true, 'just enough blobs', { before: 100, listed: 0 }],
    [false, 'a new container', { before: 0, listed: 1000, added: 1000 }],
    [true, 'a container that was emptied before, and comes back changed', { before: 0, changed: 1000 }],
    [false, 'more listed than there can be', { listed: 5000 }],
  ])('is %s with %s', (expected, _, changes) => {
    expect(engaged(changes)).toBe(expected);
  });

  it('says of a table that it lost entities', () => {
    const reasonOf = (changes: Partial<ContainerChange>) =>
      brakeOf([change({ container: 'table.orders', ...changes })], { percent: 50, blobs: 1 })[0]?.reason;
    expect(reasonOf({ changed: 501 })).toBe('table orders: 501 changed of 1000 entities, more than 50%');
    expect(reasonOf({ before: 1, listed: 0 })).toBe('table orders: 1 gone of 1 entity, more than 50%');
    expect(reasonOf({ before: 0, changed: 2 })).toBe(
      'table orders: 2 changed, where the restore point before had no entities',
    );
  });

  it('goes by the policy', () => {
    expect(engaged({ changed: 101 }, { percent: 10, blobs: 1 })).toBe(true);
    expect(engaged({ changed: 100 }, { percent: 10, blobs: 1 })).toBe(false);
    expect(engaged({ changed: 1000 }, { percent: 10, blobs: 1001 })).toBe(false);
    // 0.29 * 100 is a little less than 29.
    expect(engaged({ before: 100, listed: 100, changed: 29 }, { percent: 29, blobs: 1 })).toBe(false);
  });

  it('names each container that engages it, with counts and in words', () => {
    expect(
      brakeOf(
        [
          change({ changed: 700, listed: 950 }),
          change({ container: 'quiet' }),
          change({ container: 'gone', listed: 0 }),
          change({ container: 'back', before: 0, changed: 1000 }),
          change({ container: 'rewritten', changed: 1000 }),
        ],
        POLICY,
      ),
    ).toEqual([
      {
        container: 'images',
        changed: 700,
        lost: 50,
        of: 1000,
        reason: 'images: 700 changed and 50 gone of 1000 blobs, more than 50%',
      },
      { container: 'gone', changed: 0, lost: 1000, of: 1000, reason: 'gone: 1000 gone of 1000 blobs, more than 50%' },
      {
        container: 'back',
        changed: 1000,
        lost: 0,
        of: 0,
        reason: 'back: 1000 changed, where the restore point before had no blobs',
      },
      {
        container: 'rewritten',
        changed: 1000,
        lost: 0,
        of: 1000,
        reason: 'rewritten: 1000 changed of 1000 blobs, more than 50%',
      },
    ]);
  });

  it('knows nothing of a table of which a stretch could not be read', () => {
    const table = (counts: Partial<ContainerReport['counts']>, status: ContainerReport['status'] = 'succeeded') =>
      ({
        container: 'table.orders',
        status,
        counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0, ...counts },
      }) as ContainerReport;
    const earlier: EndedBackup[] = [{ mode: 'full', restorePoint: true, containers: [table({ listed: 1000 })] }];
    const partly = table({ listed: 501, failed: 1, changed: 400 }, 'completed-with-failures');
    expect(changesSince(earlier, [partly])).toEqual([]);
    // Nor of one that may be there, while tables could not be listed.
    const unlisted = { ...table({}, 'failed'), container: 'table.*' };
    expect(changesSince(earlier, [])).toMatchObject([{ before: 1000, listed: 0 }]);
    expect(changesSince(earlier, [unlisted])).toEqual([]);
    // Its retry lists all of it, and finds changes only in the rest.
    const together = completedBy([partly], [table({ listed: 1000, changed: 300 })]);
    expect(changesSince(earlier, together)).toEqual([
      { container: 'table.orders', before: 1000, listed: 1000, added: 0, changed: 700 },
    ]);
  });

  it('a table that is named in another way is the same', () => {
    const report = (container: string, counts: Partial<ContainerReport['counts']> = {}): ContainerReport =>
      ({ container, status: 'succeeded', counts: { listed: 1000, failed: 0, ...counts }, problems: [] }) as never;
    const earlier: EndedBackup[] = [
      { mode: 'retry', restorePoint: true, containers: [report('table.ORDERS', { changed: 7 })] },
      { mode: 'full', restorePoint: true, containers: [report('table.Orders')] },
    ];
    expect(changesSince(earlier, [report('table.orders', { listed: 990 })])).toEqual([
      { container: 'table.orders', before: 1000, listed: 990, added: 0, changed: 7 },
    ]);
    expect(changesSince(earlier, [])).toMatchObject([{ container: 'table.ORDERS', before: 1000, listed: 0 }]);
    expect(completedBy([report('table.orders')], [report('table.ORDERS', { changed: 1 })])).toHaveLength(1);
  });

  it('is engaged by any rewriting and deleting of more than its share, however much is added', () => {
    const anyPolicy = fc.record({ percent: fc.integer({ min: 1, max: 100 }), blobs: fc.integer({ min: 1, max: 300 }) });
    const nat = fc.nat(1000);
    fc.assert(
      fc.property(nat, nat, nat, nat, anyPolicy, (unchanged, changed, deleted, added, policy) => {
        const before = unchanged + changed + deleted;
        const [found] = brakeOf([change({ before, listed: unchanged + changed + added, added, changed })], policy);
        const touched = changed + deleted;
        const expected = touched >= policy.blobs && touched / before > policy.percent / 100 + 1e-12;
        expect(found !== undefined).toBe(expected);
        if (found) expect(found).toMatchObject({ changed, lost: deleted, of: before });
      }),
      { numRuns: 1000 },
    );
  });
});
