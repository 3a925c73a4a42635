import type { Readable } from 'node:stream';

/** A stream that takes text: of a process, or of a test. */
export interface Sink {
  write(text: string | Uint8Array): unknown;
  /** Whether a person reads along. */
  isTTY?: boolean | undefined;
  /** The width of the terminal in characters. */
  columns?: number | undefined;
  /** Why it takes nothing more, such as a pipe whose other end is closed. */
  errored?: Error | null;
}

/** Everything outside of the command that it reads and writes. */
export interface World {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** The home directory of the user. */
  home: string;
  platform: NodeJS.Platform;
  stdin: Readable & { isTTY?: boolean };
  stdout: Sink;
  stderr: Sink;
  /** Aborts at Ctrl-C. */
  interrupted: AbortSignal;
  now(): Date;
}
