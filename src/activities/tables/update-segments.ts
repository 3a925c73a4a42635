import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { entityFilePath, partPath, rangeKey } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { Problem, ProblemCode } from '#domain/run/problems.ts';
import { emptyTally, joinedWindow } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { timestampOf } from '#domain/tables/entity-text.ts';
import { countSegment, coverRange, type Segment, segmentOf } from '#domain/tables/segment.ts';
import { type KeyRange, keyOfName, nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { addRequests, countingRequests, type RequestCounts } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import type { PlanChunk } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { RunGuard } from '../run/run-guard.ts';
import { LARGEST_FILE, type OpenRange, readProblem, store } from './read-range.ts';
import { storedVersions } from './stored-versions.ts';

export interface UpdateSegmentsInput extends ContainerTask {
  chunk: PlanChunk;
  /** Index of the first segment to work on. */
  from: number;
  /** Names the piece of work, as that of a range. */
  piece: number;
  requests?: RequestCounts;
  /** They could not be asked for again and again: all of them are named as failed, for this reason. */
  giveUp?: { code: ProblemCode; message: string };
  /** In a retry: the segments are not of the run that is retried but of a restore point before it, so that all may have changed. */
  scan?: boolean;
}

export interface UpdateSegmentsResult {
  /** Index of the first segment that is still to be done. */
  next?: number;
  /** The segment before it, which has to be read as a whole. */
  read?: Omit<OpenRange, 'piece'>;
  stopped?: Exclude<Standing, 'go'>;
  problem?: Problem;
}

/** How far the clocks of the service's machines may differ, and what a request may take. */
const MARGIN_MS = 300_000;
/** Files of changes that a segment gathers at most before it is read anew. */
const MOST_FILES = 8;

/**
 * Looks through segments of the restore point before, one after another, for what was written since they were read. A segment in which
 * nothing was stays as it is; what was written to another is added to it as a file of changes. One of which too much has changed is left
 * to be read as a whole. Safe to run twice, as `readRange` is.
 */
export async function updateSegments(deps: Dependencies, input: UpdateSegmentsInput): Promise<UpdateSegmentsResult> {
  const { run, container, destination, chunk, giveUp } = input;
  const { job, control } = jobContextOf(deps, run.job);
  const place: Place = {
    table: tableOfTask(container)!,
    source: deps.tables(job.source.account),
    control,
    most: deps.limits.sliceBlobs,
    deletions: job.source.tableDeletions,
  };
  const guard = new RunGuard(control, run, deps.now);
  const key = rangeKey(input.piece);
  const tally = { ...emptyTally(container, destination), requests: addRequests({}, input.requests ?? {}) };
  const part = new PartWriter<Segment>();

  return countingRequests(tally.requests, async () => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const plan = await control.readPart<Segment, object>(partPath(run, 'plan', container, chunk.key));
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    const first = plan.items[input.from]!;
    let covered: KeyRange | undefined;
    let window: [string, string] | undefined;
    let result: UpdateSegmentsResult = {};
    let at = input.from;
    for (; at < plan.items.length; at++) {
      if (at > input.from && deps.now().getTime() >= deadline) {
        result = { next: at };
        break;
      }
      const segment = plan.items[at]!;
      let updated: Updated;
      try {
        updated = giveUp
          ? { segment: lost(segment, giveUp), counts: NO_CHANGES }
          : run.mode === 'retry' && !input.scan && segment.status !== 'failed'
            ? { segment: { ...segment, status: 'unchanged' }, counts: NO_CHANGES }
            : await update(place, segment);
      } catch (error) {
        if (!isStorageError(error)) throw error;
        return { problem: readProblem(error, container) };
      }
      const { changes, segment: found, counts } = updated;
      if (found === 'to be read') {
        const old = segment.files.length > 0 ? { old: { key: chunk.key, index: at } } : {};
        result = { read: { range: segment.range, ...old }, ...(at + 1 < plan.items.length && { next: at + 1 }) };
        break;
      }
      if (changes && !run.dryRun) {
        const path = entityFilePath(run, place.table, key, deps.random());
        const about = { table: place.table, source: place.source.endpoint, run: run.id, range: segment.range };
        const since = { kind: 'changes', since: changes.since, window: changes.window } as const;
        found.files = [...found.files, await store(control, path, changes.writer, { ...about, ...since })];
      }
      countSegment(tally, found, counts, run.dryRun);
      if (changes) window = joinedWindow(window, changes.window);
      else if (!giveUp) window = joinedWindow(window, [found.readAt, found.readAt]);
      covered = { ...first.range };
      delete covered.upTo;
      if (segment.range.upTo) covered.upTo = segment.range.upTo;
      if (!run.dryRun) part.add(found);
      const seen = await guard.standing();
      if (seen !== 'go') return { stopped: seen };
    }
    if (covered) coverRange(tally, covered, window);
    return control.writePart(run, 'range', key, part, tally, result);
  });
}

