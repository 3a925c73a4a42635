import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

/**
 * A part: a list of items as gzip-compressed NDJSON, closed by one line `{"end":…}` that tells how the part came
 * about and how many items it has. Readable with `zcat` and `jq`. A part without its end is damaged, never short.
 */
export interface Part<Item, End> {
  items: Item[];
  end: End;
}

export class DamagedPartError extends Error {
  override readonly name = 'DamagedPartError';
}

/** Compress so much text at a time: memory stays flat, and gzip members may simply follow each other. */
const BLOCK = 256 * 1024;
/** Bytes. Far beyond what the limits of a part allow; what unpacks to more was not written by us. */
const LARGEST = 500 * 1024 * 1024;

export class PartWriter<Item> {
  #lines: string[] = [];
  #waiting = 0;
  #members: Buffer[] = [];
  items = 0;

  add(item: Item): void {
    const line = JSON.stringify(item);
    this.#lines.push(line);
    this.#waiting += line.length;
    this.items++;
    if (this.#waiting >= BLOCK) this.#compress();
  }

  /** Closes the part. `sha256` is of the returned bytes. */
  finish(end: object): { body: Buffer; sha256: string } {
    this.#lines.push(JSON.stringify({ end: { ...end, items: this.items } }));
    this.#compress();
    const body = Buffer.concat(this.#members);
    return { body, sha256: createHash('sha256').update(body).digest('hex') };
  }

  #compress(): void {
    this.#members.push(gzipSync(`${this.#lines.join('\n')}\n`, { level: 3 }));
    this.#lines = [];
    this.#waiting = 0;
  }
}

/** Throws `DamagedPartError`, naming the part, when anything of it is missing or altered. */
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
