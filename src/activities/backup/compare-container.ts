import type { Dependencies } from '#app/dependencies.ts';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import { SMALL_CONTAINERS } from '#domain/run/brake-state.ts';
import { addComparison, type Gone, noComparison, stillInSource } from '#domain/run/comparison.ts';
import { comparedKey, runPrefix } from '#domain/run/control-paths.ts';
import { joinedCopiedAgain } from '#domain/run/copied-again.ts';
import { defined } from '#domain/run/defined.ts';
import { EntryComparison } from '#domain/run/entry-comparison.ts';
import { isHeld, type ManifestPage, manifestPages } from '#domain/run/manifest.ts';
import { joined, mayOverlap, type NameRange, widened } from '#domain/run/name-range.ts';
import type { BlobEntry, NoLongerHeld, Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { partEntries } from '#domain/run/report.ts';
import type { PartEntry, RunRef, RunSummary } from '#domain/run/run.ts';
import { countProblem } from '#domain/run/tally.ts';
import { tableOfTask, taskKey } from '#domain/run/task-name.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { isReplacedBy } from '../run/parts-taken-over.ts';
import { type PreviousPoint, previousPoint } from '../run/previous-point.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { StopReason } from '../run/run-guard.ts';

export interface CompareInput extends ContainerTask {
  /** Number of the part to write. */
  part: number;
  /** From which page of the earlier manifest on. */
  page: number;
  /** Why the run holds nothing of the task; absent if it does. */
  gone?: Gone;
}

export interface CompareResult {
  /** The page that the next execution continues with; absent when everything is compared. */
  next?: number;
  stopped?: StopReason;
}

/** Lines of a page of the earlier manifest: its entries, or those that it owed to the restore point before it. */
type EarlierPage = ManifestPage | { owed: PartEntryName };
interface EarlierEntries {
  entries: BlobEntry[];
  names: NameRange | undefined;
  /** Whether their copies were where this run writes copies. */
  isInPlace?: boolean;
  /** Names that have counted as lost before. */
  lost?: ReadonlySet<string>;
}
const NOTHING: ReadonlySet<string> = new Set();
type PartEntryName = Pick<PartEntry, 'path' | 'sha256'> & { names?: NameRange };

/**
 * Compares a container of a backup with the restore point before, and writes by name what is no longer held. It reads
 * the two manifests, one page of the earlier one at a time, and sends no request per blob. Safe to run twice.
 */
export function makeCompareContainer() {
  const summaries = new LastSummary();
  return function compareContainer(deps: Dependencies, input: CompareInput): Promise<CompareResult> {
    return inRun(deps, input, async (context) => {
      const previous = await summaries.of(context);
      // `publishRun` reports a restore point that cannot be read.
      if (!previous?.summary) return {};
      const { container } = context;
      return tableOfTask(container) === undefined
        ? compareBlobs(context, input, previous.summary)
        : compareTable(context, input, previous.summary);
    });
  };
}

/** A restore point never changes, and the containers of a run are all compared with the same one. */
class LastSummary {
  #run: string | undefined;
  #read: Promise<PreviousPoint | undefined> | undefined;

  of({ run, control }: RunContext): Promise<PreviousPoint | undefined> {
    if (this.#read === undefined || this.#run !== run.id) {
      this.#run = run.id;
      const read = previousPoint(control, run.job);
      this.#read = read;
      read.catch(() => {
        if (this.#read === read) this.#read = undefined;
      });
    }
    return this.#read;
  }
}

async function compareBlobs(context: RunContext, input: CompareInput, previous: RunSummary): Promise<CompareResult> {
  const { deps, container } = context;
  const pages = earlierPages(previous, container);
  if (pages.length === 0) return {};
  const deadline = deps.now().getTime() + deps.limits.scanMs;
  const comparer = new PageComparer(context, input, previous, await ownParts(context, input.gone));
  let page = input.page;
  do {
    await comparer.compare(pages[page]!);
    page++;
    await context.ensureMayContinue();
  } while (page < pages.length && deps.now().getTime() < deadline);
  return comparer.finish(input, page < pages.length ? { next: page } : {});
}

function earlierPages(previous: RunSummary, container: string): EarlierPage[] {
  const owed = previous.compared.filter((part) => part.container === container && stillInSource(part) > 0);
  return [...manifestPages(previous.parts, container), ...owed.map((part) => ({ owed: part }))];
}

/** The parts that name what the run did to the blobs of a container, the earlier ones first. */
async function ownParts({ run, container, control }: RunContext, gone?: Gone): Promise<PartEntry[]> {
  // What a run did to a container before a problem ended it is not in the restore point.
  const own = gone ? [] : partEntries(await control.listManifest(run, container));
  if (run.mode !== 'retry') return own;
  const earlier = await control.readRecordedSummary({ job: run.job, id: run.retryOf });
  if (!earlier) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
  if (!gone && isReplacedBy(earlier, container)) return own;
  return [...earlier.parts.filter((part) => part.container === container), ...own];
}

class PageComparer {
  readonly #context: RunContext;
  readonly #own: readonly PartEntry[];
  readonly #hasSamePrefix: boolean;
  readonly #writer = new PartWriter<NoLongerHeld>();
  readonly #by: Omit<ConstructorParameters<typeof EntryComparison>[1], 'isLost'>;
  /** The part that was read last: the next page may begin within it. */
  #last: { path: string; items: Outcome[] } | undefined;

  constructor(context: RunContext, { gone }: CompareInput, previous: RunSummary, own: readonly PartEntry[]) {
    const { source, destination } = context.job;
    const isChosen = blobFilter({ include: source.include, exclude: source.exclude });
    this.#context = context;
    this.#own = own;
    this.#hasSamePrefix = previous.destination.prefix === destination.prefix;
    this.#by = {
      isSelected: (name) => name.startsWith(source.prefix) && isChosen(name),
      ...(gone && { gone }),
      baselines: [context.container, SMALL_CONTAINERS]
        .flatMap((task) => previous.brake?.[taskKey(task)]?.baselines ?? [])
        .map(({ at }) => Date.parse(at)),
    };
    context.tally.compared = noComparison(this.#by.baselines.length);
  }

  async compare(page: EarlierPage): Promise<void> {
    const { tally } = this.#context;
    const {
      entries,
      names,
      isInPlace,
      lost = NOTHING,
    } = 'owed' in page ? await this.#owed(page.owed) : await this.#entriesOf(page);
    if (entries.length === 0) return;
    const comparison = new EntryComparison(entries, { ...this.#by, isLost: lost, ...defined({ isInPlace }) });
    for (const part of this.#own) {
      if (!hasLines(part) || !mayOverlap(part.names, names)) continue;
      comparison.see(await this.#read(part), isOfRun(part, this.#context.run));
    }
    const { lines, found, copiedAgain } = comparison.finish();
    addComparison(tally.compared!, found);
    Object.assign(tally, defined({ copiedAgain: joinedCopiedAgain(tally.copiedAgain, copiedAgain) }));
    for (const line of lines) {
      this.#writer.add(line);
      tally.names = widened(tally.names, line.name);
    }
  }

  finish({ part, gone }: CompareInput, end: CompareResult): Promise<CompareResult> {
    const { tally } = this.#context;
    if (end.next === undefined) tally.last = true;
    const lacking = stillInSource(tally.compared!);
    if (lacking > 0) countProblem(tally, 'no-longer-held', lacking);
    return this.#context.writePart('compared', comparedKey(part, gone !== undefined), this.#writer, end);
  }

  async #entriesOf({ parts }: ManifestPage): Promise<EarlierEntries> {
    const entries: BlobEntry[] = [];
    const holding = parts.filter(({ copied, unchanged }) => copied + unchanged > 0);
    for (const part of holding) {
      const items = await this.#readEarlier<Outcome>(part);
      for (const item of items) if (isHeld(item)) entries.push(item);
    }
    const names = holding.map((part) => part.names);
    // A part whose names are not known may have any.
    return {
      entries,
      names: names.includes(undefined) ? undefined : names.reduce(joined, undefined),
      isInPlace: this.#hasSamePrefix && holding.every(({ destination }) => destination === this.#context.destination),
    };
  }

  async #owed(part: PartEntryName): Promise<EarlierEntries> {
    const lines = await this.#readEarlier<NoLongerHeld>(part);
    const entries = lines.filter(({ code }) => code === 'failed' || code === 'skipped');
    const lost = new Set(entries.filter(({ code }) => code === 'skipped').map(({ name }) => name));
    return { entries, names: part.names, lost };
  }

  /** If a part of the restore point before is damaged, what it held cannot be named any more. */
  async #readEarlier<Line>({ path, sha256 }: PartEntryName): Promise<Line[]> {
    const { control, tally } = this.#context;
    try {
      return (await control.readPart<Line, object>(path, sha256)).items;
    } catch (error) {
      if (!isStorageError(error, 'damaged')) throw error;
      countProblem(tally, 'damaged');
      return [];
    }
  }

  async #read({ path, sha256 }: PartEntry): Promise<Outcome[]> {
    if (this.#last?.path !== path) {
      this.#last = undefined;
      const { items } = await this.#context.control.readPart<Outcome, object>(path, sha256);
      this.#last = { path, items };
    }
    return this.#last.items;
  }
}

function isOfRun({ path }: PartEntry, run: RunRef): boolean {
  return path.startsWith(runPrefix(run));
}

function hasLines({ copied, unchanged, skipped, failed }: PartEntry): boolean {
  return copied + unchanged + skipped + failed > 0;
}

/** A table of which the run holds nothing is one line. */
async function compareTable(context: RunContext, input: CompareInput, previous: RunSummary): Promise<CompareResult> {
  const { container, tally } = context;
  const { gone } = input;
  const table = tableOfTask(container)!;
  const isSame = (part: { container: string }) => taskKey(part.container) === taskKey(container);
  const parts = previous.parts.filter(isSame);
  const owed = previous.compared.filter((part) => isSame(part) && part.failed > 0);
  if (!gone || parts.length + owed.length === 0) return {};
  const entities = previous.brake?.[taskKey(container)]?.held ?? 0;
  const isLost = gone.code === 'deleted';
  tally.compared = { ...noComparison(0), lost: [isLost ? entities : 0] };
  tally.compared[gone.code === 'not-selected' ? 'notSelected' : gone.code]++;
  tally.names = [table, table];
  tally.last = true;
  if (gone.code === 'failed') countProblem(tally, 'no-longer-held');
  const writer = new PartWriter<NoLongerHeld>();
  const modified = previous.finishedAt ?? previous.startedAt;
  writer.add({ name: table, status: 'no-longer-held', etag: '', modified, size: 0, ...gone, entities });
  return context.writePart('compared', comparedKey(input.part, true), writer, {});
}
