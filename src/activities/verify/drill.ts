import { setTimeout as sleep } from 'node:timers/promises';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { tagFingerprint, withoutRecord } from '#domain/copying/record.ts';
import { chunkKey, runsPrefix, sliceKey } from '#domain/run/control-paths.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { asBackedUp, type CopyMethod, isPending, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunRef } from '#domain/run/run.ts';
import { countOutcome, countPlanned, emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { sampleOf } from '#domain/verify/sample.ts';
import { drillOf, scratchContainer } from '#domain/verify/scratch-container.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import type { CopyContext } from '../copying/copy-context.ts';
import { confirmRestore } from '../restore/confirm-restore.ts';
import { damagedPart } from '../restore/manifest-walk.ts';
import { restoreBlob } from '../restore/restore-blob.ts';
import type { ChunkInput } from '../run/chunk.ts';
import { PlanWriter } from '../run/plan-writer.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { digest, type ReadContext, readBlob } from './read-blob.ts';

/** Where a drill restores to. */
export interface DrillContext extends ReadContext {
  /** Along which the blobs are restored: from the mirror into the scratch container. */
  restore: CopyContext;
  /** The vault again, for an identity that may delete. */
  remover: BlobAccount;
}

/** Plans a drill's share of one container: those blobs of the sample that lie in it. */
export async function planDrill(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
  const { run, container, destination, vaultLocation: mirror, slice } = input;
  const task = run.verify!;
  const { control } = jobContextOf(deps, run.job);
  const guard = new RunGuard(control, run, deps.now);
  const tally = emptyTally(container, destination);
  const part = new PartWriter<Outcome>();
  const plan = new PlanWriter(control, run, slice, container, deps.limits, deps.random);

  return countingRequests(tally.requests, async () => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const point = await pointOf(control, run.job, task.point);
    const first = point.parts.find((each) => tableOfTask(each.container) === undefined);
    if (slice === 0 && first?.container === container) await removeLeftovers(deps, run);
    const sample = sampleOf(point.parts, task.sample, run.id);
    const own = point.parts.filter((each) => each.container === container && sample.has(each.path));
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    let at = input.manifest?.page ?? 0;
    while (at < own.length) {
      const each = own[at++]!;
      const numbers = sample.get(each.path)!;
      const [items] = await control.readManifest({ parts: [each], run: '' });
      if (Array.isArray(items)) {
        const held = items.filter(isHeld);
        for (const number of numbers) {
          const entry = held[number];
          if (entry === undefined) throw new Error(`${each.path} holds fewer blobs than its restore point says`);
          tally.listed++;
          tally.listedBytes += entry.size;
          const planned: PlannedItem = { from: toBeFound(mirror!.prefix, entry), reason: 'restore', entry };
          countPlanned(tally, planned);
          await plan.add(planned);
        }
      } else {
        const outcome = damagedPart(each, items!.message);
        tally.listed++;
        countOutcome(tally, outcome);
        part.add(outcome);
      }
      const now = await guard.standing();
      if (now !== 'go') return { stopped: now };
      if (plan.chunks >= deps.limits.sliceChunks || deps.now().getTime() >= deadline) break;
    }
    if (at >= own.length) tally.last = true;
    const next = at < own.length ? { nextManifest: { page: at } } : {};
    const result: SliceResult = { chunks: await plan.finish(), ...next };
    return control.writePart(run, 'slice', sliceKey(slice), part, tally, result);
  });
}

/** No listing has shown where its content is. */
function toBeFound(prefix: string, { name, modified, size, type }: Outcome): BlobState {
  return { name: prefix + name, etag: '', lastModified: modified, size, type: type ?? 'block' };
}

/** What it takes to work off a piece of a drill. Each piece has a scratch container of its own, and removes it. */
export async function drillContextOf(deps: Dependencies, input: ChunkInput, read: ReadContext): Promise<DrillContext> {
  const { run, container, chunk } = input;
  const { job, vault } = jobContextOf(deps, run.job);
  const destination = scratchContainer(run.id, `${container}/${chunkKey(chunk.slice, chunk.chunk, input.from)}`);
  const until = new Date(deps.now().getTime() + deps.limits.copyDeadlineMs);
  const restore: RestoreTask = {
    point: run.verify!.point,
    account: vault.alias,
    container: destination,
    prefix: '',
    // What an execution before this one has left there is ours.
    existing: 'overwrite',
    containers: [],
    tables: [],
    table: '{table}',
    startsWith: '',
    include: [],
    exclude: [],
    original: false,
  };
  const mirror = input.vaultLocation!;
  return {
    ...read,
    remover: deps.blobs(job.retention?.account ?? job.destination.account),
    restore: {
      run: { ...run, restore },
      method: 'auto',
      source: vault,
      container: mirror.container,
      sourcePrefix: mirror.prefix,
      target: vault,
      destination,
      targetPrefix: '',
      access: await vault.readAccess(mirror.container, until),
      copyDeadlineMs: deps.limits.copyDeadlineMs,
      now: deps.now,
      signal: read.signal,
    },
  };
}

/** Milliseconds between two looks at a copy that is pending. */
const LOOK_EVERY_MS = 1_000;
/** How often another execution of the same piece may take a restored blob away before it is given up. */
const TRIES = 4;

/**
 * Restores one blob of a restore point into the scratch container, compares what came of it with what the vault holds, byte by
 * byte and in everything that a restore brings back, and deletes it again. Failures are outcomes; only a stop by the signal is
 * thrown.
 */
