import { kindOfPath } from '#domain/run/control-paths.ts';
import { mayHoldPrefix } from '#domain/run/name-range.ts';
import type { NoLongerHeldCode } from '#domain/run/outcome.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { processedOf, type Tally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';

/** Which outcomes of a run a call asks for: everything that it listed, unless a field narrows it. */
export interface OutcomeChoice {
  status?: OutcomeChoiceStatus | undefined;
  container?: string | undefined;
  /** A code. */
  problem?: string | undefined;
  prefix?: string | undefined;
}

type OutcomeChoiceStatus = 'copied' | 'unchanged' | 'skipped' | 'failed' | 'removed' | 'planned' | 'no-longer-held';

export function isChosen(
  item: { name: string; status: string; code?: string | undefined },
  { status, problem, prefix = '' }: OutcomeChoice,
): boolean {
  if (status !== undefined && item.status !== status) return false;
  return (problem === undefined || item.code === problem) && item.name.startsWith(prefix);
}

/** False only if a part has none of the outcomes, so that it need not be read. */
export function mayHaveChosen(
  { path, tally }: ListedPart,
  { status, container, problem, prefix }: OutcomeChoice,
): boolean {
  if (container !== undefined && tally.container !== container) return false;
  const kind = kindOfPath(path)?.kind;
  // What the run does not hold is no outcome of what it listed.
  if ((kind === 'compared') !== (status === 'no-longer-held')) return false;
  if (kind === 'compared') {
    return mayHoldPrefix(tally.names, prefix ?? '') && (problem === undefined || noLongerHeld(tally, problem) > 0);
  }
  // Of what is planned, or was removed, the tally knows no names.
  if (status === 'planned') return kind === 'slice' && tally.planned > 0;
  if (kind !== 'slice' && kind !== 'chunk' && kind !== 'range') return false;
  if (prefix !== undefined && !tally.removed && !mayHoldPrefix(tally.names, prefix)) return false;
  if (problem !== undefined && tally.problems[problem as ProblemCode] === undefined) return false;
  return status === undefined || countOf(tally, status) > 0;
}

/**
 * How many outcomes there are; null if the tallies do not say it: those of a table count entities. A reconciliation
 * counts the uploads that have a receipt already, and names none of them.
 */
export function totalChosen(parts: readonly ListedPart[], choice: OutcomeChoice, mode: string): number | null {
  const { status, problem, prefix } = choice;
  if (problem !== undefined || prefix !== undefined) return null;
  if (parts.some(({ tally }) => tableOfTask(tally.container) !== undefined)) return null;
  const isNamed = ({ path }: ListedPart) => mode !== 'reconcile' || kindOfPath(path)?.kind !== 'slice';
  return parts.reduce(
    (sum, part) => sum + countOf(isNamed(part) ? part.tally : { ...part.tally, unchanged: 0 }, status),
    0,
  );
}

function countOf(tally: Tally, status: OutcomeChoice['status']): number {
  if (status === undefined) return processedOf(tally);
  return status === 'no-longer-held' ? noLongerHeld(tally) : (tally[status] ?? 0);
}

function noLongerHeld({ compared }: Tally, code?: string): number {
  const { deleted = 0, skipped = 0, failed = 0, notSelected = 0 } = compared ?? {};
  const counts: Record<NoLongerHeldCode, number> = { deleted, skipped, failed, 'not-selected': notSelected };
  if (code !== undefined) return counts[code as NoLongerHeldCode] ?? 0;
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
