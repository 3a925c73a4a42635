import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { partPath, planKey, sliceKey } from '#domain/run/control-paths.ts';
import { isHeld, manifestPages } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RestoreRef, RunRef } from '#domain/run/run.ts';
import { countOutcome, emptyTally } from '#domain/run/tally.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import { isChosen, mayHoldChosen } from '#domain/tables/key-selection.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { codeOf } from '../restore/restore-problem-code.ts';
import type { PlanChunk } from '../run/chunk.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { failedBefore } from './failed-before.ts';
import { segmentOfFile, segmentsOf } from './read-segment.ts';
import { positionBehind, type SegmentPosition, segmentPages } from './segment-pages.ts';

/**
 * Reads the segments of a table that a restore wants, a stretch of its manifest at a time, and plans to write them. Every file of every
 * segment is read and checked before anything is written: any damage is a problem of the whole table. Writing may begin when the last
 * slice is planned. Safe to run twice: whoever comes second gets the answer of the first.
 */
export async function planTableRestore(deps: Dependencies, input: SliceInput<RestoreRef>): Promise<SliceResult> {
  const { run, container, destination, slice } = input;
  const task = run.restore;
  const { control } = jobContextOf(deps, run.job);
  const target = deps.tables(task.account);
  const guard = new RunGuard(control, run, deps.now);
  const tally = emptyTally(container, destination);
  const part = new PartWriter<Outcome>();
  const plan = new SegmentPlan(deps, control, run, slice, container);
  // What the target, or reading a file, failed with: told in the words of a restore.
  const failures = new WeakSet<object>();
  const noting = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      if (isStorageError(error)) failures.add(error);
      throw error;
    }
  };
  const settle = (outcome: Outcome) => {
    tally.listed++;
    countOutcome(tally, outcome);
    part.add(outcome);
  };

  const planned = countingRequests(tally.requests, async (): Promise<SliceResult> => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    // By now the table may have what the first execution's plan has been worked off to.
    const before = await answerBefore(control, run, container, slice);
    if (before) return before;
    if (slice === 0 && task.existing === 'fail' && !(await hasBegun(control, run, container))) {
      if ((await noting(fillOf(target, destination))) === 'some') {
        const message = `Table ${destination} of ${target.alias} is not empty`;
        return { problem: problemOf('table-not-empty', 0, container, message) };
      }
    }
    const read = segmentsOf(deps, run);
    const only = await failedBefore(control, run, container);
    const manifest = await (task.file ? noting(fileAsManifest(deps, input)) : pointAsManifest(control, input));
    for (const outcome of slice === 0 ? manifest.leftOut : []) settle(outcome);
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    let next: SegmentPosition | undefined = input.manifest ?? { page: 0 };
    while (next !== undefined) {
      const at: SegmentPosition = next;
      const segments = await manifest.segmentsOf(at.page);
      const segment = segments[at.segment ?? 0];
      if (segment && (task.keys === undefined || mayHoldChosen(segment.range, task.keys))) {
        if (isHeld(segment)) {
          const { entities } = await noting(read(segment));
          if (only === undefined || hasAny(segment, entities(), only)) {
            tally.listed += segment.entities;
            tally.listedBytes += segment.size;
            tally.planned += segment.entities;
            tally.plannedBytes += segment.size;
            if (segment.entities > 0) await plan.add(segment);
          }
        } else {
          settle(failureOf(segment));
        }
      }
      next = positionBehind(at, segments.length, manifest.pages);
      const now = await guard.standing();
      if (now !== 'go') return { stopped: now };
      if (plan.chunks >= deps.limits.sliceChunks || deps.now().getTime() >= deadline) break;
    }
    const chunks = await plan.finish();
    if (next === undefined) {
      tally.last = true;
      // Made here once, also where there is nothing to write into it.
      if (!run.dryRun && (await noting(fillOf(target, destination))) === 'absent') {
        await noting(target.createTable(destination));
      }
    }
    const result: SliceResult = { chunks, ...(next && { nextManifest: next }) };
    return control.writePart(run, 'slice', sliceKey(slice), part, tally, result);
  });
  return planned.catch((error): SliceResult => {
    if (!isStorageError(error) || (!failures.has(error) && error.kind !== 'damaged')) throw error;
    // A large one takes longer than the account has waited: it is tried once more, and again, as whatever may pass is.
    const code = error.code === 'TableBeingDeleted' ? 'server-error' : codeOf(error);
    return { problem: problemOf(code, 0, container, error.message) };
  });
}

/** What a restore of a table goes by. */
interface TableManifest {
  /** How many pages of segments it has. */
  pages: number;
  segmentsOf(page: number): Promise<Segment[]>;
  /** What is told of once, at the beginning. */
  leftOut: Outcome[];
}

