/**
 * Signs of life: lines that the activities of a run add to an append blob of the vault, so that another process, which
 * does not know its orchestration, can tell whether it is in progress. Appends leave no versions.
 */

export interface SignOfLife {
  /** By the clock of the process that gives it; for people only. */
  at: Date;
  /** The run waits: its next sign comes no sooner than this. */
  until?: Date;
}

export interface LastSign {
  /** When the service wrote it, by its own clock. */
  writtenAt: Date;
  /** Milliseconds since then, by the same clock. */
  age: number;
  /** When an announced wait ends. By the clock of the process that announced it. */
  until?: Date;
}

export function signLine({ at, until }: SignOfLife): string {
  return JSON.stringify({ at: at.toISOString(), ...(until && { until: until.toISOString() }) });
}

/** The last sign in the blob as it was read. A last line that cannot be read announces no wait. */
export function lastSignOf(read: { body: Buffer; lastModified: Date; readAt: Date }): LastSign {
  const until = untilOf(read.body.toString('utf8').trimEnd().split('\n').at(-1)!);
  return {
    writtenAt: read.lastModified,
    age: Math.max(0, read.readAt.getTime() - read.lastModified.getTime()),
    ...(until && { until }),
  };
}

function untilOf(line: string): Date | undefined {
  try {
    const { until } = JSON.parse(line) as { until?: unknown };
    const date = new Date(String(until));
    return Number.isNaN(date.getTime()) ? undefined : date;
  } catch {
    return undefined;
  }
}
