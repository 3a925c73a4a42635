import { isReceipt, isReceiptLine, lineOf, type Receipt, type ReceiptLine } from '#domain/archive/receipt.ts';
import { nameKey, nameKeyPrefix, receiptName, receiptsPath } from '#domain/archive/receipt-path.ts';
import { asciiJson } from '#domain/run/tally.ts';
import type { ControlStore } from './control-store.ts';

/** In the metadata of a receipt, what a listing has to tell of it. */
const LINE_KEY = 'strongroom_receipt';

/** A receipt as it was read. `value` is undefined where what lies there is none: then it may be claimed anew. */
export interface FoundReceipt {
  value: Receipt | undefined;
  etag: string;
}

/** A receipt as a listing shows it. */
export interface ListedReceipt extends ReceiptLine {
  path: string;
  /** Of the receipt itself. */
  receiptEtag: string;
}

export interface ReceiptPage {
  receipts: ListedReceipt[];
  next?: string;
}

/** The receipts of one rule and one source container. Throws `StorageError` and nothing else. */
export class ReceiptStore {
  readonly #control: ControlStore;
  readonly #folder: string;

  /** `account` is the address of the source's blob service. */
  constructor(control: ControlStore, of: { rule: string; account: string; container: string }) {
    this.#control = control;
    this.#folder = receiptsPath(of.rule, of.account, of.container);
  }

  /** One request. */
  async read(name: string, etag: string): Promise<FoundReceipt | undefined> {
    const found = await this.#control.read(this.#pathOf(name, etag));
    return found && { etag: found.etag, value: isReceipt(found.value, name, etag) ? found.value : undefined };
  }

  /**
   * Writes only if the receipt is still what was read (`absent`: there was none), and returns its new ETag; undefined when
   * somebody else came first. A write whose answer was lost is recognised as our own. One request.
   */
  async write(receipt: Receipt, expect: { ifMatch: string } | 'absent'): Promise<string | undefined> {
    const { name, etag } = receipt.source;
    return this.#control.replace(this.#pathOf(name, etag), receipt, expect, {
      [LINE_KEY]: asciiJson(lineOf(receipt)),
    });
  }

  /** One page, at most 5,000, sorted by the UTF-8 of names: all, or those of names that begin with a prefix, or of one name. */
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
      const line = lineIn(blob.metadata?.[LINE_KEY]);
      if (!line) return [];
      const isAskedFor = name === undefined ? line.name.startsWith(prefix ?? '') : line.name === name;
      return isAskedFor ? [{ ...line, path: blob.name, receiptEtag: blob.etag }] : [];
    });
    return { receipts, ...(page.next !== undefined && { next: page.next }) };
  }

  #pathOf(name: string, etag: string): string {
    return this.#folder + receiptName(name, etag);
  }
}

function lineIn(text: string | undefined): ReceiptLine | undefined {
  if (text === undefined) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    return isReceiptLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}
