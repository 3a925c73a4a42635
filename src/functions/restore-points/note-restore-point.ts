import { isDeepStrictEqual } from 'node:util';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import { appendEntry } from '#app/append-to-chain.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { ChainEntry } from '#domain/run/chain-record.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { LIST_POINTS } from '../run/absent-point.ts';
import { findPoint, removedPoint } from '../run/find-restore-point.ts';
import { shownNotes } from './shown-restore-point.ts';

/** The changed notes, and the entry of the chain that records the change. */
interface Noting {
  notes: Notes;
  entry: ChainEntry;
  /**
   * The entry comes before the notes. A process may die between the two: then a restore point must not have less
   * protection than the chain says, and a mark must not be gone without a word, because only someone who rewrites the
   * vault leaves it like that.
   */
  recordFirst?: true;
}

/** POST /api/restore-points/{id}/hold — no policy removes the restore point until an operator removes the hold. */
export function holdHandler(deps: Dependencies) {
  return answering(
    deps,
    OPERATIONS.holdRestorePoint,
    async ({ params: { id: point }, body: { reason }, caller: { by } }) => {
      return noteUnmarked(deps, point, (notes) => {
        const hold = { at: deps.now().toISOString(), reason, by };
        return { notes: { ...notes, hold }, entry: { kind: 'hold', point, hold, ...endsOf(notes) } };
      });
    },
  );
}

/** POST /api/restore-points/{id}/unhold — writes nothing if there is no hold. */
export function unholdHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.unholdRestorePoint, async ({ params: { id: point }, caller: { by } }) => {
    return noteUnmarked(deps, point, ({ hold, ...notes }, { isHeld }) => {
      // Notes that were lost may have had the hold that is on record.
      if (!hold && !isHeld) return undefined;
      return { notes, entry: { kind: 'unhold', point, by, ...endsOf({ hold }) }, recordFirst: true };
    });
  });
}

/** POST /api/restore-points/{id}/release — releases the safety brake, after an operator has checked why it engaged. */
export function releaseHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.releaseRestorePoint, async ({ params: { id: point }, caller: { by } }) => {
    const released = deps.now().toISOString();
    return noteUnmarked(deps, point, (notes, recorded) => {
      const engaged = notes.brake ?? recorded.brake;
      if (!engaged) {
        throw new HttpError(
          409,
          'no-brake',
          `Restore point ${point} has no safety brake`,
          `See its notes, or look for the brake of another: GET /api/restore-points/${point}`,
        );
      }
      // A repeated call keeps the first release.
      const first = engaged.released === undefined ? { released, releasedBy: by } : { released: engaged.released };
      const brake = { ...engaged, ...first };
      return { notes: { ...notes, brake }, entry: { kind: 'release', point, ...brake }, recordFirst: true };
    });
  });
}

/**
 * POST /api/restore-points/{id}/unmark — takes back the mark of a prune, while all content is there. A prune that
 * begins to delete at the same moment changes the same notes: only one of the two succeeds.
 */
export function unmarkHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.unmarkRestorePoint, async ({ params: { id: point }, caller: { by } }) => {
    return note(deps, point, ({ removed, ...notes }) => {
      if (!removed) {
        const hint = `To keep it under any policy, hold it: POST /api/restore-points/${point}/hold`;
        throw new HttpError(409, 'not-marked', `No prune has marked restore point ${point} for removal`, hint);
      }
      if (removed.emptied !== undefined) throw emptiedPoint(point, removed.emptied);
      const { at, run } = removed;
      return { notes, entry: { kind: 'unmark', point, by, removed: { at, run } }, recordFirst: true };
    });
  });
}

function emptiedPoint(point: string, emptied: string): HttpError {
  const message = `A prune has been deleting the content of restore point ${point} since ${emptied}`;
  return new HttpError(409, 'point-removed', message, LIST_POINTS);
}

function endsOf({ hold }: { hold?: Notes['hold'] | undefined }): { ends?: string } {
  return hold ? { ends: hold.at } : {};
}

/** What the chain says, if the notes do not: they may have lost it. */
interface OnRecord {
  brake?: NonNullable<Notes['brake']>;
  isHeld: boolean;
}

/** Undefined if there is nothing to change. */
type Change = (notes: Notes, recorded: OnRecord) => Noting | undefined;

/** All of these operations answer alike. */
type Noted = typeof OPERATIONS.holdRestorePoint;

/** Refuses if a prune has marked the restore point: a hold could no longer protect it, and must not seem to. */
function noteUnmarked(deps: Dependencies, id: string, change: Change) {
  return note(deps, id, (notes, recorded) => {
    if (notes.removed) throw removedPoint(409, id, notes.removed);
    return change(notes, recorded);
  });
}

/** Changes the notes of a restore point. */
async function note(deps: Dependencies, id: string, change: Change): Promise<Reply<Noted>> {
  const { summary, control, vault } = await findPoint(deps, id);
  const append = (entry: ChainEntry) => appendEntry(deps, deps.blobs(vault), summary.job, entry);
  try {
    const found = await control.readNotes(summary);
    const recorded = await onRecord(control, summary, found);
    const first = change(found, recorded);
    if (!first) return reply(200, { id, ...shownNotes(found) });
    if (first.recordFirst) await append(first.entry);
    let noting = first;
    const notes = await control.changeNotes(summary, (before) => {
      // If another call has changed the same in between, its entry and this one say it twice.
      noting = change(before, recorded) ?? { ...first, notes: before };
      return noting.notes;
    });
    // Notes that changed in between may need another entry.
    if (!first.recordFirst || !isDeepStrictEqual(noting.entry, first.entry)) await append(noting.entry);
    return reply(200, { id, ...shownNotes(notes) });
  } catch (error) {
    if (!isStorageError(error, 'precondition')) throw error;
    throw new HttpError(409, 'notes-contended', `Other processes keep changing the notes of ${id}`, 'Try again');
  }
}

async function onRecord(control: ControlStore, point: RunSummary, { brake, hold }: Notes): Promise<OnRecord> {
  const reason = brake ? undefined : await control.chain.brakeOnRecord(point);
  const isHeld = hold !== undefined || (await control.chain.isHeldOnRecord(point));
  return { ...(reason !== undefined && { brake: { reason, containers: ['*'] } }), isHeld };
}
