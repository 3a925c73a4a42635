import { type HeldTasks, heldBy, pointFacts } from '#domain/restore/point-facts.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';

/** A restore point as the API shows it. */
export function shownPoint(summary: RunSummary, notes: Notes, held: HeldTasks = heldBy(summary.parts)) {
  const { id, job, mode, status, startedAt: time, finishedAt } = summary;
  return { id, job, mode, status, time, finishedAt, ...pointFacts(summary, held), ...shownNotes(notes) };
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
