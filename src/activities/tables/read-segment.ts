import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { ofVault } from '#app/of-vault.ts';
import { DamagedPartError } from '#domain/run/part.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { NamedFile } from '#domain/run/tasks.ts';
import type { EntityFileContent } from '#domain/tables/entity-file.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import type { EntityFile, EntityFileEnd, Segment } from '#domain/tables/segment.ts';
import { itemsOf, segmentContent } from '#domain/tables/segment-content.ts';
import type { EntityKey } from '#domain/tables/table-key.ts';
import { readNamedEntityFile } from '#storage/control/named-entity-file.ts';
import { StorageError } from '#storage/storage-error.ts';

export interface SegmentContent {
  /** Each key once. Every call begins at the first key. Throws `damaged` if a line is not an entity. */
  entities(): Generator<StoredEntity>;
  /** The last line of each file, in the order of the files. */
  ends: EntityFileEnd['end'][];
}

export type ReadSegment = (segment: Segment) => Promise<SegmentContent>;

/**
 * Reads segments for a restore or a verification, and checks every byte. The reader throws `damaged` if a file is
 * missing or altered, or if the files together do not hold as many entities as the segment says.
 */
export function segmentReader(deps: Dependencies, run: RunRef): ReadSegment {
  const { control } = jobContextOf(deps, run.job);
  const file = run.mode === 'restore' ? run.restore.file : undefined;
  const read = file
    ? async ({ sha256 }: EntityFile) => (await readNamed(deps, file, sha256)).content
    : ofVault((each: EntityFile) => control.readEntityFile(each));
  return async (segment) => {
    const files: EntityFileContent[] = [];
    for (const each of segment.files) files.push(await read(each));
    const content = contentOf(files);
    const [only, ...changes] = files;
    // A single file of entities states its own count, which reading it has checked.
    const isCounted = changes.length === 0 && only?.end.kind === 'entities';
    const count = isCounted ? only.end.items : countOf(content);
    if (count !== segment.entities) {
      const where = segment.files.map(({ path }) => path).join(' and ');
      const message = `${where} hold ${count} entities, and should hold ${segment.entities}`;
      throw new StorageError('damaged', message);
    }
    return content;
  };
}

/** A file as a segment: its entities, and the deletions of a file of changes, which a restore does not carry out. */
export async function segmentOfFile(
  deps: Dependencies,
  named: NamedFile,
): Promise<{ segment: Segment; deleted: EntityKey[] }> {
  const { content, file } = await readNamed(deps, named);
  const deleted: EntityKey[] = [];
  let entities = 0;
  let size = 0;
  withStorageErrors(() => {
    // Parses every line before the restore writes anything: no manifest vouches for a file from elsewhere.
    for (const item of itemsOf(content)) {
      if ('deleted' in item) deleted.push(item.deleted);
      else {
        entities++;
        size += Buffer.byteLength(item.entity.text);
      }
    }
  });
  const { range, readTo } = content.end;
  const segment: Segment = {
    ...{ name: named.name, status: 'copied', etag: '', modified: readTo, size },
    ...{ range, entities, files: [file], readAt: readTo },
  };
  return { segment, deleted };
}

function readNamed(deps: Dependencies, { account, container, name }: NamedFile, sha256?: string) {
  return ofVault(readNamedEntityFile)(deps.blobs(account), container, name, sha256);
}

function contentOf(files: EntityFileContent[]): SegmentContent {
  return {
    *entities() {
      const found = segmentContent(files);
      const next = () => withStorageErrors(() => found.next());
      for (let item = next(); !item.done; item = next()) yield item.value;
    },
    ends: files.map(({ end }) => end),
  };
}

function countOf({ entities }: SegmentContent): number {
  let count = 0;
  for (const _ of entities()) count++;
  return count;
}

/** Reports altered lines like any other damage in storage. */
function withStorageErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof DamagedPartError ? new StorageError('damaged', error.message) : error;
  }
}
