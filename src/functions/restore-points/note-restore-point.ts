import { isDeepStrictEqual } from 'node:util';
import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { appendEntry } from '#app/append-to-chain.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { ChainEntry } from '#domain/run/chain-record.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { findPoint, removedPoint } from '../run/find-restore-point.ts';
import { shownNotes } from './shown-restore-point.ts';

const reasoned = z.strictObject({
  reason: z
    .string()
    .trim()
    .max(200)
    .regex(/[\p{L}\p{N}\p{P}\p{S}]/u, { error: 'this needs a character that can be seen' })
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u, {
      error: 'this may not contain control characters, line breaks or marks that change the direction of text',
    }),
});
const nothing = z.strictObject({});

/** The changed notes, and the entry of the chain that records the change. */
interface Noting {
  notes: Notes;
  entry: ChainEntry;
  /**
   * The entry comes before the notes. A process may die between the two: then a restore point must not have less
   * protection than the chain says, because only someone who rewrites the vault leaves it like that.
   */
  weakens?: true;
}

/** POST /api/restore-points/{id}/hold — no policy removes the restore point until an operator removes the hold. */
export function holdHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    const { reason } = await readBody(request, reasoned);
    return note(deps, request, (notes, point) => {
      const hold = { at: deps.now().toISOString(), reason };
      return { notes: { ...notes, hold }, entry: { kind: 'hold', point, hold, ...endsOf(notes) } };
    });
  });
}

/** POST /api/restore-points/{id}/unhold */
export function unholdHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    await readBody(request, nothing);
    return note(deps, request, ({ hold, ...notes }, point) => ({
      notes,
      entry: { kind: 'unhold', point, ...endsOf({ hold }) },
      weakens: true,
    }));
  });
}

/** POST /api/restore-points/{id}/release — releases the safety brake, after an operator has checked why it engaged. */
export function releaseHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    await readBody(request, nothing);
    const released = deps.now().toISOString();
    return note(deps, request, (notes, point) => {
      if (!notes.brake) {
        throw new HttpError(
          409,
          'no-brake',
          `Restore point ${point} has no safety brake`,
          `See its notes, or look for the brake of another: GET /api/restore-points/${point}`,
        );
      }
      // A repeated call keeps the time of the first release.
      const brake = { released, ...notes.brake };
      return { notes: { ...notes, brake }, entry: { kind: 'release', point, ...brake }, weakens: true };
    });
  });
}

function endsOf({ hold }: { hold?: Notes['hold'] | undefined }): { ends?: string } {
  return hold ? { ends: hold.at } : {};
}

/**
 * Changes the notes of a restore point. Refuses if a prune has marked it: a hold could no longer protect it, and must
 * not seem to.
 */
async function note(deps: Dependencies, request: HttpRequest, change: (notes: Notes, id: string) => Noting) {
  const id = request.params.id!;
  const { summary, control, vault } = await findPoint(deps, id);
  const append = (entry: ChainEntry) => appendEntry(deps, deps.blobs(vault), summary.job, entry);
  const changed = (before: Notes) => {
    if (before.removed) throw removedPoint(409, id, before.removed);
    return change(before, id);
  };
  try {
    const first = changed(await control.readNotes(summary));
    if (first.weakens) await append(first.entry);
    let noting = first;
    const notes = await control.changeNotes(summary, (before) => {
      noting = changed(before);
      return noting.notes;
    });
    // Notes that changed in between may need another entry.
    if (!first.weakens || !isDeepStrictEqual(noting.entry, first.entry)) await append(noting.entry);
    return json(200, { id, ...shownNotes(notes) });
  } catch (error) {
    if (!isStorageError(error, 'precondition')) throw error;
    throw new HttpError(409, 'notes-contended', `Other processes keep changing the notes of ${id}`, 'Try again');
  }
}
