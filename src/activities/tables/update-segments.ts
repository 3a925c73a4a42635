import type { Dependencies } from '#app/dependencies.ts';
import { workplaceOf } from '#app/job-context.ts';
import { entityFilePath, partPath, rangeKey } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { Problem, ProblemCode } from '#domain/run/problems.ts';
import { emptyTally, joinedWindow } from '#domain/run/tally.ts';
import { tableOfShare } from '#domain/run/task-name.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { timestampOf } from '#domain/tables/entity-text.ts';
import { countTile, coverRange, type Tile, tileOf } from '#domain/tables/segment.ts';
import { type KeyRange, keyOfName, nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { addRequests, countingRequests, type RequestCounts } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { Share } from '../run/container-task.ts';
import { RunGuard } from '../run/run-guard.ts';
import { LARGEST_FILE, type OpenRange, readProblem, store } from './read-range.ts';
import { storedVersions } from './stored-versions.ts';

export interface UpdateTilesInput extends Share {
  chunk: PlanChunk;
  /** Index of the first tile to work on. */
  from: number;
  /** Names the piece of work, as that of a range. */
  piece: number;
  requests?: RequestCounts;
  /** They could not be asked for again and again: all of them are named as failed, for this reason. */
  giveUp?: { code: ProblemCode; message: string };
  /** In a retry: the tiles are not of the run that is retried but of a restore point before it, so that all may have changed. */
  scan?: boolean;
}

export interface UpdateTilesResult {
  /** Index of the first tile that is still to be done. */
  next?: number;
  /** The tile before it, which has to be read as a whole. */
  read?: Omit<OpenRange, 'piece'>;
  stopped?: Exclude<Standing, 'go'>;
  problem?: Problem;
}

/** How far the clocks of the service's machines may differ, and what a request may take. */
const MARGIN_MS = 300_000;
/** Files of changes that a tile gathers at most before it is read anew. */
const MOST_FILES = 8;

/**
 * Looks through tiles of the restore point before, one after another, for what was written since they were read. A tile in which
 * nothing was stays as it is; what was written to another is added to it as a file of changes. One of which too much has changed is left
 * to be read as a whole. Safe to run twice, as `readRange` is.
 */
export function makeUpdateTiles(deps: Dependencies) {
  return async function updateTiles(input: UpdateTilesInput): Promise<UpdateTilesResult> {
    const { run, container, destination, chunk, giveUp } = input;
    const { job, control } = workplaceOf(deps, run.job);
    const place: Place = {
      table: tableOfShare(container)!,
      source: deps.tables(job.source.account),
      control,
      most: deps.limits.sliceBlobs,
      deletions: job.source.tableDeletions,
    };
    const guard = new RunGuard(control, run, deps.now);
    const key = rangeKey(input.piece);
    const tally = { ...emptyTally(container, destination), requests: addRequests({}, input.requests ?? {}) };
    const part = new PartWriter<Tile>();

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const plan = await control.readPart<Tile, object>(partPath(run, 'plan', container, chunk.key));
      const deadline = deps.now().getTime() + deps.limits.scanMs;
      const first = plan.items[input.from]!;
      let covered: KeyRange | undefined;
      let window: [string, string] | undefined;
      let result: UpdateTilesResult = {};
      let at = input.from;
      for (; at < plan.items.length; at++) {
        if (at > input.from && deps.now().getTime() >= deadline) {
          result = { next: at };
          break;
        }
        const tile = plan.items[at]!;
        let updated: Updated;
        try {
          updated = giveUp
            ? { tile: lost(tile, giveUp), counts: NO_CHANGES }
            : run.mode === 'retry' && !input.scan && tile.status !== 'failed'
              ? { tile: { ...tile, status: 'unchanged' }, counts: NO_CHANGES }
              : await update(place, tile);
        } catch (error) {
          if (!isStorageError(error)) throw error;
          return { problem: readProblem(error, container) };
        }
        const { changes, tile: found, counts } = updated;
        if (found === 'to be read') {
          const old = tile.files.length > 0 ? { old: { key: chunk.key, index: at } } : {};
          result = { read: { range: tile.range, ...old }, ...(at + 1 < plan.items.length && { next: at + 1 }) };
          break;
        }
        if (changes && !run.dryRun) {
          const path = entityFilePath(run, place.table, key, deps.random());
          const about = { table: place.table, source: place.source.endpoint, run: run.id, range: tile.range };
          const since = { kind: 'changes', since: changes.since, window: changes.window } as const;
          found.files = [...found.files, await store(control, path, changes.writer, { ...about, ...since })];
        }
        countTile(tally, found, counts, run.dryRun);
        if (changes) window = joinedWindow(window, changes.window);
        else if (!giveUp) window = joinedWindow(window, [found.readAt, found.readAt]);
        covered = { ...first.range };
        delete covered.upTo;
        if (tile.range.upTo) covered.upTo = tile.range.upTo;
        if (!run.dryRun) part.add(found);
        const seen = await guard.standing();
        if (seen !== 'go') return { stopped: seen };
      }
      if (covered) coverRange(tally, covered, window);
      return control.writePart(run, 'range', key, part, tally, result);
    });
  };
}

interface Place {
  table: string;
  source: TableAccount;
  control: ControlStore;
  /** Changes of a tile that are held at once, at most. */
  most: number;
  /** Whether keys are compared. */
  deletions: boolean;
}

interface Updated {
  tile: Tile | 'to be read';
  changes?: { writer: EntityFileWriter; since: string; window: [string, string] };
  counts: Parameters<typeof countTile>[2];
}

