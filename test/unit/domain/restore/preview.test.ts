import { expect, test } from 'vitest';
import { NO_COUNTS, type Preview, sumOfCounts, withDecided } from '#domain/restore/preview.ts';
import { outcomeOf, type PlannedItem } from '#domain/run/outcome.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const NOTHING: Preview = { counts: NO_COUNTS, failures: {} };
const planned = (more: Partial<PlannedItem> = {}): PlannedItem => ({
  ...{ from: blobState({ name: 'a', size: 5 }), reason: 'restore' },
  ...more,
});
const failed = (code: 'target-exists' | 'content-missing') =>
  outcomeOf(blobState({ name: 'a' }), 'failed', { code, source: blobState({ name: 'a' }) });

test('each decision counts once, and bytes are those that would be copied', () => {
  const { counts, failures } = [
    planned(),
    planned({ to: blobState({ name: 'a', size: 9 }) }),
    planned({ from: blobState({ name: 'b', size: 7, tier: 'Archive' }) }),
    outcomeOf(blobState({ name: 'c' }), 'unchanged', {}),
    outcomeOf(blobState({ name: 'd' }), 'skipped', { code: 'target-exists' }),
    failed('target-exists'),
    failed('target-exists'),
    failed('content-missing'),
  ].reduce(withDecided, NOTHING);
  expect(counts).toEqual({
    ...{ items: 8, bytes: 17, new: 2, replaced: 1, unchanged: 1, skipped: 1, failed: 3, rehydrated: 1 },
  });
  expect(failures).toEqual({ 'target-exists': 2, 'content-missing': 1 });
  expect(sumOfCounts([counts, counts])).toMatchObject({ items: 16, bytes: 34, failed: 6 });
  expect(sumOfCounts([])).toEqual(NO_COUNTS);
});
