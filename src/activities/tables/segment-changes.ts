import { joinedWindow } from '#domain/run/tally.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { timestampOf } from '#domain/tables/entity-text.ts';
import { type EntityCounts, type Segment, type SegmentFacts, segmentOf } from '#domain/tables/segment.ts';
import { keyOfName, nameOfKey } from '#domain/tables/table-key.ts';
import type { EntityPage, EntityQuery } from '#storage/table-account.ts';
import type { RunContext } from '../run/run-context.ts';
import { sourceTableOf } from './source-table.ts';
import { storedTimestamps } from './stored-timestamps.ts';
import { LARGEST_FILE } from './write-entity-file.ts';

/** A segment of the previous restore point, brought up to date. */
export interface UpdatedSegment {
  segment: Segment;
  changes?: { writer: EntityFileWriter; since: string };
  /** When it was read, by the service's clock. */
  window?: Window;
  counts: EntityCounts;
}

type Window = [from: string, to: string];

/** Of a segment of which no entity was read. */
export const NO_CHANGES: EntityCounts = { copied: 0, bytes: 0, added: 0, changed: 0 };

/** The window of a segment in which nothing was found to have changed. */
export function readOnce({ readAt }: Segment): Window {
  return [readAt, readAt];
}

/** How far the clocks of the service's machines may differ, and how long a request may take. */
const MARGIN_MS = 300_000;
/** A segment with this many files is read as a whole. */
const MOST_FILES = 8;

/**
 * Finds the changes of a segment since it was last read; undefined if there are so many that the segment is better read
 * as a whole. Throws `damaged`.
 */
export async function changesOf(context: RunContext, segment: Segment): Promise<UpdatedSegment | undefined> {
  const comparesKeys = context.job.source.tableDeletions;
  const reader = new ChangeReader(context, segment);
  const written = await reader.written();
  if (!written) return undefined;
  const facts = factsOf(segment, written.window, comparesKeys);
  const unchanged = segmentOf({ ...facts, status: 'unchanged' });
  const counts = comparesKeys ? { ...NO_CHANGES, deleted: 0 } : NO_CHANGES;
  const same: UpdatedSegment = { segment: unchanged, window: readOnce(unchanged), counts };
  if (written.entities.size === 0 && !comparesKeys) return same;

  const found = comparesKeys ? await withDeletions(reader, written) : written;
  if (!found) return undefined;
  const { writer, counts: changes } = changeFileOf(found, await reader.stored());
  if (writer.items === 0) return same;
  if (hasTooManyChanges(segment, writer.items)) return undefined;
  const changed = segmentOf({
    ...facts,
    status: 'copied',
    entities: segment.entities + changes.added - (changes.deleted ?? 0),
    size: segment.size + writer.size,
  });
  return { segment: changed, changes: { writer, since: reader.since }, window: found.window, counts: changes };
}

function factsOf(segment: Segment, [readAt]: Window, comparesKeys: boolean): SegmentFacts {
  const { code: _, message: __, deletionsUnknownSince, ...before } = segment;
  // Unknown since the last time that the keys were compared, or the segment was read as a whole.
  const unknownSince = deletionsUnknownSince ?? segment.readAt;
  return { ...before, readAt, ...(!comparesKeys && { deletionsUnknownSince: unknownSince }) };
}

interface FoundChanges {
  /** The texts of the entities that were written since the segment was read, by name. */
  entities: Map<string, string>;
  /** The timestamps of all entities that the table has, by name; absent if the keys were not compared. */
  live?: Map<string, string>;
  window: Window;
}

