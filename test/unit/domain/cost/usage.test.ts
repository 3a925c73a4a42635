import { describe, expect, it } from 'vitest';
import { archivedTo, plannedUsage, usageOf } from '#domain/cost/usage.ts';
import { transferKey } from '#domain/run/transfers.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const transfers = { 'Cool/Cool': [10, 1000], 'Hot/': [30, 3000] } as Record<string, [number, number]>;
const run = (more: object) => ({
  mode: 'incremental' as const,
  dryRun: false,
  status: 'succeeded' as const,
  requests: { CopyBlobFromURL: 40 },
  containers: [{ bytes: { listed: 9000, copied: 4000 }, transfers }],
  ...more,
});

describe('the usage of a run', () => {
  it('is what it planned, if it copied all of that', () => {
    expect(usageOf(run({}))).toEqual({
      requests: { CopyBlobFromURL: 40 },
      moved: [
        { from: 'Cool', to: 'Cool', blobs: 10, bytes: 1000 },
        { from: 'Hot', to: '', blobs: 30, bytes: 3000 },
      ],
    });
  });

  it('is the same share of each tier, if it copied only some', () => {
    const containers = [{ bytes: { listed: 9000, copied: 1000 }, transfers }];
    expect(usageOf(run({ status: 'cancelled', containers })).moved).toEqual([
      { from: 'Cool', to: 'Cool', blobs: 2, bytes: 250 },
      { from: 'Hot', to: '', blobs: 7, bytes: 750 },
    ]);
  });

  it('has no copies in a dry run; what it planned is apart', () => {
    const dry = run({ dryRun: true, requests: { ListBlobs: 2 } });
    expect(usageOf(dry)).toEqual({ requests: { ListBlobs: 2 }, moved: [] });
    expect(plannedUsage(dry)).toMatchObject({
      requests: { CopyBlobFromURL: 40 },
      moved: [{ blobs: 10 }, { blobs: 30 }],
    });
  });

  it('only reads in a verification, and says so if it did not end', () => {
    expect(usageOf(run({ mode: 'verify' })).moved[0]).toEqual({ from: 'Cool', blobs: 10, bytes: 1000 });
    const { moved, unknown } = usageOf(run({ mode: 'verify', status: 'cancelled' }));
    expect([moved, unknown]).toEqual([[], ['content that the verification read before it ended']]);
  });

  it('knows the priority of rehydrations', () => {
    const containers = [{ bytes: { listed: 0, copied: 0, planned: 5 }, transfers: { 'Archive/Cool': [1, 5] } }];
    const restore = { mode: 'restore', dryRun: true, containers };
    const at = (rehydrate: string) => plannedUsage(run({ ...restore, restore: { rehydrate } }) as never);
    expect(at('high')).toMatchObject({ requests: { SetBlobTier: 1 }, moved: [{ from: 'Archive', high: true }] });
    expect(at('standard').moved[0]).not.toHaveProperty('high');
  });

  it('has the tier that an archive rule sets, but not on blobs that take none', () => {
    const containers = [{ bytes: { listed: 9, copied: 9 }, transfers: { 'Hot/': [1, 4], '/': [1, 5] } }];
    const { moved } = archivedTo(usageOf(run({ mode: 'reconcile', containers } as object)), 'Cold');
    expect(moved.map(({ from, to }) => `${from}/${to}`)).toEqual(['Hot/Cold', '/']);
  });
});

describe('the tiers of a planned item', () => {
  const cool = blobState({ tier: 'Cool' });

  it('are that of the blob, and that of its copy if the blob has one of its own', () => {
    expect(transferKey({ from: cool, reason: 'new' })).toBe('Cool/Cool');
    expect(transferKey({ from: { ...cool, tierInferred: true }, reason: 'changed' })).toBe('Cool/');
  });

  it('are those of the entry in a restore', () => {
    const entry = { name: 'a', status: 'copied', etag: 'e', modified: '', size: 1, tier: 'Cold' } as const;
    expect(transferKey({ from: { ...cool, tier: 'Archive' }, entry, reason: 'restore' })).toBe('Archive/Cold');
  });

  it.each(['tier', 'tags', 'not-needed', 'source-gone'] as const)('are none for the reason %s', (reason) => {
    expect(transferKey({ from: cool, reason })).toBeUndefined();
  });
});
