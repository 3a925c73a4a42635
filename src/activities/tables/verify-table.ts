import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { CONTROL_CONTAINER, sliceKey } from '#domain/run/control-paths.ts';
import { isHeld, manifestPages } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { type ProblemCode, problemOf } from '#domain/run/problems.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { countOutcome, emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { type StoredEntity, sameEntity, timestampOf } from '#domain/tables/entity-text.ts';
import type { EntityFileEnd, Segment } from '#domain/tables/segment.ts';
import { boundId, type KeyRange, nameOfKey } from '#domain/tables/table-key.ts';
import { isSameTable } from '#domain/tables/table-name.ts';
import { isInPortion, parsePortion } from '#domain/verify/portion.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { drillTable } from './drill-table.ts';
import { type ReadSegment, segmentsOf } from './read-segment.ts';
import { damagedRange, positionBehind, type SegmentPage, type SegmentPosition, segmentPages } from './segment-pages.ts';

/**
 * Proves a stretch of a table's manifest: every file of every segment is there, byte by byte as it was written, and holds what the segment
 * says. In a deep verification a share of the entities is compared with those of the source as well, where they have not been
 * written since. A drill looks at nothing but its sample. Counts are entities; a line is left for each that is not as it should be,
 * and for each segment that cannot be read. Safe to run twice, as `scanSlice` is.
 */
export async function verifyTable(deps: Dependencies, input: SliceInput<VerifyRef>): Promise<SliceResult> {
  const { run, container, destination, slice } = input;
  const task = run.verify;
  if (task.kind === 'drill') return drillTable(deps, input);
  const { job, control, source, vault } = jobContextOf(deps, run.job);
  const table = tableOfTask(container)!;
  const guard = new RunGuard(control, run, deps.now);
  const tally = emptyTally(container, destination);
  const part = new PartWriter<Outcome>();
  const settle = (outcome: Outcome) => {
    countOutcome(tally, outcome);
    part.add(outcome);
  };

  const verified = countingRequests(tally.requests, async (): Promise<SliceResult> => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const point = await pointOf(control, run.job, task.point);
    const pages = manifestPages(point.parts, container);
    const pageOf = segmentPages(control, pages);
    const read = segmentsOf(deps, run);
    const isCompared = toBeCompared(task, container, run.id);
    const live = point.source === source.endpoint ? { account: deps.tables(job.source.account), table } : undefined;
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    let next: SegmentPosition | undefined = input.manifest ?? { page: 0 };
    while (next !== undefined) {
      const at: SegmentPosition = next;
      const { segments, damaged }: SegmentPage = await pageOf(at.page);
      for (const { part, why } of at.segment === undefined ? damaged : []) {
        tally.listed++;
        settle(damagedRange(part, why));
      }
      const segment = segments[at.segment ?? 0];
      if (segment && isHeld(segment)) {
        const compared = await chosenOf(read, vault, segment, table, isCompared);
        if ('code' in compared) {
          tally.listed++;
          settle({ ...asBackedUp(segment), status: 'failed', ...compared });
        } else {
          tally.listed += segment.entities;
          tally.listedBytes += segment.size;
          tally.unchanged += segment.entities - compared.length;
          for (const [entity, verdict] of await compare(live, segment.range, compared)) {
            if (verdict === 'same' || verdict === 'newer') tally.unchanged++;
            else settle(outcomeOf(entity, verdict));
          }
        }
      }
      next = positionBehind(at, segments.length, pages.length);
      const now = await guard.standing();
      if (now !== 'go') return { stopped: now };
      if (tally.listed >= deps.limits.sliceBlobs || deps.now().getTime() >= deadline) break;
    }
    if (next === undefined) tally.last = true;
    const result: SliceResult = { chunks: [], ...(next && { nextManifest: next }) };
    return control.writePart(run, 'slice', sliceKey(slice), part, tally, result);
  });
  return verified.catch((error): SliceResult => {
    if (!isStorageError(error, 'source-access-denied')) throw error;
    return { problem: problemOf('access-denied-vault', 0, container, error.message) };
  });
}

