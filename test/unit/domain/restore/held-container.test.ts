import { expect, it } from 'vitest';
import { heldContainers, heldTables } from '#domain/restore/held-container.ts';
import type { PartEntry } from '#domain/run/run.ts';

const part = (run: string, container: string, key: string, counts: Partial<PartEntry>): PartEntry => ({
  path: `jobs/nightly/runs/${run}/manifest/${container}/${key}.ndjson.gz`,
  container,
  destination: `${container}backup`,
  copied: 0,
  unchanged: 0,
  skipped: 0,
  failed: 0,
  sha256: '',
  ...counts,
});

it('adds up what is held and skipped', () => {
  const parts = [
    part('r1', 'data', '000000-slice', { unchanged: 5, skipped: 1 }),
    part('r1', 'data', '000000-chunk-00-000000', { copied: 2, failed: 3 }),
    part('r1', 'data', '000001-chunk-00-000000', { copied: 1, failed: 1, skipped: 1 }),
    part('r1', 'more', '000000-slice', {}),
  ];
  expect(heldContainers(parts)).toEqual([
    { container: 'data', backupContainer: 'databackup', blobs: 8, failed: 4, skipped: 2 },
    { container: 'more', backupContainer: 'morebackup', blobs: 0, failed: 0, skipped: 0 },
  ]);
});

it('counts a failure once, whatever the number of retries, and not when it was settled', () => {
  const parts = [
    part('r1', 'data', '000000-chunk-00-000000', { copied: 2, failed: 3 }),
    part('r1', 'more', '000000-chunk-00-000000', { failed: 2 }),
    part('r2', 'data', '000000-slice', {}),
    part('r2', 'data', '000000-chunk-00-000000', { copied: 1, failed: 2 }),
    part('r3', 'data', '000000-slice', {}),
    part('r3', 'data', '000000-chunk-00-000000', { copied: 1, failed: 1 }),
  ];
  expect(heldContainers(parts)).toEqual([
    { container: 'data', backupContainer: 'databackup', blobs: 4, failed: 1, skipped: 0 },
    { container: 'more', backupContainer: 'morebackup', blobs: 0, failed: 2, skipped: 0 },
  ]);
});

it('keeps tables and containers apart', () => {
  const parts = [
    part('r1', 'data', '000000-slice', { unchanged: 5 }),
    part('r1', 'table.orders', '000000-range', { copied: 3, unchanged: 4, window: ['2026-01-02', '2026-01-04'] }),
    part('r1', 'table.orders', '000001-range', { failed: 1, window: ['2026-01-01', '2026-01-03'] }),
    part('r1', 'table.customers', '000000-range', {}),
  ];
  expect(heldContainers(parts).map(({ container }) => container)).toEqual(['data']);
  expect(heldTables(parts)).toEqual([
    { table: 'orders', entities: 7, failed: 1, window: { from: '2026-01-01', to: '2026-01-04' } },
    { table: 'customers', entities: 0, failed: 0 },
  ]);
});
