import { acquire, release } from '#domain/run/lock.ts';
import type { Actor } from './activity.ts';
import { abandoned, leavesSomethingToRetry, runId, runLock } from './decisions.ts';
import { writeLock, writeSummary } from './service.ts';
import { breach, ORCHESTRATION, PHASE, START, SUMMARY } from './world.ts';

type Starter = Omit<Actor, 'execution'>;

/** The rounds of `takeLock`, after which the caller must try again. */
const ATTEMPTS = 3;
const NOW = new Date('2026-11-21T23:30:00.000Z');

/** The next request of a start. */
export function actToStart({ world, setting, index, run }: Starter): void {
  const { lock } = world;
  const { flaw } = setting;
  const holder = world.runs[run.seenHolder];
  switch (run.start) {
    case START.readLock:
      run.seenVersion = lock.version;
      run.seenEpoch = lock.epoch;
      run.seenHolder = lock.holder;
      run.seenLast = lock.last;
      run.start = lock.holder < 0 ? START.takeLock : START.readSummary;
      return;
    case START.readSummary:
      if (!holder) throw new Error('Only the lock of a run leads here.');
      if (holder.summary === SUMMARY.none) run.start = START.askState;
      else {
        if (leavesSomethingToRetry(holder.summary)) run.seenLast = run.seenHolder;
        run.start = START.takeLock;
      }
      return;
    case START.askState: {
      if (!holder) throw new Error('Only the lock of a run leads here.');
      if (!abandoned(holder.orchestration)) run.start = START.over;
      else run.start = flaw === 'take-over without closing' ? START.takeLock : START.close;
      return;
    }
    case START.close:
      // Either way there is a summary now; the start reads it before it takes the lock.
      writeSummary(world, run.seenHolder, SUMMARY.lost, 0, flaw === 'closing overwrites');
      run.start = START.readSummary;
      return;
    case START.takeLock: {
      const seen = { ...lock, epoch: run.seenEpoch, holder: run.seenHolder, last: run.seenLast };
      const before = run.seenVersion === 0 ? undefined : release(runLock(seen), NOW);
      const { epoch } = acquire(
        before,
        { id: runId(index), job: 'job', mode: 'full', trigger: 'http', dryRun: false, startedAt: '' },
        NOW,
      );
      const taken = { epoch, holder: index, cancel: 0, last: run.seenLast };
      if (world.runs.some((other) => other !== run && other.epoch === epoch)) {
        if (lock.version === run.seenVersion || flaw === 'lock taken unpinned') {
          breach(world, 'I3', 'two runs hold the lock with the same epoch');
        }
      }
      if (writeLock(world, run.seenVersion, taken, flaw === 'lock taken unpinned')) {
        run.epoch = epoch;
        run.began = world.source;
        run.start = START.startNew;
        return;
      }
      run.attempts++;
      run.start = run.attempts < ATTEMPTS ? START.readLock : START.over;
      return;
    }
    case START.startNew:
      run.orchestration = ORCHESTRATION.active;
      run.phase = PHASE.scan;
      run.start = START.over;
      return;
    case START.closeOwn:
      writeSummary(world, index, run.forced ? SUMMARY.cancelled : SUMMARY.lost, 0, false);
      run.start = START.readToFree;
      return;
    case START.readToFree:
      run.seenVersion = lock.version;
      run.start = lock.holder === index ? START.free : START.over;
      return;
    case START.free: {
      const last = leavesSomethingToRetry(run.summary) ? index : lock.last;
      const freed = { epoch: lock.epoch, holder: -1, cancel: 0, last };
      run.start = writeLock(world, run.seenVersion, freed, false) ? START.over : START.readToFree;
      return;
    }
  }
}

/** Ends a run from outside: its start seems to have failed, or a user forces it. */
export function giveUp({ setting, run }: Starter): void {
  run.start = setting.flaw === 'freed without closing' ? START.readToFree : START.closeOwn;
}
