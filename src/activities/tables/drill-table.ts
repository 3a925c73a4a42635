import { isHeld } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { PartEntry, RunSummary, VerifyRef } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { type StoredEntity, timestampOf } from '#domain/tables/entity-text.ts';
import { isSegment, type Segment } from '#domain/tables/segment.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { sampleOf } from '#domain/verify/sample.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import type { RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import { DrillScratchTable, removeLeftoverTables } from './drill-scratch-table.ts';
import { type ReadSegment, segmentReader } from './read-segment.ts';
import { damagedRange } from './segment-pages.ts';

/**
 * A drill restores the sample with the entities around it: at most this many in total, and this many in one
 * transaction.
 */
const MOST_ENTITIES = 5_000;
const MOST_TOGETHER = 100;

/**
 * Restores the entities of a drill's sample in one table, with their neighbors, into a scratch table of the vault's
 * account, reads them back, compares them, and deletes the table. Safe to run twice: each execution has a table of its
 * own.
 */
export async function drillTable(
  context: RunContext<VerifyRef>,
  { slice, manifest }: SliceInput,
): Promise<SliceResult> {
  const { run, control, container } = context;
  const point = await restorePointSummary(control, run.job, run.verify.point);
  const { parts, sample } = sampleOfTable(context, point);
  // The drill of the first table does it for all of them.
  if (slice === 0 && firstTableOf(point) === container) await removeLeftoverTables(context);
  const scratch = new DrillScratchTable(context);
  const drill = new SampleDrill(context, slice, scratch);
  let at = manifest?.page ?? 0;
  let leftOver: string | undefined;
  try {
    while (at < parts.length) {
      const part = parts[at++]!;
      await drill.restorePart(part, sample.get(part.path)!);
      await context.ensureMayContinue();
      if (drill.writer.isDue) break;
    }
    await scratch.readBack();
  } finally {
    leftOver = await scratch.remove();
  }
  drill.settleRestored(leftOver);
  return drill.writer.finish(at < parts.length ? { nextManifest: { page: at } } : {});
}

/**
 * The parts of a table that hold entities of its sample. Each table has a sample of its own, in addition to that of all
 * blobs.
 */
function sampleOfTable({ run, container }: RunContext<VerifyRef>, point: RunSummary) {
  const ofTable = point.parts.filter((part) => part.container === container);
  // Without the name of a table, their entities count as what the sample is picked from.
  const anonymous = ofTable.map((part) => ({ ...part, container: '' }));
  const sample = sampleOf(anonymous, run.verify.sample, `${run.id} ${container}`);
  return { parts: ofTable.filter(({ path }) => sample.has(path)), sample };
}

function firstTableOf({ parts }: RunSummary): string | undefined {
  return parts.find(({ container }) => tableOfTask(container) !== undefined)?.container;
}

/** Restores a sample part by part, and settles its entities. */
class SampleDrill {
  readonly writer: SliceWriter;
  readonly #context: RunContext<VerifyRef>;
  readonly #scratch: DrillScratchTable;
  readonly #read: ReadSegment;
  readonly #together: number;

  constructor(context: RunContext<VerifyRef>, slice: number, scratch: DrillScratchTable) {
    const { deps, run } = context;
    this.writer = new SliceWriter(context, slice);
    this.#context = context;
    this.#scratch = scratch;
    this.#read = segmentReader(deps, run);
    this.#together = Math.max(1, Math.min(MOST_TOGETHER, Math.floor(MOST_ENTITIES / run.verify.sample)));
  }

  /** Restores the entities of a part that have these numbers. */
  async restorePart(part: PartEntry, numbers: readonly number[]): Promise<void> {
    const [items] = await this.#context.control.readManifest({ parts: [part], run: '' });
    if (!Array.isArray(items)) return this.#settleListed(damagedRange(part, items!));
    for (const [segment, within] of chosenIn(items.filter(isSegment).filter(isHeld), numbers)) {
      const entities = await this.#entitiesOf(segment);
      for (const group of neighborsOf(entities, within, this.#together)) await this.#scratch.restore(group);
    }
  }

  /** The entities of a segment; undefined if it is damaged, and then it has an outcome of its own. */
  async #entitiesOf(segment: Segment): Promise<StoredEntity[] | undefined> {
    try {
      return [...(await this.#read(segment)).entities()];
    } catch (error) {
      if (!isStorageError(error, 'damaged')) throw error;
      const { message } = error;
      this.#settleListed({ ...asBackedUp(segment), status: 'failed', code: 'content-mismatch', message });
      return undefined;
    }
  }

  #settleListed(outcome: Outcome): void {
    this.#context.tally.listed++;
    this.writer.settle(outcome);
  }

  /** Settles every restored entity. One of them reports a scratch table that is left over. */
  settleRestored(leftOver: string | undefined): void {
    const { tally } = this.#context;
    let unreported = leftOver;
    for (const [entity, failure] of this.#scratch.restored) {
      tally.listed++;
      tally.listedBytes += Buffer.byteLength(entity.text);
      if (failure) {
        this.writer.settle(outcomeOf(entity, 'failed', failure.code, failure.message));
      } else if (unreported !== undefined) {
        this.writer.settle(outcomeOf(entity, 'unchanged', 'access-denied-prune', unreported));
        unreported = undefined;
      } else {
        tally.unchanged++;
      }
    }
  }
}

/**
 * The segments that hold the entities with these numbers, counted through all segments, each with the numbers in it.
 */
function chosenIn(segments: readonly Segment[], numbers: readonly number[]): [Segment, number[]][] {
  let before = 0;
  return segments.flatMap((segment): [Segment, number[]][] => {
    const own = numbers.filter((number) => number >= before && number < before + segment.entities);
    const within = own.map((number) => number - before);
    before += segment.entities;
    return within.length > 0 ? [[segment, within]] : [];
  });
}

/** The chosen entities with others around them, in groups of one partition and of limited size that do not overlap. */
function neighborsOf(
  entities: readonly StoredEntity[] | undefined,
  numbers: readonly number[],
  together: number,
): StoredEntity[][] {
  if (!entities) return [];
  const groups = new Map<string, StoredEntity[]>();
  for (const number of numbers) {
    const { partition } = entities[number]!.key;
    const from = number - (number % together);
    const around = entities.slice(from, from + together).filter(({ key }) => key.partition === partition);
    groups.set(`${from}/${partition}`, around);
  }
  return [...groups.values()];
}

function outcomeOf(
  { key, text }: StoredEntity,
  status: 'failed' | 'unchanged',
  code: ProblemCode,
  message: string,
): Outcome {
  const about = { name: nameOfKey(key), etag: '', modified: timestampOf(text) ?? '', size: Buffer.byteLength(text) };
  const why = { code, message };
  return status === 'failed' ? { ...about, status, ...why } : { ...about, status, ...why };
}
