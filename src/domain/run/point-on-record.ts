import type { ChainLine } from './chain-record.ts';
import type { Notes } from './restore-point.ts';
import type { VerifyKind } from './tasks.ts';

/** What the chain of a job says of one of its restore points. */
export interface PointOnRecord {
  /** SHA-256 of its summary. */
  sha256: string | undefined;
  /** A prune has deleted what only it needed, and its manifests then or later; or it is forgotten. */
  isEmptied: boolean;
  /** An operator has stated that it is lost. */
  isForgotten: boolean;
  /** When holds were set that no record ends. */
  holds: Set<string>;
  /** The safety brake is engaged, and no record releases it. */
  isBraked: boolean;
  verified: Set<VerifyKind>;
}

/** The restore points on record, the last one at the end. */
export function pointsOnRecord(lines: readonly ChainLine[]): Map<string, PointOnRecord> {
  const points = new Map<string, PointOnRecord>();
  // Two calls may set and lift holds in one order and record them in another: an end counts wherever it is.
  const ended = new Set(lines.flatMap(({ point, ends }) => (ends === undefined ? [] : `${point} ${ends}`)));
  // What an operator has forgotten may be older than the chain. It is not the last one.
  const forgotten = lines.flatMap(({ kind, point }) => (kind === 'forget' && point !== undefined ? [point] : []));
  for (const id of forgotten) points.set(id, newPoint({}));
  for (const { kind, run, sha256, brake } of lines) {
    if (kind !== 'restore-point' || run === undefined) continue;
    points.set(run, newPoint({ sha256, isBraked: brake === true }));
  }
  for (const { kind, point = '', verify, at, emptied = [] } of lines) {
    const on = points.get(point);
    // Of notes that were lost, nothing says which holds an unhold ends.
    if (on && kind === 'unhold') on.holds.clear();
    if (on && kind === 'forget') Object.assign(on, { isEmptied: true, isForgotten: true });
    if (on && kind === 'hold' && at !== undefined && !ended.has(`${point} ${at}`)) on.holds.add(at);
    if (on && kind === 'verification' && verify) on.verified.add(verify);
    if (on && kind === 'release') on.isBraked = false;
    for (const id of emptied) {
      const gone = points.get(id);
      if (gone) gone.isEmptied = true;
    }
  }
  return points;
}

const FORGOTTEN = 'prunes may have deleted its content; delete its run.json again';

function newPoint({ sha256, isBraked = false }: { sha256?: string | undefined; isBraked?: boolean }): PointOnRecord {
  return { sha256, isEmptied: false, isForgotten: false, holds: new Set(), isBraked, verified: new Set() };
}

/**
 * What the notes of a restore point lack that the chain says of it, as a text that continues after "notes"; or
 * undefined. They may have more: a process can die between the write of the notes and that of the record, and what
 * lifts a protection is recorded first.
 */
export function lackingIn({ hold, brake, proofs = [], removed }: Notes, on: PointOnRecord): string | undefined {
  if (on.isForgotten) return `are of a lost point, as an operator has stated: ${FORGOTTEN}`;
  const lacking = protectionLackingIn();
  return lacking && `lack ${lacking}, which is on record in the chain`;

  function protectionLackingIn(): string | undefined {
    if (on.isEmptied && removed?.emptied === undefined) return 'that a prune has emptied it';
    if (on.holds.size > 0 && !hold) return 'its hold';
    if (on.isBraked && (!brake || brake.released !== undefined)) return 'its safety brake';
    const lost = [...on.verified].find((verify) => !proofs.some(({ kind }) => kind === verify));
    return lost && `the result of its last ${lost} verification`;
  }
}
