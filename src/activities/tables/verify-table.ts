import type { Dependencies } from '#app/dependencies.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { isHeld, manifestPages } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import { type ProblemCode, problemOf } from '#domain/run/problems.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { type StoredEntity, timestampOf } from '#domain/tables/entity-text.ts';
import type { EntityFileEnd, Segment } from '#domain/tables/segment.ts';
import { boundId, nameOfKey } from '#domain/tables/table-key.ts';
import { isSameTable } from '#domain/tables/table-name.ts';
import { isInPortion, parsePortion } from '#domain/verify/portion.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { verifyProperties } from '../restore/damaged-properties.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import { compareWithSource } from './compare-with-source.ts';
import { drillTable } from './drill-table.ts';
import { type ReadSegment, segmentReader } from './read-segment.ts';
import { damagedRange, positionBehind, type SegmentPage, type SegmentPosition, segmentPages } from './segment-pages.ts';
import { type SourceTable, sourceTableOf } from './source-table.ts';

/**
 * Verifies a slice of a table's manifest: every file of every segment is there, byte for byte as it was written, and
 * holds what the segment says. A deep verification also compares a portion of the entities with those of the source,
 * unless they have been written since. A drill checks its sample only. Counts are entities. The part has a line for
 * each entity that is not sound, and for each segment that cannot be read. Safe to run twice, as `scanSlice` is.
 */
export async function verifyTable(deps: Dependencies, input: SliceInput<VerifyRef>): Promise<SliceResult> {
  if (input.run.verify.kind === 'drill') return inRun(deps, input, (context) => drillTable(context, input));
  try {
    return await inRun(deps, input, (context) => verifySegments(context, input));
  } catch (error) {
    if (!isStorageError(error, 'source-access-denied')) throw error;
    return { problem: problemOf('access-denied-vault', 0, input.container, error.message) };
  }
}

async function verifySegments(context: RunContext<VerifyRef>, { slice, manifest }: SliceInput): Promise<SliceResult> {
  const { run, control, container } = context;
  const point = await restorePointSummary(control, run.job, run.verify.point);
  const pages = manifestPages(point.parts, container);
  const pageOf = segmentPages(control, pages);
  const verifier = new SegmentVerifier(context, slice, point.source);
  let next: SegmentPosition | undefined = manifest ?? { page: 0 };
  while (next !== undefined) {
    const at: SegmentPosition = next;
    const { segments, damaged }: SegmentPage = await pageOf(at.page);
    if (at.segment === undefined) verifier.settleDamaged(damaged);
    const segment = segments[at.segment ?? 0];
    if (segment && isHeld(segment)) await verifier.verify(segment);
    next = positionBehind(at, segments.length, pages.length);
    await context.ensureMayContinue();
    if (verifier.writer.isFull()) break;
  }
  if (next === undefined) await verifyProperties(context, point, verifier.writer);
  return verifier.writer.finish(next && { nextManifest: next });
}

class SegmentVerifier {
  readonly writer: SliceWriter;
  readonly #context: RunContext<VerifyRef>;
  readonly #read: ReadSegment;
  readonly #table: SourceTable;
  readonly #isSameSource: boolean;
  readonly #isCompared: (name: string) => boolean;

  constructor(context: RunContext<VerifyRef>, slice: number, sourceOfPoint: string) {
    const { deps, run, source, container } = context;
    this.writer = new SliceWriter(context, slice);
    this.#context = context;
    this.#read = segmentReader(deps, run);
    this.#table = sourceTableOf(context);
    this.#isSameSource = sourceOfPoint === source.endpoint;
    this.#isCompared = portionOf(run.verify, container, run.id);
  }

  settleDamaged(damaged: SegmentPage['damaged']): void {
    for (const { part, why } of damaged) {
      this.#context.tally.listed++;
      this.writer.settle(damagedRange(part, why));
    }
  }

  async verify(segment: Segment): Promise<void> {
    const { tally } = this.#context;
    const compared = await this.#readSegment(segment);
    if ('code' in compared) {
      tally.listed++;
      this.writer.settle({ ...asBackedUp(segment), status: 'failed', ...compared });
      return;
    }
    tally.listed += segment.entities;
    tally.listedBytes += segment.size;
    tally.unchanged += segment.entities - compared.length;
    const table = this.#isSameSource ? this.#table : undefined;
    for (const [entity, verdict] of await compareWithSource(table, segment.range, compared)) {
      if (verdict === 'same' || verdict === 'newer') tally.unchanged++;
      else this.writer.settle(outcomeOf(entity, verdict));
    }
  }

  /** Reads all of a segment. Returns the entities to compare with the source, or what is wrong with the segment. */
  async #readSegment(segment: Segment): Promise<StoredEntity[] | { code: ProblemCode; message: string }> {
    const { table } = this.#table;
    try {
      const { entities, ends } = await this.#read(segment);
      const other = ends.find((end) => !isOf(end, segment, table));
      if (other) return { code: 'content-mismatch', message: `${other.file} is not of these keys of table ${table}` };
      const compared: StoredEntity[] = [];
      for (const entity of entities()) if (this.#isCompared(nameOfKey(entity.key))) compared.push(entity);
      return compared;
    } catch (error) {
      if (!isStorageError(error, 'damaged')) throw error;
      return { code: await damageOf(this.#context.vault, segment), message: error.message };
    }
  }
}

/** Whether a file of a segment that cannot be read is missing or altered. */
async function damageOf(vault: BlobAccount, { files }: Segment): Promise<ProblemCode> {
  for (const { path } of files) if (!(await vault.getProperties(CONTROL_CONTAINER, path))) return 'content-missing';
  return 'content-mismatch';
}

function isOf({ table, range }: EntityFileEnd['end'], segment: Segment, name: string): boolean {
  return (
    isSameTable(table, name) &&
    boundId(range.after) === boundId(segment.range.after) &&
    boundId(range.upTo) === boundId(segment.range.upTo)
  );
}

/** The entities that are compared with the source, by name. */
function portionOf({ kind, portion, turn }: VerifyTask, container: string, salt: string): (name: string) => boolean {
  if (kind !== 'deep') return () => false;
  const parsed = parsePortion(portion);
  if (parsed === undefined) throw new Error(`"${portion}" is not a portion`);
  return (name) => isInPortion(parsed, `${container}/${name}`, turn, salt);
}

function outcomeOf({ key, text }: StoredEntity, verdict: 'other' | 'unproved'): Outcome {
  const about = { name: nameOfKey(key), etag: '', modified: timestampOf(text) ?? '', size: Buffer.byteLength(text) };
  if (verdict === 'unproved') return { ...about, status: 'skipped', code: 'content-unproved' };
  const message = 'The source has another entity of this key that was written at the same time';
  return { ...about, status: 'failed', code: 'content-mismatch', message };
}
