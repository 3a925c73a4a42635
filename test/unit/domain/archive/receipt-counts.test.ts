import { expect, test } from 'vitest';
import type { ReceiptState } from '#domain/archive/receipt.ts';
import { NO_RECEIPTS, withReceipts } from '#domain/archive/receipt-counts.ts';

const line = (name: string, state: ReceiptState, at: string) => ({
  ...{ name, etag: '0x1', state, at, modified: at },
});

test('receipts are counted by state, and the newest is the one that was archived last', () => {
  const first = withReceipts(NO_RECEIPTS, [line('a', 'done', '2026-05-02'), line('b', 'failed', '2026-05-09')]);
  const newest = { name: 'a', at: '2026-05-02' };
  expect(first).toEqual({ done: 1, claimed: 0, failed: 1, missed: 0, settled: 0, newest });
  const more = [
    line('c', 'done', '2026-05-03'),
    line('d', 'claimed', '2026-06-01'),
    line('e', 'settled', '2026-07-01'),
  ];
  expect(withReceipts(first, more)).toMatchObject({ done: 2, claimed: 1, settled: 1, newest: { name: 'c' } });
  expect(NO_RECEIPTS.newest).toBeNull();
});
