import {
  AT,
  type Backup,
  type Execution,
  idle,
  LIMITS,
  type Limits,
  type Lock,
  newRun,
  noBackup,
  PHASE,
  type Run,
  START,
  type World,
} from './world.ts';

/**
 * A world as a string, one character per number. Worlds that no step can distinguish have equal strings:
 * - ETags, copy ids and versions of the lock are only compared for equality, and a new one is new to every process. So
 *   they are numbered by age, among those that a process still remembers.
 * - The executions of a run are interchangeable.
 * - Values that no later step reads are dropped.
 */
export function encode(world: World): string {
  forget(world);
  renumber(world);
  const codes: number[] = [world.source, world.kept, world.published];
  pushBackup(codes, world.backup);
  const { lock, left } = world;
  codes.push(lock.version, lock.epoch, lock.holder + 1, lock.cancel, lock.last + 1);
  for (const name of LIMITS) codes.push(left[name]);
  for (const run of world.runs) {
    pushRun(codes, run);
    pushBackup(codes, run.plannedBackup);
    const [one, other] = run.executions.map(executionCodes) as [number[], number[]];
    if (compare(one, other) <= 0) codes.push(...one, ...other);
    else codes.push(...other, ...one);
  }
  return String.fromCharCode(...codes);
}

const RUN_FIELDS = (Object.keys(newRun()) as (keyof Run)[]).filter(
  (field) => field !== 'executions' && field !== 'plannedBackup',
) as Exclude<keyof Run, 'executions' | 'plannedBackup'>[];
const EXECUTION_FIELDS = (Object.keys(idle()) as (keyof Execution)[]).filter((field) => field !== 'seen') as Exclude<
  keyof Execution,
  'seen'
>[];

// Written out for speed, in the order of the fields: it runs for every step of every world.
function pushRun(codes: number[], run: Run): void {
  codes.push(
    run.start,
    run.seenVersion,
    run.seenEpoch,
    run.seenHolder + 1,
    run.seenLast + 1,
    run.attempts,
    run.forced,
    run.epoch,
    run.began,
    run.orchestration,
    run.phase,
    run.task,
    run.cancelled,
    run.problem,
    run.scan,
    run.planned,
    run.part,
    run.partSource,
    run.partCopy,
    run.partTries,
    run.workSource,
    run.workCopy,
    run.workTries,
    run.next,
    run.nextSource,
    run.nextCopy,
    run.nextTries,
    run.later,
    run.laterSource,
    run.summary,
    run.summarySource,
  );
}

function pushBackup(codes: number[], { etag, record, run, content, copyId, copyStatus, copyOf }: Backup): void {
  codes.push(etag, record, run, content, copyId, copyStatus, copyOf);
}

function executionCodes(execution: Execution): number[] {
  if (execution.at === AT.idle) return [0];
  const codes = [
    execution.at,
    execution.phase,
    execution.task,
    execution.trespassing,
    execution.source,
    execution.kept,
    execution.checks,
    execution.tries,
    execution.atomic,
    execution.copyId,
    execution.target,
    execution.outcome,
    execution.answer,
    execution.lockVersion,
  ];
  pushBackup(codes, execution.seen);
  return codes;
}

function compare(a: number[], b: number[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return a[index]! - b[index]!;
  }
  return 0;
}

export function decode(key: string): World {
  let at = 0;
  const next = () => key.charCodeAt(at++);
  const backupOf = (): Backup => ({
    etag: next(),
    record: next(),
    run: next(),
    content: next(),
    copyId: next(),
    copyStatus: next(),
    copyOf: next(),
  });
  const source = next();
  const kept = next();
  const published = next();
  const backup = backupOf();
  const lock: Lock = { version: next(), epoch: next(), holder: next() - 1, cancel: next(), last: next() - 1 };
  const left = {} as Limits;
  for (const name of LIMITS) left[name] = next();
  const runs: Run[] = [];
  while (at < key.length) {
    const run = newRun();
    for (const field of RUN_FIELDS) run[field] = next();
    run.seenHolder--;
    run.seenLast--;
    run.plannedBackup = backupOf();
    for (const execution of run.executions) {
      execution.at = next();
      if (execution.at === AT.idle) continue;
      for (const field of EXECUTION_FIELDS) if (field !== 'at') execution[field] = next();
      execution.seen = backupOf();
    }
    runs.push(run);
  }
  const world = { source, backup, kept, published, lock, runs, left, nextEtag: 0, nextCopy: 0 };
  world.nextEtag = 1 + Math.max(...etags(world));
  world.nextCopy = 1 + Math.max(...copyIds(world));
  return world;
}

