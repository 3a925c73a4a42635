import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DamagedPartError } from './part.ts';
import type { EntityKey } from './table-key.ts';
import type { Deletion, EntityFileEnd } from './table-tile.ts';

/**
 * A file of entities: gzip-compressed NDJSON, one entity a line as the service told it, closed by a line `{"end":…}` that says
 * everything about it. Readable with `zcat` and `jq`. A file without its end is damaged, never short.
 */
export interface EntityFileContent {
  /** Entities, and in files of changes deletions behind them. */
  lines: string[];
  end: EntityFileEnd['end'];
}

/** Compress so much text at a time: memory stays flat, and gzip members may simply follow each other. */
const BLOCK = 256 * 1024;
/** Bytes. Far beyond what the writers of files allow; what unpacks to more was not written by us. */
const LARGEST = 256 * 1024 * 1024;

export class EntityFileWriter {
  #lines: string[] = [];
  #waiting = 0;
  #members: Buffer[] = [];
  items = 0;
  /** Characters of text so far. */
  size = 0;

  /** `line` is the text of an entity. */
  add(line: string): void {
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    this.size += line.length + 1;
    this.items++;
    if (this.#waiting >= BLOCK) this.#compress();
  }

  addDeletion({ partition, row }: EntityKey): void {
    const deletion: Deletion = { deleted: { PartitionKey: partition, RowKey: row } };
    this.add(JSON.stringify(deletion));
  }

  /** Closes the file. `sha256` is of the returned bytes. */
  finish(end: Omit<EntityFileEnd['end'], 'items'>): { body: Buffer; sha256: string } {
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

/** Throws `DamagedPartError`, naming the file, when anything of it is missing or altered. */
export function readEntityFile(body: Buffer, name: string): EntityFileContent {
  const damaged = (how: string) => new DamagedPartError(`${name} is damaged: ${how}`);
  let text: string;
  try {
    text = gunzipSync(body, { maxOutputLength: LARGEST }).toString('utf8');
  } catch (error) {
    throw damaged(`it cannot be decompressed (${(error as Error).message})`);
  }
  const lines = text.split('\n');
  if (lines.pop() !== '') throw damaged('its last line is cut off');
  const end = endIn(lines.pop());
  if (!end) throw damaged('its end is missing');
  if (end.items !== lines.length) throw damaged(`it has ${lines.length} lines and should have ${end.items}`);
  return { lines, end };
}

function endIn(line: string | undefined): EntityFileEnd['end'] | undefined {
  try {
    const end = (JSON.parse(line ?? '') as Partial<EntityFileEnd> | null)?.end;
    return typeof end === 'object' && typeof end.items === 'number' && typeof end.table === 'string' ? end : undefined;
  } catch {
    return undefined;
  }
}
