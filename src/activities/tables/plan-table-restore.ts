import type { Dependencies } from '#app/dependencies.ts';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import type { Access } from '#domain/restore/restored-properties.ts';
import type { ContainerProperties } from '#domain/run/container-properties.ts';
import { partPath, sliceKey } from '#domain/run/control-paths.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RestoreRef, RunRef } from '#domain/run/run.ts';
import { countOutcome, countProblem } from '#domain/run/tally.ts';
import { addUnmatched } from '#domain/run/unmatched.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import { isChosen, mayHoldChosen } from '#domain/tables/key-selection.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { damagedOutcome, isDamaged } from '../restore/damaged-properties.ts';
import { type PropertiesTarget, restoreProperties } from '../restore/restore-properties.ts';
import { readTableProperties } from '../run/read-properties.ts';
import { propertiesOf } from '../run/record-properties.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { entityOutcome } from './entity-outcome.ts';
import { failedInEarlierRun } from './failed-in-earlier-run.ts';
import { foretellWrites } from './foretell-writes.ts';
import { type ReadSegment, segmentReader } from './read-segment.ts';
import { positionBehind, type SegmentPosition } from './segment-pages.ts';
import { SegmentPlan } from './segment-plan.ts';
import { manifestOfFile, manifestOfPoint } from './table-manifest.ts';

/**
 * Reads the segments of a table that a restore wants, a slice of its manifest at a time, and plans to write them. It
 * reads and checks every file of every segment before the restore writes anything: any damage is a problem of the whole
 * table. Writing begins after the last slice is planned. Safe to run twice: a second execution returns the answer of
 * the first.
 */
export async function planTableRestore(deps: Dependencies, input: SliceInput<RestoreRef>): Promise<SliceResult> {
  const failures = new RestoreFailures();
  try {
    return await inRun(deps, input, (context) => planSlice(context, input, failures));
  } catch (error) {
    return { problem: failures.problemOf(error, input.container) };
  }
}

async function planSlice(
  context: RunContext<RestoreRef>,
  input: SliceInput,
  failures: RestoreFailures,
): Promise<SliceResult> {
  const { run, control, container } = context;
  const { slice } = input;
  // Another execution may already be writing the chunks of the first one's plan.
  const earlier = await earlierAnswer(control, run, container, slice);
  if (earlier) return earlier;
  const target = new TargetTable(context, failures);
  if (slice === 0) {
    const problem = await target.refusal();
    if (problem) return { problem };
  }
  const planner = new TableRestorePlanner(context, slice, failures);
  const next = await planner.planFrom(input.manifest ?? { page: 0 });
  const chunks = await planner.finishPlan();
  // The last slice creates it, even if there is nothing to write into it.
  if (next === undefined && !run.dryRun) await target.create();
  if (next === undefined) await planner.settleProperties(target);
  return planner.finish(chunks, next);
}

/** Plans one slice, and counts it. */
class TableRestorePlanner {
  readonly #context: RunContext<RestoreRef>;
  readonly #slice: number;
  readonly #failures: RestoreFailures;
  readonly #part = new PartWriter<Outcome>();
  readonly #plan: SegmentPlan;
  readonly #read: ReadSegment;

  constructor(context: RunContext<RestoreRef>, slice: number, failures: RestoreFailures) {
    this.#context = context;
    this.#slice = slice;
    this.#failures = failures;
    this.#plan = new SegmentPlan(context, slice);
    this.#read = segmentReader(context.deps, context.run);
  }

