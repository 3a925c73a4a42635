import type { SliceResult } from '#activities/run/slice.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { ShownOutcome } from '#api/outcome.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { CONTROL_CONTAINER, partPath, runPrefix } from '#domain/run/control-paths.ts';
import type { NoLongerHeld, Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { hintFor, PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { StorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor, HttpError } from '../http/http-error.ts';
import { type FoundRun, findRun } from './find-run.ts';
import { isChosen, mayHaveChosen, totalChosen } from './outcome-choice.ts';

/** Where it was is the same for all of a part. */
type Shown = Omit<ShownOutcome, 'container' | 'destination'>;

/** The most parts to read for one answer, which then ends early with a cursor. */
const PARTS_PER_ANSWER = 25;

/** GET /api/runs/{id}/outcomes — the outcome of each blob by name; for a dry run, what a run would do. */
export function listOutcomesHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.listOutcomes, async ({ params, query: { limit, cursor, ...choice } }, client) => {
    const id = params.id;
    const found = await findRun(deps, client, id);
    const { control } = found;
    const run = { id, job: parseRunId(id)!.job };
    const { mode } = found.state === 'ended' ? found.summary : found.run;
    const all = await control.listParts(run);
    // If the run has published its parts, exactly these count, as they were then, and no later ones.
    const named = found.state === 'ended' ? ownParts(found.summary) : new Map<string, string>();
    const there = new Set(all.map(({ path }) => path));
    const missing = [...named.keys()].find((path) => !there.has(path));
    if (missing !== undefined) throw whyMissing(deps, found, missing);
    const parts = all.filter((part) => (named.size === 0 || named.has(part.path)) && mayHaveChosen(part, choice));
    const { status, container, problem, prefix } = choice;
    const asked = [id, status, container, problem, prefix];
    const at = cursor === undefined ? { part: 0, item: 0 } : readPosition(readCursor(cursor, asked));
    const items: ShownOutcome[] = [];
    let next: string | null = null;
    for (let index = at.part, read = 0; index < parts.length; index++, read++) {
      if (read === PARTS_PER_ANSWER) {
        next = writeCursor(`${index}.0`, asked);
        break;
      }
      const part = parts[index]!;
      const { container: of, destination } = part.tally;
      const from = index === at.part ? at.item : 0;
      const { items: lines, end } = await control.readPart<Outcome | NoLongerHeld, SliceResult>(
        part.path,
        named.get(part.path),
      );
      const shown: Shown[] = lines.filter((item) => isChosen(item, choice)).map((item) => shownOutcome(run, item));
      // The published slice part names its plan chunks; an unpublished attempt may have left others.
      for (const { key } of (status === 'planned' && end.chunks) || []) {
        const plan = await control.readPart<PlannedItem | Segment, object>(partPath(run, 'plan', of, key));
        const all = plan.items.map((item) => ('range' in item ? shownSegment(item) : shownPlan(item)));
        shown.push(...all.filter((item) => isChosen(item, choice)));
      }
      const page = shown.slice(from, from + limit - items.length);
      items.push(...page.map((item) => ({ container: of, destination, ...item })));
      if (from + page.length < shown.length) {
        next = writeCursor(`${index}.${from + page.length}`, asked);
        break;
      }
    }
    return reply(200, { items, next, total: totalChosen(parts, choice, mode) });
  });
}

/** Prunes and reconciliations delete the outcomes of runs that left no restore point, some time after their end. */
function whyMissing({ now, limits }: Dependencies, found: FoundRun, path: string): HttpError | StorageError {
  const id = path.split('/')[3]!;
  const { restorePoint, startedAt, finishedAt } = found.state === 'ended' ? found.summary : {};
  const endedAt = Date.parse(finishedAt ?? startedAt ?? '');
  if (restorePoint !== false || !(endedAt < now().getTime() - limits.outcomesMs)) {
    const part = `${CONTROL_CONTAINER}/${path} in ${found.vault}, a part of ${id}`;
    return new StorageError('damaged', `${part}, is missing`);
  }
  const what = `The outcomes of run ${id} are deleted: it left no restore point, and ended long ago`;
  return new HttpError(404, 'outcomes-removed', what, `Its counts and problems are kept: GET /api/runs/${id}`);
}

/** The parts that a run wrote itself, with the checksum of each; a retry also names those of the run it completes. */
function ownParts({ id, job, parts, compared }: RunSummary): Map<string, string> {
  const prefix = runPrefix({ id, job });
  const all = [...parts, ...compared];
  return new Map(all.flatMap(({ path, sha256 }) => (path.startsWith(prefix) ? [[path, sha256]] : [])));
}

function shownOutcome(run: { id: string; job: string }, outcome: Outcome | NoLongerHeld): Shown {
  const hint = (code: ProblemCode) => hintFor(run, PROBLEMS[code].hint);
  if (outcome.status === 'no-longer-held') {
    return { ...outcome, ...(outcome.cause && { hint: hint(outcome.cause) }) };
  }
  const { source: _, ...shown } = { source: undefined, ...outcome };
  return { ...shown, ...(outcome.code && { hint: hint(outcome.code) }) };
}

/** A segment that a restore of a table would write: the entities have no names before they are read. */
function shownSegment({ name, range, entities, size, files, readAt }: Segment): Shown {
  return { name, status: 'planned', range, entities, size, files, readAt };
}

function shownPlan({ from: source, to, reason, entry }: PlannedItem): Shown {
  const { name, etag, lastModified, size } = entry ? { ...entry, lastModified: entry.modified } : source;
  return { name, status: 'planned', reason, etag, modified: lastModified, size, overwrites: to !== undefined };
}

function readPosition(position: string): { part: number; item: number } {
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(position);
  if (!match) throw foreignCursor();
  return { part: Number(match[1]), item: Number(match[2]) };
}
