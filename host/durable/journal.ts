import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { codeOf, HostError, messageOf } from '../host-error.ts';

/**
 * An append-only file of JSON lines. Each line carries a checksum of its record, so that damage is told from data;
 * a last line without its line end is what a killed process leaves of a write that nobody was told had succeeded.
 */
const FORMAT = { journal: 'strongroom-durable', version: 1 };
const DAMAGED = 3;

export function encode(record: unknown): string {
  return `${envelope(JSON.stringify(record))}\n`;
}

function envelope(json: string): string {
  return `{"crc":"${crc32(json).toString(16).padStart(8, '0')}","record":${json}}`;
}

const BEFORE_RECORD = envelope('').length - 1;

/** The record of a line; `undefined` when any byte of it is not as it was written. */
function decode(line: string): unknown {
  const json = line.slice(BEFORE_RECORD, -1);
  return line === envelope(json) ? (JSON.parse(json) as unknown) : undefined;
}

/** All records of a journal's text, in order. */
export function parse(text: string, file: string): unknown[] {
  // Whatever follows the last line end was never finished.
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  const records = lines.map((line, index) => {
    const record = decode(line);
    if (record === undefined) {
      throw new HostError(
        `${file}, line ${index + 1}: this line is damaged, and what came after it cannot be trusted. Restore the file from a copy, or move it away to start with no orchestrations: runs that were under way are then forgotten, backups are not.`,
        DAMAGED,
      );
    }
    return record;
  });
  const [header, ...rest] = records;
  if (header !== undefined && JSON.stringify(header) !== JSON.stringify(FORMAT)) {
    throw new HostError(
      `${file}, line 1: this is ${JSON.stringify(header)}, and this version reads ${JSON.stringify(FORMAT)}. Use the version of Strongroom that wrote it, or another data directory.`,
      DAMAGED,
    );
  }
  return rest;
}

export async function readJournal(file: string): Promise<unknown[]> {
  try {
    return parse(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Replaces the journal by these records: written beside it, flushed, and renamed, so that a crash leaves one or the other. */
export async function writeJournal(file: string, records: Iterable<unknown>): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    let lines = [encode(FORMAT)];
    for (const record of records) {
      if (lines.push(encode(record)) < 1000) continue;
      await handle.appendFile(lines.join(''));
      lines = [];
    }
    await handle.appendFile(lines.join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncDirectory(dirname(file));
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
  #waiting: Waiting<T>[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(
    file: string,
    handle: FileHandle,
    apply: (record: T) => void,
    failed: (error: HostError) => void,
  ) {
    this.#file = file;
    this.#handle = handle;
    this.#apply = apply;
    this.#failed = failed;
  }

  /** `apply` is called for each record, in the order of the file, once it is on disk; `failed` when one cannot be written. */
  static async open<T>(
    file: string,
    apply: (record: T) => void,
    failed: (error: HostError) => void,
  ): Promise<Journal<T>> {
    return new Journal(file, await open(file, 'a', 0o600), apply, failed);
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
        await this.#handle.appendFile(group.map(({ record }) => encode(record)).join(''));
        await this.#handle.datasync();
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
