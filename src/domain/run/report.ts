import { kindOfPath, laterKey, type PartKind, placeOfChunk, placeOfPending } from './control-paths.ts';
import { type Problem, type ProblemCode, problemOf } from './problems.ts';
import { addRequests } from './request-counts.ts';
import type { ContainerReport, PartEntry, RunReport, RunStatus, UnlockedRun } from './run.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

/** A part as a listing of the run's prefix shows it. */
export interface ListedPart {
  path: string;
  tally: Tally;
}

interface PlacedPart extends ListedPart {
  kind: PartKind;
  key: string;
}

/**
 * What the parts in storage say of a run. While copies are under way, their progress notes count too, but never
 * beside the part that replaces them.
 */
export function reportOf(
  run: UnlockedRun,
  parts: ListedPart[],
  state: {
    status: RunStatus;
    now: Date;
    finishedAt?: Date;
    problems: Problem[];
    requests: Record<string, number>;
    /** How many blobs the job had last time, to judge progress by while the scan is still going on. */
    expected?: number;
    /** How many containers the run works on, where that is known: until all have been listed, the total is not. */
    containers?: number;
  },
): RunReport {
  const containers = byContainer(parts).map(([, own]) => containerReport(own, run.dryRun, state.status));
  for (const problem of state.problems) {
    const container = containers.find((report) => report.container === problem.container);
    if (!container) continue;
    container.problems.push(problem);
    if (problem.count === 0) container.status = 'failed';
  }
  const counts = { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 };
  const bytes = { listed: 0, copied: 0 };
  const requests = { ...state.requests };
  let planned = 0;
  let plannedBytes = 0;
  let removed = 0;
  let removedBytes = 0;
  for (const report of containers) {
    for (const key of ['listed', 'copied', 'unchanged', 'skipped', 'failed'] as const)
      counts[key] += report.counts[key];
    bytes.listed += report.bytes.listed;
    bytes.copied += report.bytes.copied;
    removed += report.counts.removed ?? 0;
    removedBytes += report.bytes.removed ?? 0;
    planned += report.counts.planned ?? 0;
    plannedBytes += report.bytes.planned ?? 0;
    addRequests(requests, report.requests);
  }
  const listed = byContainer(parts).map(([, own]) => isListed(own));
  const scanned = listed.length >= Math.max(state.containers ?? 1, 1) && listed.every((whole) => whole);
  return {
    id: run.id,
    job: run.job,
    mode: run.mode,
    trigger: run.trigger,
    dryRun: run.dryRun,
    ...taskOf(run),
    status: state.status,
    startedAt: run.startedAt,
    finishedAt: state.finishedAt?.toISOString() ?? null,
    counts: { ...counts, ...(run.mode === 'prune' && { removed }), ...(run.dryRun && { planned }) },
    bytes: {
      ...bytes,
      ...(run.mode === 'prune' && { removed: removedBytes }),
      ...(run.dryRun && { planned: plannedBytes }),
    },
    progress: progressOf(
      run,
      counts.copied + counts.unchanged + counts.skipped + counts.failed + removed + (run.dryRun ? planned : 0),
      Math.max(counts.listed, scanned ? 0 : (state.expected ?? 0)),
      scanned || state.expected !== undefined,
      bytes.copied,
      state,
    ),
    requests,
    containers,
    problems: [
      ...state.problems.filter((problem) => problem.container === undefined),
      ...containers.flatMap((c) => c.problems),
    ],
  };
}

