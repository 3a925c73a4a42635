/**
 * An expected reason to end the host: the message is written for the person who started it, and is
 * printed without a stack trace. Exit codes: 1 it failed while running, 2 it cannot start as asked,
 * 3 its data on disk is damaged.
 */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOENT`, `EADDRINUSE`, …). */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
