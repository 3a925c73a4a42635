import { type Actor, act, begin, hasOtherWay, isStuck, type Setting } from './activity.ts';
import { abortCopy, canSucceed, finishCopy } from './service.ts';
import { actToStart, giveUp } from './start.ts';
import {
  ANSWER,
  AT,
  bit,
  breach,
  COPY,
  type Execution,
  FOREIGN,
  idle,
  type Limits,
  ORCHESTRATION,
  PHASE,
  type Run,
  resolves,
  START,
  STUCK,
  SUMMARY,
  type World,
} from './world.ts';

/** One step that may happen next. */
export interface Move {
  kind: Kind;
  run: number;
  execution: number;
}

type Kind =
  // Regular progress.
  | 'begin'
  | 'act'
  | 'start'
  | 'succeed'
  | 'refuse'
  // Actions of people.
  | 'ask'
  | 'cancel'
  | 'force'
  | 'change'
  // Faults.
  | 'act in the other way'
  | 'act unheard'
  | 'start unheard'
  | 'begin again'
  | 'crash'
  | 'crash all'
  | 'crash the start'
  | 'terminate'
  | 'fail'
  | 'stick'
  | 'give up'
  | 'copy by another'
  | 'set by another';

/** The kinds of regular progress, the most urgent first. */
const OWN: Kind[] = ['succeed', 'refuse', 'start', 'act', 'act in the other way', 'begin'];

export function movesOf(world: World, setting: Setting): Move[] {
  const moves: Move[] = [];
  const { left, backup } = world;
  const add = (kind: Kind, run = 0, execution = 0) => moves.push({ kind, run, execution });
  for (const [index, run] of world.runs.entries()) {
    if (run.start === START.none) add('ask', index);
    else if (run.start !== START.over) {
      add('start', index);
      if (left.lost > 0 && WRITES_OF_START.has(run.start)) add('start unheard', index);
      if (left.crashes > 0) add('crash the start', index);
    }
    if (run.orchestration === ORCHESTRATION.active && left.terminations > 0) add('terminate', index);
    if (run.orchestration === ORCHESTRATION.active && left.forced > 0 && world.lock.holder === index) {
      add('force', index);
    }
    const working = run.executions.some(({ at, task }) => at !== AT.idle && task === run.task);
    const free = run.executions.findIndex(({ at }) => at === AT.idle);
    if (run.orchestration === ORCHESTRATION.active && free >= 0) {
      if (!working) add('begin', index, free);
      else if (left.doubles > 0) add('begin again', index, free);
    }
    for (const [number, execution] of run.executions.entries()) {
      if (execution.at === AT.idle) continue;
      add('act', index, number);
      const actor = { world, setting, index, run, execution };
      if (hasOtherWay(actor)) {
        const free = execution.at !== AT.confirm || isStuck(actor);
        const allowed = setting.flaw === 'no deadline' ? execution.at !== AT.confirm : free || left.stuck > 0;
        if (allowed) add('act in the other way', index, number);
      }
      if (left.lost > 0 && WRITES.has(execution.at)) add('act unheard', index, number);
      if (left.crashes > 0) add('crash', index, number);
      if (left.problems > 0 && PARTS.has(execution.at)) add('give up', index, number);
    }
  }
  if (left.crashes > 0 && world.runs.filter(isBusy).length > 1) add('crash all');
  if (backup.copyStatus === COPY.pending && backup.copyOf !== STUCK) {
    if (canSucceed(world)) {
      add('succeed');
      if (left.failures > 0) add('fail');
    } else add('refuse');
    if (left.stuck > 0) add('stick');
  }
  if (left.changes > 0) add('change');
  if (left.cancels > 0 && world.lock.holder >= 0 && world.lock.cancel === 0) add('cancel');
  if (left.strangers > 0) {
    // The app is not responsible for content without a snapshot that others destroy.
    const kept = backup.content === 0 || backup.content === FOREIGN || world.kept & bit(backup.content);
    if (kept) add('copy by another');
    if (backup.etag !== 0 && backup.copyStatus !== COPY.pending && backup.copyStatus !== COPY.none) {
      add('set by another');
    }
  }
  return moves;
}

/** The next step without further faults; undefined at rest. */
export function ownMove(world: World, setting: Setting): Move | undefined {
  const moves = movesOf(world, setting);
  for (const kind of OWN) {
    const found = moves.find((move) => {
      if (move.kind !== kind) return false;
      const run = world.runs[move.run]!;
      const execution = run.executions[move.execution]!;
      const stuck = execution.at === AT.confirm && isStuck({ world, setting, index: move.run, run, execution });
      // A pending copy that never ends is waited for until its deadline.
      if (kind === 'act in the other way') return stuck;
      return !(kind === 'act' && stuck && setting.flaw !== 'no deadline');
    });
    if (found) return found;
  }
  return undefined;
}

