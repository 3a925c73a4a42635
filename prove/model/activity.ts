import { decisionOf, leavesSomethingToRetry, mustKeep, standing } from './decisions.ts';
import type { Flaw } from './flaws.ts';
import {
  abortCopy,
  copyAtomically,
  type Refusal,
  snapshot,
  startCopy,
  writeLock,
  writePart,
  writeSummary,
} from './service.ts';
import {
  ANSWER,
  AT,
  type Backup,
  bit,
  breach,
  COPY,
  type Execution,
  idle,
  ORCHESTRATION,
  OUTCOME,
  PHASE,
  type Run,
  resolves,
  SCAN,
  STUCK,
  SUMMARY,
  type World,
} from './world.ts';

/** The settings of the app in a scenario, and its flaw. */
export interface Setting {
  /** Small block blobs are copied synchronously, large ones asynchronously or in blocks, page blobs only so. */
  kind: 'small' | 'large' | 'page';
  /** Whether each run is full; the last one is the rerun. */
  full: boolean[];
  flaw?: Flaw | undefined;
}

/** The limits of `copyBlob` and `confirmCopies`. */
const CHECKS = 4;
const MAX_TRIES = 2;

export interface Actor {
  world: World;
  setting: Setting;
  index: number;
  run: Run;
  execution: Execution;
}

/** Whether a request has two forms: the second check of a pair comes first, or a deadline has passed. */
export type Way = 'usual' | 'other';

export function hasOtherWay({ world, execution }: Actor): boolean {
  if (execution.at === AT.listBoth || execution.at === AT.checkBoth) return true;
  if (execution.at !== AT.confirm) return false;
  const { backup } = world;
  return backup.copyStatus === COPY.pending && backup.copyId === execution.copyId;
}

/** Starts an execution of the activity that the orchestration waits for. */
export function begin(run: Run, execution: Execution): void {
  Object.assign(execution, idle());
  execution.task = run.task;
  execution.phase = run.phase;
  if (run.phase === PHASE.publish) execution.at = AT.readSummary;
  else if (run.phase === PHASE.abort) {
    execution.at = AT.abortWork;
    execution.target = run.workCopy;
  } else {
    execution.at = AT.guard;
    if (run.phase === PHASE.confirm) {
      execution.source = run.workSource;
      execution.copyId = run.workCopy;
      execution.tries = run.workTries;
    }
  }
}

