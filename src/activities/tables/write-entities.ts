import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { concernsWholeAccount } from '#app/problem-code.ts';
import { writeOf } from '#domain/restore/restore.ts';
import { chunkKey, partPath } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import { countOutcome, countProblem, emptyTally } from '#domain/run/tally.ts';
import { batchesOf } from '#domain/tables/entity-batch.ts';
import { type StoredEntity, timestampOf } from '#domain/tables/entity-text.ts';
import { isChosen } from '#domain/tables/key-selection.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { type EntityKey, nameOfKey } from '#domain/tables/table-key.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { type EntityWrite, transactionBytes } from '#storage/table-account.ts';
import { codeOf } from '../restore/restore-problem-code.ts';
import type { ChunkInput, ChunkResult } from '../run/chunk.ts';
import { RunGuard, watchStanding } from '../run/run-guard.ts';
import { failedBefore } from './failed-before.ts';
import { Pace } from './pace.ts';
import { type ReadSegment, segmentsOf } from './read-segment.ts';
import { type Settle, type WriteContext, writeBatch } from './write-batch.ts';

/** Chunks that are worked off at once in this process: each has a segment in memory, up to some tens of megabytes. */
const CHUNKS_AT_ONCE = 2;
/** Transactions of one chunk that are under way at once. */
const BATCHES_AT_ONCE = 16;
/** So often in a row it may be too busy; each time takes as long as the tries of a request. */
const PATIENCE = 6;
/** So many transactions in a row that fail for a reason that concerns the whole account, and the rest is not tried. */
const HOPELESS_AFTER = 16;
const NOTE_PROGRESS_MS = 3_000;

/**
 * Writes the entities of a chunk of segments into the table that is restored to, within a time budget, and writes what became of them
 * as a part: counts, and a line for each that failed or was skipped. Positions in the chunk are counted in entities. Safe to run
 * twice, as `copyChunk` is.
 */
export function makeWriteEntities() {
  const slots = pLimit(CHUNKS_AT_ONCE);
  return async function writeEntities(
    deps: Dependencies,
    input: ChunkInput<RestoreRef>,
  ): Promise<ChunkResult & { problem?: Problem }> {
    try {
      return await slots(() => workOffChunk(deps, input));
    } catch (error) {
      // It was made when the restore was planned. Making it anew would hide that what was written to it since is lost.
      if (!isStorageError(error, 'container-not-found')) throw error;
      const { run, container, destination } = input;
      const message = `Table ${destination} of ${run.restore.account} was taken away while it was written to: ${error.message}`;
      return { problem: problemOf('target-changing', 0, container, message) };
    }
  };
}

async function workOffChunk(deps: Dependencies, input: ChunkInput<RestoreRef>): Promise<ChunkResult> {
  const { run, container, destination, chunk } = input;
  const task = run.restore;
  const { control } = jobContextOf(deps, run.job);
  const key = chunkKey(chunk.slice, chunk.chunk, input.from);
  const tally = emptyTally(container, destination);
  const guard = new RunGuard(control, run, deps.now);

  return countingRequests(tally.requests, async () => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const plan = await control.readPart<Segment, object>(partPath(run, 'plan', container, chunk.key));
    const only = await failedBefore(control, run, container);
    const isWanted = (segment: Segment, key: EntityKey) =>
      (task.keys === undefined || isChosen(task.keys, key)) &&
      (only === undefined || only.has(segment.name) || only.has(nameOfKey(key)));
    const stop = new AbortController();
    const place: WriteContext = {
      target: deps.tables(task.account),
      table: destination,
      write: writeOf(task.existing),
      same: task.existing === 'skip' || run.retryOf !== undefined ? 'unchanged' : 'copied',
      other: task.existing === 'skip' ? 'skipped' : 'failed',
      signal: stop.signal,
      pace: new Pace(BATCHES_AT_ONCE, PATIENCE),
    };
    const lines: Outcome[] = [];
    const settle: Settle = (entity, status, code, message) => {
      tally.planned++;
      if (status === 'copied' || status === 'unchanged') {
        tally[status]++;
        if (status === 'copied') tally.copiedBytes += Buffer.byteLength(entity.text);
        return;
      }
      const outcome = outcomeOf(entity, status, code, message);
      countOutcome(tally, outcome);
      lines.push(outcome);
    };

    let stopped: Exclude<Standing, 'go'> | undefined;
    let broken: unknown;
    let covered = 0;
    let hopeless = 0;
    let lastHopeless: { code: NonNullable<Outcome['code']>; message: string } | undefined;
    const isHopeless = () => hopeless >= HOPELESS_AFTER;
    const underway = new Set<Promise<void>>();
    const started = deps.now().getTime();
    let notedAt = started;

    const write = async (batch: readonly StoredEntity[]) => {
      let reached = false;
      let whole: typeof lastHopeless;
      try {
        await writeBatch(place, batch, (entity, status, code, message) => {
          settle(entity, status, code, message);
          if (code !== undefined && concernsWholeAccount(code)) whole = { code, message: message ?? code };
          else reached = true;
        });
        hopeless = reached ? 0 : hopeless + 1;
        lastHopeless = whole;
      } catch (error) {
        // A stop by the signal leaves entities without an outcome; anything else ends the activity.
        if (!stop.signal.aborted) broken ??= error;
      }
    };
    const watch = watchStanding(guard, (seen) => {
      stopped = seen;
      stop.abort();
    });
    try {
      for await (const piece of piecesOf(
        plan.items,
        input.from,
        segmentsOf(deps, run),
        isWanted,
        writeOf(task.existing),
      )) {
        if (piece.unread) {
          // Left to the next piece, or to another try of this one.
          if (covered === 0) broken = piece.unread;
          break;
        }
        covered += piece.covered;
        if (piece.unwanted > 0) {
          tally.unwanted = (tally.unwanted ?? 0) + piece.unwanted;
          tally.planned += piece.unwanted;
        }
        if (piece.lost) {
          const { segment, error, items } = piece.lost;
          const outcome = lostOf(segment, error, items);
          countOutcome(tally, outcome);
          // One line stands for all of them.
          tally.failed += items - 1;
          countProblem(tally, outcome.code!, items - 1);
          tally.planned += items;
          lines.push(outcome);
        } else if (isHopeless() && lastHopeless) {
          const { code, message } = lastHopeless;
          const why = `Not tried after ${HOPELESS_AFTER} failures in a row: ${message}`;
          for (const entity of piece.entities) settle(entity, 'failed', code, why);
        } else if (piece.entities.length > 0) {
          const tracked: Promise<void> = write(piece.entities).finally(() => underway.delete(tracked));
          underway.add(tracked);
          if (underway.size >= BATCHES_AT_ONCE) await Promise.race(underway);
        }
        const seen = await guard.standing();
        if (seen !== 'go') stopped = seen;
        const now = deps.now().getTime();
        if (stopped !== undefined || broken !== undefined) break;
        if (now - started >= deps.limits.copyMs && !isHopeless()) break;
        if (now - notedAt >= NOTE_PROGRESS_MS) {
          notedAt = now;
          await control.noteProgress(run, key, tally).catch(() => {});
        }
      }
      if (stopped !== undefined) stop.abort();
      await Promise.all(underway);
    } finally {
      watch.end();
    }
    if (broken !== undefined) throw broken;

    const part = new PartWriter<Outcome>();
    for (const line of lines.sort(({ name: a }, { name: b }) => (a < b ? -1 : 1))) part.add(line);
    // What was done is told; what was not has no outcome.
    const end =
      stopped !== undefined ? { stopped } : covered < chunk.items - input.from ? { next: input.from + covered } : {};
    const written = await control.writePart<Outcome, ChunkResult>(run, 'chunk', key, part, tally, end);
    return stopped === undefined ? written : { stopped };
  });
}

