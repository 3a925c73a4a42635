import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { isUnneeded } from '#domain/prune/unneeded-file.ts';
import { CONTROL_CONTAINER, entityFilesPrefix } from '#domain/run/control-paths.ts';
import { NO_CONTENT, withObject } from '#domain/run/held-content.ts';
import { isHeld } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { PointName, PrunePlan } from '#domain/run/prune-plan.ts';
import { partEntries } from '#domain/run/report.ts';
import type { PartEntry } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { type EntityFile, isSegment } from '#domain/tables/segment.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';

/**
 * Lists a slice of the folder where a job stores the entities of one table, and plans to delete the files that no
 * remaining restore point names. Restore points share files, whichever run wrote them: only the segments count.
 *
 * Memory holds the needed names, the list of parts, and one part. Like `planPrune`, it deletes nothing itself. If
 * anything that is needed is missing, altered or unreadable, it fails: files that nothing names may then be all that is
 * left.
 */
export function makePlanTablePrune() {
  // Reading manifests keeps the processor busy: several tables at once would be no faster, and would need more memory.
  const oneAfterAnother = pLimit(1);
  const needs = new TableNeeds();
  return async function planTablePrune(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
    const table = tableOfTask(input.container);
    if (table === undefined) throw new Error(`${input.container} is not the task of a table`);
    return oneAfterAnother(() => inRun(deps, input, (context) => planSlice(context, input, table, needs)));
  };
}

async function planSlice(
  context: RunContext,
  input: SliceInput,
  table: string,
  needs: TableNeeds,
): Promise<SliceResult> {
  const { run, control } = context;
  const plan = await control.readPrunePlan(run);
  if (!plan) throw new Error(`Prune ${run.id} has not been decided yet`);
  const needed = await neededFiles(context, await needs.partsOf(control, run.id, plan), table);
  if (input.slice === 0) await assertPresent(control, run.job, needed);
  const writer = new SliceWriter(context, input.slice);
  const before = Date.parse(plan.before);
  let held = NO_CONTENT;
  let marker = input.from?.beside;
  do {
    const position = marker === undefined ? {} : { marker };
    const page = await control.list({ prefix: entityFilesPrefix(run.job, table), ...position });
    for (const file of page.blobs) {
      writer.list(file.size);
      held = withObject(held, file.size, false);
      if (isUnneeded(file, { job: run.job, table }, (path) => needed.has(path), before)) {
        await writer.plan({ from: file, reason: 'not-needed' });
      } else {
        context.tally.unchanged++;
      }
    }
    marker = page.next;
  } while (marker !== undefined && context.tally.listed < context.deps.limits.sliceBlobs);
  context.tally.held = held;
  return writer.finish(marker === undefined ? {} : { next: { beside: marker } });
}

/** The path and checksum of a part, with the restore point that names it. */
interface NeededPart {
  point: string;
  path: string;
  sha256: string;
}

/**
 * The parts of tables in the remaining restore points, by the table's name in lower case: the service ignores the case
 * of table names, and segments pass from one spelling to another.
 */
type PartsByTable = Map<string, NeededPart[]>;

/** Lists the parts of all tables once for each prune: with a thousand tables, each summary would be read as often. */
class TableNeeds {
  #known: { run: string; parts: Promise<PartsByTable> } | undefined;

  partsOf(control: ControlStore, run: string, plan: PrunePlan): Promise<PartsByTable> {
    // A run in progress may have written more parts by now.
    if (plan.keeps.some(({ job, unpublished }) => job === plan.job && unpublished)) return partsByTable(control, plan);
    if (this.#known?.run !== run) this.#known = { run, parts: partsByTable(control, plan) };
    const { parts } = this.#known;
    parts.catch(() => {
      this.#known = undefined;
    });
    return parts;
  }
}

async function partsByTable(control: ControlStore, { job, keeps }: PrunePlan): Promise<PartsByTable> {
  const parts: PartsByTable = new Map();
  // Other jobs have no files here.
  for (const point of keeps.filter((each) => each.job === job)) {
    for (const { container, path, sha256 } of await partsOfPoint(control, point)) {
      const table = tableOfTask(container)?.toLowerCase();
      if (table === undefined) continue;
      const own = parts.get(table) ?? [];
      parts.set(table, own);
      own.push({ point: point.id, path, sha256 });
    }
  }
  return parts;
}

async function partsOfPoint(control: ControlStore, { job, id, unpublished }: PointName): Promise<PartEntry[]> {
  const summary = await control.readRecordedSummary({ job, id });
  if (summary) return summary.parts;
  if (unpublished) return partEntries(await control.listParts({ job, id }));
  throw new StorageError('damaged', `The summary of restore point ${id} has disappeared since the prune began`);
}

/** The restore point that needs a file, and the checksum that it names. */
interface NeededFile {
  point: string;
  sha256: string;
}

/** The files of a table that the remaining restore points of this job name, by path. */
async function neededFiles(
  context: RunContext,
  parts: PartsByTable,
  table: string,
): Promise<ReadonlyMap<string, NeededFile>> {
  const { control, run } = context;
  const needed = new Map<string, NeededFile>();
  const read = new Set<string>();
  for (const { point, path, sha256 } of parts.get(table.toLowerCase()) ?? []) {
    if (read.has(path)) continue;
    // A retry names the parts of the run that it completes again.
    read.add(path);
    await context.ensureMayContinue();
    const { items } = await control.readPart<Outcome, object>(path, sha256);
    for (const file of items.flatMap((item) => filesOf(item, run.job, path))) {
      needed.set(file.path, { point, sha256: file.sha256 });
    }
  }
  return needed;
}

/**
 * The files that a line of a manifest names. Throws `damaged` if it is an entry and does not say where its content is.
 */
function filesOf(item: Outcome, job: string, part: string): EntityFile[] {
  if (!isSegment(item) && !isHeld(item)) return [];
  const files: unknown = isSegment(item) ? item.files : undefined;
  const isFile = (file: Partial<EntityFile> | null) =>
    typeof file?.sha256 === 'string' && tableOfPath(file.path ?? '', job) !== undefined;
  if (Array.isArray(files) && files.every(isFile)) return files;
  throw new StorageError('damaged', `${CONTROL_CONTAINER}/${part} does not say which files ${item.name} is in`);
}

/** The table whose folder holds a file of entities, as the folder spells it. */
function tableOfPath(path: string, job: string): string | undefined {
  const table = path.split('/').at(-2) ?? '';
  return path.startsWith(entityFilesPrefix(job, table)) ? table : undefined;
}

/** Throws `damaged` unless every needed file is listed, as it was written. */
async function assertPresent(
  control: ControlStore,
  job: string,
  needed: ReadonlyMap<string, NeededFile>,
): Promise<void> {
  const folders = new Set([...needed.keys()].map((path) => tableOfPath(path, job)!));
  for (const folder of folders) {
    const listed = await control.listEntityFiles(job, folder);
    for (const [path, { point, sha256 }] of needed) {
      if (tableOfPath(path, job) !== folder || listed.get(path) === sha256) continue;
      const how = listed.has(path) ? 'is not the one that was written' : 'is missing';
      throw new StorageError('damaged', `${CONTROL_CONTAINER}/${path}, which restore point ${point} needs, ${how}`);
    }
  }
}
