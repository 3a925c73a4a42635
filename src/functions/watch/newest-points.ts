import type { JobOverview } from '#api/overview.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type PointFacts, pointFacts } from '#domain/restore/point-facts.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

type NewestPoint = NonNullable<JobOverview['restorePoint']>;

const UNKNOWN = { containers: null, blobs: null, tables: null, entities: null, bytes: null, lacks: null };

/** The newest restore point of a job, given its id, and why it is lost, if it is. */
export type PointOf = (
  vault: string,
  job: string,
  point: { id: string; notes: Notes },
  rows: readonly CatalogRow[],
  lost?: string,
) => Promise<NewestPoint>;

/**
 * Shows newest restore points by their rows in the catalog. Where there is none, the summary is read, once: a restore
 * point never changes. What a damaged one holds is not known.
 */
export function newestPoints(deps: Dependencies): PointOf {
  /** By job. */
  const known = new Map<string, { id: string; facts: PointFacts }>();
  return async (vault, job, { id, notes }, rows, lost) => {
    const row = rows.find((each) => each.id === id);
    let facts = lost === undefined ? row?.point : undefined;
    if (!facts && lost === undefined) {
      const before = known.get(job);
      facts = before?.id === id ? before.facts : await factsOf(deps, vault, { job, id });
      // A damaged summary may be replaced by one that is whole.
      if (facts) known.set(job, { id, facts });
    }
    const { hold, brake, proofs = [] } = notes;
    const verified = proofs.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null;
    return {
      ...{ id, time: row?.startedAt ?? parseRunId(id)!.startedAt.toISOString(), ...(facts ?? UNKNOWN) },
      ...{ isHeld: hold !== undefined, isBraked: brake !== undefined && brake.released === undefined, verified },
      ...(lost !== undefined && { problem: { code: 'damaged', message: lost, hint: PROBLEMS.damaged.hint } }),
    };
  };
}

async function factsOf(deps: Dependencies, vault: string, run: { job: string; id: string }) {
  try {
    const summary = await new ControlStore(deps.blobs(vault)).readSummary(run);
    return summary && pointFacts(summary);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}