export async function drillBlob(place: DrillContext, planned: PlannedItem): Promise<Outcome> {
  const entry = planned.entry!;
  let lastError: StorageError | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { outcome, content } = await readBlob(place, planned);
    if (content === undefined || outcome.status === 'failed') return outcome;
    const made = await restored(place, { ...planned, from: content });
    if (made.status === 'failed') return made;
    try {
      const target = await inScratch(place, entry.name);
      if (target === undefined) continue;
      const difference = (await otherBytes(place, content, target)) ?? otherThan(entry, content, target, made);
      if (difference !== undefined) {
        const message = `Restored to ${place.restore.destination}, it ${difference}`;
        return { ...asBackedUp(entry), status: 'failed', code: 'content-mismatch', message };
      }
      const left = await remove(place, target);
      return left === undefined ? outcome : { ...outcome, code: 'access-denied-prune', message: left };
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      lastError = error;
    }
  }
  const code = lastError ? problemCodeOf(lastError, 'destination') : 'target-changing';
  return { ...asBackedUp(entry), status: 'failed', code, ...(lastError && { message: lastError.message }) };
}

async function restored({ restore, signal }: DrillContext, planned: PlannedItem): Promise<Outcome> {
  const { type, size } = planned.from;
  const methods: CopyMethod[] = size <= SYNC_LIMIT ? ['sync', 'blocks'] : ['blocks'];
  let made = await restoreBlob(restore, planned, { started: 0, ...(type === 'block' && { methods }) });
  while (isPending(made)) {
    // Page and append blobs are copied asynchronously, and the service may take its time.
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    made = await confirmRestore(restore, made);
  }
  return made;
}

async function otherBytes(place: DrillContext, content: BlobState, target: BlobState): Promise<string | undefined> {
  const { restore, signal } = place;
  const [one, other] = await Promise.all([
    digest(restore.source, restore.container, content, 'sha256', signal),
    digest(restore.target, restore.destination, target, 'sha256', signal),
  ]);
  return one.hash === other.hash && one.size === other.size ? undefined : 'has other bytes than the vault';
}

const HEADERS = ['contentType', 'contentEncoding', 'contentLanguage', 'contentDisposition', 'cacheControl'] as const;

/** What a restored blob lacks, or has besides; what the restore says that it lacks is none of it. */
function otherThan(entry: Outcome, content: BlobState, target: BlobState, made: Outcome): string | undefined {
  if (target.type !== content.type) return 'is of another type';
  const header = HEADERS.find((each) => content[each] !== target[each]);
  if (header !== undefined) return `has another ${header}`;
  if (asText(withoutRecord(content.metadata)) !== asText(target.metadata ?? {})) return 'has other metadata';
  const lacks = [entry.code, made.code];
  const lacksTags = lacks.includes('tags-not-read') || lacks.includes('tags-not-written') || target.tags === undefined;
  if (!lacksTags && tagFingerprint(entry.tags) !== tagFingerprint(target.tags)) return 'has other tags';
  const lacksTier = lacks.includes('tier-not-kept') || entry.tier === undefined || entry.tier === 'Archive';
  if (!lacksTier && content.type === 'block' && entry.tier !== target.tier) return 'has another tier';
  return undefined;
}

function asText(metadata: Record<string, string>): string {
  return JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** With everything that a listing tells, its tags too where they may be read. */
async function inScratch({ restore }: DrillContext, name: string): Promise<BlobState | undefined> {
  const { target, destination } = restore;
  const options = { prefix: name, metadata: true, contentHeaders: true };
  try {
    const { blobs } = await target.listBlobs(destination, { ...options, tags: true });
    const found = blobs.find((blob) => blob.name === name);
    return found && { tags: {}, ...found };
  } catch (error) {
    if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
    const { blobs } = await target.listBlobs(destination, options);
    return blobs.find((blob) => blob.name === name);
  }
}

/** What to say where the restored blob may not be deleted, and so stays. */
async function remove({ remover, restore }: DrillContext, { name, etag }: BlobState): Promise<string | undefined> {
  try {
    await remover.deleteBlob(restore.destination, name, { ifMatch: etag });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (error.kind === 'access-denied') {
      return `What was restored is left in container ${restore.destination} of ${remover.alias}: ${error.message}`;
    }
    // Whatever else keeps it there goes with the container.
  }
  return undefined;
}

/** Takes away the scratch container of a piece, when its outcomes are stored: should this fail, the next drill does it. */
export async function endDrill({ remover, restore }: DrillContext): Promise<void> {
  await deleteQuietly(remover, restore.destination);
}

/** Takes away what earlier drills of the job have left: their pieces were killed, or were not allowed to. */
async function removeLeftovers(deps: Dependencies, run: RunRef): Promise<void> {
  const { job, vault, control } = jobContextOf(deps, run.job);
  const remover = deps.blobs(job.retention?.account ?? job.destination.account);
  try {
    const left = (await containersOf(vault)).filter((name) => drillOf(name) !== undefined);
    if (left.length === 0) return;
    for await (const folder of control.foldersBelow(runsPrefix(run.job))) {
      const id = folder.split('/').at(-2)!;
      const own = left.filter((name) => id.endsWith(`-${drillOf(name)}`));
      if (own.length === 0) continue;
      // Only a drill that has ended, and no container that merely has such a name. The present one has no summary yet.
      const ended = await control.readSummary({ job: run.job, id });
      if (ended?.verify?.kind !== 'drill') continue;
      for (const name of own) await deleteQuietly(remover, name);
    }
  } catch (error) {
    // It is no part of the proof.
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

async function deleteQuietly(account: BlobAccount, container: string): Promise<void> {
  try {
    await account.deleteContainer(container);
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}
