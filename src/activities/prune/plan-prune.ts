import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, runsAs } from '#app/job-context.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { deletable } from '#domain/prune/prune.ts';
import { mayHoldEntry } from '#domain/restore/locate.ts';
import { sliceKey } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { mayOverlap, type NameRange } from '#domain/run/name-range.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { PrunePlan } from '#domain/run/prune-plan.ts';
import { partEntries } from '#domain/run/report.ts';
import type { PartEntry } from '#domain/run/run.ts';
import { countPlanned, emptyTally } from '#domain/run/tally.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import { PlanWriter } from '../run/old-plan-writer.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/**
 * Lists a stretch of a container in the vault with everything that is kept there, and plans to delete what no restore point needs.
 *
 * What is needed is found by reading, of every restore point that stays, the parts of its manifest that may hold one of the
 * names listed: whatever order source and vault are listed in. Memory holds one stretch and one part. Deletes nothing itself;
 * the plan is carried out by a later run, or never. Any part that cannot be read ends it.
 */
export function makePlanPrune() {
  // Reading manifests is the processor's work: several stretches at once would take no less time, and as many times the memory.
  const inTurn = pLimit(1);
  return async function planPrune(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
    const { run, container } = input;
    const { source, vault, control } = jobContextOf(deps, run.job);
    const tally = emptyTally(container, container);
    const guard = new RunGuard(control, run, deps.now);
    const work = async (): Promise<SliceResult> => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const prune = await control.readPrunePlan(run);
      if (!prune) throw new Error(`Prune ${run.id} has not been decided yet`);
      const { groups, next } = await listStretch(vault, container, input.from, deps.limits.sliceBlobs);
      const manifests = await manifestsOf(deps, control, prune, container);
      const needed = await neededAmong(control, groups, manifests, guard);
      if (!(needed instanceof Set)) return needed;
      const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
      const before = Date.parse(prune.before);
      const places = placesOf(manifests);
      for (const [name, group] of groups) {
        tally.listed += group.length;
        tally.listedBytes += group.reduce((sum, { size }) => sum + size, 0);
        const own = places.filter(({ prefix }) => name.startsWith(prefix));
        // What another job alone has ever had here is for that job's prune to judge; and under a name that requests cannot carry,
        // they would mean another blob.
        const isOurs = own.some(({ job }) => job === run.job) && vault.canAddress(container, name);
        const mayGo = isOurs ? deletable(group, (blob) => needed.has(blob), before) : [];
        const origins = originsOf(name, own, source.endpoint);
        // A base blob whose source is not known can never be said to be gone there.
        const gone = mayGo.filter(({ reason }) => reason === 'not-needed' || origins.length > 0);
        tally.unchanged += group.length - gone.length;
        for (const { blob, reason } of gone) {
          const { metadata: _, ...source } = blob;
          const planned = { from: source, reason, ...(reason === 'source-gone' && { origins }) };
          countPlanned(tally, planned);
          await plan.add(planned);
        }
      }
      if (next === undefined) tally.last = true;
      const result: SliceResult = { chunks: await plan.finish(), ...(next && { next }) };
      return control.writePart(run, 'slice', sliceKey(input.slice), new PartWriter<Outcome>(), tally, result);
    };
    return inTurn(() => countingRequests(tally.requests, work));
  };
}

type Groups = Map<string, BlobState[]>;

/** A manifest's parts about one container of the vault, with what stands before their names there. */
interface Manifest {
  job: string;
  /** Address of the account that was backed up; empty where that is not known. */
  source: string;
  container: string;
  prefix: string;
  part: PartEntry;
  stays: boolean;
}

