import type { Outcome, PlannedItem } from '../run/outcome.ts';
import type { ProblemCode } from '../run/problems.ts';
import { isArchived } from './locate.ts';

/** What a restore would do, in numbers of blobs. */
export interface PreviewCounts {
  /** Blobs that it selects. */
  items: number;
  /** Bytes that it would copy. */
  bytes: number;
  new: number;
  replaced: number;
  unchanged: number;
  skipped: number;
  failed: number;
  /** Of the new and the replaced ones: those that are rehydrated first. */
  rehydrated: number;
}

export const NO_COUNTS: PreviewCounts = {
  ...{ items: 0, bytes: 0, new: 0, replaced: 0 },
  ...{ unchanged: 0, skipped: 0, failed: 0, rehydrated: 0 },
};

export interface Preview {
  counts: PreviewCounts;
  /** How many fail, by why. */
  failures: Partial<Record<ProblemCode, number>>;
}

/** With one more blob, as a restore has decided it. */
export function withDecided({ counts, failures }: Preview, decided: Outcome | PlannedItem): Preview {
  const items = counts.items + 1;
  if ('from' in decided) {
    const kind = decided.to === undefined ? 'new' : 'replaced';
    const bytes = counts.bytes + decided.from.size;
    const rehydrated = counts.rehydrated + Number(isArchived(decided.from));
    return { counts: { ...counts, items, bytes, rehydrated, [kind]: counts[kind] + 1 }, failures };
  }
  const { status } = decided;
  if (status === 'unchanged' || status === 'skipped')
    return { counts: { ...counts, items, [status]: counts[status] + 1 }, failures };
  const code = 'code' in decided && decided.code !== undefined ? decided.code : 'internal';
  return {
    counts: { ...counts, items, failed: counts.failed + 1 },
    failures: { ...failures, [code]: (failures[code] ?? 0) + 1 },
  };
}

export function sumOfCounts(all: readonly PreviewCounts[]): PreviewCounts {
  const names = Object.keys(NO_COUNTS) as (keyof PreviewCounts)[];
  const sum = { ...NO_COUNTS };
  for (const counts of all) for (const name of names) sum[name] += counts[name];
  return sum;
}