/** Sends the next request, and moves on to the one after it. */
export function act(actor: Actor, way: Way): void {
  const { world, setting, index, run, execution } = actor;
  const { flaw } = setting;
  switch (execution.at) {
    case AT.guard:
      guard(actor);
      return;
    case AT.listBoth:
    case AT.checkBoth: {
      const scanning = execution.at === AT.listBoth;
      if (way === 'usual') {
        execution.seen = backupSeen(world);
        execution.at = scanning ? AT.listSource : AT.checkSource;
      } else {
        execution.source = world.source;
        execution.at = scanning ? AT.listBackup : AT.checkBackup;
      }
      return;
    }
    case AT.listBackup:
      execution.seen = backupSeen(world);
      execution.at = AT.writeScan;
      return;
    case AT.listSource:
      execution.source = world.source;
      execution.at = AT.writeScan;
      return;
    case AT.writeScan:
      writeScan(actor);
      return;
    case AT.checkBackup:
    case AT.checkAfterAbort:
      execution.seen = backupSeen(world);
      execution.checks++;
      decideNext(actor);
      return;
    case AT.checkSource:
      execution.source = world.source;
      execution.checks++;
      decideNext(actor);
      return;
    case AT.snapshot:
      if (snapshot(world, execution) !== undefined) {
        checkAgain(execution);
        return;
      }
      execution.kept = execution.seen.etag;
      execution.at = copyRequest(actor);
      return;
    case AT.stage:
      if (world.source !== execution.source && flaw !== 'unpinned source') {
        checkAgain(execution);
        return;
      }
      execution.at = AT.commit;
      return;
    case AT.copy:
    case AT.commit: {
      const queued = execution.at === AT.copy && method(actor) === 'async';
      const refusal: Refusal | undefined = queued
        ? startCopy(world, execution, index, flaw)
        : copyAtomically(world, execution, index, flaw);
      if (refusal !== undefined && flaw !== 'refusal taken for done') {
        checkAgain(execution);
        return;
      }
      if (!queued || refusal !== undefined) {
        settle(actor, OUTCOME.copied);
        return;
      }
      wait(actor, world.backup.copyId, execution.tries + 1);
      return;
    }
    case AT.abort:
    case AT.abortOld:
      abortCopy(world, execution.target, flaw);
      if (execution.at === AT.abort) execution.at = AT.checkAfterAbort;
      else if (setting.kind === 'page' && execution.tries >= MAX_TRIES) settle(actor, OUTCOME.failed);
      else anotherWay(execution);
      return;
    case AT.confirm:
      confirm(actor, way);
      return;
    case AT.checkOnce:
      execution.seen = backupSeen(world);
      // The copy is not aborted after all: its deadline must not start again.
      if (execution.atomic && isPendingCopy(execution.seen, execution.copyId)) execution.at = AT.guard;
      else decideNext(actor);
      return;
    case AT.writePart:
      writePart(
        world,
        run,
        'part',
        () => {
          run.part = execution.outcome;
          run.partSource = execution.source;
          run.partCopy = execution.outcome === OUTCOME.pending ? execution.copyId : 0;
          run.partTries = execution.outcome === OUTCOME.pending ? execution.tries : 0;
        },
        flaw,
      );
      give(execution, ANSWER.settled);
      return;
    case AT.writeWork:
      // The pending file of a round is written once; those of earlier rounds are not read any more.
      if (run.next === 0 && execution.task === run.task) {
        run.next = 1;
        run.nextSource = execution.source;
        run.nextCopy = execution.copyId;
        run.nextTries = execution.tries;
      }
      give(execution, ANSWER.pending);
      return;
    case AT.writeLater:
      writePart(
        world,
        run,
        'later',
        () => {
          run.later = execution.outcome;
          run.laterSource = execution.source;
        },
        flaw,
      );
      give(execution, ANSWER.settled);
      return;
    case AT.abortWork:
      abortCopy(world, execution.target, flaw);
      give(execution, ANSWER.settled);
      return;
    case AT.readSummary:
      execution.at = run.summary !== 0 && flaw !== 'summary overwritten' ? AT.readToRelease : AT.readLock;
      return;
    case AT.readLock:
      if (standing(world.lock, index, run.epoch) === 'superseded') {
        give(execution, ANSWER.superseded);
        return;
      }
      execution.at = AT.listParts;
      return;
    case AT.listParts:
      judge(run, execution, flaw);
      execution.at = AT.writeSummary;
      return;
    case AT.writeSummary:
      publish(actor);
      execution.at = AT.readToRelease;
      return;
    case AT.readToRelease:
      if (standing(world.lock, index, run.epoch) === 'superseded' && flaw !== 'lock of another released') {
        give(execution, ANSWER.settled);
        return;
      }
      execution.lockVersion = world.lock.version;
      execution.at = AT.release;
      return;
    case AT.release:
      release(actor);
      return;
    case AT.answer:
      deliver(actor);
      return;
  }
}

/** What a check shows: of the content, only whether there is any. */
function backupSeen({ backup }: World): Backup {
  return { ...backup, content: backup.content === 0 ? 0 : 1, copyOf: 0 };
}

function guard({ world, setting, index, run, execution }: Actor): void {
  const seen = standing(world.lock, index, run.epoch);
  const ignored =
    seen === 'superseded'
      ? setting.flaw === 'epoch ignored'
      : seen === 'cancelled' && setting.flaw === 'cancel ignored';
  if (seen !== 'go' && !ignored) {
    give(execution, seen === 'cancelled' ? ANSWER.cancelled : ANSWER.superseded);
    return;
  }
  execution.trespassing = seen === 'go' ? 0 : 1;
  if (execution.phase === PHASE.confirm) execution.at = AT.confirm;
  else if (execution.phase === PHASE.scan) execution.at = AT.listBoth;
  else {
    execution.source = run.planned;
    execution.seen = { ...run.plannedBackup };
    decideNext({ world, setting, index, run, execution });
  }
}

function writeScan(actor: Actor): void {
  const { run, execution } = actor;
  if (run.scan === SCAN.none) {
    const decision = decisionBy(actor);
    if (decision === 'unchanged') run.scan = SCAN.unchanged;
    else {
      run.scan = SCAN.planned;
      run.plannedBackup = { ...execution.seen };
    }
    run.planned = execution.source;
  }
  give(execution, ANSWER.settled);
}

function decisionBy({ setting, index, execution }: Actor): ReturnType<typeof decisionOf> {
  const { source, seen } = execution;
  const { flaw } = setting;
  const held = seen.record === source && seen.etag !== 0;
  if (flaw === 'leftover whole' && held && seen.copyStatus !== COPY.pending) return 'unchanged';
  if (flaw === 'compared by size' && seen.content !== 0 && seen.record !== 0 && seen.copyStatus !== COPY.pending) {
    return 'unchanged';
  }
  return decisionOf(source, seen, setting.full[index]!, index);
}

