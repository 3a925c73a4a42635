import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { codeOf, HostError } from '../host-error.ts';

/**
 * The file format of the journal: JSON lines. Each line has a checksum over its record and the previous line's
 * checksum. So a reader finds every line that is damaged, missing, duplicated or moved, except whole lines cut off the
 * end. A last line without its line feed is from a write that a kill interrupted, which the host has not acknowledged.
 */
const FORMAT = { journal: 'strongroom-durable', version: 2 };
const DAMAGED = 3;

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

/** The records in the text of a journal, in order. */
export function parse(text: string, file: string): unknown[] {
  // Text after the last line feed is an unfinished line.
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
        `${file}, line ${index + 1}: this line is damaged or out of place, so the host cannot trust the rest of the ` +
          'file. Restore the file from a copy. Or move it to another directory: the host then starts without ' +
          'orchestrations, and loses running runs but no backups.',
        DAMAGED,
      );
    }
    const record = JSON.parse(json) as unknown;
    if (index === 0 && json !== JSON.stringify(FORMAT)) {
      throw new HostError(
        `${file}, line 1: the format is ${json}, but this version of Strongroom reads ${JSON.stringify(FORMAT)}. Use ` +
          'the version that wrote the file, or another data directory (--data).',
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
 * Replaces the journal with these records. Writes a new file, flushes and renames it, so that a crash leaves either the
 * old file or the new one. Returns the checksum of the last line.
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

/** Makes a rename survive a power failure. Windows neither has nor needs such a call. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