/** The entities of a segment that are to be compared, once all of it has been read; or what is wrong with it. */
async function chosenOf(
  read: ReadSegment,
  vault: BlobAccount,
  segment: Segment,
  table: string,
  isChosen: (name: string) => boolean,
): Promise<StoredEntity[] | { code: ProblemCode; message: string }> {
  const chosen: StoredEntity[] = [];
  try {
    const { entities, ends } = await read(segment);
    const other = ends.find((end) => !isOf(end, segment, table));
    if (other) return { code: 'content-mismatch', message: `${other.file} is not of these keys of table ${table}` };
    for (const entity of entities()) if (isChosen(nameOfKey(entity.key))) chosen.push(entity);
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    return { code: await codeOf(vault, segment), message: error.message };
  }
  return chosen;
}

/** Of a segment that cannot be read: whether a file is gone, or not as it was. */
async function codeOf(vault: BlobAccount, { files }: Segment): Promise<ProblemCode> {
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

/** Which entities are compared with the source. */
function toBeCompared(
  { kind, portion: share, turn }: VerifyTask,
  container: string,
  salt: string,
): (name: string) => boolean {
  if (kind !== 'deep') return () => false;
  const parsed = parsePortion(share);
  if (parsed === undefined) throw new Error(`"${share}" is no share of what is to be read`);
  return (name) => isInPortion(parsed, `${container}/${name}`, turn, salt);
}

type Verdict = 'same' | 'other' | 'newer' | 'unproved';

/** Pages of the source that are read for one segment at most: beyond them so much has been written there since that little can be left. */
const MOST_PAGES = 1_000;

/**
 * Compares entities with what the source has of them now. Where one was written since, or is gone, what its file has is all there is
 * (`newer`), and that is as it was written; a source that cannot be read proves nothing.
 */
async function compare(
  live: { account: TableAccount; table: string } | undefined,
  { after, upTo }: KeyRange,
  entities: readonly StoredEntity[],
): Promise<Map<StoredEntity, Verdict>> {
  const verdicts = new Map<StoredEntity, Verdict>(entities.map((entity) => [entity, 'unproved']));
  const open = new Map(entities.map((entity) => [nameOfKey(entity.key), entity]));
  if (live === undefined) return verdicts;
  let from: string | undefined;
  for (let page = 0; open.size > 0 && page < MOST_PAGES; page++) {
    const query = { ...(after && { after }), ...(upTo && { upTo }), ...(from !== undefined && { from }) };
    const found = await live.account.readEntities(live.table, query).catch((error) => {
      if (!isStorageError(error)) throw error;
      return undefined;
    });
    if (found === undefined) return verdicts;
    for (const { key, text } of found.entities) {
      const entity = open.get(nameOfKey(key));
      if (!entity) continue;
      open.delete(nameOfKey(key));
      const isVersion = timestampOf(text) === timestampOf(entity.text);
      verdicts.set(entity, !isVersion ? 'newer' : sameEntity(text, entity.text) ? 'same' : 'other');
    }
    from = found.next;
    if (from !== undefined) continue;
    for (const entity of open.values()) verdicts.set(entity, 'newer');
    break;
  }
  return verdicts;
}

function outcomeOf({ key, text }: StoredEntity, verdict: 'other' | 'unproved'): Outcome {
  const about = {
    ...{ name: nameOfKey(key), etag: '', modified: timestampOf(text) ?? '', size: Buffer.byteLength(text) },
  };
  if (verdict === 'unproved') return { ...about, status: 'skipped', code: 'content-unproved' };
  const message = 'The source has another entity of this key that was written at the same time';
  return { ...about, status: 'failed', code: 'content-mismatch', message };
}
