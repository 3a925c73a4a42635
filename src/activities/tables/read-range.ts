import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { entityFilePath, partPath, rangeKey } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { PartWriter } from '#domain/run/part.ts';
import { type Problem, type ProblemCode, problemOf } from '#domain/run/problems.ts';
import { ENTITY_FILE_FORMAT } from '#domain/run/stored-format.ts';
import { emptyTally, joinedWindow } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import {
  countSegment,
  coverRange,
  type EntityFile,
  readLine,
  type Segment,
  segmentOf,
} from '#domain/tables/segment.ts';
import { type KeyRange, nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { addRequests, countingRequests, type RequestCounts } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { RunGuard } from '../run/run-guard.ts';
import { storedVersions } from './stored-versions.ts';

/** A stretch of a table's keys that is to be read as a whole. */
export interface OpenRange {
  range: KeyRange;
  /** Names the piece of work: executed again, it takes up what it has left. */
  piece: number;
  /** The segment that it takes the place of, in the plan: what has changed since is counted against it. */
  old?: { key: string; index: number };
  /** Whether anything is known of how much there is. If not, a little is read first, so that the rest can be shared out. */
  first?: true;
  /** Requests that no part has told of yet. */
  requests?: RequestCounts;
  /** It could not be read again and again: it is named as failed, for this reason. */
  giveUp?: { code: ProblemCode; message: string };
}

export interface ReadRangeInput extends ContainerTask, OpenRange {}

export interface ReadRangeResult {
  /** What is left of the stretch, where that was not all. */
  rest?: KeyRange;
  stopped?: Exclude<Standing, 'go'>;
  problem?: Problem;
}

/** Entities of the first piece of a table. */
const FIRST_LOOK = 5_000;
/** Characters of text in a file: whoever restores it holds all of it. */
export const LARGEST_FILE = 8 * 2 ** 20;

/**
 * Reads a stretch of a table from its beginning, as much as makes one file, and writes file and segment. Safe to run twice, also at the
 * same time: each execution writes a file of its own, and the segment of the first names the one that counts.
 */
export async function readRange(deps: Dependencies, input: ReadRangeInput): Promise<ReadRangeResult> {
  const { run, container, destination, range, piece } = input;
  const { job, control } = jobContextOf(deps, run.job);
  const table = tableOfTask(container)!;
  const source = deps.tables(job.source.account);
  const guard = new RunGuard(control, run, deps.now);
  const key = rangeKey(piece);
  const tally = { ...emptyTally(container, destination), requests: addRequests({}, input.requests ?? {}) };
  const part = new PartWriter<Segment>();

  return countingRequests(tally.requests, async () => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    if (input.giveUp) {
      const segment = segmentOf({ ...NOTHING, status: 'failed', range, readAt: run.startedAt, ...input.giveUp });
      part.add(segment);
      countSegment(tally, segment, NO_CHANGES, run.dryRun);
      coverRange(tally, range, undefined);
      return control.writePart(run, 'range', key, part, tally, {});
    }
    const before = input.old ? await versionsBefore(control, input, input.old) : undefined;
    const enough = input.first ? Math.min(FIRST_LOOK, deps.limits.sliceBlobs) : deps.limits.sliceBlobs;
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    const writer = new EntityFileWriter();
    const counts = { ...NO_CHANGES };
    let window: [string, string] | undefined;
    let from: string | undefined;
    let last: KeyRange['after'];
    let isCut = false;
    try {
      do {
        const limit = Math.min(1_000, enough - writer.items);
        const page = await source.readEntities(table, { ...range, limit, ...(from !== undefined && { from }) });
        window = joinedWindow(window, [page.answeredAt, page.answeredAt]);
        for (const [index, { key, text }] of page.entities.entries()) {
          writer.add(text);
          last = key;
          const known = before?.get(nameOfKey(key));
          if (before && known === undefined) counts.added++;
          else if (before && known !== readLine(text).timestamp) counts.changed++;
          // A page may be of any size: what is behind this one is asked for again.
          isCut = writer.size >= LARGEST_FILE && index + 1 < page.entities.length;
          if (isCut) break;
        }
        from = page.next;
        const seen = await guard.standing();
        if (seen !== 'go') return { stopped: seen };
        const isEnough = writer.items >= enough || writer.size >= LARGEST_FILE || deps.now().getTime() >= deadline;
        if (isCut || (from !== undefined && isEnough && last)) break;
      } while (from !== undefined);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return { problem: readProblem(error, container) };
    }
    const rest = from === undefined && !isCut ? undefined : { ...range, after: last! };
    const covered = rest ? { ...range, upTo: last! } : range;
    const { items, size } = writer;
    const file = run.dryRun
      ? undefined
      : await store(control, entityFilePath(run, table, key, deps.random()), writer, {
          table,
          source: source.endpoint,
          run: run.id,
          range: covered,
          kind: 'entities',
          window: window!,
        });
    const segment = segmentOf({
      ...NOTHING,
      status: 'copied',
      range: covered,
      entities: items,
      size,
      readAt: window![0],
      files: file ? [file] : [],
    });
    const copied = before ? counts.added + counts.changed : items;
    countSegment(tally, segment, { ...counts, copied, bytes: size }, run.dryRun);
    coverRange(tally, covered, window);
    if (!run.dryRun) part.add(segment);
    return control.writePart(run, 'range', key, part, tally, rest ? { rest } : {});
  });
}

const NOTHING = { entities: 0, size: 0, files: [] };
const NO_CHANGES = { copied: 0, added: 0, changed: 0, deleted: 0, bytes: 0 };

export async function store(
  control: ControlStore,
  path: string,
  writer: EntityFileWriter,
  about: {
    table: string;
    source: string;
    run: string;
    range: KeyRange;
    kind: 'entities' | 'changes';
    since?: string;
    window: [string, string];
  },
): Promise<EntityFile> {
  const { window, ...rest } = about;
  const { items } = writer;
  const made = writer.finish({
    file: path,
    format: ENTITY_FILE_FORMAT,
    ...rest,
    readFrom: window[0],
    readTo: window[1],
  });
  await control.writeEntityFile(path, made);
  return { path, items, bytes: made.body.length, sha256: made.sha256 };
}

/** Undefined where that cannot be told any more: then everything counts as new. */
async function versionsBefore(
  control: ControlStore,
  { run, container }: ContainerTask,
  { key, index }: { key: string; index: number },
): Promise<Map<string, string> | undefined> {
  try {
    const plan = await control.readPart<Segment, object>(partPath(run, 'plan', container, key));
    return await storedVersions(control, plan.items[index]!);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

export function readProblem(error: unknown, container: string): Problem {
  const code = isStorageError(error, 'container-not-found') ? 'table-not-found' : problemCodeOf(error, 'source');
  return problemOf(code, 0, container, (error as Error).message);
}