/** Decides again, as `copyBlob` does after each check, and moves on to the resulting request. */
function decideNext(actor: Actor): void {
  const { setting, execution } = actor;
  const { seen, source } = execution;
  if (execution.checks >= CHECKS) {
    settle(actor, OUTCOME.failed);
    return;
  }
  switch (decisionBy(actor)) {
    case 'unchanged':
      settle(actor, OUTCOME.unchanged);
      return;
    case 'done':
      settle(actor, OUTCOME.copied);
      return;
    case 'adopt':
      wait(actor, seen.copyId, execution.tries);
      return;
    case 'abort':
      execution.target = seen.copyId;
      execution.at = AT.abort;
      return;
    case 'copy': {
      const by = method(actor);
      const skipped = setting.flaw === (by === 'async' ? 'no snapshot before async' : 'no snapshot before sync');
      const keep = seen.etag !== 0 && execution.kept !== seen.etag && mustKeep(seen, source, by) && !skipped;
      execution.at = keep ? AT.snapshot : copyRequest(actor);
      return;
    }
    default:
      throw new Error('The model has no tiers and no tags: nothing is updated in place or skipped.');
  }
}

function method({ setting, execution }: Pick<Actor, 'setting' | 'execution'>): 'sync' | 'async' | 'blocks' {
  if (setting.kind === 'small') return 'sync';
  return execution.atomic && setting.kind === 'large' ? 'blocks' : 'async';
}

function copyRequest(actor: Actor): number {
  return method(actor) === 'blocks' ? AT.stage : AT.copy;
}

function checkAgain(execution: Execution): void {
  execution.at = AT.checkBoth;
}

const isConfirming = (execution: Execution): boolean => execution.phase === PHASE.confirm;

function settle({ execution }: Actor, outcome: number): void {
  execution.outcome = outcome;
  execution.at = isConfirming(execution) ? AT.writeLater : AT.writePart;
}

/** The copy is pending. While a chunk is copied, an attempt of its own names the pending file. */
function wait(actor: Actor, copyId: number, tries: number): void {
  const { execution, setting } = actor;
  execution.copyId = copyId;
  execution.tries = tries;
  if (setting.flaw === 'pending counted') {
    settle(actor, OUTCOME.copied);
    return;
  }
  execution.outcome = OUTCOME.pending;
  execution.at = isConfirming(execution) ? AT.writeWork : AT.writePart;
}

function isPendingCopy(seen: Backup, copyId: number): boolean {
  return seen.etag !== 0 && seen.copyStatus === COPY.pending && seen.copyId === copyId;
}

/** Confirms a copy as `confirmCopy` does. */
function confirm(actor: Actor, way: Way): void {
  const { world, setting, execution } = actor;
  const { flaw } = setting;
  const seen = backupSeen(world);
  const spent = execution.tries >= MAX_TRIES;
  const others = setting.kind !== 'page';
  const matches = seen.etag !== 0 && seen.copyStatus !== COPY.none && seen.copyId === execution.copyId;
  if (flaw === 'any copy id' && seen.copyStatus === COPY.success) {
    settle(actor, OUTCOME.copied);
    return;
  }
  if (flaw === 'vanished headers' && seen.etag !== 0 && seen.copyStatus === COPY.none) {
    settle(actor, OUTCOME.copied);
    return;
  }
  if (matches) {
    if (seen.copyStatus === COPY.success && seen.content !== 0 && seen.record === execution.source) {
      settle(actor, OUTCOME.copied);
      return;
    }
    if (seen.copyStatus === COPY.pending) {
      // The next round begins with a read of the lock, like every activity.
      if (way === 'usual') execution.at = AT.guard;
      else {
        execution.target = execution.copyId;
        execution.at = AT.abortOld;
      }
      return;
    }
    if (spent && !others) {
      settle(actor, OUTCOME.failed);
      return;
    }
  } else if (execution.tries > MAX_TRIES) {
    settle(actor, OUTCOME.failed);
    return;
  }
  if (spent && others) anotherWay(execution);
  else again(execution);
}

function again(execution: Execution): void {
  execution.checks = 0;
  execution.kept = 0;
  execution.atomic = 0;
  execution.at = AT.checkOnce;
}

/** Prefers an atomic method, if there is one. */
function anotherWay(execution: Execution): void {
  again(execution);
  execution.atomic = 1;
}

