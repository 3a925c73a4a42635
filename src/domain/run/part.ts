import { gunzipSync } from 'node:zlib';
import { CompressedLines } from './compressed-lines.ts';

/**
 * A part: a list of items as gzip-compressed NDJSON, closed by one line `{"end":…}` that says how the part was made and
 * how many items it has. Readable with `zcat` and `jq`. A part without its end is damaged, never short.
 */
export interface Part<Item, End> {
  items: Item[];
  end: End;
}

export class DamagedPartError extends Error {
  override readonly name = 'DamagedPartError';
}

/** Characters. Names, metadata and tags of a blob may have 25,000, and anyone who writes to the source chooses them. */
const LARGE = 32 * 1024 * 1024;

/** Bytes. Far beyond the limits of a part: Strongroom did not write anything larger. */
const LARGEST = 500 * 1024 * 1024;

export class PartWriter<Item> {
  readonly #lines = new CompressedLines();

  get items(): number {
    return this.#lines.items;
  }

  /** Whether the part is so large that the next items belong into another: it is read into memory as a whole. */
  get isLarge(): boolean {
    return this.#lines.size >= LARGE;
  }

  add(item: Item): void {
    this.#lines.add(JSON.stringify(item));
  }

  /** Closes the part. `sha256` is of the returned bytes. */
  finish(end: object): { body: Buffer; sha256: string } {
    return this.#lines.finish(end);
  }
}

/** Throws `DamagedPartError` with the name of the part if anything of it is missing or altered. */
export function readPart<Item, End>(body: Buffer, name: string): Part<Item, End> {
  let text: string;
  try {
    text = gunzipSync(body, { maxOutputLength: LARGEST }).toString('utf8');
  } catch (error) {
    throw new DamagedPartError(`${name} is damaged: it cannot be decompressed (${(error as Error).message})`);
  }
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new DamagedPartError(`${name} is damaged: its last line is cut off`);
  let parsed: unknown[];
  try {
    parsed = lines.map((line) => JSON.parse(line));
  } catch {
    throw new DamagedPartError(`${name} is damaged: a line is not JSON`);
  }
  if (parsed.some((item) => typeof item !== 'object' || item === null || Array.isArray(item))) {
    throw new DamagedPartError(`${name} is damaged: a line is not an object`);
  }
  const last = parsed.pop() as { end?: End & { items: number } } | undefined;
  if (!last?.end) throw new DamagedPartError(`${name} is damaged: its end is missing`);
  if (last.end.items !== parsed.length) {
    throw new DamagedPartError(`${name} is damaged: it has ${parsed.length} items and should have ${last.end.items}`);
  }
  return { items: parsed as Item[], end: last.end };
}