const isBusy = ({ start, executions }: Run): boolean =>
  (start !== START.none && start !== START.over) || executions.some(({ at }) => at !== AT.idle);

const WRITES = new Set<number>([
  AT.writeScan,
  AT.snapshot,
  AT.copy,
  AT.stage,
  AT.commit,
  AT.abort,
  AT.abortOld,
  AT.abortWork,
  AT.writePart,
  AT.writeWork,
  AT.writeLater,
  AT.writeSummary,
  AT.release,
]);
const PARTS = new Set<number>([AT.writePart, AT.writeWork, AT.writeLater]);
const WRITES_OF_START = new Set<number>([START.close, START.takeLock, START.startNew, START.closeOwn, START.free]);

/** Makes the move, and checks the resulting world. */
export function apply(world: World, setting: Setting, move: Move): void {
  const run = world.runs[move.run]!;
  const execution = run.executions[move.execution]!;
  const actor: Actor = { world, setting, index: move.run, run, execution };
  const { left, backup } = world;
  const spend = (limit: keyof Limits) => {
    left[limit]--;
  };
  switch (move.kind) {
    case 'ask':
      run.start = START.readLock;
      break;
    case 'start':
      actToStart(actor);
      break;
    case 'start unheard':
      spend('lost');
      startUnheard(actor);
      break;
    case 'begin again':
      spend('doubles');
      begin(run, execution);
      break;
    case 'begin':
      begin(run, execution);
      break;
    case 'act':
      act(actor, 'usual');
      break;
    case 'act in the other way':
      if (execution.at === AT.confirm && !isStuck(actor)) spend('stuck');
      act(actor, 'other');
      break;
    case 'act unheard':
      spend('lost');
      actUnheard(actor);
      break;
    case 'crash':
      spend('crashes');
      Object.assign(execution, idle());
      break;
    case 'crash all':
      spend('crashes');
      for (const each of world.runs) {
        if (each.start !== START.none) each.start = START.over;
        for (const own of each.executions) Object.assign(own, idle());
      }
      break;
    case 'crash the start':
      spend('crashes');
      run.start = START.over;
      break;
    case 'terminate':
      spend('terminations');
      run.orchestration = ORCHESTRATION.ended;
      run.phase = PHASE.over;
      break;
    case 'succeed':
      finishCopy(world, true);
      break;
    case 'refuse':
      finishCopy(world, false);
      break;
    case 'fail':
      spend('failures');
      finishCopy(world, false);
      break;
    case 'stick':
      spend('stuck');
      backup.copyOf = STUCK;
      break;
    case 'give up':
      spend('problems');
      execution.answer = ANSWER.problem;
      execution.at = AT.answer;
      break;
    case 'change':
      spend('changes');
      world.source++;
      break;
    case 'cancel':
      spend('cancels');
      world.lock = { ...world.lock, cancel: 1, version: world.lock.version + 1 };
      break;
    case 'force':
      spend('forced');
      run.forced = 1;
      giveUp(actor);
      break;
    case 'copy by another':
      spend('strangers');
      if (backup.copyStatus === COPY.pending) abortCopy(world, backup.copyId, undefined);
      world.backup = {
        etag: world.nextEtag++,
        record: 0,
        run: 0,
        content: 0,
        copyId: world.nextCopy++,
        copyStatus: COPY.pending,
        copyOf: FOREIGN,
      };
      break;
    case 'set by another':
      spend('strangers');
      world.backup = { ...backup, etag: world.nextEtag++, copyId: 0, copyStatus: COPY.none };
      break;
  }
  check(world);
}

/** The service has carried out the request and the answer is lost: the sender sends the same request again. */
function actUnheard(actor: Actor): void {
  const { execution } = actor;
  const before: Execution = { ...execution, seen: { ...execution.seen } };
  act(actor, 'usual');
  Object.assign(execution, before);
}

function startUnheard(actor: Actor): void {
  const { run } = actor;
  const { start, attempts, seenLast } = run;
  actToStart(actor);
  if (start === START.startNew) {
    run.start = start;
    giveUp(actor);
    return;
  }
  // After a write of the lock, the app reads it back and recognizes its content.
  if (start === START.takeLock && run.start === START.startNew) return;
  run.start = start;
  run.attempts = attempts;
  run.seenLast = seenLast;
}

