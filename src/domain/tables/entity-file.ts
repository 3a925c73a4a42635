import { gunzipSync } from 'node:zlib';
import { CompressedLines } from '../run/compressed-lines.ts';
import { DamagedPartError } from '../run/part.ts';
import type { Deletion, EntityFileEnd } from './segment.ts';
import type { EntityKey } from './table-key.ts';

/**
 * A file of entities: gzip-compressed NDJSON, one entity per line as the service returned it, closed by a line
 * `{"end":…}` that describes the file completely. Readable with `zcat` and `jq`. A file without its end is damaged,
 * never short.
 */
export interface EntityFileContent {
  /**
   * Entities, and in files of changes deletions after them, some lines at a time: unpacked content stays bytes, and
   * only the current lines are text.
   */
  lines(): Generator<string[]>;
  end: EntityFileEnd['end'];
}

/** How many lines are text at a time. */
const AT_HAND = 1_000;
/** Bytes. Far beyond the limits of a file: Strongroom did not write anything larger. */
const LARGEST = 64 * 1024 * 1024;

/** Bytes of the last line. It has names, addresses, and four keys of at most 1,024 characters. */
const LONGEST_END = 64 * 1024;

export class EntityFileWriter {
  readonly #lines = new CompressedLines();

  get items(): number {
    return this.#lines.items;
  }

  /** Characters of text so far. */
  get size(): number {
    return this.#lines.size;
  }

  /** `line` is the text of an entity. */
  add(line: string): void {
    this.#lines.add(line);
  }

  addDeletion({ partition, row }: EntityKey): void {
    const deletion: Deletion = { deleted: { PartitionKey: partition, RowKey: row } };
    this.add(JSON.stringify(deletion));
  }

  /** Closes the file. `sha256` is of the returned bytes. */
  finish(end: Omit<EntityFileEnd['end'], 'items'>): { body: Buffer; sha256: string } {
    return this.#lines.finish(end);
  }
}

/** Throws `DamagedPartError` with the name of the file if anything of it is missing or altered. */
export function readEntityFile(body: Buffer, name: string): EntityFileContent {
  const damaged = (how: string) => new DamagedPartError(`${name} is damaged: ${how}`);
  let bytes: Buffer;
  try {
    bytes = gunzipSync(body, { maxOutputLength: LARGEST });
  } catch (error) {
    throw damaged(`it cannot be decompressed (${(error as Error).message})`);
  }
  if (bytes.at(-1) !== NEWLINE) throw damaged('its last line is cut off');
  const last = bytes.length < 2 ? 0 : bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
  // Anyone may have written the file, and a text of this kind takes seconds to parse if it is long.
  if (bytes.length - last > LONGEST_END) throw damaged('its last line is too long for an end');
  const end = endIn(bytes.toString('utf8', last, bytes.length - 1));
  if (!end) throw damaged('its end is missing');
  const lines = bytes.subarray(0, last);
  const items = countOf(lines);
  if (end.items !== items) throw damaged(`it has ${items} lines and should have ${end.items}`);
  return { lines: () => linesIn(lines), end };
}

const NEWLINE = 0x0a;

function countOf(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

function* linesIn(lines: Buffer): Generator<string[]> {
  for (let from = 0; from < lines.length; ) {
    let to = from;
    for (let count = 0; count < AT_HAND && to < lines.length; count++) to = lines.indexOf(NEWLINE, to) + 1;
    yield lines.toString('utf8', from, to - 1).split('\n');
    from = to;
  }
}

function endIn(line: string): EntityFileEnd['end'] | undefined {
  try {
    const end = (JSON.parse(line) as Partial<EntityFileEnd> | null)?.end;
    return typeof end === 'object' && typeof end.items === 'number' && typeof end.table === 'string' ? end : undefined;
  } catch {
    return undefined;
  }
}
