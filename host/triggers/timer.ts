import { join } from 'node:path';
import { writeJson } from '../data/write-json.ts';
import { HostError, messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { readJson, resolveSettings } from '../settings/settings.ts';
import {
  type Due,
  dueAfter,
  dueAtStart,
  type Occurrences,
  parseSchedule,
  type ScheduleStatus,
} from './timer-schedule.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

/** Looked at anew at least this often, so that a machine that slept, or whose clock was set, is noticed soon. */
const LONGEST_WAIT = 30_000;

interface Timer {
  hosted: HostedFunction;
  occurrences: Occurrences;
  expression: string;
  wait?: NodeJS.Timeout;
  /** The invocations of one timer, one after the other. */
  running: Promise<void>;
}

interface SnapshotOrVersion extends ScheduleStatus {
  Schedule: string;
}

export function timerListener(functions: HostedFunction[], { dataDirectory }: TriggerHost): Listener {
  const file = join(dataDirectory, 'timers.json');
  const kept = (readJson(file) ?? {}) as Record<string, SnapshotOrVersion>;
  const timers = new Map(functions.map((hosted) => [hosted.name, newTimer(hosted)]));
  let stopped = false;

  /** Asked for at once, run when the invocation before it has ended. */
  function invoke(timer: Timer, isPastDue: boolean, byHand = false): Promise<void> {
    timer.running = timer.running.then(async () => {
      const { name } = timer.hosted;
      // Fired by hand it stands for no occurrence: without a status, an app that asks what is due knows to go ahead.
      const status = byHand ? undefined : kept[name];
      const ScheduleStatus = status && { Last: status.Last, Next: status.Next, LastUpdated: status.LastUpdated };
      try {
        await timer.hosted.invoke({
          json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus, IsPastDue: isPastDue }),
        });
      } catch (error) {
        // As in Azure, a timer that fails is not tried again before its next occurrence.
        writeLog('error', `Timer function "${name}" failed: ${messageOf(error)}`);
      }
    });
    return timer.running;
  }

  function keep({ hosted, occurrences, expression }: Timer, last: Date): void {
    const now = new Date();
    const next = occurrences.after(now);
    kept[hosted.name] = {
      Schedule: expression,
      Last: last.toISOString(),
      Next: next?.toISOString() ?? '',
      LastUpdated: now.toISOString(),
    };
    writeJson(file, kept);
  }

  function wait(timer: Timer, due: Due | undefined): void {
    if (due === undefined || stopped) return;
    const remaining = due.at.getTime() - Date.now();
    timer.wait = setTimeout(
      () => {
        if (remaining > LONGEST_WAIT || Date.now() < due.at.getTime()) return wait(timer, due);
        // A minute late: the machine was asleep, or the invocation before took that long.
        const isPastDue = due.isPastDue || Date.now() - due.at.getTime() > 60_000;
        void invoke(timer, isPastDue).then(() => {
          keep(timer, due.at);
          wait(timer, dueAfter(timer.occurrences, new Date()));
        });
      },
      Math.min(Math.max(remaining, 0), LONGEST_WAIT),
    );
  }

  return {
    start() {
      for (const timer of timers.values()) {
        const { name, trigger } = timer.hosted;
        const now = new Date();
        // A schedule that was changed since has missed nothing.
        const status = kept[name]?.Schedule === timer.expression ? kept[name] : undefined;
        const due = dueAtStart(timer.occurrences, status, now);
        if (status === undefined) keep(timer, now);
        if (trigger.runOnStartup === true && due?.isPastDue !== true) void invoke(timer, false);
        wait(timer, due);
      }
    },
    fire(name) {
      const timer = timers.get(name);
      if (timer === undefined || stopped) return false;
      void invoke(timer, false, true);
      return true;
    },
    async stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer.wait);
      await Promise.all([...timers.values()].map((timer) => timer.running));
    },
  };
}

function newTimer(hosted: HostedFunction): Timer {
  const where = `Timer function "${hosted.name}"`;
  const { schedule } = hosted.trigger;
  if (typeof schedule !== 'string') throw new HostError(`${where} has no schedule.`);
  const expression = resolveSettings(schedule, where);
  return { hosted, expression, occurrences: parseSchedule(expression, where), running: Promise.resolve() };
}
