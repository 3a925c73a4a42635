import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isUnneeded } from '#domain/prune/unneeded-file.ts';
import { CONTROL_CONTAINER, entityFilesPrefix, sliceKey } from '#domain/run/control-paths.ts';
import type { Standing } from '#domain/run/lock.ts';
import { isHeld } from '#domain/run/manifest.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { PointName, PrunePlan } from '#domain/run/prune-plan.ts';
import { partEntries } from '#domain/run/report.ts';
import type { PartEntry } from '#domain/run/run.ts';
import { countPlanned, emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { type EntityFile, isSegment } from '#domain/tables/segment.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { StorageError } from '#storage/storage-error.ts';
import { PlanWriter } from '../run/old-plan-writer.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/**
 * Lists a stretch of the folder where a job keeps the entities of one table, and plans to delete the files that no restore point
 * which stays names. Restore points share files, whoever wrote them: what counts is the segments alone.
 *
 * Memory holds the names that are needed, which parts there are, and one of them. Deletes nothing itself, as `planPrune`. Anything that is needed and cannot be
 * read, or is not there as it was written, ends it: where files have gone astray, those that nothing names may be all there is left.
 */
export function makePlanTablePrune() {
  // Reading manifests is the processor's work: several tables at once would take no less time, and as many times the memory.
  const inTurn = pLimit(1);
  // Of one prune at a time: with a thousand tables, each summary would be read as often.
  let known: { run: string; parts: Promise<KeptParts> } | undefined;
  const keptParts = (control: ControlStore, run: string, prune: PrunePlan): Promise<KeptParts> => {
    // What is not published may be more by now.
    if (prune.keeps.some(({ job, unpublished }) => job === prune.job && unpublished))
      return partsOfTables(control, prune);
    if (known?.run !== run) known = { run, parts: partsOfTables(control, prune) };
    const { parts } = known;
    parts.catch(() => {
      known = undefined;
    });
    return parts;
  };
  return async function planTablePrune(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
    const { run, container, destination } = input;
    const table = tableOfTask(container);
    if (table === undefined) throw new Error(`${container} is not the share of a table`);
    const { control } = jobContextOf(deps, run.job);
    const tally = emptyTally(container, destination);
    const guard = new RunGuard(control, run, deps.now);
    const work = async (): Promise<SliceResult> => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const prune = await control.readPrunePlan(run);
      if (!prune) throw new Error(`Prune ${run.id} has not been decided yet`);
      const needed = await neededFiles(control, await keptParts(control, run.id, prune), run.job, table, guard);
      if (!(needed instanceof Map)) return needed;
      if (input.slice === 0) await assertThere(control, run.job, needed);
      const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
      const before = Date.parse(prune.before);
      let marker = input.from?.mirror;
      do {
        const page = await control.list({
          prefix: entityFilesPrefix(run.job, table),
          ...(marker !== undefined && { marker }),
        });
        for (const file of page.blobs) {
          tally.listed++;
          tally.listedBytes += file.size;
          if (!isUnneeded(file, { job: run.job, table }, (path) => needed.has(path), before)) {
            tally.unchanged++;
            continue;
          }
          const planned: PlannedItem = { from: file, reason: 'not-needed' };
          countPlanned(tally, planned);
          await plan.add(planned);
        }
        marker = page.next;
      } while (marker !== undefined && tally.listed < deps.limits.sliceBlobs);
      if (marker === undefined) tally.last = true;
      const next = marker === undefined ? {} : { next: { mirror: marker } };
      const result: SliceResult = { chunks: await plan.finish(), ...next };
      return control.writePart(run, 'slice', sliceKey(input.slice), new PartWriter<Outcome>(), tally, result);
    };
    return inTurn(() => countingRequests(tally.requests, work));
  };
}

/** What names a file, and the SHA-256 that it names it with. */
interface NeededFile {
  point: string;
  sha256: string;
}

/** By their paths, the files of a table's entities that restore points of this job name which stay. */
async function neededFiles(
  control: ControlStore,
  kept: KeptParts,
  job: string,
  table: string,
  guard: RunGuard,
): Promise<Map<string, NeededFile> | { stopped: Exclude<Standing, 'go'> }> {
  const needed = new Map<string, NeededFile>();
  const read = new Set<string>();
  for (const { point, path, sha256 } of kept.get(table.toLowerCase()) ?? []) {
    if (read.has(path)) continue;
    // Retries may name the parts of the run they complete once more.
    read.add(path);
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const { items } = await control.readPart<Outcome, object>(path, sha256);
    for (const file of items.flatMap((item) => filesOf(item, job, path))) {
      needed.set(file.path, { point, sha256: file.sha256 });
    }
  }
  return needed;
}

/**
 * The parts about tables of restore points that stay, by the table's name in lower case: the service takes letters of either case
 * for the same, and segments go over from one spelling to the other.
 */
type KeptParts = Map<string, { point: string; path: string; sha256: string }[]>;

async function partsOfTables(control: ControlStore, { job, keeps }: PrunePlan): Promise<KeptParts> {
  const kept: KeptParts = new Map();
  // No other job has files here.
  for (const point of keeps.filter((each) => each.job === job)) {
    for (const { container, path, sha256 } of await partsOf(control, point)) {
      const table = tableOfTask(container)?.toLowerCase();
      if (table === undefined) continue;
      const own = kept.get(table) ?? [];
      kept.set(table, own);
      own.push({ point: point.id, path, sha256 });
    }
  }
  return kept;
}

async function partsOf(control: ControlStore, { job, id, unpublished }: PointName): Promise<PartEntry[]> {
  const summary = await control.readSummary({ job, id });
  if (summary) return summary.parts;
  if (unpublished) return partEntries(await control.listParts({ job, id }));
  throw new StorageError('damaged', `The summary of restore point ${id} has gone since the prune began`);
}

/** The files that a line of a table's manifest names. A line that says what is held, and not where, leaves everything in doubt. */
function filesOf(item: Outcome, job: string, part: string): EntityFile[] {
  if (!isSegment(item) && !isHeld(item)) return [];
  const files: unknown = isSegment(item) ? item.files : undefined;
  const isFile = (file: Partial<EntityFile> | null) =>
    typeof file?.sha256 === 'string' && tableOfPath(file.path ?? '', job) !== undefined;
  if (Array.isArray(files) && files.every(isFile)) return files;
  throw new StorageError('damaged', `${CONTROL_CONTAINER}/${part} does not say which files ${item.name} is in`);
}

/** The table in whose folder a file of entities lies, as it is written there. */
function tableOfPath(path: string, job: string): string | undefined {
  const table = path.split('/').at(-2) ?? '';
  return path.startsWith(entityFilesPrefix(job, table)) ? table : undefined;
}

/** Throws `damaged` unless every file that is needed is listed, as it was written. */
async function assertThere(control: ControlStore, job: string, needed: ReadonlyMap<string, NeededFile>): Promise<void> {
  const folders = new Set([...needed.keys()].map((path) => tableOfPath(path, job)!));
  for (const folder of folders) {
    const there = await control.listEntityFiles(job, folder);
    for (const [path, { point, sha256 }] of needed) {
      if (tableOfPath(path, job) !== folder || there.get(path) === sha256) continue;
      const how = there.has(path) ? 'is not the one that was written' : 'is missing';
      throw new StorageError('damaged', `${CONTROL_CONTAINER}/${path}, which restore point ${point} needs, ${how}`);
    }
  }
}
