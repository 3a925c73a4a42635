import { z } from 'zod';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type NameSearch, nameMatcher, partsToSearch } from '#domain/restore/name-search.ts';
import { isHeld } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor, HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { findUnmarkedPoint } from '../run/find-restore-point.ts';
import { choosePoint } from './choose-restore-point.ts';
import { type Found, foundIn } from './found-name.ts';
import { OLDER, searchOlder } from './search-older.ts';

/** An answer ends with a cursor after so many parts, or so many milliseconds: the caller then sees how far it is. */
const PARTS_PER_ANSWER = 25;
const ENOUGH_MS = 5_000;

/** Where the next answer continues: in a part, after some of the names that it has. */
const positionSchema = z.strictObject({
  point: z.string(),
  part: z.int().nonnegative(),
  row: z.int().nonnegative(),
});
type Position = z.output<typeof positionSchema>;

/**
 * GET /api/search — the blobs of a restore point whose names match. Every blob that it holds is an entry of one part,
 * also of a retry, so parts are searched one after another.
 */
export function searchNamesHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.searchNames, async ({ query: { limit, cursor, ...query } }) => {
    const { job, q, match, container, restorePoint } = query;
    const asked = [job, q, match, container, restorePoint];
    if (restorePoint === OLDER) return reply(200, await searchOlder(deps, query, { asked, cursor, limit }));
    const from = cursor === undefined ? undefined : readPosition(readCursor(cursor, asked));
    const { summary, vault } = from
      ? await findUnmarkedPoint(deps, from.point)
      : await choosePoint(deps, { restorePoint, job }, 'verify');
    checkHeld(summary, container);
    const control = new ControlStore(deps.blobs(vault));
    const start = from ?? { point: summary.id, part: 0, row: 0 };
    const { items, scanned, total, next } = await search(
      { control, summary, isEnough: enough(deps) },
      { text: q, match, container },
      start,
      limit,
    );
    const { id, startedAt: time } = summary;
    const more = next ? writeCursor(JSON.stringify(next), asked) : null;
    return reply(200, { restorePoint: { id, time }, items, parts: { scanned, total }, next: more });
  });
}

interface Searched {
  control: ControlStore;
  summary: RunSummary;
  /** Whether an answer that has read so many parts ends. */
  isEnough(read: number): boolean;
}

function enough({ now }: Dependencies): Searched['isEnough'] {
  const began = now().getTime();
  return (read) => read >= PARTS_PER_ANSWER || (read > 0 && now().getTime() - began >= ENOUGH_MS);
}

/** Throws `damaged`: without a part, the answer would look complete. */
async function search({ control, summary, isEnough }: Searched, wanted: NameSearch, from: Position, limit: number) {
  const parts = partsToSearch(summary.parts, wanted);
  if (from.part > parts.length) throw foreignCursor();
  const isWanted = nameMatcher(wanted);
  const items: Found[] = [];
  const total = parts.length;
  let { part, row } = from;
  for (let read = 0; part < total; part++, read++, row = 0) {
    if (isEnough(read)) return { items, scanned: part, total, next: { ...from, part, row } };
    const { container, path, sha256 } = parts[part]!;
    const { items: outcomes } = await control.readPart<Outcome, object>(path, sha256);
    const found = outcomes.filter((outcome) => isHeld(outcome) && isWanted(outcome.name));
    const page = found.slice(row, row + limit - items.length);
    items.push(...page.map((outcome) => foundIn(summary, container, outcome)));
    if (row + page.length < found.length) {
      return { items, scanned: part, total, next: { ...from, part, row: row + page.length } };
    }
  }
  return { items, scanned: total, total };
}

function checkHeld({ id, parts }: RunSummary, container: string | undefined): void {
  if (container === undefined || parts.some((part) => part.container === container)) return;
  const hint = `GET /api/restore-points/${id} lists its containers`;
  throw new HttpError(404, 'container-not-held', `Restore point ${id} has no container ${quoted(container)}`, hint);
}

function readPosition(text: string): Position {
  try {
    return positionSchema.parse(JSON.parse(text));
  } catch {
    throw foreignCursor();
  }
}
