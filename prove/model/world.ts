/**
 * The world of the model: one source blob, its mirror in the vault, the job's lock, and the runs that work on them.
 * Everything is a small number, so that a world fits into a short string and millions of them into memory.
 */
export interface World {
  /** The version of the source blob; its ETag and its content are the same number. */
  source: number;
  /** The mirror's blob; `etag` 0 is none. */
  mirror: Mirror;
  /** Versions that lie whole in snapshots, a bit for each. */
  kept: number;
  /** Versions that published restore points name, a bit for each. */
  published: number;
  lock: Lock;
  runs: Run[];
  /** How much may still go wrong. */
  left: Limits;
  nextEtag: number;
  nextCopy: number;
  /** What this step broke; such a world has no next one. */
  broken?: Breach;
}

export type Property = 'I1' | 'I2' | 'I3' | 'I4';

export interface Breach {
  property: Property;
  message: string;
}

/** How often each of these may happen before the world is out of surprises. */
export interface Limits {
  /** The source changes. */
  changes: number;
  /** A request is carried out and its answer lost: it is sent again. */
  lost: number;
  /** A process ends. */
  crashes: number;
  /** An activity is executed once more while an execution of it is under way. */
  doubles: number;
  terminations: number;
  cancels: number;
  /** A run is ended by force, and its orchestration cannot be reached. */
  forced: number;
  /** Somebody else copies onto the mirror, or sets its properties. */
  strangers: number;
  /** The service fails an asynchronous copy. */
  failures: number;
  /** A pending copy passes its deadline. */
  stuck: number;
  /** An activity gives up with a problem instead of writing its part. */
  problems: number;
}

export const LIMITS = [
  'changes',
  'lost',
  'crashes',
  'doubles',
  'terminations',
  'cancels',
  'forced',
  'strangers',
  'failures',
  'stuck',
  'problems',
] as const satisfies (keyof Limits)[];

/** Content that is of no version of the source. */
export const FOREIGN = 15;
/** In place of the version a copy reads: a copy that the service will never end. */
export const STUCK = 13;
/** The run that made what was in the vault before. */
export const EARLIER = 14;

export const enumeration = <const Name extends string>(...names: Name[]) =>
  Object.fromEntries(names.map((name, index) => [name, index])) as { [K in Name]: number };

export const COPY = enumeration('none', 'pending', 'success', 'failed', 'aborted');

export interface Mirror {
  etag: number;
  /** The source version in its record; 0 where it carries none. */
  record: number;
  /** The run in its record. */
  run: number;
  /** 0 is empty: what an asynchronous copy makes of it until it succeeds. */
  content: number;
  copyId: number;
  copyStatus: number;
  /** The version that the last asynchronous copy reads. */
  copyOf: number;
}

export interface Lock {
  /** Of its last write; for compare-and-swap. */
  version: number;
  epoch: number;
  /** Index of the run that holds it; -1 is free. */
  holder: number;
  cancel: number;
  /** Index of the last run that ended with something to show; -1 is none. */
  last: number;
}

export const START = enumeration(
  'none',
  'readLock',
  'readSummary',
  'askState',
  'close',
  'takeLock',
  'startNew',
  'closeOwn',
  'readToFree',
  'free',
  'over',
);
export const PHASE = enumeration('scan', 'copy', 'confirm', 'abort', 'publish', 'over');
export const SCAN = enumeration('none', 'unchanged', 'planned');
export const OUTCOME = enumeration('none', 'copied', 'unchanged', 'failed', 'pending');
export const SUMMARY = enumeration('none', 'succeeded', 'withFailures', 'failed', 'cancelled', 'lost');
export const ORCHESTRATION = enumeration('none', 'active', 'ended');

