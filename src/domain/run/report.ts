import { addComparison, type ComparedPart, type Comparison, noComparison, stillInSource } from './comparison.ts';
import { incompletenessOf, isGone, isListed } from './completeness.ts';
import type { PropertiesPart } from './container-properties.ts';
import { isGoneKey, kindOfPath, laterKey, parsePendingKey } from './control-paths.ts';
import { copiedAgainProblem, joinedCopiedAgain } from './copied-again.ts';
import { defined } from './defined.ts';
import { deletedFrom } from './deleted-entities.ts';
import { type HeldContent, sumOfHeld } from './held-content.ts';
import { sumNotPreserved } from './not-preserved.ts';
import { nothingMatched, unmatchedIn } from './nothing-matched.ts';
import {
  byContainer,
  isChunk,
  isComparison,
  isRange,
  isSlice,
  type ListedPart,
  type PlacedComparison,
  type PlacedPart,
} from './placed-part.ts';
import { type Problem, type ProblemCode, problemOf } from './problems.ts';
import { addRequests } from './request-counts.ts';
import type {
  ByteCounts,
  ContainerReport,
  Counts,
  NoLongerHeldCounts,
  PartEntry,
  RunReport,
  RunStatus,
  UnlockedRun,
} from './run.ts';
import { addTally, emptyTally, isAccessRefused, type RangeTally, type Tally } from './tally.ts';
import { traceOfRun } from './trace.ts';
import { addTransfers, type Transfers } from './transfers.ts';

/** What a report needs to know about a run in addition to its parts. */
export interface ReportState {
  status: RunStatus;
  now: Date;
  finishedAt?: Date;
  problems: Problem[];
  requests: Record<string, number>;
  /** How many blobs the job had in its last run: the total for the progress until the scan ends. */
  expected?: number;
  /** How many containers and tables the run processes, if known. The total is unknown until all of them are listed. */
  containers?: number;
}

/**
 * The report of a run, from its parts in storage. While copies are in progress, their notes count too, but never
 * together with the part that replaces them.
 */
export function reportOf(run: UnlockedRun, parts: readonly ListedPart[], state: ReportState): RunReport {
  const groups = byContainer(parts);
  const containers = groups.map(([, own]) => containerReport(own, run.dryRun, state.status));
  const byName = new Map<string | undefined, ContainerReport>(containers.map((report) => [report.container, report]));
  for (const { path, tally } of parts) {
    const report = byName.get(tally.container);
    if (report && kindOfPath(path)?.kind === 'properties') addProperties(report, tally);
  }
  for (const problem of state.problems) {
    const container = byName.get(problem.container);
    if (!container) continue;
    container.problems.push(problem);
    if (problem.count === 0) container.status = 'failed';
  }
  const counts = totalCounts(containers);
  const bytes = totalBytes(containers);
  const { removed = 0, planned = 0, listed, copied, unchanged, skipped, failed } = counts;
  const requests = { ...state.requests };
  for (const report of containers) addRequests(requests, report.requests);
  const scanned = groups.filter(([, own]) => !isGone(own));
  const isScanned = scanned.length >= Math.max(state.containers ?? 1, 1) && scanned.every(([, own]) => isListed(own));
  const { id, job, mode, trigger, by, dryRun, follows, startedAt } = run;
  return {
    ...{ id, job, mode, trigger, ...defined({ by }), dryRun, ...defined({ follows }), trace: traceOfRun(run).id },
    ...taskOf(run),
    status: state.status,
    startedAt,
    finishedAt: state.finishedAt?.toISOString() ?? null,
    counts: ofMode(run, counts),
    ...defined({ noLongerHeld: totalNoLongerHeld(containers) }),
    bytes: ofMode(run, bytes),
    progress: progressOf(run, state, {
      done: copied + unchanged + skipped + failed + removed + (dryRun ? planned : 0),
      total: isScanned ? listed : Math.max(listed, state.expected ?? 0),
      isTotalKnown: isScanned || state.expected !== undefined,
      copiedBytes: bytes.copied,
    }),
    requests,
    containers,
    problems: [
      ...state.problems.filter(({ container }) => container === undefined),
      ...containers.flatMap(({ problems }) => problems),
    ],
  };
}

