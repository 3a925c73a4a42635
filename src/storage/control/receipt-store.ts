import { isReceipt, isReceiptLine, lineOf, type Receipt, type ReceiptLine } from '#domain/archive/receipt.ts';
import { nameKey, nameKeyPrefix, receiptName, receiptsPath } from '#domain/archive/receipt-path.ts';
import { asciiJson } from '#domain/run/tally.ts';
import type { ControlContainer } from './control-container.ts';
import { listedLine } from './listed-line.ts';

/** Metadata of a receipt: what a listing needs. */
const LINE_KEY = 'strongroom_receipt';

/** A receipt. `value` is undefined if the document is not a valid receipt: a new claim may then replace it. */
export interface FoundReceipt {
  value: Receipt | undefined;
  etag: string;
}

/** A receipt in a listing. */
export interface ListedReceipt extends ReceiptLine {
  path: string;
  /** ETag of the receipt itself. */
  receiptEtag: string;
}

export interface ReceiptPage {
  receipts: ListedReceipt[];
  next?: string;
}

/** The receipts of one rule and one source container. Throws `StorageError` and nothing else. */
export class ReceiptStore {
  readonly #control: ControlContainer;
  readonly #folder: string;

  /** `account` is the address of the source's blob service. */
  constructor(control: ControlContainer, of: { rule: string; account: string; container: string }) {
    this.#control = control;
    this.#folder = receiptsPath(of.rule, of.account, of.container);
  }

  /** One request. */
  async read(name: string, etag: string): Promise<FoundReceipt | undefined> {
    const found = await this.#control.read(this.#pathOf(name, etag));
    return found && { etag: found.etag, value: isReceipt(found.value, name, etag) ? found.value : undefined };
  }

  /**
   * Writes only if the receipt is unchanged since it was read (`absent`: does not exist), and returns its new ETag;
   * undefined if another writer was first. Recognizes its own write after a lost answer. One request.
   */
  async write(receipt: Receipt, expect: { ifMatch: string } | 'absent'): Promise<string | undefined> {
    const { name, etag } = receipt.source;
    return this.#control.replace(this.#pathOf(name, etag), receipt, expect, {
      [LINE_KEY]: asciiJson(lineOf(receipt)),
    });
  }

  /** One page (at most 5,000), sorted by the UTF-8 of names: all, or those of one name or of names with a prefix. */
  async list(options: { name?: string; prefix?: string; marker?: string; limit?: number }): Promise<ReceiptPage> {
    const { name, prefix, marker, limit } = options;
    const below = name !== undefined ? `${nameKey(name)}/` : nameKeyPrefix(prefix ?? '');
    const page = await this.#control.list({
      prefix: this.#folder + below,
      metadata: true,
      ...(marker !== undefined && { marker }),
      ...(limit !== undefined && { limit }),
    });
    const receipts = page.blobs.flatMap((blob): ListedReceipt[] => {
      const line = listedLine(blob.metadata?.[LINE_KEY], isReceiptLine);
      if (!line) return [];
      const isWanted = name === undefined ? line.name.startsWith(prefix ?? '') : line.name === name;
      return isWanted ? [{ ...line, path: blob.name, receiptEtag: blob.etag }] : [];
    });
    return { receipts, ...(page.next !== undefined && { next: page.next }) };
  }

  #pathOf(name: string, etag: string): string {
    return this.#folder + receiptName(name, etag);
  }
}
