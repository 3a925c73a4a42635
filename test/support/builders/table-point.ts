import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { EntityFile } from '#domain/tables/segment.ts';
import type { EntityKey, KeyRange } from '#domain/tables/table-key.ts';

/** A segment in the vault, with the resulting content of its files. */
export interface SegmentInVault {
  status: 'copied' | 'unchanged' | 'failed';
  range: KeyRange;
  entities: number;
  readAt: string;
  deletionsUnknownSince?: string;
  files: EntityFile[];
  /** The text of each entity by `partition/row`. */
  content: Map<string, { key: EntityKey; text: string }>;
}

/** The parts of a summary that the judge needs. */
export interface PointSummary {
  id: string;
  source: string;
  parts: { path: string; container: string; sha256: string; copied: number; unchanged: number; failed: number }[];
}

/** A restore point that does not follow the format. */
export class UnsoundPoint extends Error {}

/**
 * Reads a table of a restore point from the bytes in the vault alone, without code of the app. Throws `UnsoundPoint`
 * for everything that a reader who trusts nothing would refuse. Returns the segments in the order of their keys.
 */
export function segmentsIn(
  read: (path: string) => Buffer | undefined,
  summary: PointSummary,
  table: string,
): SegmentInVault[] {
  const task = `table.${table}`;
  const segments: SegmentInVault[] = [];
  const bytesOf = (path: string, sha256: string) => {
    const body = read(path);
    if (!body) throw new UnsoundPoint(`${path} is missing`);
    const actual = createHash('sha256').update(body).digest('hex');
    if (actual !== sha256) throw new UnsoundPoint(`${path} has another checksum than what names it says`);
    return body;
  };
  const linesOf = (body: Buffer, path: string) => {
    const lines = gunzipSync(body).toString('utf8').split('\n');
    if (lines.pop() !== '') throw new UnsoundPoint(`${path} is cut off`);
    return lines;
  };
  for (const { path, container, sha256, copied, unchanged, failed } of summary.parts) {
    if (container !== task) continue;
    const own = linesOf(bytesOf(path, sha256), path)
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Omit<SegmentInVault, 'content'>)
      .map((segment) => ({ ...segment, content: contentOf(segment) }));
    const held = own.reduce((sum, { status, entities }) => sum + (status === 'failed' ? 0 : entities), 0);
    if (held !== copied + unchanged) throw new UnsoundPoint(`${path} says ${copied + unchanged}, and holds ${held}`);
    const lost = own.filter(({ status }) => status === 'failed').length;
    if (lost !== failed) throw new UnsoundPoint(`${path} says that it lacks ${failed} stretches, and lacks ${lost}`);
    segments.push(...own);
  }
  return inOrder(segments);

  function contentOf({ status, range, files, entities }: Omit<SegmentInVault, 'content'>): SegmentInVault['content'] {
    const content: SegmentInVault['content'] = new Map();
    if (status === 'failed') return content;
    if (files.length === 0) throw new UnsoundPoint(`segment ${JSON.stringify(range)} has no files`);
    for (const [index, file] of files.entries()) {
      const body = bytesOf(file.path, file.sha256);
      if (body.length !== file.bytes) throw new UnsoundPoint(`${file.path} has another length`);
      const lines = linesOf(body, file.path);
      const { end } = JSON.parse(lines.pop()!);
      const wrong = [
        end.file !== file.path && 'is another file',
        end.table !== table && `is of table ${end.table}`,
        (end.items !== lines.length || file.items !== lines.length) && 'has another number of lines',
        JSON.stringify(end.range) !== JSON.stringify(range) && `is of ${JSON.stringify(end.range)}`,
        end.kind !== (index === 0 ? 'entities' : 'changes') && `is of kind ${end.kind}`,
        !(end.readFrom <= end.readTo) && 'was read backwards',
        index > 0 && !end.since && 'does not say since when',
      ].filter(Boolean);
      if (wrong.length > 0) throw new UnsoundPoint(`${file.path}: ${wrong.join(', ')}`);
      const seen = new Set<string>();
      for (const line of lines) {
        const { PartitionKey, RowKey, deleted } = JSON.parse(line);
        const isDeletion = PartitionKey === undefined;
        const [partition, row] = isDeletion ? [deleted.PartitionKey, deleted.RowKey] : [PartitionKey, RowKey];
        const name = `${partition}/${row}`;
        if (seen.has(name)) throw new UnsoundPoint(`${file.path} has ${name} twice`);
        seen.add(name);
        if (!isDeletion) content.set(name, { key: { partition, row }, text: line });
        else if (!content.delete(name)) throw new UnsoundPoint(`${file.path} deletes ${name}, which is not there`);
      }
    }
    if (content.size !== entities) {
      throw new UnsoundPoint(`segment ${JSON.stringify(range)} says ${entities}, and its files hold ${content.size}`);
    }
    return content;
  }
}

/**
 * The segments in order: each starts with exactly the bound that another ends with, from the start of the table to its
 * end.
 */
function inOrder(segments: SegmentInVault[]): SegmentInVault[] {
  const left = [...segments];
  const order: SegmentInVault[] = [];
  let bound: string | undefined;
  do {
    const at = left.findIndex(({ range }) => (range.after && JSON.stringify(range.after)) === bound);
    if (at < 0) throw new UnsoundPoint(`no segment begins behind ${bound ?? 'nothing'}`);
    const [segment] = left.splice(at, 1);
    order.push(segment!);
    bound = segment!.range.upTo && JSON.stringify(segment!.range.upTo);
  } while (bound !== undefined);
  if (left.length > 0) throw new UnsoundPoint(`${left.length} segments are beside the others`);
  return order;
}