export function copyOf(world: World): World {
  return {
    ...world,
    backup: { ...world.backup },
    lock: { ...world.lock },
    left: { ...world.left },
    runs: world.runs.map((run) => ({
      ...run,
      plannedBackup: { ...run.plannedBackup },
      executions: run.executions.map((execution) => ({ ...execution, seen: { ...execution.seen } })),
    })),
  };
}

/** Drops values that no later step reads. */
function forget(world: World): void {
  const { backup } = world;
  if (backup.copyStatus !== 1) backup.copyOf = 0;
  if (backup.copyStatus === 0) backup.copyId = 0;
  for (const run of world.runs) {
    if (run.start === START.none || run.start === START.over) {
      run.seenVersion = 0;
      run.seenEpoch = 0;
      run.seenHolder = -1;
      run.seenLast = -1;
      run.attempts = 0;
    }
    let busy = false;
    for (const execution of run.executions) {
      if (execution.at === AT.idle) continue;
      busy = true;
      // Tasks only move forward: an answer to any other than the present task is ignored.
      execution.task = execution.task === run.task ? 1 : 0;
    }
    run.task = 1;
    if (run.summary !== 0) run.began = 0;
    if (busy || run.phase !== PHASE.over) continue;
    run.plannedBackup = noBackup();
    for (const field of FORGOTTEN) run[field] = 0;
  }
}

const FORGOTTEN = [
  'began',
  'planned',
  'scan',
  'part',
  'partSource',
  'partCopy',
  'partTries',
  'workSource',
  'workCopy',
  'workTries',
  'next',
  'nextSource',
  'nextCopy',
  'nextTries',
  'later',
  'laterSource',
  'problem',
  'cancelled',
] as const;

function renumber(world: World): void {
  const etagOf = ranks(etags(world));
  const copyIdOf = ranks(copyIds(world));
  const lockOf = ranks(lockVersions(world));
  const renumber = (backup: Backup) => {
    backup.etag = etagOf(backup.etag);
    backup.copyId = copyIdOf(backup.copyId);
  };
  renumber(world.backup);
  world.lock.version = lockOf(world.lock.version);
  for (const run of world.runs) {
    renumber(run.plannedBackup);
    run.partCopy = copyIdOf(run.partCopy);
    run.workCopy = copyIdOf(run.workCopy);
    run.nextCopy = copyIdOf(run.nextCopy);
    run.seenVersion = lockOf(run.seenVersion);
    for (const execution of run.executions) {
      renumber(execution.seen);
      execution.kept = etagOf(execution.kept);
      execution.copyId = copyIdOf(execution.copyId);
      execution.target = copyIdOf(execution.target);
      execution.lockVersion = lockOf(execution.lockVersion);
    }
  }
}

function etags({ backup, runs }: World): number[] {
  const all = [0, backup.etag];
  for (const run of runs) {
    all.push(run.plannedBackup.etag);
    for (const execution of run.executions) if (execution.at !== AT.idle) all.push(execution.seen.etag, execution.kept);
  }
  return all;
}

function copyIds({ backup, runs }: World): number[] {
  const all = [0, backup.copyId];
  for (const run of runs) {
    all.push(run.plannedBackup.copyId, run.partCopy, run.workCopy, run.nextCopy);
    for (const execution of run.executions) {
      if (execution.at !== AT.idle) all.push(execution.seen.copyId, execution.copyId, execution.target);
    }
  }
  return all;
}

function lockVersions({ lock, runs }: World): number[] {
  const all = [0, lock.version];
  for (const run of runs) {
    all.push(run.seenVersion);
    for (const execution of run.executions) if (execution.at !== AT.idle) all.push(execution.lockVersion);
  }
  return all;
}

/** Numbers values by age; 0 stays 0. */
function ranks(names: number[]): (name: number) => number {
  const order: number[] = [];
  for (const name of names) {
    let at = order.length;
    while (at > 0 && order[at - 1]! > name) at--;
    if (at === 0 || order[at - 1] !== name) order.splice(at, 0, name);
  }
  return (name) => Math.max(order.indexOf(name), 0);
}