/** Without the counts that runs of this mode do not have. */
function ofMode<Each extends { removed: number; planned: number }>(
  run: UnlockedRun,
  { removed, planned, ...all }: Each,
) {
  return { ...all, ...(run.mode === 'prune' && { removed }), ...(run.dryRun && { planned }) };
}

function totalCounts(
  containers: readonly ContainerReport[],
): Required<Omit<Counts, 'held' | 'added' | 'changed' | 'deleted'>> {
  const total = { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0, removed: 0, planned: 0 };
  for (const { counts } of containers) {
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += counts[key] ?? 0;
  }
  return total;
}

/** Undefined if nothing has been compared. */
function totalNoLongerHeld(containers: readonly ContainerReport[]): NoLongerHeldCounts | undefined {
  const compared = containers.flatMap(({ noLongerHeld }) => noLongerHeld ?? []);
  if (compared.length === 0) return undefined;
  const total: NoLongerHeldCounts = { deleted: 0, skipped: 0, failed: 0, notSelected: 0 };
  for (const each of compared) for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += each[key];
  return total;
}

function totalBytes(containers: readonly ContainerReport[]): Required<ByteCounts> {
  const total = { listed: 0, copied: 0, removed: 0, planned: 0 };
  for (const { bytes } of containers) {
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += bytes[key] ?? 0;
  }
  return total;
}

/** The fields of a run that only its mode has. */
function taskOf(run: UnlockedRun): Pick<RunReport, 'retryOf' | 'restore' | 'verify' | 'prune'> {
  switch (run.mode) {
    case 'retry':
      return { retryOf: run.retryOf };
    case 'restore':
      return { ...defined({ retryOf: run.retryOf }), restore: run.restore };
    case 'verify':
      return { verify: run.verify };
    case 'prune':
      return { prune: run.prune };
    default:
      return {};
  }
}

function progressOf(
  run: { startedAt: string },
  { status, now, finishedAt }: ReportState,
  {
    done,
    total,
    isTotalKnown,
    copiedBytes,
  }: Record<'done' | 'total' | 'copiedBytes', number> & { isTotalKnown: boolean },
): RunReport['progress'] {
  const seconds = Math.max(((finishedAt ?? now).getTime() - Date.parse(run.startedAt)) / 1000, 0.001);
  const rate = done / seconds;
  const fraction = total > 0 ? Math.min(done / total, 1) : 0;
  const rates = { blobsPerSecond: round(rate, 1), bytesPerSecond: Math.round(copiedBytes / seconds) };
  if (status !== 'running') {
    return { fraction: status === 'cancelled' ? round(fraction, 4) : 1, ...rates, secondsLeft: 0 };
  }
  if (!isTotalKnown) return { fraction: null, ...rates, secondsLeft: null };
  // A run lists before it copies: the rate of the first moments would predict hours.
  const isRateKnown = rate > 0 && fraction >= 0.02;
  const secondsLeft = isRateKnown ? Math.ceil(Math.max(total - done, 0) / rate) : null;
  return { fraction: round(fraction, 4), ...rates, secondsLeft };
}

