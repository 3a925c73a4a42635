/**
 * The world of the model: one source blob, its backup blob, the lock of the job, and the runs that work on them.
 * Everything is a small number, so a world fits into a short string, and millions of worlds into memory.
 */
export interface World {
  /** The version of the source blob; its ETag and its content are the same number. */
  source: number;
  /** The backup's blob; `etag` 0 is none. */
  backup: Backup;
  /** Versions that are whole in snapshots, one bit each. */
  kept: number;
  /** Versions that published restore points name, one bit each. */
  published: number;
  lock: Lock;
  runs: Run[];
  /** The remaining faults. */
  left: Limits;
  nextEtag: number;
  nextCopy: number;
  /** The promise that this step broke; such a world has no next one. */
  broken?: Breach;
}

export type Property = 'I1' | 'I2' | 'I3' | 'I4';

export interface Breach {
  property: Property;
  message: string;
}

/** How often each event may still happen. */
export interface Limits {
  /** The source changes. */
  changes: number;
  /** A request is carried out, its answer is lost, and it is sent again. */
  lost: number;
  /** A process dies. */
  crashes: number;
  /** An activity is executed again while another execution is in progress. */
  doubles: number;
  terminations: number;
  cancels: number;
  /** A run is ended by force, and its orchestration is unreachable. */
  forced: number;
  /** Another writer copies onto the backup, or sets its properties. */
  strangers: number;
  /** The service fails an asynchronous copy. */
  failures: number;
  /** A pending copy passes its deadline. */
  stuck: number;
  /** An activity ends with a problem instead of writing its part. */
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

/** Content of no source version. */
export const FOREIGN = 15;
/** Instead of the version that a copy reads: a copy that the service never ends. */
export const STUCK = 13;
/** The run that made the first content of the vault. */
export const EARLIER = 14;

export const enumeration = <const Name extends string>(...names: Name[]) =>
  Object.fromEntries(names.map((name, index) => [name, index])) as { [K in Name]: number };

export const COPY = enumeration('none', 'pending', 'success', 'failed', 'aborted');

export interface Backup {
  etag: number;
  /** The source version in its record; 0 without a record. */
  record: number;
  /** The run in its record. */
  run: number;
  /** 0 is empty, as after the start of an asynchronous copy. */
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
  /** The index of the run that holds it; -1 if it is free. */
  holder: number;
  cancel: number;
  /** The index of the last run with a result; -1 if there is none. */
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

/** The next request of an execution. */
export const AT = enumeration(
  'idle',
  'guard',
  'listBoth',
  'listBackup',
  'listSource',
  'writeScan',
  'snapshot',
  'copy',
  'stage',
  'commit',
  'abort',
  'checkAfterAbort',
  'checkBoth',
  'checkBackup',
  'checkSource',
  'confirm',
  'abortOld',
  'checkOnce',
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

/** One execution of an activity, with everything that it remembers between requests. */
export interface Execution {
  at: number;
  /** The phase of the run that it executes. */
  phase: number;
  /** The task of the orchestration that it answers. */
  task: number;
  /** Whether its run had lost the lock before it began. */
  trespassing: number;
  source: number;
  seen: Backup;
  /** ETag of the backup's content that it has kept. */
  kept: number;
  checks: number;
  tries: number;
  /** Whether it uses atomic methods only. */
  atomic: number;
  /** The copy that it waits for. */
  copyId: number;
  /** The copy that it aborts. */
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
  /** Whether a user ends it by force. */
  forced: number;
  epoch: number;
  /** The source version when the run took the lock. */
  began: number;
  orchestration: number;
  phase: number;
  task: number;
  cancelled: number;
  problem: number;
  scan: number;
  planned: number;
  plannedBackup: Backup;
  part: number;
  partSource: number;
  partCopy: number;
  partTries: number;
  /** The pending copy in the state of the orchestration. */
  workSource: number;
  workCopy: number;
  workTries: number;
  /** The outcome in the next pending file, once the first execution has written it. */
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

export const noBackup = (): Backup => ({
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
  seen: noBackup(),
  kept: 0,
  checks: 0,
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
  plannedBackup: noBackup(),
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

/** Whether a restore finds the content of a source version in the vault. */
export function resolves({ backup, kept }: World, version: number): boolean {
  if (kept & bit(version)) return true;
  const whole = backup.copyStatus === COPY.none || backup.copyStatus === COPY.success;
  return backup.etag !== 0 && whole && backup.record === version && backup.content === version;
}

/** Records the first breach of a step. */
export function breach(world: World, property: Property, message: string): void {
  world.broken ??= { property, message };
}