/** Compares the keys as well; undefined if there are too many changes. */
async function withDeletions(reader: ChangeReader, written: FoundChanges): Promise<FoundChanges | undefined> {
  const stored = await reader.stored();
  // The keys are listed after the changes: an entity deleted in between is left out, a new one is for the next run.
  const { live, window } = await reader.keys();
  const found = { entities: written.entities, live, window: joinedWindow(written.window, window) };
  // These were written between the two requests. The stored version may have been deleted before that.
  const unsure = [...live].flatMap(([name, timestamp]) => {
    const known = stored.get(name);
    return known === undefined || known === timestamp || found.entities.has(name) ? [] : name;
  });
  if (unsure.length > 0) {
    const again = await reader.written();
    if (!again) return undefined;
    found.window = joinedWindow(found.window, again.window);
    for (const name of unsure) {
      const text = again.entities.get(name);
      if (text === undefined) live.delete(name);
      else found.entities.set(name, text);
    }
  }
  return found;
}

function changeFileOf(
  { entities, live }: FoundChanges,
  stored: ReadonlyMap<string, string>,
): { writer: EntityFileWriter; counts: EntityCounts } {
  const writer = new EntityFileWriter();
  const counts = { ...NO_CHANGES };
  for (const [name, text] of entities) {
    if (live?.has(name) === false) continue;
    writer.add(text);
    counts.copied++;
    if (stored.has(name)) counts.changed++;
    else counts.added++;
  }
  counts.bytes = writer.size;
  if (!live) return { writer, counts };
  const deleted = [...stored.keys()].filter((name) => !live.has(name));
  for (const name of deleted) writer.addDeletion(keyOfName(name));
  return { writer, counts: { ...counts, deleted: deleted.length } };
}

/** Whether carrying the changes on would cost more than reading the segment as a whole. */
function hasTooManyChanges({ files }: Segment, added: number): boolean {
  const [base, ...changes] = files;
  const items = changes.reduce((sum, file) => sum + file.items, added);
  return files.length >= MOST_FILES || items > base!.items / 2;
}

/** Reads one segment from the table and from the vault. */
class ChangeReader {
  readonly since: string;
  readonly #context: RunContext;
  readonly #segment: Segment;
  #stored: Promise<Map<string, string>> | undefined;

  constructor(context: RunContext, segment: Segment) {
    this.#context = context;
    this.#segment = segment;
    this.since = new Date(Date.parse(segment.readAt) - MARGIN_MS).toISOString();
  }

  /** The timestamps in the vault. Without changes in the table, nothing asks for them. */
  stored(): Promise<Map<string, string>> {
    this.#stored ??= storedTimestamps(this.#context.control, this.#segment);
    return this.#stored;
  }

  /** The entities that were written and are not stored; undefined if they are too many for memory. */
  async written(): Promise<FoundChanges | undefined> {
    const most = this.#context.deps.limits.sliceBlobs;
    const entities = new Map<string, string>();
    let size = 0;
    let window: Window | undefined;
    for await (const page of this.#pages({ since: this.since })) {
      window = joinedWindow(window, [page.answeredAt, page.answeredAt]);
      for (const { key, text } of page.entities) {
        const name = nameOfKey(key);
        if ((await this.stored()).get(name) === timestampOf(text)) continue;
        entities.set(name, text);
        size += text.length;
      }
      if (entities.size > most || size > LARGEST_FILE) return undefined;
    }
    return { entities, window: window! };
  }

  /** The timestamps of all entities that the table has in this key range, by name. */
  async keys(): Promise<{ live: Map<string, string>; window: Window }> {
    const live = new Map<string, string>();
    let window: Window | undefined;
    for await (const page of this.#pages({ keysOnly: true })) {
      window = joinedWindow(window, [page.answeredAt, page.answeredAt]);
      for (const { key, text } of page.entities) live.set(nameOfKey(key), timestampOf(text) ?? '');
    }
    return { live, window: window! };
  }

  async *#pages(query: Pick<EntityQuery, 'since' | 'keysOnly'>): AsyncGenerator<EntityPage> {
    const { source, table } = sourceTableOf(this.#context);
    let from: string | undefined;
    do {
      const position = from === undefined ? {} : { from };
      const page = await source.readEntities(table, { ...this.#segment.range, ...query, ...position });
      yield page;
      from = page.next;
    } while (from !== undefined);
  }
}
