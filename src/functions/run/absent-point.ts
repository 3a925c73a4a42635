import { isRemovedByPrune } from '#app/removed-by-prune.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';

export const LIST_POINTS = 'Choose another restore point: GET /api/restore-points';

/**
 * Why a vault has no summary of a restore point: a prune removed it, an operator has stated that it is lost, or it is
 * `damaged`. Undefined if the chain has no such restore point.
 */
export async function whyAbsent(
  control: ControlStore,
  point: { job: string; id: string },
): Promise<HttpError | StorageError | undefined> {
  const onRecord = (await control.chain.pointsOnRecord(point.job)).points.get(point.id);
  if (onRecord?.isForgotten) return pointNotFound(`Restore point ${point.id} is lost, as an operator has stated`);
  if (!onRecord) return undefined;
  if (onRecord.isEmptied) return prunedPoint(point.id);
  // It may be gone in this minute.
  return (await isRemovedByPrune(control, point)) ? prunedPoint(point.id) : missingPoint(point.id);
}

export function pointNotFound(message: string): HttpError {
  return new HttpError(404, 'restore-point-not-found', message, LIST_POINTS);
}

function prunedPoint(id: string): HttpError {
  return pointNotFound(`A prune has removed restore point ${id}`);
}

/** A restore point that is on record and not in the vault, and that no prune has removed. */
export function missingPoint(id: string, hint = ''): StorageError {
  return new StorageError(
    'damaged',
    `Restore point ${id} is on record in the chain, and its summary is missing${hint}`,
  );
}
