import { manifestPages } from './manifest.ts';
import type { PartEntry } from './run.ts';

/** What a restore point has of one container, and how many blobs it lacks there. */
export interface HeldContainer {
  container: string;
  /** Container in the vault. */
  mirror: string;
  blobs: number;
  failed: number;
  skipped: number;
}

/** The containers of a restore point. One that failed as a whole is not among them. */
export function heldContainers(parts: readonly PartEntry[]): HeldContainer[] {
  const byContainer = new Map<string, PartEntry[]>();
  for (const part of parts) {
    const own = byContainer.get(part.container);
    if (own) own.push(part);
    else byContainer.set(part.container, [part]);
  }
  return [...byContainer].map(([container, own]) => {
    const held: HeldContainer = { container, mirror: own[0]!.destination, blobs: 0, failed: 0, skipped: 0 };
    const pages = manifestPages(own, container);
    const last = pages.at(-1)!.run;
    for (const { run, parts } of pages) {
      for (const { copied, unchanged, skipped, failed } of parts) {
        held.blobs += copied + unchanged;
        held.skipped += skipped;
        // A retry tries all that failed before it, so what still fails is what its own parts say.
        if (run === last) held.failed += failed;
      }
    }
    return held;
  });
}
