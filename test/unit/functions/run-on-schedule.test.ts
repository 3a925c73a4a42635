import type { InvocationContext, Timer } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test, vi } from 'vitest';
import { closeRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { noteMissedStarts } from '#app/missed-start-notes.ts';
import type { Scheduled } from '#domain/run/occurrence.ts';
import type { RunRef } from '#domain/run/run.ts';
import { nextAfter } from '#domain/run/schedule.ts';
import { runOnScheduleHandler } from '#functions/run-on-schedule.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';
import { Random } from '../../support/builders/random.ts';
import { wantedTimes } from './wanted-times.ts';
import { type Place, type Tick, YearOfTicks } from './year-of-ticks.ts';

const MINUTE = 60_000;
const EARLY = 30_000;
const WINDOW = 65 * MINUTE;
/** One tick tries for five minutes. The waits of two ticks at once add up, as they share the clock. */
const TRIES = 10 * MINUTE;

const playing = vi.hoisted(() => ({ year: undefined as { now: number } | undefined }));
// Waits pass in the time of the year that is played.
vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => {
    playing.year!.now += ms;
  },
}));

/**
 * The tick that has to start the run of an occurrence, unless another backup is in progress then. Once the vault
 * remembers a run of the schedule, this is the first tick that reaches it, however late, and whatever the timer knows.
 */
function servingTick({ ticks, started }: YearOfTicks, wanted: number, next: number): Tick | undefined {
  const isRemembered = started[0] !== undefined && started[0].at < wanted - EARLY;
  const tick = ticks.find(({ at, last, failed, isOut, isNew }) => {
    const isKnown =
      (isRemembered && !isOut) || (at < wanted + WINDOW && !isNew) || (last !== undefined && last < wanted);
    return at >= wanted - EARLY && isKnown && at < next - EARLY && !failed;
  });
  return tick?.busySince !== undefined && tick.busySince < wanted - EARLY ? undefined : tick;
}

/** What is wrong with a year: occurrences that were lost or served twice, and runs that belong to none. */
function mistakes(year: YearOfTicks, wanted: number[], since: number): string[] {
  const { started, ticks } = year;
  const found: string[] = [];
  const text = (time: number) => new Date(time).toISOString();
  const own = new Set<string>();
  for (const [index, at] of wanted.entries()) {
    const next = wanted[index + 1] ?? Number.POSITIVE_INFINITY;
    const serving = started.filter((run) => run.at >= at - EARLY && run.at < next - EARLY);
    if (at < since) {
      if (serving.length > 0) found.push(`${text(at)} was served, and is older than the schedule`);
      continue;
    }
    for (const { run } of serving) own.add(run);
    if (serving.filter(({ lost }) => !lost).length > 1) found.push(`${text(at)} was served twice`);
    const able = servingTick(year, at, next);
    const isServed = able && serving.some((run) => run.began && run.at <= able.at + TRIES);
    if (able && !isServed) found.push(`${text(at)} was lost at the tick of ${text(able.at)}`);
    for (const [nth, run] of serving.entries()) {
      const isFresh = run.at < at + WINDOW + TRIES;
      const isLate = ticks.some((tick) => tick.last !== undefined && tick.last < at && tick.at <= run.at);
      const isMadeUp = run !== started[0] && serving.slice(0, nth).every(({ lost }) => lost);
      if (!isFresh && !isLate && !isMadeUp) found.push(`${text(at)} was served at ${text(run.at)}`);
    }
  }
  for (const { at, failed, hopeless } of ticks) {
    if (failed && !hopeless) found.push(`the tick of ${text(at)} did not try for minutes`);
  }
  for (const { run, at } of started) if (!own.has(run)) found.push(`no occurrence is due at ${text(at)}`);
  return found;
}

