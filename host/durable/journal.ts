import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { codeOf, HostError, messageOf } from '../host-error.ts';

/**
 * An append-only file of JSON lines. Each line carries a checksum of its record and of the line before, so that damage is
 * told from data, and no line can be lost, doubled or moved unseen, but for whole lines cut off the end; a last line
 * without its line end is what a killed process leaves of a write that nobody was told had succeeded.
 */
const FORMAT = { journal: 'strongroom-durable', version: 2 };
const DAMAGED = 3;

/** The lines of these records, behind a line with the checksum `after`; and the checksum of the last one. */
export function encode(records: Iterable<unknown>, after = 0): { text: string; crc: number } {
  let crc = after;
  let text = '';
  for (const record of records) {
    const json = JSON.stringify(record);
    crc = crc32(json, crc);
    text += `${envelope(json, crc)}\n`;
  }
  return { text, crc };
}

function envelope(json: string, crc: number): string {
  return `{"crc":"${crc.toString(16).padStart(8, '0')}","record":${json}}`;
}

const BEFORE_RECORD = envelope('', 0).length - 1;

/** All records of a journal's text, in order. */
export function parse(text: string, file: string): unknown[] {
  // Whatever follows the last line end was never finished.
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  let crc = 0;
  const records = lines.map((line, index) => {
    const json = line.slice(BEFORE_RECORD, -1);
    crc = crc32(json, crc);
    if (line !== envelope(json, crc)) {
      throw new HostError(
        `${file}, line ${index + 1}: this line is damaged or out of place, and what came after it cannot be trusted. Restore the file from a copy, or move it away to start with no orchestrations: runs that were under way are then forgotten, backups are not.`,
        DAMAGED,
      );
    }
    const record = JSON.parse(json) as unknown;
    if (index === 0 && json !== JSON.stringify(FORMAT)) {
      throw new HostError(
        `${file}, line 1: this is ${json}, and this version reads ${JSON.stringify(FORMAT)}. Use the version of Strongroom that wrote it, or another data directory.`,
        DAMAGED,
      );
    }
    return record;
  });
  return records.slice(1);
}

export async function readJournal(file: string): Promise<unknown[]> {
  try {
    return parse(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Replaces the journal by these records: written beside it, flushed, and renamed, so that a crash leaves one or the other.
 * Returns the checksum of the last line.
 */
export async function writeJournal(file: string, records: Iterable<unknown>): Promise<number> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  let last: number;
  try {
    let { text, crc } = encode([FORMAT]);
    for (const record of records) {
      const next = encode([record], crc);
      text += next.text;
      crc = next.crc;
      if (text.length < 1_000_000) continue;
      await handle.appendFile(text);
      text = '';
    }
    await handle.appendFile(text);
    await handle.sync();
    last = crc;
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncDirectory(dirname(file));
  return last;
}

/** Makes a rename last through a power cut; Windows has no such call and needs none. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Waiting<T> {
  record: T;
  written: () => void;
}

/** Appends records in groups: what is asked for while one group is being flushed goes into the next. */
export class Journal<T> {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #apply: (record: T) => void;
  readonly #failed: (error: HostError) => void;
  /** Checksum of the last line. */
  #crc: number;
  #waiting: Waiting<T>[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(
    file: string,
    handle: FileHandle,
    crc: number,
    apply: (record: T) => void,
    failed: (error: HostError) => void,
  ) {
    this.#file = file;
    this.#handle = handle;
    this.#crc = crc;
    this.#apply = apply;
    this.#failed = failed;
  }

  /**
   * `crc` is the checksum of the file's last line. `apply` is called for each record, in the order of the file, once it is
   * on disk; `failed` when one cannot be written.
   */
  static async open<T>(
    file: string,
    crc: number,
    apply: (record: T) => void,
    failed: (error: HostError) => void,
  ): Promise<Journal<T>> {
    return new Journal(file, await open(file, 'a', 0o600), crc, apply, failed);
  }

  /** Resolves when the record is on disk and applied. It never resolves when it could not be written. */
  append(record: T): Promise<void> {
    return new Promise((written) => {
      this.#waiting.push({ record, written });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    // Whatever else is appended in this turn of the event loop joins the group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        const { text, crc } = encode(
          group.map(({ record }) => record),
          this.#crc,
        );
        await this.#handle.appendFile(text);
        await this.#handle.datasync();
        this.#crc = crc;
      } catch (error) {
        // Half a group may be in the file. Nothing may be written after it, and nothing acted upon.
        this.#failed(
          new HostError(`Cannot write ${this.#file}: ${messageOf(error)}. Nothing can go on without it.`, 1),
        );
        return;
      }
      for (const { record } of group) this.#apply(record);
      for (const { written } of group) written();
    }
    this.#flushing = undefined;
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#handle.close();
  }
}