const NO_CHANGES = { copied: 0, added: 0, changed: 0, gone: 0, bytes: 0 };

function lost(tile: Tile, { code, message }: { code: ProblemCode; message: string }): Tile {
  return tileOf({
    status: 'failed',
    range: tile.range,
    entities: 0,
    size: 0,
    files: [],
    readAt: tile.readAt,
    code,
    message,
  });
}

async function update(place: Place, tile: Tile): Promise<Updated> {
  const toBeRead: Updated = { tile: 'to be read', counts: NO_CHANGES };
  if (tile.status === 'failed') return toBeRead;
  try {
    return (await changesOf(place, tile)) ?? toBeRead;
  } catch (error) {
    // Its files are not what they were: the table still has it all.
    if (isStorageError(error, 'damaged')) return toBeRead;
    throw error;
  }
}

/** What has become of a tile, or undefined where so much has that it is better read as a whole. Throws `damaged`. */
async function changesOf(place: Place, tile: Tile): Promise<Updated | undefined> {
  const since = new Date(Date.parse(tile.readAt) - MARGIN_MS).toISOString();
  let read: Promise<Map<string, string>> | undefined;
  // Where nothing was written, nothing need be read from the vault.
  const storedOf = () => {
    read ??= storedVersions(place.control, tile);
    return read;
  };
  const written = await writtenSince(place, tile.range, since, storedOf);
  if (!written) return undefined;
  const deletionsUnknownSince = tile.deletionsUnknownSince ?? tile.readAt;
  const { code: _, message: __, deletionsUnknownSince: ___, ...before } = tile;
  const facts = {
    ...before,
    readAt: written.window[0],
    ...(!place.deletions && { deletionsUnknownSince }),
  };
  const same: Updated = { tile: tileOf({ ...facts, status: 'unchanged' }), counts: NO_CHANGES };
  if (written.entities.size === 0 && !place.deletions) return same;

  const stored = await storedOf();
  let { window } = written;
  let live: Map<string, string> | undefined;
  if (place.deletions) {
    // Asked for after what was written: what is gone by then is left out, and what has come since is for the next run.
    const listed = await keysIn(place, tile.range);
    ({ live } = listed);
    window = joinedWindow(window, listed.window);
    // Written between the two questions. Whether it was there before that, as it is stored, nobody can tell: it may have been gone.
    const unsure = [...live].flatMap(([name, timestamp]) => {
      const known = stored.get(name);
      return known === undefined || known === timestamp || written.entities.has(name) ? [] : name;
    });
    if (unsure.length > 0) {
      const again = await writtenSince(place, tile.range, since, storedOf);
      if (!again) return undefined;
      window = joinedWindow(window, again.window);
      for (const name of unsure) {
        const text = again.entities.get(name);
        if (text === undefined) live.delete(name);
        else written.entities.set(name, text);
      }
    }
  }
  const writer = new EntityFileWriter();
  const counts = { ...NO_CHANGES };
  for (const [name, text] of written.entities) {
    if (live?.has(name) === false) continue;
    writer.add(text);
    counts.copied++;
    if (stored.has(name)) counts.changed++;
    else counts.added++;
  }
  counts.bytes = writer.size;
  for (const name of live ? stored.keys() : []) {
    if (live!.has(name)) continue;
    writer.addDeletion(keyOfName(name));
    counts.gone++;
  }
  if (writer.items === 0) return same;
  const [base, ...changes] = tile.files;
  const changed = changes.reduce((sum, { items }) => sum + items, writer.items);
  if (tile.files.length >= MOST_FILES || changed > base!.items / 2) return undefined;
  return {
    tile: tileOf({
      ...facts,
      status: 'copied',
      entities: tile.entities + counts.added - counts.gone,
      size: tile.size + writer.size,
    }),
    changes: { writer, since, window },
    counts,
  };
}

/** What is in a range, was written since then, and is not stored; undefined where that is more than is held at once. */
async function writtenSince(
  { source, table, most }: Place,
  range: KeyRange,
  since: string,
  storedOf: () => Promise<Map<string, string>>,
): Promise<{ entities: Map<string, string>; window: [string, string] } | undefined> {
  const entities = new Map<string, string>();
  let size = 0;
  let window: [string, string] | undefined;
  let from: string | undefined;
  do {
    const page = await source.readEntities(table, { ...range, since, ...(from !== undefined && { from }) });
    window = joinedWindow(window, [page.answeredAt, page.answeredAt]);
    for (const { key, text } of page.entities) {
      const name = nameOfKey(key);
      if ((await storedOf()).get(name) === timestampOf(text)) continue;
      entities.set(name, text);
      size += text.length;
    }
    if (entities.size > most || size > LARGEST_FILE) return undefined;
    from = page.next;
  } while (from !== undefined);
  return { entities, window };
}

/** When each entity in a range was written, by its name. */
async function keysIn(
  { source, table }: Place,
  range: KeyRange,
): Promise<{ live: Map<string, string>; window: [string, string] }> {
  const live = new Map<string, string>();
  let window: [string, string] | undefined;
  let from: string | undefined;
  do {
    const page = await source.readEntities(table, { ...range, keysOnly: true, ...(from !== undefined && { from }) });
    window = joinedWindow(window, [page.answeredAt, page.answeredAt]);
    for (const { key, text } of page.entities) live.set(nameOfKey(key), timestampOf(text) ?? '');
    from = page.next;
  } while (from !== undefined);
  return { live, window };
}
