import { heldContainers } from '../domain/held-container.ts';
import type { Notes } from '../domain/restore-point.ts';
import type { RunSummary } from '../domain/run.ts';

/** A restore point as the API tells it. */
export function shownPoint(summary: RunSummary, notes: Notes, held = heldContainers(summary.parts)) {
  const { id, job, mode, status, startedAt, finishedAt, bytes, containers, parts } = summary;
  const sum = (of: 'blobs' | 'skipped' | 'failed') => held.reduce((total, each) => total + each[of], 0);
  const there = new Set(parts.map(({ container }) => container));
  const missing = containers.filter((each) => each.status === 'failed' && !there.has(each.container));
  return {
    id,
    job,
    mode,
    status,
    time: startedAt,
    finishedAt,
    containers: held.length,
    blobs: sum('blobs'),
    // A retry lists only what failed: what the rest amounts to is not in its summary.
    bytes: mode === 'retry' ? null : bytes.listed,
    lacks: {
      skipped: sum('skipped'),
      failed: sum('failed'),
      containers: missing.map(({ container }) => container),
    },
    ...shownNotes(notes),
  };
}

/** What is noted of a restore point; the newest verification first. */
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
