import { z } from 'zod';
import { OPERATIONS } from '#api/operations.ts';
import type { PointBlob } from '#api/restore-points.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { NameOrder } from '#domain/blobs/name-order.ts';
import {
  folderOf,
  folderView,
  hasOutcomes,
  lastFolder,
  mayAdd,
  type Row,
  settled,
  type View,
} from '#domain/restore/browse.ts';
import { inListedOrder, isHeld, type ManifestPage, manifestPages } from '#domain/run/manifest.ts';
import { mayHold } from '#domain/run/name-range.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor, HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { findUnmarkedPoint } from '../run/find-restore-point.ts';

/**
 * Maximum number of parts to read for one answer, which then ends early with a cursor. An answer may read more: the
 * rest of a page of the manifest, and the outcomes of retries for the failures that it lists.
 */
const PARTS_PER_ANSWER = 25;

/**
 * Where the next answer continues: a page of the manifest, the number of its rows already listed, and the last folder.
 */
const positionSchema = z.strictObject({
  page: z.number().int().min(0),
  row: z.number().int().min(0),
  folder: z.string().min(1).optional(),
});

type Position = z.output<typeof positionSchema>;

/** GET /api/restore-points/{id}/blobs — lists the blobs of a container in a restore point, by name or by folder. */
export function listPointBlobsHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.listPointBlobs, async ({ params, query: { limit, cursor, ...asked } }) => {
    const id = params.id;
    const { summary, control } = await findUnmarkedPoint(deps, id);
    const container = containerOf(summary, asked.container);
    const { prefix, delimiter } = asked;
    const question = [id, container, prefix, delimiter];
    const pages = manifestPages(summary.parts, container);
    const from =
      cursor === undefined ? { page: 0, row: 0 } : readPosition(readCursor(cursor, question), { prefix, delimiter });
    // The parts of a retry repeat names that failed before, and add no others.
    const isFirst = ({ run }: ManifestPage) => run === pages[0]!.run;
    const { rows, next } = await walk(control, pages.filter(isFirst), { prefix, delimiter }, from, limit);
    const outcomes = await retried(
      control,
      pages.filter((page) => !isFirst(page)),
      rows.flatMap((row) => ('outcome' in row ? row.outcome : [])),
    );
    return reply(200, {
      items: outcomes.map(shown),
      folders: rows.flatMap((row) => ('folder' in row ? { prefix: row.folder } : [])),
      next: next ? writeCursor(JSON.stringify(next), question) : null,
    });
  });
}

function containerOf({ id, parts }: RunSummary, named: string | undefined): string {
  const tasks = [...new Set(parts.map(({ container }) => container))];
  const containers = tasks.filter((task) => tableOfTask(task) === undefined);
  const these = `It has: ${containers.slice(0, 20).join(', ')}${containers.length > 20 ? ', …' : ''}`;
  if (named === undefined && containers.length > 1) {
    const message = `Restore point ${id} has ${containers.length} containers; specify "container"`;
    throw new HttpError(400, 'container-missing', message, these, { containers });
  }
  const container = named ?? containers[0];
  if (container !== undefined && containers.includes(container)) return container;
  const message = `Restore point ${id} has no container${container === undefined ? '' : ` ${quoted(container)}`}`;
  const isTable = container === undefined ? tasks.length > 0 : tableOfTask(container) !== undefined;
  const hint = isTable
    ? `You cannot browse tables. See what the restore point has of each: GET /api/restore-points/${id}`
    : these;
  throw new HttpError(404, 'container-not-held', message, hint);
}

/** The rows from a position on, at most `limit`, and where to continue if there are more. Throws `damaged`. */
async function walk(
  control: ControlStore,
  pages: readonly ManifestPage[],
  question: Omit<View, 'folder'>,
  from: Position,
  limit: number,
): Promise<{ rows: Row[]; next?: Position }> {
  if (from.page > 0 && from.page >= pages.length) throw foreignCursor();
  const rows: Row[] = [];
  let read = 0;
  for (let { page, row, folder } = from; page < pages.length; page++, row = 0) {
    const view = { ...question, folder };
    const parts = pages[page]!.parts.filter((part) => mayAdd(part, view));
    if (row > 0 && parts.length === 0) throw foreignCursor();
    if (parts.length === 0) continue;
    const here = { page, ...(folder !== undefined && { folder }) };
    const isEnough = rows.length === limit || (read > 0 && read + parts.length > PARTS_PER_ANSWER);
    if (isEnough) return { rows, next: { ...here, row } };
    read += parts.length;
    // Each page finds out its order on its own, so that its rows are the same in every answer.
    const outcomes = inListedOrder(await readAll(control, { ...pages[page]!, parts }), new NameOrder());
    const shown = folderView(outcomes, view);
    if (row > 0 && row >= shown.length) throw foreignCursor();
    const listed = shown.slice(row, row + limit - rows.length);
    rows.push(...listed);
    if (row + listed.length < shown.length) return { rows, next: { ...here, row: row + listed.length } };
    folder = lastFolder(shown, folder);
  }
  return { rows };
}

/** Replaces failures by the outcomes of the retries that followed. */
async function retried(control: ControlStore, pages: readonly ManifestPage[], outcomes: Outcome[]): Promise<Outcome[]> {
  const names = outcomes.flatMap(({ name, status }) => (status === 'failed' ? name : []));
  if (names.length === 0) return outcomes;
  const failed = new Set(names);
  const later: Outcome[] = [];
  for (const page of pages) {
    const parts = page.parts.filter((part) => hasOutcomes(part) && names.some((name) => mayHold(part.names, name)));
    for (const items of await readAll(control, { ...page, parts })) {
      later.push(...items.filter(({ name }) => failed.has(name)));
    }
  }
  return settled(outcomes, later);
}

async function readAll(control: ControlStore, page: ManifestPage): Promise<Outcome[][]> {
  return (await control.readManifest(page)).map((items) => {
    // Without this part, the answer would look complete.
    if (Array.isArray(items)) return items;
    throw items;
  });
}

function shown(outcome: Outcome): PointBlob {
  const { name, size, modified, etag, type = 'block', tier, md5, tags, code } = outcome;
  return {
    name,
    size,
    modified,
    etag,
    type,
    ...(tier !== undefined && { tier }),
    ...(md5 !== undefined && { md5 }),
    ...(tags !== undefined && { tags }),
    status: isHeld(outcome) ? 'held' : outcome.status,
    ...(code !== undefined && { code, hint: PROBLEMS[code].hint }),
  };
}

function readPosition(text: string, { prefix, delimiter }: View): Position {
  try {
    const position = positionSchema.parse(JSON.parse(text));
    const { folder } = position;
    const isFolder =
      folder === undefined || (delimiter !== undefined && folderOf(folder, { prefix, delimiter }) === folder);
    if (isFolder) return position;
  } catch {
    // A cursor that cannot be read is refused below, as one of another query is.
  }
  throw foreignCursor();
}
