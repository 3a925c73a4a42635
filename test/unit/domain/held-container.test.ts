import { expect, it } from 'vitest';
import { heldContainers } from '../../../src/domain/held-container.ts';
import type { PartEntry } from '../../../src/domain/run.ts';

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
    part('r1', 'data', '000000-scan', { unchanged: 5, skipped: 1 }),
    part('r1', 'data', '000000-copy-00-000000', { copied: 2, failed: 3 }),
    part('r1', 'data', '000001-copy-00-000000', { copied: 1, failed: 1, skipped: 1 }),
    part('r1', 'more', '000000-scan', {}),
  ];
  expect(heldContainers(parts)).toEqual([
    { container: 'data', mirror: 'databackup', blobs: 8, failed: 4, skipped: 2 },
    { container: 'more', mirror: 'morebackup', blobs: 0, failed: 0, skipped: 0 },
  ]);
});

it('counts a failure once, whatever the number of retries, and not when it was settled', () => {
  const parts = [
    part('r1', 'data', '000000-copy-00-000000', { copied: 2, failed: 3 }),
    part('r1', 'more', '000000-copy-00-000000', { failed: 2 }),
    part('r2', 'data', '000000-scan', {}),
    part('r2', 'data', '000000-copy-00-000000', { copied: 1, failed: 2 }),
    part('r3', 'data', '000000-scan', {}),
    part('r3', 'data', '000000-copy-00-000000', { copied: 1, failed: 1 }),
  ];
  expect(heldContainers(parts)).toEqual([
    { container: 'data', mirror: 'databackup', blobs: 4, failed: 1, skipped: 0 },
    { container: 'more', mirror: 'morebackup', blobs: 0, failed: 2, skipped: 0 },
  ]);
});