interface Place {
  table: string;
  source: TableAccount;
  control: ControlStore;
  /** Changes of a segment that are held at once, at most. */
  most: number;
  /** Whether keys are compared. */
  deletions: boolean;
}

interface Updated {
  segment: Segment | 'to be read';
  changes?: { writer: EntityFileWriter; since: string; window: [string, string] };
  counts: Parameters<typeof countSegment>[2];
}

const NO_CHANGES = { copied: 0, added: 0, changed: 0, deleted: 0, bytes: 0 };

function lost(segment: Segment, { code, message }: { code: ProblemCode; message: string }): Segment {
  return segmentOf({
    status: 'failed',
    range: segment.range,
    entities: 0,
    size: 0,
    files: [],
    readAt: segment.readAt,
    code,
    message,
  });
}

async function update(place: Place, segment: Segment): Promise<Updated> {
  const toBeRead: Updated = { segment: 'to be read', counts: NO_CHANGES };
  if (segment.status === 'failed') return toBeRead;
  try {
    return (await changesOf(place, segment)) ?? toBeRead;
  } catch (error) {
    // Its files are not what they were: the table still has it all.
    if (isStorageError(error, 'damaged')) return toBeRead;
    throw error;
  }
}

/** What has become of a segment, or undefined where so much has that it is better read as a whole. Throws `damaged`. */
async function changesOf(place: Place, segment: Segment): Promise<Updated | undefined> {
  const since = new Date(Date.parse(segment.readAt) - MARGIN_MS).toISOString();
  let read: Promise<Map<string, string>> | undefined;
  // Where nothing was written, nothing need be read from the vault.
  const storedOf = () => {
    read ??= storedVersions(place.control, segment);
    return read;
  };
  const written = await writtenSince(place, segment.range, since, storedOf);
  if (!written) return undefined;
  const deletionsUnknownSince = segment.deletionsUnknownSince ?? segment.readAt;
  const { code: _, message: __, deletionsUnknownSince: ___, ...before } = segment;
  const facts = {
    ...before,
    readAt: written.window[0],
    ...(!place.deletions && { deletionsUnknownSince }),
  };
  const same: Updated = { segment: segmentOf({ ...facts, status: 'unchanged' }), counts: NO_CHANGES };
  if (written.entities.size === 0 && !place.deletions) return same;

  const stored = await storedOf();
  let { window } = written;
  let live: Map<string, string> | undefined;
  if (place.deletions) {
    // Asked for after what was written: what is gone by then is left out, and what has come since is for the next run.
    const listed = await keysIn(place, segment.range);
    ({ live } = listed);
    window = joinedWindow(window, listed.window);
    // Written between the two questions. Whether it was there before that, as it is stored, nobody can tell: it may have been gone.
    const unsure = [...live].flatMap(([name, timestamp]) => {
      const known = stored.get(name);
      return known === undefined || known === timestamp || written.entities.has(name) ? [] : name;
    });
    if (unsure.length > 0) {
      const again = await writtenSince(place, segment.range, since, storedOf);
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
    counts.deleted++;
  }
  if (writer.items === 0) return same;
  const [base, ...changes] = segment.files;
  const changed = changes.reduce((sum, { items }) => sum + items, writer.items);
  if (segment.files.length >= MOST_FILES || changed > base!.items / 2) return undefined;
  return {
    segment: segmentOf({
      ...facts,
      status: 'copied',
      entities: segment.entities + counts.added - counts.deleted,
      size: segment.size + writer.size,
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
