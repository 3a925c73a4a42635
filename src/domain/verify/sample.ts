import { createHash } from 'node:crypto';
import type { PartEntry } from '../run/run.ts';
import { tableOfTask } from '../run/task-name.ts';

/** How many blobs a drill restores, unless the request sets another number. */
export const DEFAULT_SAMPLE = 20;

/**
 * Picks this many of the blobs in the parts of a restore point, each blob with the same probability. The same seed
 * picks the same blobs. Returns, by the path of a part, which of its blobs are picked, counted from 0 and ascending.
 * Parts of tables have none.
 */
export function sampleOf(parts: readonly PartEntry[], size: number, seed: string): Map<string, number[]> {
  const ofBlobs = parts.filter(({ container }) => tableOfTask(container) === undefined);
  const total = ofBlobs.reduce((sum, { copied, unchanged }) => sum + copied + unchanged, 0);
  // Floyd's algorithm: no number twice, and no list of all numbers.
  const chosen = new Set<number>();
  for (let last = Math.max(total - size, 0); last < total; last++) {
    const candidate = hashOf(`${seed}\0${last}`) % (last + 1);
    chosen.add(chosen.has(candidate) ? last : candidate);
  }
  const numbers = [...chosen].sort((a, b) => a - b);
  const byPart = new Map<string, number[]>();
  let before = 0;
  let next = 0;
  for (const { path, copied, unchanged } of ofBlobs) {
    const end = before + copied + unchanged;
    const own: number[] = [];
    for (; next < numbers.length && numbers[next]! < end; next++) own.push(numbers[next]! - before);
    if (own.length > 0) byPart.set(path, own);
    before = end;
  }
  return byPart;
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}
