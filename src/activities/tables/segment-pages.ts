import { isHeld, type ManifestPage, type ManifestPosition } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { PartEntry } from '#domain/run/run.ts';
import { isSegment, type Segment } from '#domain/tables/segment.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import type { StorageError } from '#storage/storage-error.ts';

/** Where reading the manifest of a table continues: in a page, at one of its segments. */
export interface SegmentPosition extends ManifestPosition {
  segment?: number;
}

export interface SegmentPage {
  segments: Segment[];
  /** Parts that cannot be read. */
  damaged: { part: PartEntry; why: StorageError }[];
}

/** Reads the manifest of a table page by page. Keeps the page that was read last. */
export function segmentPages(
  control: ControlStore,
  pages: readonly ManifestPage[],
): (page: number) => Promise<SegmentPage> {
  const lastRun = pages.at(-1)?.run;
  let latest: { number: number; page: SegmentPage } | undefined;
  return async (number) => {
    if (latest?.number === number) return latest.page;
    const page: SegmentPage = { segments: [], damaged: [] };
    const wanted = pages[number];
    for (const [index, items] of (wanted ? await control.readManifest(wanted) : []).entries()) {
      if (!Array.isArray(items)) {
        page.damaged.push({ part: wanted!.parts[index]!, why: items });
        continue;
      }
      // The retry that completed an earlier run read the key ranges that the earlier run could not, or failed them
      // again.
      page.segments.push(...items.filter(isSegment).filter((segment) => isHeld(segment) || wanted!.run === lastRun));
    }
    latest = { number, page };
    return page;
  };
}

/** The position after a position, in a page of `segments` segments, of `pages` pages; undefined after the last. */
export function positionBehind(
  { page, segment = 0 }: SegmentPosition,
  segments: number,
  pages: number,
): SegmentPosition | undefined {
  if (segment + 1 < segments) return { page, segment: segment + 1 };
  return page + 1 < pages ? { page: page + 1 } : undefined;
}

/** The outcome for a part of a table's manifest that cannot be read. */
export function damagedRange({ path, copied, unchanged }: PartEntry, why: StorageError): Outcome {
  const message = `${why.message}; ${copied + unchanged} entities of the restore point cannot be named`;
  return { name: path, status: 'failed', etag: '', modified: '', size: 0, code: 'damaged', message };
}