/** The invariants of every world. */
function check(world: World): void {
  for (let version = 1; version <= world.source; version++) {
    if (world.published & bit(version) && !resolves(world, version)) {
      breach(world, 'I2', `a restore point names version ${version}, and the vault does not hold it any more`);
    }
  }
  const { lock } = world;
  for (const [index, run] of world.runs.entries()) {
    const epochOfLast = lock.last < 0 ? 0 : (world.runs[lock.last]?.epoch ?? 0);
    const shows = run.summary === SUMMARY.succeeded || run.summary === SUMMARY.withFailures;
    if (shows && lock.epoch > run.epoch && epochOfLast < run.epoch) {
      breach(world, 'I3', `the lock does not know run ${index} as the last that left a restore point`);
    }
  }
}

const REQUESTS: Record<number, string> = {
  [AT.guard]: 'reads the lock, and continues or stops',
  [AT.listBoth]: 'lists the backup container',
  [AT.listBackup]: 'lists the backup container',
  [AT.listSource]: 'lists the source',
  [AT.writeScan]: 'writes the plan and the part of the scan',
  [AT.snapshot]: 'takes a snapshot of the backup blob',
  [AT.copy]: 'asks the service to copy',
  [AT.stage]: 'stages the blocks',
  [AT.commit]: 'commits the blocks',
  [AT.abort]: 'aborts the copy it has found',
  [AT.checkAfterAbort]: 'checks the backup blob again',
  [AT.checkBoth]: 'checks the backup blob again',
  [AT.checkBackup]: 'checks the backup blob again',
  [AT.checkSource]: 'checks the source again',
  [AT.confirm]: 'checks whether its copy has ended',
  [AT.abortOld]: 'aborts its own copy',
  [AT.checkOnce]: 'checks the backup blob',
  [AT.writePart]: 'writes the part of the copies',
  [AT.writeWork]: 'notes what is still pending',
  [AT.writeLater]: 'writes the later part',
  [AT.abortWork]: 'aborts what was pending',
  [AT.readSummary]: 'reads the summary, if any',
  [AT.readLock]: 'reads the lock before publishing',
  [AT.listParts]: 'lists the parts',
  [AT.writeSummary]: 'writes the summary',
  [AT.readToRelease]: 'reads the lock',
  [AT.release]: 'releases the lock',
  [AT.answer]: 'answers the orchestration',
};

const REQUESTS_OF_START: Record<number, string> = {
  [START.readLock]: 'reads the lock',
  [START.readSummary]: 'reads the summary of the holder, if any',
  [START.askState]: 'asks for the state of the holder',
  [START.close]: 'closes the abandoned run',
  [START.takeLock]: 'takes the lock',
  [START.startNew]: 'starts the orchestration',
  [START.closeOwn]: 'closes the run',
  [START.readToFree]: 'reads the lock',
  [START.free]: 'frees the lock',
};

/** A move in words, from the view of the world before it. */
export function describe(world: World, move: Move): string {
  const run = world.runs[move.run]!;
  const execution = run.executions[move.execution]!;
  const who = `run ${'ABC'[move.run]}`;
  const one = `${who}, execution ${move.execution + 1},`;
  const request = `${one} ${REQUESTS[execution.at]}`;
  switch (move.kind) {
    case 'ask':
      return `${who} is asked for`;
    case 'start':
      return `${who} ${REQUESTS_OF_START[run.start]}`;
    case 'start unheard':
      return `${who} ${REQUESTS_OF_START[run.start]}, and the answer is lost`;
    case 'begin':
    case 'begin again':
      return `${one} begins the activity ${Object.keys(PHASE)[run.phase]}`;
    case 'act':
      return request;
    case 'act in the other way':
      return execution.at === AT.confirm ? `${one} finds its copy past the deadline` : `${one} checks the source first`;
    case 'act unheard':
      return `${request}, and the answer is lost`;
    case 'crash':
      return `${one} dies`;
    case 'crash all':
      return 'every process dies';
    case 'crash the start':
      return `the start of ${who} dies`;
    case 'terminate':
      return `the orchestration of ${who} is terminated`;
    case 'succeed':
      return 'the service completes the pending copy';
    case 'refuse':
      return 'the service fails the pending copy, its source having changed';
    case 'fail':
      return 'the service fails the pending copy';
    case 'stick':
      return 'the pending copy gets stuck';
    case 'give up':
      return `${one} fails with a problem`;
    case 'change':
      return `the source changes to version ${world.source + 1}`;
    case 'cancel':
      return 'a user asks to cancel';
    case 'force':
      return `a user ends ${who} by force`;
    case 'copy by another':
      return 'another writer starts a copy onto the backup blob';
    case 'set by another':
      return 'another writer sets properties of the backup blob, and its copy state vanishes';
  }
}
