import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from '../data/disk-error.ts';
import { EXIT } from '../exit-codes.ts';
import { codeOf, HostError, messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { encode, type JournalEnd, syncDirectory, writeJournal } from './journal-file.ts';

interface Waiting<T> {
  record: T;
  written: () => void;
}

/** What the records of a journal amount to. */
export interface JournalState<T> {
  /** The journal calls this for each record once it is on disk, in the order of the file. */
  apply(record: T): void;
  /** Records from which the same state results as from all records that were applied. */
  snapshot(): Iterable<T>;
  /** The journal calls this if it cannot write a record. */
  failed(error: HostError): void;
}

/** A journal of this many bytes is replaced by a snapshot, unless the last snapshot had more than half of them. */
const LARGE = 64 * 1024 * 1024;
/** Milliseconds between two looks at whether the file is still there, if nothing is written meanwhile. */
const LOOK_EVERY = 2_000;

/**
 * Appends records in groups. Records that arrive during the flush of one group go into the next. Between two groups, it
 * replaces a file that has become large by a snapshot.
 */
export class Journal<T> {
  readonly #file: string;
  readonly #state: JournalState<T>;
  readonly #large: number;
  #handle!: FileHandle;
  #end!: JournalEnd;
  /** The size at which a snapshot replaces the file. */
  #limit = Number.POSITIVE_INFINITY;
  #waiting: Waiting<T>[] = [];
  #flushing: Promise<void> | undefined;
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(file: string, state: JournalState<T>, large: number) {
    this.#file = file;
    this.#state = state;
    this.#large = large;
  }

  /** Replaces the file by a snapshot of the state, and opens it to append. */
  static async open<T>(file: string, state: JournalState<T>, large = LARGE): Promise<Journal<T>> {
    const journal = new Journal(file, state, large);
    try {
      await journal.#replace();
      await syncDirectory(dirname(file));
      journal.#handle = await open(file, 'a', 0o600);
    } catch (error) {
      throw diskError(`Cannot write ${file}`, error);
    }
    journal.#looking = setInterval(() => {
      journal.#flushing ??= journal.#flush();
    }, LOOK_EVERY).unref();
    return journal;
  }

  /**
   * Resolves when the record is on disk and applied. Never resolves if the record cannot be written, as one that is
   * late for a host that stops: the next start does again what it is about.
   */
  append(record: T): Promise<void> {
    return new Promise((written) => {
      if (this.#isClosed) return;
      this.#waiting.push({ record, written });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    // All records of this turn of the event loop join the group.
    await new Promise((resolve) => setImmediate(resolve));
    do {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (group.length > 0) await this.#write(group.map(({ record }) => record));
        await this.#checkPlace();
        for (const { record } of group) this.#state.apply(record);
        for (const { written } of group) written();
        if (this.#end.size >= this.#limit) await this.#compact();
      } catch (error) {
        // The file may have a part of the group. The host must not write after it, nor act on these records.
        this.#state.failed(error instanceof HostError ? error : diskError(`Cannot write ${this.#file}`, error));
        return;
      }
    } while (this.#waiting.length > 0);
    this.#flushing = undefined;
  }

  async #write(records: T[]): Promise<void> {
    const { text, crc } = encode(records, this.#end.crc);
    const bytes = Buffer.from(text);
    await this.#handle.appendFile(bytes);
    await this.#handle.datasync();
    this.#end = { crc, size: this.#end.size + bytes.length };
  }

  /** Throws if the path no longer leads to the open file: what is written there ends with this process. */
  async #checkPlace(): Promise<void> {
    const open = await this.#handle.stat({ bigint: true });
    const there = await stat(this.#file, { bigint: true }).catch((error) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    });
    if (there?.ino === open.ino && there.dev === open.dev) return;
    throw new HostError(
      `The host stops: ${this.#file} is ${there ? 'another file' : 'gone'}. Something has removed or replaced it, or ` +
        'its directory, while the host was writing to it. If you have moved the directory, move it back, and start ' +
        'the host again: runs continue where they were. If it is lost, so are the runs in progress, and no backups: ' +
        'the next start begins with an empty directory.',
      EXIT.disk,
    );
  }

  /**
   * No record is written meanwhile, so the state does not change. A crash leaves the old file or the new one, and both
   * have all records. If the file cannot be replaced, it continues to grow.
   */
  async #compact(): Promise<void> {
    // Windows does not replace a file that is open.
    await this.#handle.close();
    try {
      await this.#replace();
    } catch (error) {
      writeLog('warning', `Cannot shorten ${this.#file}, which continues to grow: ${messageOf(error)}`);
      this.#limit = 2 * this.#end.size;
    }
    this.#handle = await open(this.#file, 'a', 0o600);
    await syncDirectory(dirname(this.#file));
  }

  async #replace(): Promise<void> {
    const next = `${this.#file}.new`;
    try {
      const end = await writeJournal(next, this.#state.snapshot());
      await rename(next, this.#file);
      this.#end = end;
      this.#limit = Math.max(this.#large, 2 * end.size);
    } catch (error) {
      await rm(next, { force: true }).catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#looking);
    await this.#flushing;
    await this.#handle.close();
  }
}