  /** Plans segments from a position on, and returns the position that the next slice continues from. */
  async planFrom(start: SegmentPosition): Promise<SegmentPosition | undefined> {
    const { deps, run, control, container } = this.#context;
    const { file, keys } = run.restore;
    const failedBefore = await failedInEarlierRun(control, run, container);
    const manifest = await (file
      ? this.#failures.noting(manifestOfFile(this.#context))
      : manifestOfPoint(this.#context));
    for (const outcome of this.#slice === 0 ? manifest.leftOut : []) this.#settle(outcome);
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    // The entities that are not chosen of a segment in part count when it is written.
    if (keys !== undefined) this.#passOver(0);
    let next: SegmentPosition | undefined = start;
    while (next !== undefined) {
      const at: SegmentPosition = next;
      const segments = await manifest.segmentsOf(at.page);
      const segment = segments[at.segment ?? 0];
      if (segment && (keys === undefined || mayHoldChosen(segment.range, keys))) {
        await this.#planSegment(segment, failedBefore);
      } else if (segment) this.#passOver(segment.entities);
      next = positionBehind(at, segments.length, manifest.pages);
      await this.#context.ensureMayContinue();
      if (this.#plan.chunks >= deps.limits.sliceChunks || deps.now().getTime() >= deadline) break;
    }
    return next;
  }

  /** Notes entities whose keys are not chosen. A retry does not choose: it restores what has failed. */
  #passOver(entities: number): void {
    const { tally, run } = this.#context;
    if (run.retryOf === undefined) tally.unmatched = addUnmatched(tally.unmatched, entities);
  }

  async #planSegment(segment: Segment, failedBefore: ReadonlySet<string> | undefined): Promise<void> {
    if (!isHeld(segment)) return this.#settle(failedSegment(segment));
    const { tally } = this.#context;
    const { entities } = await this.#failures.noting(this.#read(segment));
    if (failedBefore && !hasAny(segment, entities(), failedBefore)) return;
    tally.listedBytes += segment.size;
    if (this.#context.run.dryRun) {
      if ((await this.#foretell(segment, entities())) > 0) await this.#plan.add(segment);
      return;
    }
    tally.listed += segment.entities;
    tally.planned += segment.entities;
    tally.plannedBytes += segment.size;
    if (segment.entities > 0) await this.#plan.add(segment);
  }

  /** Counts what a restore would do with the entities of a segment, and returns how many it would write. */
  async #foretell(segment: Segment, entities: Iterable<StoredEntity>): Promise<number> {
    const { deps, run, destination, tally } = this.#context;
    const { account, existing, keys } = run.restore;
    const wanted = [...entities].filter(({ key }) => keys === undefined || isChosen(keys, key));
    tally.listed += wanted.length;
    if (keys !== undefined) this.#passOver(segment.entities - wanted.length);
    const proceed = () => this.#context.ensureMayContinue();
    const target = { target: deps.tables(account), table: destination, existing, proceed };
    const foretold = await this.#failures.noting(foretellWrites(target, segment.range, wanted));
    const { created, replaced, unchanged, skipped } = foretold;
    tally.unchanged += unchanged.length;
    if (replaced.length > 0) countProblem(tally, 'entities-to-replace', replaced.length);
    for (const entity of skipped) {
      const outcome = entityOutcome(entity, 'skipped', 'target-exists', undefined);
      countOutcome(tally, outcome);
      this.#part.add(outcome);
    }
    tally.planned += created.length + replaced.length;
    for (const { text } of [...created, ...replaced]) tally.plannedBytes += Buffer.byteLength(text);
    return created.length + replaced.length;
  }

  #settle(outcome: Outcome): void {
    this.#context.tally.listed++;
    countOutcome(this.#context.tally, outcome);
    this.#part.add(outcome);
  }

  async settleProperties(target: TargetTable): Promise<void> {
    const { run, control, container } = this.#context;
    if (run.restore.file) return;
    const recorded = await propertiesOf(
      control,
      await restorePointSummary(control, run.job, run.restore.point),
      container,
    );
    if (recorded === undefined) return;
    if (isDamaged(recorded)) this.#settle(damagedOutcome(recorded));
    else await restoreProperties(this.#context, recorded, target);
  }

  finishPlan(): Promise<NonNullable<SliceResult['chunks']>> {
    return this.#plan.finish();
  }

  finish(chunks: NonNullable<SliceResult['chunks']>, nextManifest: SegmentPosition | undefined): Promise<SliceResult> {
    if (nextManifest === undefined) this.#context.tally.last = true;
    const result: SliceResult = { chunks, ...(nextManifest && { nextManifest }) };
    return this.#context.writePart('slice', sliceKey(this.#slice), this.#part, result);
  }
}

/** The table that a restore writes to. */
class TargetTable implements PropertiesTarget {
  readonly #context: RunContext<RestoreRef>;
  readonly #failures: RestoreFailures;
  readonly #target: TableAccount;

  constructor(context: RunContext<RestoreRef>, failures: RestoreFailures) {
    this.#context = context;
    this.#failures = failures;
    this.#target = context.deps.tables(context.run.restore.account);
  }

  /** The problem of a table with entities, if the restore may only write into an empty one. */
  async refusal(): Promise<Problem | undefined> {
    const { run, control, container, destination } = this.#context;
    if (run.restore.existing !== 'fail' || (await hasBegun(control, run, container))) return undefined;
    if ((await this.#content()) !== 'some') return undefined;
    const message = `Table ${destination} of ${this.#target.alias} is not empty`;
    return problemOf('table-not-empty', 0, container, message);
  }

  async create(): Promise<void> {
    if ((await this.#content()) !== 'absent') return;
    await this.#failures.noting(this.#target.createTable(this.#context.destination));
  }

  async read(): Promise<ContainerProperties | undefined> {
    if ((await this.#content()) === 'absent') return undefined;
    return this.#failures.noting(readTableProperties(this.#target, this.#context.destination));
  }

  set({ policies }: Access): Promise<void> {
    return this.#failures.noting(this.#target.setAccessPolicies(this.#context.destination, policies));
  }

  async #content(): Promise<'absent' | 'none' | 'some'> {
    const query = { keysOnly: true, limit: 1 };
    try {
      const { entities } = await this.#failures.noting(this.#target.readEntities(this.#context.destination, query));
      return entities.length > 0 ? 'some' : 'none';
    } catch (error) {
      if (isStorageError(error, 'container-not-found')) return 'absent';
      throw error;
    }
  }
}

/** Distinguishes failures of the target, and of reading a file, from those of the control container. */
class RestoreFailures {
  readonly #noted = new WeakSet<object>();

  async noting<T>(request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      if (isStorageError(error)) this.#noted.add(error);
      throw error;
    }
  }

  /** The problem of the table. Throws the error if it is another failure. */
  problemOf(error: unknown, container: string): Problem {
    if (!isStorageError(error) || (!this.#noted.has(error) && error.kind !== 'damaged')) throw error;
    return problemOf(restoreProblemCode(error), 0, container, error.message);
  }
}

/** A retry cannot restore these keys either, so the reason of the backup is only part of the message. */
function failedSegment(segment: Segment): Outcome {
  const why = segment.message ?? segment.code;
  const message = `The restore point lacks these keys${why === undefined ? '' : `. Its backup said: ${why}`}`;
  return { ...asBackedUp(segment), status: 'failed', code: 'container-not-held', message };
}

/** Whether the segment, or an entity in it, has one of these names. */
function hasAny(segment: Segment, entities: Iterable<StoredEntity>, names: ReadonlySet<string>): boolean {
  if (names.has(segment.name)) return true;
  for (const { key } of entities) if (names.has(nameOfKey(key))) return true;
  return false;
}

/** What an earlier execution of this slice returned. */
async function earlierAnswer(
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
 * Whether a run that this one retries found the table empty: that run may have written the entities that are there now.
 * It need not be the last one, which may have ended before it came to this table.
 */
async function hasBegun(control: ControlStore, { job, retryOf }: RestoreRef, container: string): Promise<boolean> {
  for (let id = retryOf; id !== undefined; id = (await control.readSummary({ job, id }))?.retryOf) {
    if (await control.read(partPath({ job, id }, 'slice', container, sliceKey(0)))) return true;
  }
  return false;
}