/** Adds up the outcomes of the parts. */
function judge(run: Run, execution: Execution, flaw: Flaw | undefined): void {
  const later = run.part === OUTCOME.pending;
  const outcome = run.scan === SCAN.unchanged ? OUTCOME.unchanged : later ? run.later : run.part;
  const source = run.scan === SCAN.unchanged ? run.planned : later ? run.laterSource : run.partSource;
  const complete = outcome !== OUTCOME.none || (flaw === 'part missing' && run.scan !== SCAN.none);
  const problem = run.problem === 1 && flaw !== 'part missing';
  execution.source = 0;
  if (run.cancelled) execution.outcome = SUMMARY.cancelled;
  else if (!complete || problem) execution.outcome = SUMMARY.failed;
  else if (outcome === OUTCOME.failed) execution.outcome = SUMMARY.withFailures;
  else {
    execution.outcome = SUMMARY.succeeded;
    execution.source = source;
  }
}

function publish({ world, setting, index, run, execution }: Actor): void {
  const first = writeSummary(world, index, execution.outcome, execution.source, setting.flaw === 'summary overwritten');
  if (!first) return;
  if (execution.outcome !== SUMMARY.succeeded && execution.outcome !== SUMMARY.withFailures) return;
  if (world.lock.epoch !== run.epoch) {
    breach(world, 'I3', 'a run published its restore point after a later run had taken the lock');
  }
  if (execution.outcome !== SUMMARY.succeeded) return;
  if (run.began === world.source && execution.source !== world.source) {
    breach(world, 'I1', 'a run succeeded without an entry for a blob that stayed as it was throughout');
  }
  if (execution.source === 0) return;
  if (!resolves(world, execution.source)) {
    breach(world, 'I1', `a run succeeded, and the vault does not hold version ${execution.source}, which it names`);
  }
  world.published |= bit(execution.source);
}

function release({ world, setting, index, run, execution }: Actor): void {
  const { lock } = world;
  const { flaw } = setting;
  const foreign = lock.holder !== index || lock.epoch !== run.epoch;
  const last = leavesSomethingToRetry(run.summary) ? index : lock.last;
  const freed = { epoch: lock.epoch, holder: -1, cancel: 0, last };
  if (!writeLock(world, execution.lockVersion, freed, flaw === 'lock released unpinned')) {
    execution.at = AT.readToRelease;
    return;
  }
  if (foreign && lock.holder >= 0) breach(world, 'I3', 'a run released the lock that another one held');
  give(execution, ANSWER.settled);
}

function give(execution: Execution, answer: number): void {
  execution.answer = answer;
  execution.at = AT.answer;
}

/** The orchestration gets the answer, if it still waits for it, and moves on to its next activity. */
function deliver({ run, execution }: Actor): void {
  const { answer, task } = execution;
  Object.assign(execution, idle());
  if (task !== run.task || run.orchestration !== ORCHESTRATION.active) return;
  run.task++;
  if (answer === ANSWER.superseded) {
    end(run);
    return;
  }
  if (run.phase === PHASE.publish) {
    end(run);
    return;
  }
  if (answer === ANSWER.cancelled) {
    run.cancelled = 1;
    run.phase = run.phase === PHASE.confirm ? PHASE.abort : PHASE.publish;
    return;
  }
  if (answer === ANSWER.problem) {
    run.problem = 1;
    run.phase = PHASE.publish;
    return;
  }
  if (run.phase === PHASE.scan) run.phase = run.scan === SCAN.planned ? PHASE.copy : PHASE.publish;
  else if (run.phase === PHASE.copy && run.part === OUTCOME.pending) {
    carry(run, run.partSource, run.partCopy, run.partTries);
  } else if (run.phase === PHASE.confirm && answer === ANSWER.pending) {
    carry(run, run.nextSource, run.nextCopy, run.nextTries);
    run.next = 0;
    run.nextSource = 0;
    run.nextCopy = 0;
    run.nextTries = 0;
  } else run.phase = PHASE.publish;
}

function carry(run: Run, source: number, copyId: number, tries: number): void {
  run.workSource = source;
  run.workCopy = copyId;
  run.workTries = tries;
  run.phase = PHASE.confirm;
}

function end(run: Run): void {
  run.orchestration = ORCHESTRATION.ended;
  run.phase = PHASE.over;
}

/** Whether only its deadline can end the copy that this execution waits for. */
export function isStuck({ world, execution }: Actor): boolean {
  return world.backup.copyOf === STUCK && isPendingCopy(world.backup, execution.copyId);
}