describe('F30: a year of ticks', { tags: ['slow'], timeout: 120_000 }, () => {
  it.each<[string, Place]>([
    ['in UTC', { zone: 'UTC', hour: 23, minute: 30 }],
    ['in Berlin, in the hour that is skipped and repeated', { zone: 'Europe/Berlin', hour: 2, minute: 30 }],
    ['in New York, in the hour that is repeated', { zone: 'America/New_York', hour: 1, minute: 15, second: 20 }],
    ['in Santiago, where a day begins in the gap', { zone: 'America/Santiago', hour: 0, minute: 15 }],
    ['in Greenland, where the gap ends at midnight', { zone: 'America/Nuuk', hour: 23, minute: 30 }],
    ['in Adelaide, half an hour from a whole hour', { zone: 'Australia/Adelaide', hour: 2, minute: 5, second: 15 }],
    ['on Lord Howe, where half an hour is skipped', { zone: 'Australia/Lord_Howe', hour: 2, minute: 10 }],
    ['on Chatham, three quarters from a whole hour', { zone: 'Pacific/Chatham', hour: 3, minute: 0 }],
    ['in Nepal, on a host that tells nothing', { zone: 'Asia/Kathmandu', hour: 6, minute: 0, isMonitored: false }],
    [
      'in UTC, on a host that goes by the time of Kolkata',
      { zone: 'UTC', hour: 4, minute: 0, hostZone: 'Asia/Kolkata' },
    ],
    [
      'in UTC, on a host that goes by the time of Berlin',
      { zone: 'UTC', hour: 1, minute: 30, hostZone: 'Europe/Berlin' },
    ],
  ])('%s loses no occurrence and serves none twice', async (name, place) => {
    const year = new YearOfTicks(place, new Random(name));
    playing.year = year;
    const since = new Date('2026-01-01T00:00:00Z');
    await year.play(since, new Date('2026-12-30T00:00:00Z'));
    const wanted = wantedTimes(place.zone, [place.hour, place.minute, place.second ?? 0], 2026);
    expect(mistakes(year, wanted, since.getTime())).toEqual([]);
    expect(year.started.length).toBeGreaterThan(300);
    expect(Object.keys(year.met).length).toBeGreaterThanOrEqual(12);
  });

  it('the times that the judge wants are those of the schedule', () => {
    for (const zone of ['Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe']) {
      for (const hour of [0, 1, 2, 3, 12]) {
        for (const at of wantedTimes(zone, [hour, 10, 5], 2026)) {
          expect(nextAfter(`5 10 ${hour} * * *`, zone, new Date(at - 1))).toEqual(new Date(at));
        }
      }
    }
  });
});

/** A job at its hour, 12:00 in UTC, in a vault with one restore point or without. */
async function atNoon({ isNew = false } = {}) {
  const vault = new Vault({ retryDelayMs: 800 });
  vault.jobs = [jobOf('nightly', {})];
  vault.put('a', 'content');
  if (isNew) vault.pass(1);
  else await vault.backup();
  vault.pass(23);
  const events: string[] = [];
  const lines: string[] = [];
  const deps = vault.deps();
  const note = (event: string) => (about: object) => events.push(`${event} ${JSON.stringify(about)}`);
  Object.assign(deps.telemetry, {
    runStarted: ({ mode }: { mode: string }) => events.push(`started ${mode}`),
    runNotStarted: (_job: string, running: string) => events.push(`not started: ${running}`),
    startFailed: note('failed'),
    warn: (name: string) => events.push(name),
  });
  playing.year = {
    get now() {
      return vault.clock.app;
    },
    set now(time) {
      vault.clock.app = time;
    },
  };
  let running: RunRef | undefined;
  let isLost = false;
  const client = {
    getStatus: async () => {
      if (isLost) throw new Error('HTTP 404');
      return { runtimeStatus: 'Running' };
    },
    startNew: async (_name: string, { input }: { input: { run: RunRef } }) => {
      running = input.run;
    },
  };
  const endRun = async () => {
    await closeRun(deps, { run: running!, vault: 'VAULT' }, 'cancelled');
    await vault.control.releaseLock(running!, deps.now());
  };
  const lose = () => {
    isLost = true;
  };
  const context = { debug: (line: string) => lines.push(line) };
  const tick = (
    what: Scheduled,
    { expr = '0 0 12 * * *', last, status }: { expr?: string; last?: string; status?: object | undefined } = {},
  ) =>
    runOnScheduleHandler(
      deps,
      vault.jobs[0]!,
      expr,
      what,
    )(
      { isPastDue: false, ...((last || status) && { scheduleStatus: { last, ...status } }) } as Timer,
      client as unknown as DurableClient,
      context as unknown as InvocationContext,
    );
  return { vault, deps, tick, events, lines, endRun, lose };
}

