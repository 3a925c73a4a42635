import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { originalName, vaultNameOf } from '#domain/copying/vault-name.ts';
import { deletable } from '#domain/prune/deletable.ts';
import { mayHoldEntry } from '#domain/restore/locate.ts';
import { NO_CONTENT, withObject } from '#domain/run/held-content.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { mayOverlap, type NameRange } from '#domain/run/name-range.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import {
  type ContainerManifest,
  manifestsOf,
  type Origin,
  originalsOf,
  originsIn,
  ownerOf,
} from './container-manifests.ts';
import { type BlobsByName, listVaultSlice } from './list-vault-slice.ts';

/**
 * Lists a slice of a backup container, with snapshots and versions, and plans to delete everything that no restore
 * point needs.
 *
 * It finds out what is needed by reading, of every remaining restore point, the parts of the manifest that may have one
 * of the listed names, whichever order source and vault list names in. Memory holds one slice and one part. It deletes
 * nothing: a later run carries the plan out, or none does. If a part cannot be read, it fails.
 */
export function makePlanPrune() {
  // Reading manifests keeps the processor busy: several slices at once would be no faster, and would need more memory.
  const oneAfterAnother = pLimit(1);
  return function planPrune(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
    return oneAfterAnother(() => inRun(deps, input, (context) => planSlice(context, input)));
  };
}

async function planSlice(context: RunContext, input: SliceInput): Promise<SliceResult> {
  const { deps, run, vault, control, container, tally } = context;
  const plan = await control.readPrunePlan(run);
  if (!plan) throw new Error(`Prune ${run.id} has not been decided yet`);
  const { blobs, next } = await listVaultSlice(vault, container, input.from, deps.limits.sliceBlobs);
  const manifests = await manifestsOf(context, plan);
  const needed = await neededAmong(context, blobs, manifests);
  const writer = new SliceWriter(context, input.slice);
  const origins = originsIn(manifests);
  const before = Date.parse(plan.before);
  let held = NO_CONTENT;
  for (const [name, group] of blobs) {
    for (const { size } of group) writer.list(size);
    const own = origins.filter(({ prefix }) => name.startsWith(prefix));
    if (ownerOf(own) === run.job) {
      for (const { size, snapshotOrVersion } of group) held = withObject(held, size, snapshotOrVersion !== undefined);
    }
    const items = itemsOf(context, name, group, own, needed, before);
    tally.unchanged += group.length - items.length;
    for (const item of items) await writer.plan(item);
  }
  tally.held = held;
  return writer.finish(next && { next });
}

/** What is to be deleted of the blobs under one name. */
function itemsOf(
  { run, source, vault, container }: RunContext,
  name: string,
  group: BlobState[],
  origins: readonly Origin[],
  needed: ReadonlySet<BlobState>,
  before: number,
): PlannedItem[] {
  // If only other jobs have backed up to this name, their prunes decide. A name that requests cannot carry would
  // address another blob.
  if (!origins.some(({ job }) => job === run.job) || !vault.canAddress(container, name)) return [];
  const originals = originalsOf(name, origins, source.endpoint);
  return deletable(group, (blob) => needed.has(blob), before).flatMap(({ blob, reason }) => {
    // Without known originals, no check can show that the source of a base blob is gone.
    if (reason !== 'not-needed' && originals.length === 0) return [];
    const { metadata: _, ...from } = blob;
    return { from, reason, ...(reason === 'source-gone' && { origins: originals }) };
  });
}

/** The listed blobs that hold the content of a remaining restore point. */
async function neededAmong(
  context: RunContext,
  blobs: BlobsByName,
  manifests: readonly ContainerManifest[],
): Promise<ReadonlySet<BlobState>> {
  const needed = new Set<BlobState>();
  const read = new Set<string>();
  const ranges = new Map<string, NameRange | undefined>();
  for (const { prefix, part, remains } of manifests) {
    // A retry names the parts of the run that it completes again.
    const key = `${prefix} ${part.path}`;
    if (!remains || read.has(key)) continue;
    if (!ranges.has(prefix)) ranges.set(prefix, originalsRange(blobs, prefix));
    const listed = ranges.get(prefix);
    if (!listed || !mayOverlap(part.names, listed)) continue;
    read.add(key);
    await context.ensureMayContinue();
    const { items } = await context.control.readPart<Outcome, object>(part.path, part.sha256);
    for (const entry of items.filter(isHeld)) {
      for (const blob of blobs.get(prefix + vaultNameOf(entry)) ?? []) if (mayHoldEntry(entry, blob)) needed.add(blob);
    }
  }
  return needed;
}

/** The range of the names that the blobs below a prefix have in the manifests. */
function originalsRange(blobs: BlobsByName, prefix: string): NameRange | undefined {
  let range: NameRange | undefined;
  for (const listed of blobs.keys()) {
    if (!listed.startsWith(prefix)) continue;
    const name = originalName(listed.slice(prefix.length));
    if (range === undefined) range = [name, name];
    else if (name < range[0]) range = [name, range[1]];
    else if (name > range[1]) range = [range[0], name];
  }
  return range;
}