/** What is listed from a place on, by name and whole: the last name of a page may go on in the next. */
async function listStretch(
  vault: BlobAccount,
  container: string,
  from: SliceInput['from'],
  enough: number,
): Promise<{ groups: Groups; next: SliceInput['from'] }> {
  const groups: Groups = new Map();
  let marker = from?.mirror;
  // The stretch before ended with this name. Pages need not be cut where they were then: it may come in a later one.
  let skipTo = from?.source;
  let seen = false;
  let listed = 0;
  for (;;) {
    const page = await listPage(vault, container, marker);
    let fresh = page.blobs;
    if (skipTo !== undefined) {
      const at = fresh.findLastIndex(({ name }) => name === skipTo);
      seen ||= at >= 0;
      fresh = seen ? fresh.slice(at + 1) : [];
      if (fresh.length > 0) skipTo = undefined;
    }
    for (const blob of fresh) {
      const group = groups.get(blob.name);
      if (group) group.push(blob);
      else groups.set(blob.name, [blob]);
    }
    listed += fresh.length;
    if (page.next === undefined) return { groups, next: undefined };
    const last = fresh.at(-1)?.name;
    if (listed >= enough && groups.size > 1 && last !== undefined) {
      const before = fresh.findLast(({ name }) => name !== last)?.name;
      if (before !== undefined) {
        groups.delete(last);
        return { groups, next: { source: before, mirror: marker } };
      }
    }
    marker = page.next;
  }
}

async function listPage(vault: BlobAccount, container: string, marker: string | undefined) {
  try {
    return await vault.listBlobs(container, {
      metadata: true,
      copy: true,
      snapshotsAndVersions: true,
      ...(marker !== undefined && { marker }),
    });
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return { blobs: [], prefixes: [] };
    throw error;
  }
}

/** Of every restore point in the vault, what it says about this container. */
async function manifestsOf(
  deps: Dependencies,
  control: ControlStore,
  plan: PrunePlan,
  container: string,
): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  const names = [
    ...plan.keeps.map((point) => ({ ...point, stays: true })),
    ...plan.expired.map((id) => ({ job: plan.job, id, stays: false, unpublished: false })),
  ];
  for (const { job, id, stays, unpublished } of names) {
    const summary = await control.readSummary({ job, id });
    const configured = runsAs(deps).find(({ name }) => name === job)?.destination.prefix;
    if (!summary && !stays) continue;
    if (!summary && !(unpublished && configured !== undefined)) {
      throw new StorageError('damaged', `The summary of restore point ${id} has gone since the prune began`);
    }
    const parts = summary ? summary.parts : partEntries(await control.listParts({ job, id }));
    for (const part of parts) {
      if (part.destination !== container) continue;
      const prefix = expand(summary?.destination.prefix ?? configured!, part.container);
      manifests.push({ job, source: summary?.source ?? '', container: part.container, prefix, part, stays });
    }
  }
  return manifests;
}

/** What of a stretch holds the content of some restore point that stays. */
async function neededAmong(
  control: ControlStore,
  groups: Groups,
  manifests: Manifest[],
  guard: RunGuard,
): Promise<Set<BlobState> | { stopped: Exclude<Standing, 'go'> }> {
  const needed = new Set<BlobState>();
  const names = [...groups.keys()];
  if (names.length === 0) return needed;
  let [first, last] = [names[0]!, names[0]!];
  for (const name of names) {
    if (name < first) first = name;
    if (name > last) last = name;
  }
  const stretch: NameRange = [first, last];
  const read = new Set<string>();
  for (const { prefix, part, stays } of manifests) {
    // Retries name the parts of the run they complete once more.
    const key = `${prefix} ${part.path}`;
    const range = part.names && ([prefix + part.names[0], prefix + part.names[1]] as const);
    if (!stays || read.has(key) || !mayOverlap(range, stretch)) continue;
    read.add(key);
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const { items } = await control.readPart<Outcome, object>(part.path, part.sha256);
    for (const entry of items) {
      if (!isHeld(entry)) continue;
      for (const blob of groups.get(prefix + entry.name) ?? []) if (mayHoldEntry(entry, blob)) needed.add(blob);
    }
  }
  return needed;
}

/** Where manifests say that blobs of the vault come from, each place once: there are thousands of parts, and few places. */
function placesOf(manifests: Manifest[]): Manifest[] {
  const keyOf = ({ job, source, container, prefix }: Manifest) => JSON.stringify([job, source, container, prefix]);
  return [...new Map(manifests.map((manifest) => [keyOf(manifest), manifest])).values()];
}

/** Every place that a blob of the vault may have come from; none where one of them lies in another account. */
function originsOf(name: string, own: Manifest[], source: string): { container: string; name: string }[] {
  if (own.some((manifest) => manifest.source !== source)) return [];
  const places = new Map(own.map(({ container, prefix }) => [`${container} ${prefix}`, { container, prefix }]));
  return [...places.values()].map(({ container, prefix }) => ({ container, name: name.slice(prefix.length) }));
}
