import { damagedPart } from '#app/manifest-walk.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { vaultNameOf } from '#domain/copying/vault-name.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { isHeld } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { PartEntry, VerifyRef } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { sampleOf } from '#domain/verify/sample.ts';
import { drillOf } from '#domain/verify/scratch-container.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import type { RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import { remover, removeScratch } from './drill.ts';
import { vaultLocationOf } from './vault-location.ts';

/** Plans the part of a drill in one container: the blobs of the sample that are in it. */
export async function planDrill(context: RunContext<VerifyRef>, input: SliceInput<VerifyRef>): Promise<SliceResult> {
  const { run, container, control } = context;
  const { prefix } = vaultLocationOf(input);
  const point = await restorePointSummary(control, run.job, run.verify.point);
  const first = point.parts.find((each) => tableOfTask(each.container) === undefined);
  if (input.slice === 0 && first?.container === container) await removeLeftovers(context);
  const sample = sampleOf(point.parts, run.verify.sample, run.id);
  const own = point.parts.filter((each) => each.container === container && sample.has(each.path));
  const slice = new SliceWriter(context, input.slice);
  let next = input.manifest?.page ?? 0;
  while (next < own.length) {
    const part = own[next++]!;
    await planPart(context, slice, part, sample.get(part.path)!, prefix);
    await context.ensureMayContinue();
    if (slice.isDue) break;
  }
  return slice.finish(next < own.length ? { nextManifest: { page: next } } : {});
}

/** Plans the entries of a part that the sample names by their numbers. */
async function planPart(
  { control, tally }: RunContext,
  slice: SliceWriter,
  part: PartEntry,
  numbers: readonly number[],
  prefix: string,
): Promise<void> {
  const [items] = await control.readManifest({ parts: [part], run: '' });
  if (!Array.isArray(items)) {
    tally.listed++;
    slice.settle(damagedPart(part, items!.message));
    return;
  }
  const held = items.filter(isHeld);
  for (const number of numbers) {
    const entry = held[number];
    if (entry === undefined) throw new Error(`${part.path} holds fewer blobs than its restore point says`);
    slice.list(entry.size);
    await slice.plan({ from: toBeFound(prefix, entry), reason: 'restore', entry });
  }
}

/** The plan does not know where the content is: no listing has shown it. */
function toBeFound(prefix: string, entry: Outcome): BlobState {
  const { modified, size, type } = entry;
  return { name: prefix + vaultNameOf(entry), etag: '', lastModified: modified, size, type: type ?? 'block' };
}

/** Removes what earlier drills of the job left behind: their pieces were killed, or may not delete. */
async function removeLeftovers({ deps, job, run, vault, control }: RunContext): Promise<void> {
  try {
    const left = (await containersOf(vault)).filter((name) => drillOf(name) !== undefined);
    if (left.length === 0) return;
    for await (const folder of control.foldersBelow(runsPrefix(run.job))) {
      const id = folder.split('/').at(-2)!;
      const own = left.filter((name) => id.endsWith(`-${drillOf(name)}`));
      if (own.length === 0) continue;
      // Only a drill that has ended, and no container that merely has such a name. This run has no summary yet.
      const ended = await control.readSummary({ job: run.job, id });
      if (ended?.verify?.kind !== 'drill') continue;
      for (const name of own) await removeScratch(remover(deps, job), name);
    }
  } catch (error) {
    // The removal is not a part of the proof.
    if (!isStorageError(error)) throw error;
  }
}

async function containersOf(account: BlobAccount): Promise<string[]> {
  const all: string[] = [];
  let next: string | undefined;
  do {
    const page = await account.listContainers(next);
    all.push(...page.names);
    next = page.next;
  } while (next !== undefined);
  return all;
}