function containerReport(parts: readonly PlacedPart[], dryRun: boolean, runStatus: RunStatus): ContainerReport {
  const { container, destination } = parts[0]!.tally;
  const sum = emptyTally(container, destination);
  for (const part of parts) {
    if (part.kind === 'slice' || part.kind === 'range') {
      sum.planned += part.tally.planned;
      sum.plannedBytes += part.tally.plannedBytes;
    }
    if (isManifest(part)) addTally(sum, part.tally);
    // Every round of checks has its own requests, and it sent them whether or not its counts still matter.
    if (part.kind === 'pending') addRequests(sum.requests, part.tally.requests);
  }
  for (const { kind, tally } of currentNotes(parts))
    addTally(sum, kind === 'pending' ? { ...tally, requests: {} } : tally);
  const comparisons = countedComparisons(parts);
  const compared = noComparison(0);
  for (const { tally } of comparisons) {
    addComparison(compared, tally.compared ?? noComparison(0));
    addTally(sum, tally);
  }
  // Then it is not known what is no longer held.
  const isUnread = comparisons.some(({ tally }) => tally.problems.damaged !== undefined);
  const isOnlyCompared = isGone(parts);
  const isDone = isOnlyCompared || incompletenessOf(parts, dryRun) === undefined;
  const { copied, unchanged, skipped, failed, planned, unwanted = 0 } = sum;
  const { added, removed, removedBytes } = sum;
  const isCompared = comparisons.length > 0;
  const deleted = sumOf([sum.deleted, deletedFrom(parts.filter(isRange))]);
  const copiedAgain = comparisons.map(({ tally }) => tally.copiedAgain).reduce(joinedCopiedAgain, undefined);
  const unmatched = isDone && !isOnlyCompared ? unmatchedIn(sum) : undefined;
  const changed = isCompared ? compared.changed : sum.changed;
  const isIncomplete = isUnread || isAccessRefused(sum) || failed + stillInSource(compared) > 0;
  return {
    container,
    destination,
    status: !isDone ? runStatus : isIncomplete ? 'completed-with-failures' : 'succeeded',
    counts: {
      ...{ listed: sum.listed - unwanted, copied, unchanged, skipped, failed },
      ...defined({ added, changed, deleted, removed }),
      ...(dryRun && { planned }),
    },
    ...defined({ noLongerHeld: noLongerHeldIn({ compared, isCompared, deleted, dryRun }) }),
    ...(isOnlyCompared && { gone: true as const }),
    ...defined({ window: sum.window, transfers: plannedTransfers(parts) }),
    bytes: {
      listed: sum.listedBytes,
      copied: sum.copiedBytes,
      ...defined({ removed: removedBytes }),
      ...(dryRun && { planned: sum.plannedBytes }),
    },
    requests: sum.requests,
    problems: [
      ...problemsIn(sum, container).filter(({ code }) => isCurrent(code, runStatus)),
      ...(copiedAgain ? [copiedAgainProblem(container, copiedAgain)] : []),
      ...(unmatched ? [nothingMatched(container, unmatched)] : []),
    ],
    ...defined({ notPreserved: sum.notPreserved, held: heldIn(parts, isDone) }),
  };
}

/** Undefined unless every slice says it. */
function heldIn(parts: readonly PlacedPart[], isDone: boolean): HeldContent | undefined {
  const slices = parts.filter(isSlice);
  return isDone && slices.length > 0 ? sumOfHeld(slices.map(({ tally }) => tally.held)) : undefined;
}

function plannedTransfers(parts: readonly PlacedPart[]): Transfers | undefined {
  const slices = parts.filter(({ kind }) => kind === 'slice');
  return slices.reduce<Transfers | undefined>((sum, { tally }) => addTransfers(sum, tally.transfers), undefined);
}

/** Undefined if nothing was compared. The entities of a table that the run holds only count. */
function noLongerHeldIn({
  compared,
  isCompared,
  deleted,
  dryRun,
}: {
  compared: Comparison;
  isCompared: boolean;
  deleted: number | undefined;
  dryRun: boolean;
}): NoLongerHeldCounts | undefined {
  if (!isCompared && (deleted === undefined || dryRun)) return undefined;
  if (!isCompared) return { deleted: deleted!, skipped: 0, failed: 0, notSelected: 0 };
  const { lost: _, changed: __, ...noLongerHeld } = compared;
  return noLongerHeld;
}

