import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { diskError } from '../data/disk-error.ts';
import { EXIT } from '../exit-codes.ts';
import { codeOf, HostError } from '../host-error.ts';

/**
 * The file format of the journal: JSON lines. Each line has a checksum over its record and the previous line's
 * checksum. So a reader finds every line that is damaged, missing, duplicated or moved, except whole lines cut off the
 * end. A last line without its line feed is from a write that a kill or a full disk interrupted, which the host has not
 * acknowledged.
 */
const FORMAT = { journal: 'strongroom-durable', version: 2 };

/** Bytes that are written at once. */
const PORTION = 1_000_000;
const LINE_FEED = 0x0a;

/** How far a journal is written. */
export interface JournalEnd {
  /** Checksum of the last line. */
  crc: number;
  /** Bytes. */
  size: number;
}

/** The lines of these records after a line with the checksum `after`, and the checksum of the last line. */
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

/** Reads a journal chunk by chunk, so that the file may be of any size. */
export class JournalParser {
  readonly #file: string;
  readonly #longest: number;
  /** The beginning of a line whose end is not read yet. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #lines = 0;
  #crc = 0;

  /** `longest`: bytes of the longest line that can be read. */
  constructor(file: string, longest: number = constants.MAX_STRING_LENGTH) {
    this.#file = file;
    this.#longest = longest;
  }

  /** The records of the lines that end in this chunk, in order. */
  push(chunk: Buffer): unknown[] {
    const records: unknown[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      this.#hold(chunk.subarray(from, end));
      const line = Buffer.concat(this.#rest).toString();
      this.#rest = [];
      this.#restLength = 0;
      const record = this.#read(line);
      // The first line names the format.
      if (this.#lines > 1) records.push(record);
      from = end + 1;
    }
    this.#hold(chunk.subarray(from));
    return records;
  }

  #hold(piece: Buffer): void {
    this.#rest.push(piece);
    this.#restLength += piece.length;
    if (this.#restLength > this.#longest) throw this.#damaged(this.#lines + 1);
  }

  #read(line: string): unknown {
    this.#lines++;
    const json = line.slice(BEFORE_RECORD, -1);
    this.#crc = crc32(json, this.#crc);
    if (line !== envelope(json, this.#crc)) throw this.#damaged(this.#lines);
    if (this.#lines === 1 && json !== JSON.stringify(FORMAT)) {
      throw new HostError(
        `${this.#file}, line 1: the format is ${json}, but this version of Strongroom reads ` +
          `${JSON.stringify(FORMAT)}. Use the version that wrote the file, or another data directory (--data).`,
        EXIT.damaged,
      );
    }
    return JSON.parse(json) as unknown;
  }

  #damaged(line: number): HostError {
    return new HostError(
      `${this.#file}, line ${line}: this line is damaged or out of place, so the host cannot trust the rest of the ` +
        'file. Restore the file from a copy. Or move it to another directory: the host then starts without ' +
        'orchestrations, and loses running runs but no backups.',
      EXIT.damaged,
    );
  }
}

/** The records of a journal in order, a few at a time; none if there is no such file. */
export async function* readJournal(file: string): AsyncGenerator<unknown[]> {
  const parser = new JournalParser(file);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: PORTION })) yield parser.push(chunk as Buffer);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error instanceof HostError ? error : diskError(`Cannot read ${file}`, error);
  }
}

/** Writes a new journal with these records and flushes it to disk. */
export async function writeJournal(file: string, records: Iterable<unknown>): Promise<JournalEnd> {
  const handle = await open(file, 'w', 0o600);
  try {
    let { text, crc } = encode([FORMAT]);
    let size = 0;
    const flush = async () => {
      const bytes = Buffer.from(text);
      text = '';
      size += bytes.length;
      await handle.appendFile(bytes);
    };
    for (const record of records) {
      const next = encode([record], crc);
      text += next.text;
      crc = next.crc;
      if (text.length >= PORTION) await flush();
    }
    await flush();
    await handle.sync();
    return { crc, size };
  } finally {
    await handle.close();
  }
}

/** Makes a rename in this directory survive a power failure. Windows neither has nor needs such a call. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
