import type { RangePart } from './placed-part.ts';
import type { ReplacedSegment } from './tally.ts';

/**
 * How many entities of earlier segments are gone, where a run has read all keys of a segment in full: those that no
 * piece has found. Undefined if there is no such segment. A piece alone cannot tell: which of the stored keys belong to
 * it is known only to the service, whose order of keys nothing here assumes. A piece that failed leaves the number of
 * its segment unknown.
 */
export function deletedFrom(parts: readonly RangePart[]): number | undefined {
  const segments = new Map<string, Piece[]>();
  for (const { tally } of parts) {
    if (!tally.replaces || !tally.keys) continue;
    const id = tally.replaces.keys.join();
    const piece = { ...tally.replaces, own: tally.keys };
    segments.set(id, [...(segments.get(id) ?? []), piece]);
  }
  let deleted: number | undefined;
  for (const pieces of segments.values()) {
    const found = foundIn(pieces);
    if (found !== undefined) deleted = (deleted ?? 0) + pieces[0]!.entities - found;
  }
  return deleted;
}

/** What was read of a segment, and the bounds of the keys that were read. */
type Piece = ReplacedSegment & { own: [after: string, upTo: string] };

/** How many entities the pieces of a segment have found; undefined unless they follow each other from end to end. */
function foundIn(pieces: readonly Piece[]): number | undefined {
  const behind = new Map(pieces.map((piece) => [piece.own[0], piece]));
  const [first, last] = pieces[0]!.keys;
  let found = 0;
  let at = first;
  do {
    const piece = behind.get(at);
    if (!piece) return undefined;
    behind.delete(at);
    found += piece.found;
    at = piece.own[1];
  } while (at !== last);
  return found;
}