/** What a run that has ended no longer waits for is a problem of its own, or none. */
function isCurrent(code: ProblemCode, runStatus: RunStatus): boolean {
  return code !== 'container-being-deleted' || runStatus === 'running';
}

/** What the properties of a container or table add to its report. */
function addProperties(report: ContainerReport, tally: Tally): void {
  report.problems.push(...problemsIn(tally, report.container));
  const notPreserved = sumNotPreserved(report.notPreserved, tally.notPreserved);
  if (notPreserved) report.notPreserved = notPreserved;
}

function problemsIn({ problems, messages = {} }: Tally, container: string): Problem[] {
  return Object.entries(problems).map(([code, count]) =>
    problemOf(code as ProblemCode, count, container, messages[code as ProblemCode]),
  );
}

/**
 * The comparisons that count. If the run holds nothing of a container after all, another comparison replaces the one
 * that had begun.
 */
function countedComparisons(parts: readonly PlacedPart[]): PlacedComparison[] {
  const all = parts.filter(isComparison);
  const gone = all.filter(({ key }) => isGoneKey(key));
  return gone.length > 0 ? gone : all;
}

/** The parts of a run that compare it with the restore point before, as its summary lists them. */
export function comparedParts(parts: readonly ListedPart[]): ComparedPart[] {
  return byContainer(parts).flatMap(([container, own]) =>
    countedComparisons(own).map(({ path, tally }) => {
      const { destination, sha256 = '', names, last = false, compared = noComparison(0) } = tally;
      return { ...{ path, container, destination, sha256, last }, ...compared, ...defined({ names }) };
    }),
  );
}

/** The parts of a run with the properties of its containers and tables. */
export function propertiesParts(parts: readonly ListedPart[]): PropertiesPart[] {
  return parts.flatMap(({ path, tally: { container, sha256 = '' } }) =>
    kindOfPath(path)?.kind === 'properties' ? [{ path, container, sha256 }] : [],
  );
}

/** The latest note on each piece of copying that has no part yet. */
function currentNotes(parts: readonly PlacedPart[]): PlacedPart[] {
  const pieces = new Map(parts.filter(isChunk).map((part) => [part.key, part.tally]));
  const notes = new Map<string, PlacedPart>();
  for (const part of parts) {
    if (part.kind === 'progress' && !pieces.has(part.key)) notes.set(part.key, part);
    if (part.kind !== 'pending') continue;
    const file = parsePendingKey(part.key);
    // Two executions of a piece may both have left pending files: only those of the first to end count.
    if (!file || pieces.get(file.key)?.later?.attempt !== file.attempt) continue;
    const key = laterKey(file.key);
    const known = notes.get(key);
    if (!pieces.has(key) && (!known || parsePendingKey(known.key)!.round < file.round)) notes.set(key, part);
  }
  return [...notes.values()];
}

/** The entries of the manifest's parts, in the order in which they are read. */
export function partEntries(parts: readonly ListedPart[]): PartEntry[] {
  return byContainer(parts).flatMap(([container, own]) =>
    own.filter(isManifest).map(({ path, tally }) => entryOf(path, container, tally)),
  );
}

function entryOf(path: string, container: string, tally: Tally & Partial<RangeTally>): PartEntry {
  const { destination, copied, unchanged, skipped, failed, sha256 = '', names, window, deletionsUnknownSince } = tally;
  return {
    ...{ path, container, destination, copied, unchanged, skipped, failed, sha256 },
    ...defined({ names, window, deletionsUnknownSince }),
  };
}

function isManifest({ kind }: PlacedPart): boolean {
  return kind === 'slice' || kind === 'chunk' || kind === 'range';
}

/** Of the numbers that are known; undefined if none is. */
function sumOf(numbers: (number | undefined)[]): number | undefined {
  const known = numbers.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
