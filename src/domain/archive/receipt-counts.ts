import type { ReceiptLine } from './receipt.ts';

/** Receipts in numbers. */
export interface ReceiptCounts {
  done: number;
  claimed: number;
  failed: number;
  missed: number;
  settled: number;
  /** The version that was archived last. */
  newest: Pick<ReceiptLine, 'name' | 'at'> | null;
}

export const NO_RECEIPTS: ReceiptCounts = { done: 0, claimed: 0, failed: 0, missed: 0, settled: 0, newest: null };

export function withReceipts(counts: ReceiptCounts, lines: readonly ReceiptLine[]): ReceiptCounts {
  const sum = { ...counts };
  for (const { state, name, at } of lines) {
    sum[state]++;
    if (state === 'done' && (sum.newest === null || at > sum.newest.at)) sum.newest = { name, at };
  }
  return sum;
}