/** What follows next in a chunk. */
interface Piece {
  /** Of one partition, to be written in one transaction. */
  entities: StoredEntity[];
  /** Entities of the chunk that are dealt with by it: those, and the unwanted ones before them. */
  covered: number;
  unwanted: number;
  /** In place of entities: those of a segment that cannot be read any more. */
  lost?: { segment: Segment; error: StorageError; items: number };
  /** In place of anything else: why what follows could not be read now. */
  unread?: StorageError;
}

/** The entities of segments from the given one on, in the same pieces whoever asks. One segment is in memory at a time. */
async function* piecesOf(
  segments: readonly Segment[],
  from: number,
  read: ReadSegment,
  isWanted: (segment: Segment, key: EntityKey) => boolean,
  write: EntityWrite,
): AsyncGenerator<Piece> {
  let before = 0;
  for (const segment of segments) {
    const first = Math.max(from - before, 0);
    before += segment.entities;
    if (first >= segment.entities) continue;
    // Of the segment, from the first entity that is meant: what has been handed on.
    let covered = first;
    try {
      const { entities } = await read(segment);
      for (const batch of batchesOf(
        wantedOf(entities(), first, (key) => isWanted(segment, key)),
        (each) => transactionBytes(write, each),
      )) {
        const behind = batch.at(-1)!.number + 1;
        yield { entities: batch, covered: behind - covered, unwanted: behind - covered - batch.length };
        covered = behind;
      }
    } catch (error) {
      if (!isStorageError(error)) throw error;
      if (error.kind !== 'damaged') {
        yield { entities: [], covered: 0, unwanted: 0, unread: error };
        return;
      }
      const items = segment.entities - covered;
      yield { entities: [], covered: items, unwanted: 0, lost: { segment, error, items } };
      continue;
    }
    const rest = segment.entities - covered;
    if (rest > 0) yield { entities: [], covered: rest, unwanted: rest };
  }
}

/** Those that are wanted, from a place on, each with its number in the segment. */
function* wantedOf(
  entities: Iterable<StoredEntity>,
  from: number,
  isWanted: (key: EntityKey) => boolean,
): Generator<StoredEntity & { number: number }> {
  let number = 0;
  for (const entity of entities) {
    if (number >= from && isWanted(entity.key)) yield { ...entity, number };
    number++;
  }
}

function outcomeOf(
  { key, text }: StoredEntity,
  status: Outcome['status'],
  code: Outcome['code'],
  message: string | undefined,
): Outcome {
  return {
    ...{ name: nameOfKey(key), status, etag: '', modified: timestampOf(text) ?? '', size: Buffer.byteLength(text) },
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
  };
}

/** It was whole when the restore was planned. */
function lostOf(segment: Segment, error: StorageError, items: number): Outcome {
  const message = `${error.message}; ${items} entities of it are not restored`;
  return { ...asBackedUp(segment), status: 'failed', code: codeOf(error), message };
}