describe('a tick while a run is in progress', () => {
  it('starts nothing, and the next tick starts what is due unless the run did the same', async () => {
    for (const [request, scheduled, later] of [
      [{ mode: 'full' }, 'backup', []],
      [{ mode: 'full', dryRun: true }, 'backup', ['started incremental']],
      [{ mode: 'retry' }, 'backup', ['started incremental']],
      [{ mode: 'prune', dryRun: true, prune: {} }, 'backup', ['started incremental']],
      [{ mode: 'full' }, 'prune', ['started prune']],
      [{ mode: 'prune', dryRun: true, prune: {} }, 'prune', ['started prune']],
      [{ mode: 'prune', dryRun: true, prune: { carryOut: true } }, 'prune', []],
    ] as const) {
      const { vault, tick, events } = await atNoon();
      const retryOf = (await vault.control.readLock('nightly'))?.value.last ?? '';
      const run = await vault.begin({ ...request, ...(request.mode === 'retry' && { retryOf }) });
      vault.clock.app -= 60 * MINUTE;
      await tick(scheduled);
      expect(events).toEqual([`not started: ${run.id}`]);
      await vault.work(run);
      vault.pass(1);
      events.length = 0;
      await tick(scheduled);
      expect({ request, scheduled, events }).toEqual({ request, scheduled, events: later });
    }
  });
});