/** What an execution is about to ask of storage. */
export const AT = enumeration(
  'idle',
  'guard',
  'listBoth',
  'listMirror',
  'listSource',
  'writeScan',
  'snapshot',
  'copy',
  'stage',
  'commit',
  'abort',
  'lookAfterAbort',
  'lookBoth',
  'lookMirror',
  'lookSource',
  'confirm',
  'abortOld',
  'lookOnce',
  'writePart',
  'writeWork',
  'writeLater',
  'abortWork',
  'readSummary',
  'readLock',
  'listParts',
  'writeSummary',
  'readToRelease',
  'release',
  'answer',
);
export const ANSWER = enumeration('none', 'settled', 'pending', 'superseded', 'cancelled', 'problem');

/** One execution of an activity, with all it remembers between requests. */
export interface Execution {
  at: number;
  /** The phase of the run that it does the work of. */
  phase: number;
  /** The orchestration's task that it answers. */
  task: number;
  /** Whether its run had lost the lock already when it began. */
  trespassing: number;
  source: number;
  seen: Mirror;
  /** ETag of the mirror's content that it has kept. */
  kept: number;
  looks: number;
  tries: number;
  /** Only methods that are atomic. */
  atomic: number;
  /** The copy that is waited for. */
  copyId: number;
  /** The copy that is to be aborted. */
  target: number;
  outcome: number;
  answer: number;
  lockVersion: number;
}

export interface Run {
  start: number;
  seenVersion: number;
  seenEpoch: number;
  seenHolder: number;
  seenLast: number;
  attempts: number;
  /** Whether somebody ends it by force. */
  forced: number;
  epoch: number;
  /** The source's version when the run took the lock. */
  began: number;
  orchestration: number;
  phase: number;
  task: number;
  cancelled: number;
  problem: number;
  scan: number;
  planned: number;
  plannedMirror: Mirror;
  part: number;
  partSource: number;
  partCopy: number;
  partTries: number;
  /** What the orchestration carries of a pending copy. */
  workSource: number;
  workCopy: number;
  workTries: number;
  /** Outcome of the next work file, once one is written: that of the first to write it. */
  next: number;
  nextSource: number;
  nextCopy: number;
  nextTries: number;
  later: number;
  laterSource: number;
  summary: number;
  summarySource: number;
  executions: Execution[];
}

export const noMirror = (): Mirror => ({
  etag: 0,
  record: 0,
  run: 0,
  content: 0,
  copyId: 0,
  copyStatus: 0,
  copyOf: 0,
});

export const idle = (): Execution => ({
  at: AT.idle,
  phase: 0,
  task: 0,
  trespassing: 0,
  source: 0,
  seen: noMirror(),
  kept: 0,
  looks: 0,
  tries: 0,
  atomic: 0,
  copyId: 0,
  target: 0,
  outcome: 0,
  answer: 0,
  lockVersion: 0,
});

export const newRun = (): Run => ({
  start: START.none,
  seenVersion: 0,
  seenEpoch: 0,
  seenHolder: -1,
  seenLast: -1,
  attempts: 0,
  forced: 0,
  epoch: 0,
  began: 0,
  orchestration: ORCHESTRATION.none,
  phase: PHASE.scan,
  task: 0,
  cancelled: 0,
  problem: 0,
  scan: 0,
  planned: 0,
  plannedMirror: noMirror(),
  part: 0,
  partSource: 0,
  partCopy: 0,
  partTries: 0,
  workSource: 0,
  workCopy: 0,
  workTries: 0,
  next: 0,
  nextSource: 0,
  nextCopy: 0,
  nextTries: 0,
  later: 0,
  laterSource: 0,
  summary: 0,
  summarySource: 0,
  executions: [idle(), idle()],
});

export const bit = (version: number): number => 1 << version;

/** Whether the content of a source version can be found in the vault, as a restore would look for it. */
export function resolves({ mirror, kept }: World, version: number): boolean {
  if (kept & bit(version)) return true;
  const whole = mirror.copyStatus === COPY.none || mirror.copyStatus === COPY.success;
  return mirror.etag !== 0 && whole && mirror.record === version && mirror.content === version;
}

/** Only the first breach of a step counts. */
export function breach(world: World, property: Property, message: string): void {
  world.broken ??= { property, message };
}
