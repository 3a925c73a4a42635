import { type HeldContainer, type HeldTable, heldContainers, heldTables } from '#domain/restore/held-container.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import type { PartEntry, RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';

interface Held {
  containers: HeldContainer[];
  tables: HeldTable[];
}

/** The containers and tables in the parts of a restore point. */
export function heldBy(parts: readonly PartEntry[]): Held {
  return { containers: heldContainers(parts), tables: heldTables(parts) };
}

/** A restore point as the API shows it. */
export function shownPoint(summary: RunSummary, notes: Notes, held = heldBy(summary.parts)) {
  const { id, job, mode, status, startedAt, finishedAt, bytes, containers, parts } = summary;
  const there = new Set(parts.map(({ container }) => container));
  const missing = containers
    .filter(({ status, container }) => (status === 'failed' || status === 'skipped') && !there.has(container))
    .map(({ container }) => container);
  return {
    id,
    job,
    mode,
    status,
    time: startedAt,
    finishedAt,
    containers: held.containers.length,
    blobs: sumOf(held.containers.map(({ blobs }) => blobs)),
    tables: held.tables.length,
    entities: sumOf(held.tables.map(({ entities }) => entities)),
    // A retry lists only what failed, so its summary lacks the bytes of all other blobs.
    bytes: mode === 'retry' ? null : bytes.listed,
    lacks: {
      skipped: sumOf(held.containers.map(({ skipped }) => skipped)),
      failed: sumOf([...held.containers, ...held.tables].map(({ failed }) => failed)),
      containers: missing.filter((task) => tableOfTask(task) === undefined),
      tables: missing.flatMap((task) => tableOfTask(task) ?? []),
    },
    ...shownNotes(notes),
  };
}

function sumOf(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** The notes of a restore point as the API shows them, the newest verification first. */
export function shownNotes({ hold, brake, proofs = [], removed }: Notes) {
  const verifications = [...proofs].sort((a, b) => (a.at < b.at ? 1 : -1));
  return {
    hold: hold ?? null,
    brake: brake ?? null,
    verified: verifications[0] ?? null,
    verifications,
    ...(removed && { removed }),
  };
}
