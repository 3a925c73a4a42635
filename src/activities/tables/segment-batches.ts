import { batchesOf } from '#domain/tables/entity-batch.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import type { Segment } from '#domain/tables/segment.ts';
import type { EntityKey } from '#domain/tables/table-key.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { type EntityWrite, transactionBytes } from '#storage/table-account.ts';
import type { ReadSegment } from './read-segment.ts';

/** The next entities of a chunk of segments. */
export interface SegmentBatch {
  /** Of one partition, to be written in one transaction. */
  entities: StoredEntity[];
  /** How many entities of the chunk it accounts for: its own, and the unwanted ones before them. */
  covered: number;
  unwanted: number;
  /** Instead of entities: those of a segment that can no longer be read. */
  lost?: LostEntities;
}

export interface LostEntities {
  segment: Segment;
  error: StorageError;
  items: number;
}

/** What is written of a chunk of segments. */
export interface BatchSelection {
  /** Number of the first entity, counted through all segments. */
  from: number;
  isWanted(segment: Segment, key: EntityKey): boolean;
  write: EntityWrite;
}

/**
 * Cuts the wanted entities of segments into batches, the same in each execution. Memory holds one segment. If a segment
 * cannot be read now, the batches end before it; if it is the first, that is thrown.
 */
export async function* segmentBatches(
  segments: readonly Segment[],
  read: ReadSegment,
  { from, isWanted, write }: BatchSelection,
): AsyncGenerator<SegmentBatch> {
  let before = 0;
  let isFirst = true;
  for (const segment of segments) {
    const first = Math.max(from - before, 0);
    before += segment.entities;
    if (first >= segment.entities) continue;
    // How many entities of the segment are accounted for.
    let covered = first;
    try {
      const { entities } = await read(segment);
      const wanted = wantedOf(entities(), first, (key) => isWanted(segment, key));
      for (const batch of batchesOf(wanted, (each) => transactionBytes(write, each))) {
        const behind = batch.at(-1)!.number + 1;
        isFirst = false;
        yield { entities: batch, covered: behind - covered, unwanted: behind - covered - batch.length };
        covered = behind;
      }
    } catch (error) {
      if (!isStorageError(error)) throw error;
      if (error.kind !== 'damaged') {
        if (isFirst) throw error;
        return;
      }
      const items = segment.entities - covered;
      isFirst = false;
      yield { entities: [], covered: items, unwanted: 0, lost: { segment, error, items } };
      continue;
    }
    const rest = segment.entities - covered;
    if (rest === 0) continue;
    isFirst = false;
    yield { entities: [], covered: rest, unwanted: rest };
  }
}

/** The wanted entities from a number on, each with its number in the segment. */
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
