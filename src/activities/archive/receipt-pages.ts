import type { BlobState } from '#domain/blobs/blob.ts';
import type { ListingPage } from '#domain/blobs/listing-cursor.ts';
import type { ListedReceipt, ReceiptStore } from '#storage/control/receipt-store.ts';

/** The receipts of one name, as one entry of a listing that is walked in parallel with that of the source. */
export interface NameWithReceipts extends BlobState {
  receipts: ListedReceipt[];
}

/**
 * Pages of the names that have receipts, each once in a page; the receipts of one name may continue in the next page.
 * The order is that of the receipts: the UTF-8 of names.
 */
export function receiptPages(store: ReceiptStore, prefix: string) {
  return async (marker: string | undefined): Promise<ListingPage & { blobs: NameWithReceipts[] }> => {
    const page = await store.list({ prefix, ...(marker !== undefined && { marker }) });
    const blobs: NameWithReceipts[] = [];
    for (const receipt of page.receipts) {
      const last = blobs.at(-1);
      if (last?.name === receipt.name) last.receipts.push(receipt);
      else blobs.push(nameWith(receipt));
    }
    return { blobs, ...(page.next !== undefined && { next: page.next }) };
  };
}

function nameWith(receipt: ListedReceipt): NameWithReceipts {
  return { name: receipt.name, etag: '', lastModified: receipt.modified, size: 0, type: 'block', receipts: [receipt] };
}