async function pointAsManifest(
  control: ControlStore,
  { run, container }: SliceInput<RestoreRef>,
): Promise<TableManifest> {
  const point = await pointOf(control, run.job, run.restore.point);
  const pages = manifestPages(point.parts, container);
  const pageOf = segmentPages(control, pages);
  const segmentsOf = async (number: number) => {
    const { segments, damaged } = await pageOf(number);
    if (damaged[0]) throw damaged[0].why;
    return segments;
  };
  return { pages: pages.length, leftOut: [], segmentsOf };
}

/** A single file, as if it were the manifest of its table. */
async function fileAsManifest(deps: Dependencies, { run, slice }: SliceInput<RestoreRef>): Promise<TableManifest> {
  const task = run.restore;
  const { segment, deleted } = await segmentOfFile(deps, task.file!);
  const wanted = deleted.filter((key) => task.keys === undefined || isChosen(task.keys, key));
  const leftOut = slice > 0 ? [] : wanted.map(deletionOf);
  return { pages: 1, leftOut, segmentsOf: async () => [segment] };
}

/** A restore takes nothing away: an entity that the file says is gone stays where it is, and is told of. */
function deletionOf(key: { partition: string; row: string }): Outcome {
  const message = 'The file says that it was deleted; a restore deletes nothing';
  return {
    name: nameOfKey(key),
    status: 'skipped',
    etag: '',
    modified: '',
    size: 0,
    code: 'deletion-not-restored',
    message,
  };
}

/** Why its backup lacks it is of no use to whoever restores: no retry brings it. */
function failureOf(segment: Segment): Outcome {
  const why = segment.message ?? segment.code;
  const message = `The restore point lacks these keys${why === undefined ? '' : `. Its backup said: ${why}`}`;
  return { ...asBackedUp(segment), status: 'failed', code: 'container-not-held', message };
}

/** Whether any of these names is that of the segment, or of an entity in it. */
function hasAny(segment: Segment, entities: Iterable<StoredEntity>, names: ReadonlySet<string>): boolean {
  if (names.has(segment.name)) return true;
  for (const { key } of entities) if (names.has(nameOfKey(key))) return true;
  return false;
}

/** What an execution of this slice before this one has answered. */
async function answerBefore(
  control: ControlStore,
  run: RunRef,
  container: string,
  slice: number,
): Promise<SliceResult | undefined> {
  const path = partPath(run, 'slice', container, sliceKey(slice));
  if (!(await control.read(path))) return undefined;
  return (await control.readPart<Outcome, SliceResult>(path)).end;
}

/**
 * Whether a run that this one tries again found the table empty: what is there now may be what that one has written. It need not
 * be the last: that one may have been ended before it came to this table.
 */
async function hasBegun(control: ControlStore, { job, retryOf }: RestoreRef, container: string): Promise<boolean> {
  for (let id = retryOf; id !== undefined; id = (await control.readSummary({ job, id }))?.retryOf) {
    if (await control.read(partPath({ job, id }, 'slice', container, sliceKey(0)))) return true;
  }
  return false;
}

async function fillOf(target: TableAccount, table: string): Promise<'absent' | 'none' | 'some'> {
  try {
    const { entities } = await target.readEntities(table, { keysOnly: true, limit: 1 });
    return entities.length > 0 ? 'some' : 'none';
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return 'absent';
    throw error;
  }
}

/** Cuts segments into chunks, one activity's work each, and stores them as they fill. */
class SegmentPlan {
  readonly #deps: Dependencies;
  readonly #control: ControlStore;
  readonly #run: RunRef;
  readonly #slice: number;
  readonly #container: string;
  /** A second execution must not overwrite chunks that are being worked on: its keys differ. */
  readonly #attempt: string;
  readonly #written: PlanChunk[] = [];
  #writer = new PartWriter<Segment>();
  #entities = 0;

  constructor(deps: Dependencies, control: ControlStore, run: RunRef, slice: number, container: string) {
    this.#deps = deps;
    this.#control = control;
    this.#run = run;
    this.#slice = slice;
    this.#container = container;
    this.#attempt = deps.random();
  }

  /** Chunks that are full. */
  get chunks(): number {
    return this.#written.length;
  }

  async add(segment: Segment): Promise<void> {
    this.#writer.add(segment);
    this.#entities += segment.entities;
    if (this.#entities >= this.#deps.limits.chunkBlobs) await this.#flush();
  }

  async finish(): Promise<PlanChunk[]> {
    if (this.#entities > 0) await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    const chunk = this.#written.length;
    const key = planKey(this.#slice, chunk, this.#attempt);
    const items = this.#entities;
    const tally = { ...emptyTally(this.#container, ''), planned: items };
    await this.#control.writePart(this.#run, 'plan', key, this.#writer, tally, {});
    this.#written.push({ slice: this.#slice, chunk, key, items });
    this.#writer = new PartWriter();
    this.#entities = 0;
  }
}
