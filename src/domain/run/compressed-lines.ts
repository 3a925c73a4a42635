import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** Compresses this much text at a time. Memory stays flat, and gzip members may simply follow each other. */
const BLOCK = 256 * 1024;

/** Lines of JSON, compressed as they come, and closed by one line `{"end":…}` with their number. */
export class CompressedLines {
  #lines: string[] = [];
  #waiting = 0;
  #members: Buffer[] = [];
  items = 0;
  /** Characters of text so far. */
  size = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    this.size += line.length + 1;
    this.items++;
    if (this.#waiting >= BLOCK) this.#compress();
  }

  /** `sha256` is of the returned bytes. */
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
