import { manifestPages } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import { isChosen } from '#domain/tables/key-selection.ts';
import type { Segment } from '#domain/tables/segment.ts';
import { type EntityKey, nameOfKey } from '#domain/tables/table-key.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import type { RunContext } from '../run/run-context.ts';
import { segmentOfFile } from './read-segment.ts';
import { segmentPages } from './segment-pages.ts';

/** The segments that a restore of a table reads. */
export interface TableManifest {
  /** How many pages of segments it has. */
  pages: number;
  segmentsOf(page: number): Promise<Segment[]>;
  /** Outcomes that no segment has. The first slice reports them. */
  leftOut: Outcome[];
}

/** The manifest of the table in a restore point. Throws `damaged` on a page of which a part cannot be read. */
export async function manifestOfPoint({ run, control, container }: RunContext<RestoreRef>): Promise<TableManifest> {
  const point = await restorePointSummary(control, run.job, run.restore.point);
  const pages = manifestPages(point.parts, container);
  const pageOf = segmentPages(control, pages);
  const segmentsOf = async (number: number) => {
    const { segments, damaged } = await pageOf(number);
    if (damaged[0]) throw damaged[0].why;
    return segments;
  };
  return { pages: pages.length, leftOut: [], segmentsOf };
}

/** A single file as the manifest of its table. */
export async function manifestOfFile({ deps, run }: RunContext<RestoreRef>): Promise<TableManifest> {
  const { file, keys } = run.restore;
  const { segment, deleted } = await segmentOfFile(deps, file!);
  const wanted = deleted.filter((key) => keys === undefined || isChosen(keys, key));
  return { pages: 1, leftOut: wanted.map(deletionOf), segmentsOf: async () => [segment] };
}

/** A restore deletes nothing: an entity that the file lists as deleted stays, and gets an outcome. */
function deletionOf(key: EntityKey): Outcome {
  return {
    ...{ name: nameOfKey(key), status: 'skipped', etag: '', modified: '', size: 0, code: 'deletion-not-restored' },
    message: 'The file says that it was deleted; a restore deletes nothing',
  };
}