describe('a vault that is out of reach at the tick', () => {
  it('is tried again for minutes, and then the run starts', async () => {
    const { vault, tick, events, lines } = await atNoon();
    const ends = vault.clock.app + 2 * MINUTE;
    vault.before = () => {
      if (vault.clock.app < ends) throw new StorageError('unreachable', 'No answer');
    };
    await tick('backup');
    expect(events).toEqual([...Array(4).fill('start-retried'), 'started incremental']);
    expect(lines).toEqual([expect.stringMatching(/"due":"2026-05-02T12:00:00.000Z","result":"started nightly-/)]);
    events.length = 0;
    await tick('backup');
    expect(events).toEqual([]);
    expect(lines[1]).toMatch(/"result":"served by nightly-/);
  });

  it('is reported once the timer stops trying, with the occurrence and the reason', async () => {
    const { vault, tick, events } = await atNoon();
    vault.before = () => {
      throw new StorageError('unreachable', 'No answer');
    };
    await expect(tick('backup')).rejects.toThrow('No answer');
    const about = { job: 'nightly', what: 'backup', due: '2026-05-02T12:00:00.000Z', message: 'No answer' };
    expect(events).toEqual([...Array(4).fill('start-retried'), `failed ${JSON.stringify(about)}`]);
    expect(vault.clock.app - Date.parse('2026-05-02T12:00:00.000Z')).toBeLessThan(5 * MINUTE);
  });
});

test('a vault that leaves every request without an answer for minutes is not tried five times', async () => {
  const { vault, tick, events } = await atNoon();
  vault.before = () => {
    vault.clock.app += 6 * MINUTE;
    throw new StorageError('unreachable', 'No answer');
  };
  await expect(tick('backup')).rejects.toThrow('No answer');
  // The function may run for half an hour, and takes other functions with it if it runs longer.
  expect(vault.clock.app - Date.parse('2026-05-02T12:00:00.000Z')).toBeLessThan(15 * MINUTE);
  expect(events).toEqual([expect.stringMatching(/^failed /)]);
});

test('a tick at which nothing is due leaves a line in the log at level debug', async () => {
  const { vault, tick, lines } = await atNoon();
  vault.pass(3);
  await tick('backup');
  expect(lines).toEqual(['timer-tick {"job":"nightly","what":"backup","result":"no occurrence is due"}']);
});

describe('F30: a timer whose status was lost', () => {
  const first = { lastUpdated: undefined, next: '2026-05-03T15:00:00.000Z' };
  const afterwards = { last: '2026-05-03T15:00:00.000Z' };

  it.each<[Scheduled, string]>([
    ['backup', 'incremental'],
    ['prune', 'prune'],
    ['verify', 'verify'],
    ['reconcile', 'reconcile'],
  ])('makes up for one %s at its first tick, as the vault remembers which was the last', async (what, mode) => {
    for (const status of [first, undefined]) {
      const { vault, tick, events, endRun } = await atNoon();
      await tick(what);
      await endRun();
      expect(events).toEqual([`started ${mode}`]);
      vault.pass(3 * 24 + 3);
      await tick(what, { status });
      await endRun();
      expect(events).toEqual([`started ${mode}`, `started ${mode}`]);
      vault.pass(1);
      await tick(what, { status: afterwards });
      expect(events).toHaveLength(2);
    }
  });

  it('makes up for the first occurrence of a job that never ran', async () => {
    const { vault, tick, events } = await atNoon({ isNew: true });
    vault.pass(-2);
    await tick('backup', { status: first });
    vault.pass(30);
    expect(events).toEqual([]);
    await tick('backup', { status: { next: '2026-05-04T17:00:00.000Z' } });
    expect(events).toEqual(['started incremental']);
  });

  it('makes up for a run that was lost with it', async () => {
    const { vault, tick, events, lose } = await atNoon();
    await tick('backup');
    lose();
    vault.pass(5);
    await tick('backup', { status: { next: '2026-05-02T17:00:00.000Z' } });
    expect(events).toEqual(['started incremental', 'lock-taken-over', 'started incremental']);
  });

  it('starts nothing for a schedule that is new or has changed, and then owes what follows', async () => {
    const { vault, tick, events, endRun } = await atNoon();
    await tick('backup');
    await endRun();
    const expr = '0 0 9 * * *';
    // Next noon is of no schedule any more, and nine o'clock was of none yet.
    vault.pass(27);
    await tick('backup', { expr, status: first });
    expect(events).toEqual(['started incremental']);
    expect((await vault.control.readLock('nightly'))!.value.served!.backup!.run).toBe('none');
    // Back to the schedule before: its times in between were of none, either.
    await tick('backup', { status: first });
    expect(events).toEqual(['started incremental']);
    await tick('backup', { expr, status: first });
    // Before it has ever started a run, the status is lost again.
    vault.pass(24);
    await tick('backup', { expr, status: { next: '2026-05-04T15:00:00.000Z' } });
    expect(events).toEqual(['started incremental', 'started incremental']);
  });
});

test('what is due while another run is in progress is owed until that run ends', async () => {
  const { vault, tick, events } = await atNoon();
  const run = await vault.begin({ mode: 'prune', dryRun: true, prune: {} });
  await tick('backup');
  for (const last of ['12:00', '13:00', '14:00']) {
    vault.pass(1);
    await vault.control.signOfLife(run, new Date(vault.clock.app));
    await tick('backup', { last: `2026-05-02T${last}:00.000Z` });
  }
  expect(events).toEqual(Array(4).fill(`not started: ${run.id}`));
  await vault.work(run);
  vault.pass(1);
  await tick('backup', { last: '2026-05-02T15:00:00.000Z' });
  expect(events.at(-1)).toBe('started incremental');
});

test('a schedule that changed after its time of today, at the same minute of an hour, waits for tomorrow', async () => {
  const { vault, tick, lines, events } = await atNoon();
  vault.clock.app -= 120 * MINUTE;
  await tick('backup', { expr: '0 0 10 * * *', last: '2026-05-02T09:00:00.004Z' });
  expect(events).toEqual(['started incremental']);
  // The timer of the earlier schedule ticked at noon, too.
  vault.clock.app += 180 * MINUTE;
  await tick('backup', { last: '2026-05-02T12:00:00.004Z' });
  expect(events).toEqual(['started incremental']);
  expect(lines[1]).toMatch(/"due":"2026-05-02T12:00:00.000Z","result":"served by nightly-/);
});

describe('a start that is not made', () => {
  const rowsOf = async (deps: Dependencies) => {
    const { rows } = await deps.catalog('VAULT').list({ limit: 10 });
    return rows.filter(({ status }) => status === 'not-started');
  };

  it('is a row, and a note, once the vault is back; then one run makes up for it', async () => {
    const { vault, deps, tick, events, endRun } = await atNoon();
    await tick('backup');
    await endRun();
    vault.pass(24);
    vault.before = () => {
      throw new StorageError('unreachable', 'No answer');
    };
    for (let hour = 0; hour < 2; hour++) {
      await expect(tick('backup')).rejects.toThrow('No answer');
      vault.clock.app = Date.parse('2026-05-03T12:00:00.000Z') + (hour + 1) * 60 * MINUTE;
    }
    await noteMissedStarts(deps);
    expect(vault.missedStarts.size).toBe(1);
    vault.before = () => {};
    await noteMissedStarts(deps);
    expect(vault.missedStarts.size).toBe(0);
    expect(await rowsOf(deps)).toMatchObject([
      { job: 'nightly', mode: 'incremental', startedAt: '2026-05-03T12:00:00.000Z', problem: { code: 'unreachable' } },
    ]);
    const { jobs } = await new WatchStore(deps.blobs('VAULT')).readMissed();
    expect(jobs.nightly?.backup).toMatchObject({ due: '2026-05-03T12:00:00.000Z', code: 'unreachable' });
    events.length = 0;
    await tick('backup');
    expect(events).toEqual(['started incremental']);
  });

  it('names the run that is in progress, once for its occurrence', async () => {
    const { vault, deps, tick } = await atNoon();
    const run = await vault.begin({ mode: 'prune', dryRun: true, prune: {} });
    await tick('backup');
    vault.pass(1);
    await vault.control.signOfLife(run, new Date(vault.clock.app));
    await tick('backup', { last: '2026-05-02T12:00:00.000Z' });
    const [row, ...others] = await rowsOf(deps);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ startedAt: '2026-05-02T12:00:00.000Z', problem: { code: 'run-in-progress' } });
    expect(row!.problem!.message).toContain(run.id);
  });

  it('is none if the run in progress does the same', async () => {
    const { vault, deps, tick } = await atNoon();
    await vault.begin({ mode: 'full' });
    await tick('backup');
    expect(await rowsOf(deps)).toEqual([]);
  });
});

describe('a job that is paused', () => {
  it('starts nothing by its schedule, and what the pause covered is not made up for', async () => {
    const { vault, deps, tick, events, endRun } = await atNoon();
    await tick('backup');
    await endRun();
    events.length = 0;
    const store = new WatchStore(deps.blobs('VAULT'));
    const now = () => new Date(vault.clock.app).toISOString();
    await store.changePause('nightly', () => ({ at: now(), reason: 'a move' }));
    vault.pass(24);
    await tick('backup');
    expect(events).toEqual([]);
    vault.pass(3);
    await store.changePause('nightly', (pause) => ({ ...pause!, resumed: now() }));
    await tick('backup', { last: '2026-05-03T12:00:00.000Z' });
    expect(events).toEqual([]);
    vault.pass(21);
    await tick('backup');
    expect(events).toEqual(['started incremental']);
  });

  it('continues by itself when its end has come', async () => {
    const { vault, deps, tick, events } = await atNoon();
    const until = new Date(vault.clock.app + 30 * MINUTE).toISOString();
    const at = new Date(vault.clock.app - MINUTE).toISOString();
    await new WatchStore(deps.blobs('VAULT')).changePause('nightly', () => ({ at, reason: 'a move', until }));
    await tick('backup');
    vault.pass(1);
    await tick('backup', { last: '2026-05-02T12:00:00.000Z' });
    expect(events).toEqual([]);
    vault.pass(23);
    await tick('backup', { last: '2026-05-03T11:00:00.000Z' });
    expect(events).toEqual(['started incremental']);
  });
});