/** The fields of a run that only its mode has. */
function taskOf(run: UnlockedRun): Pick<RunReport, 'retryOf' | 'restore' | 'verify' | 'prune'> {
  switch (run.mode) {
    case 'retry':
      return { retryOf: run.retryOf };
    case 'restore':
      return { ...(run.retryOf !== undefined && { retryOf: run.retryOf }), restore: run.restore };
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
  done: number,
  total: number,
  totalKnown: boolean,
  copiedBytes: number,
  state: { status: RunStatus; now: Date; finishedAt?: Date },
): RunReport['progress'] {
  const seconds = Math.max(((state.finishedAt ?? state.now).getTime() - Date.parse(run.startedAt)) / 1000, 0.001);
  const rate = done / seconds;
  const fraction = total > 0 ? Math.min(done / total, 1) : 0;
  const running = state.status === 'running';
  // The first moments go into listing: a rate taken from them would promise hours.
  const tellsMuch = rate > 0 && fraction >= 0.02;
  return {
    fraction: running
      ? totalKnown
        ? round(fraction, 4)
        : null
      : state.status === 'cancelled'
        ? round(fraction, 4)
        : 1,
    blobsPerSecond: round(rate, 1),
    bytesPerSecond: Math.round(copiedBytes / seconds),
    secondsLeft: running ? (totalKnown && tellsMuch ? Math.ceil(Math.max(total - done, 0) / rate) : null) : 0,
  };
}

function containerReport(parts: PlacedPart[], dryRun: boolean, runStatus: RunStatus): ContainerReport {
  const first = parts[0]!.tally;
  const sum = emptyTally(first.container, first.destination);
  let planned = 0;
  let plannedBytes = 0;
  const pieces = new Map(parts.filter((part) => part.kind === 'chunk').map((part) => [part.key, part]));
  // Of the notes about one piece of copying, the latest tells most.
  const notes = new Map<string, PlacedPart>();
  for (const part of parts) {
    if (part.kind === 'slice') {
      planned += part.tally.planned;
      plannedBytes += part.tally.plannedBytes;
    }
    if (part.kind === 'range') {
      planned += part.tally.planned;
      plannedBytes += part.tally.plannedBytes;
    }
    if (part.kind === 'slice' || part.kind === 'chunk' || part.kind === 'range') addTally(sum, part.tally);
    if (part.kind === 'progress' && !pieces.has(part.key)) notes.set(part.key, part);
    if (part.kind === 'pending') {
      // Each round tells its own requests only, and they were sent whatever became of the round's counts.
      addTally(sum, { ...emptyTally('', ''), requests: part.tally.requests });
      const work = placeOfPending(part.key);
      // Those of an execution of the piece that was not the first to end count nowhere.
      if (!work || pieces.get(work.key)?.tally.later?.attempt !== work.attempt) continue;
      const key = laterKey(work.key);
      const known = notes.get(key);
      if (!pieces.has(key) && (!known || placeOfPending(known.key)!.round < work.round)) notes.set(key, part);
    }
  }
  for (const note of notes.values()) {
    addTally(sum, note.kind === 'pending' ? { ...note.tally, requests: {} } : note.tally);
  }
  const {
    copied,
    unchanged,
    skipped,
    failed,
    added,
    changed,
    deleted: gone,
    removed,
    removedBytes,
    unwanted = 0,
  } = sum;
  const listed = sum.listed - unwanted;
  const done = incompletenessOf(parts, dryRun) === undefined;
  const status: RunStatus = !done ? runStatus : failed > 0 ? 'completed-with-failures' : 'succeeded';
  return {
    container: sum.container,
    destination: sum.destination,
    status,
    counts: {
      listed,
      copied,
      unchanged,
      skipped,
      failed,
      ...(added !== undefined && { added }),
      ...(changed !== undefined && { changed }),
      ...(gone !== undefined && { deleted: gone }),
      ...(removed !== undefined && { removed }),
      ...(dryRun && { planned }),
    },
    ...(sum.window && { window: sum.window }),
    bytes: {
      listed: sum.listedBytes,
      copied: sum.copiedBytes,
      ...(removedBytes !== undefined && { removed: removedBytes }),
      ...(dryRun && { planned: plannedBytes }),
    },
    requests: sum.requests,
    problems: Object.entries(sum.problems).map(([code, count]) => problemOf(code as ProblemCode, count, sum.container)),
  };
}

/**
 * Why the parts do not make a complete restore point, or undefined when they do: every slice of every scan is there
 * up to its last, and each slice's planned copies have each come to an outcome.
 */
export function incompleteness(parts: ListedPart[], dryRun: boolean): string | undefined {
  for (const [container, own] of byContainer(parts)) {
    const reason = incompletenessOf(own, dryRun);
    if (reason !== undefined) return `container ${container}: ${reason}`;
  }
  return undefined;
}

/** Whether all that the container or table has is known. */
function isListed(parts: PlacedPart[]): boolean {
  if (parts.some(({ kind }) => kind === 'range')) return uncovered(parts) === undefined;
  return parts.some(({ tally }) => tally.last);
}

/**
 * Why the parts of a table's backup do not cover all of its keys, each once, or undefined when they do: each stretch must begin with
 * the bound that another ends with. Bounds are compared for equality only, so no order of keys has to be known.
 */
function uncovered(parts: PlacedPart[]): string | undefined {
  const stretches = parts.filter(({ kind, tally }) => kind === 'range' && tally.keys);
  const behind = new Map<string, PlacedPart>();
  for (const part of stretches) {
    const [after] = part.tally.keys!;
    if (behind.has(after)) return `parts ${behind.get(after)!.key} and ${part.key} begin with the same key`;
    behind.set(after, part);
  }
  let at = '';
  for (let followed = 0; followed < stretches.length; followed++) {
    const part = behind.get(at);
    if (!part) return 'a stretch of its keys was not read';
    const { keys, listed, copied, unchanged, failed, planned } = part.tally;
    if (listed !== copied + unchanged + failed + planned) return `part ${part.key} does not add up`;
    at = keys![1];
    if (at !== '') continue;
    // The last one reaches to the end of the table.
    return followed === stretches.length - 1 ? undefined : 'some of its keys were read more than once';
  }
  return 'the end of its keys was not read';
}

function incompletenessOf(parts: PlacedPart[], dryRun: boolean): string | undefined {
  if (parts.some(({ kind }) => kind === 'range')) return uncovered(parts);
  const scans = parts.filter((part) => part.kind === 'slice').sort((a, b) => (a.key < b.key ? -1 : 1));
  if (scans.length === 0) return 'the scan left no part';
  const settled = settledBySlice(parts);
  if (typeof settled === 'string') return settled;
  for (const [index, scan] of scans.entries()) {
    if (Number.parseInt(scan.key, 10) !== index) return `scan part ${index} is missing`;
    if ((scan.tally.last ?? false) !== (index === scans.length - 1)) {
      return `scan part ${index} ${scan.tally.last ? 'is followed by more' : 'is not the last'}`;
    }
    const { listed, unchanged, skipped, failed, planned } = scan.tally;
    if (listed !== unchanged + skipped + failed + planned) return `scan part ${index} does not add up`;
    const count = settled.get(index) ?? 0;
    settled.delete(index);
    if (!dryRun && count !== planned)
      return `of ${planned} blobs to copy in scan part ${index}, ${count} have an outcome`;
  }
  for (const slice of settled.keys()) return `scan part ${slice} is missing`;
  return undefined;
}

/** How many planned copies of each slice have an outcome, or why that cannot be told. */
function settledBySlice(parts: PlacedPart[]): Map<number, number> | string {
  const copies = parts.filter((part) => part.kind === 'chunk');
  const later = new Map(copies.filter(({ key }) => !placeOfChunk(key)).map((part) => [part.key, part.tally]));
  const pieces = copies
    .flatMap(({ key, tally }) => {
      const place = placeOfChunk(key);
      return place ? [{ key, tally, ...place }] : [];
    })
    .sort((a, b) => a.slice - b.slice || a.chunk - b.chunk || a.from - b.from);
  const settled = new Map<number, number>();
  let end = { slice: -1, chunk: -1, at: 0 };
  for (const { key, tally, slice, chunk, from } of pieces) {
    const pending = tally.later?.items ?? 0;
    if (outcomesIn(tally) + pending !== tally.planned) return `part ${key} does not add up`;
    if (pending > 0) {
      const rest = later.get(laterKey(key));
      later.delete(laterKey(key));
      if (!rest) return `the ${pending} copies that part ${key} calls pending have no outcome`;
      if (outcomesIn(rest) !== pending || rest.planned !== pending) return `part ${laterKey(key)} does not add up`;
    }
    // The pieces of a chunk follow each other: one that overlaps another could make up for one that is missing.
    if (end.slice !== slice || end.chunk !== chunk) end = { slice, chunk, at: 0 };
    if (from !== end.at) return `part ${key} does not follow the one before it`;
    end.at += tally.planned;
    settled.set(slice, (settled.get(slice) ?? 0) + tally.planned);
  }
  for (const key of later.keys()) return `part ${key} belongs to no other`;
  return settled;
}

function outcomesIn({ copied, unchanged, skipped, failed, removed = 0, unwanted = 0 }: Tally): number {
  return copied + unchanged + skipped + failed + removed + unwanted;
}

/** The manifest's parts in the order they are to be read in. */
export function partEntries(parts: ListedPart[]): PartEntry[] {
  return byContainer(parts).flatMap(([container, own]) =>
    own
      .filter(({ kind }) => kind === 'slice' || kind === 'chunk' || kind === 'range')
      .map(({ path, tally }) => ({
        path,
        container,
        destination: tally.destination,
        copied: tally.copied,
        unchanged: tally.unchanged,
        skipped: tally.skipped,
        failed: tally.failed,
        sha256: tally.sha256 ?? '',
        ...(tally.names && { names: tally.names }),
        ...(tally.window && { window: tally.window }),
        ...(tally.deletionsUnknownSince && { deletionsUnknownSince: tally.deletionsUnknownSince }),
      })),
  );
}

function byContainer(parts: ListedPart[]): [string, PlacedPart[]][] {
  const groups = new Map<string, PlacedPart[]>();
  for (const part of parts) {
    const place = kindOfPath(part.path);
    if (!place || place.kind === 'plan') continue;
    const group = groups.get(place.container);
    const placed = { ...part, kind: place.kind, key: place.key };
    if (group) group.push(placed);
    else groups.set(place.container, [placed]);
  }
  return [...groups];
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
