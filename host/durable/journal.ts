import { type FileHandle, open } from 'node:fs/promises';
import { HostError, messageOf } from '../host-error.ts';
import { encode } from './journal-file.ts';

interface Waiting<T> {
  record: T;
  written: () => void;
}

/** Appends records in groups. Records that arrive during the flush of one group go into the next. */
export class Journal<T> {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #apply: (record: T) => void;
  readonly #failed: (error: HostError) => void;
  /** Checksum of the file's last line. */
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
   * `crc`: the checksum of the file's last line. The journal calls `apply` for each record once it is on disk, in the
   * order of the file, and `failed` if it cannot write a record.
   */
  static async open<T>(
    file: string,
    crc: number,
    apply: (record: T) => void,
    failed: (error: HostError) => void,
  ): Promise<Journal<T>> {
    return new Journal(file, await open(file, 'a', 0o600), crc, apply, failed);
  }

  /** Resolves when the record is on disk and applied. Never resolves if the record cannot be written. */
  append(record: T): Promise<void> {
    return new Promise((written) => {
      this.#waiting.push({ record, written });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    // All records of this turn of the event loop join the group.
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
        // The file may have a part of the group. The host must not write after it, nor act on these records.
        const reason = `Cannot write ${this.#file}: ${messageOf(error)}`;
        this.#failed(
          new HostError(`${reason}. The host stops. Free disk space or correct the rights, then restart.`, 1),
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
