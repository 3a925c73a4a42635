import { z } from 'zod';
import type { Scheduled } from '../run/occurrence.ts';
import type { ProblemCode } from '../run/problems.ts';
import { type EndedRun, type SilentAccount, scheduledKind } from './facts.ts';
import type { KnownRun } from './known-run.ts';
import { type Change, NOTHING, type Notices, type Sent, withoutSent } from './notices.ts';
import type { ReportedEnds } from './run-end.ts';

/** What the watch remembers of the runs of one kind of a job or archive rule. */
export interface KindMemory {
  /** The newest run that ended and was not cancelled. */
  ended?: EndedRun;
  /** The newest run that did what is expected of its kind. */
  good?: { id: string; startedAt: string };
  /** The newest run that succeeded. */
  succeeded?: { id: string; finishedAt: string };
  /** The newest run that ended, however. */
  last?: { id: string; status: string; finishedAt: string };
  /** How long the last good runs took, in milliseconds, the newest last. */
  tookMs: number[];
}

/** The memory of the watch of one vault. */
export interface WatchState {
  format: 1;
  /** When the watch first saw each expectation. ISO 8601. */
  seen: Record<string, string>;
  /** By `kindKey`. */
  kinds: Record<string, KindMemory>;
  /**
   * Runs that were in progress: a list of the newest may no longer have them when they end. `what` is the kind whose
   * expectation a run meets, if any.
   */
  unfinished: Record<string, { job: string; mode: string; startedAt: string; what?: Scheduled; dryRun?: true }>;
  /** Accounts that did not answer. */
  silent: Record<string, Omit<SilentAccount, 'alias'>>;
  /** Since when channels have refused messages. ISO 8601. */
  refused: Record<string, string>;
  /** Absent until the first pass. */
  ends?: ReportedEnds;
  /** When the next digest that always comes is due, by `digestKey`. ISO 8601. */
  digests?: Record<string, string>;
  notices: Notices;
}

export const EMPTY_STATE: WatchState = {
  format: 1,
  seen: {},
  kinds: {},
  unfinished: {},
  silent: {},
  refused: {},
  notices: NOTHING,
};

const texts = z.record(z.string(), z.string());
const stateSchema = z.object({
  format: z.literal(1),
  seen: texts,
  kinds: z.record(z.string(), z.object({ tookMs: z.array(z.number()) })),
  unfinished: z.record(z.string(), z.object({ job: z.string(), mode: z.string(), startedAt: z.string() })),
  silent: z.record(z.string(), z.object({ passes: z.number(), code: z.string() })),
  refused: texts,
  ends: z.object({ until: z.string(), runs: texts }).optional(),
  digests: texts.optional(),
  notices: z.object({
    open: z.record(
      z.string(),
      z.object({
        condition: z.object({ id: z.string() }),
        reported: z.record(z.string(), z.object({ at: z.string() })),
      }),
    ),
    outbox: z.array(
      z.object({ id: z.string(), channel: z.string(), at: z.string(), condition: z.object({ id: z.string() }) }),
    ),
    changes: z.array(z.object({ to: z.enum(['open', 'closed']), condition: z.object({ id: z.string() }) })).optional(),
  }),
});

/** A state that is damaged is as none: what is open is reported once more. */
export function isWatchState(value: unknown): value is WatchState {
  return stateSchema.safeParse(value).success;
}

export function kindKey(job: string, what: string): string {
  return `${job} ${what}`;
}

const MOST_DURATIONS = 10;
const CLOCKS_APART_MS = 3_600_000;
/** A run that nothing ends: its lock and its outcomes are gone. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;

/** The state with what runs did since, in any order. Runs that it knows already change nothing. */
export function withRuns(state: WatchState, runs: readonly KnownRun[], now: Date): WatchState {
  const kinds = { ...state.kinds };
  const unfinished = { ...state.unfinished };
  for (const run of runs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1))) {
    const what = watchedKind(run);
    if (isLaterThan(run.startedAt, now)) continue;
    const { id, job, mode, startedAt, dryRun } = run;
    if (run.status === 'running') {
      unfinished[id] = { job, mode, startedAt, ...(what && { what }), ...(dryRun && { dryRun }) };
      continue;
    }
    delete unfinished[id];
    if (what === undefined) continue;
    const key = kindKey(job, what);
    kinds[key] = withEnded(believed(kinds[key], now), run);
  }
  for (const [id, { startedAt }] of Object.entries(unfinished)) {
    if (now.getTime() - Date.parse(startedAt) > FORGOTTEN_MS) delete unfinished[id];
  }
  return { ...state, kinds, unfinished };
}

/** Whether a time is from before a clock was set back. */
function isLaterThan(text: string, now: Date): boolean {
  return Date.parse(text) > now.getTime() + CLOCKS_APART_MS;
}

/** Without runs from before a clock was set back: none would be newer for long. */
function believed(memory: KindMemory = { tookMs: [] }, now: Date): KindMemory {
  const { ended, good, succeeded, last, tookMs } = memory;
  return {
    ...(ended && !isLaterThan(ended.startedAt, now) && { ended }),
    ...(good && !isLaterThan(good.startedAt, now) && { good }),
    ...(succeeded && !isLaterThan(succeeded.finishedAt, now) && { succeeded }),
    ...(last && !isLaterThan(last.finishedAt, now) && { last }),
    tookMs,
  };
}

/** The kind whose expectation a run meets, if any. A scheduled prune plans in a dry run, and may have no more to do. */
export function watchedKind({ mode, trigger, dryRun }: Pick<KnownRun, 'mode' | 'trigger' | 'dryRun'>) {
  const what = scheduledKind(mode);
  const counts = !dryRun || (what === 'prune' && trigger === 'timer');
  return counts ? what : undefined;
}

function withEnded(memory: KindMemory, run: KnownRun): KindMemory {
  const { id, status, startedAt, finishedAt = startedAt, counts = {}, problem } = run;
  if (status !== 'succeeded' && status !== 'completed-with-failures' && status !== 'failed' && status !== 'cancelled')
    return memory;
  // Times sort runs, and ids those of the same time.
  const isNewer = (other: { id: string } | undefined) => other === undefined || other.id < id;
  const last = isNewer(memory.last) ? { last: { id, status, finishedAt } } : {};
  if (status === 'cancelled') return { ...memory, ...last };
  const ended: EndedRun = {
    ...{ id, status, startedAt, finishedAt, failed: counts.failed ?? 0, listed: counts.listed ?? 0 },
    ...(problem && { problem: problem as NonNullable<EndedRun['problem']> }),
  };
  const isGood = status !== 'failed' && isNewer(memory.good);
  const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
  return {
    ...memory,
    ...last,
    ...(isNewer(memory.ended) && { ended }),
    ...(status === 'succeeded' && isNewer(memory.succeeded) && { succeeded: { id, finishedAt } }),
    ...(isGood && { good: { id, startedAt }, tookMs: [...memory.tookMs, tookMs].slice(-MOST_DURATIONS) }),
  };
}

/** How long runs of a kind usually take; undefined if too few are known. */
export function usualMs({ tookMs }: KindMemory): number | undefined {
  return tookMs.length < 3 ? undefined : tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length / 2)];
}

/**
 * When each expectation was first seen: those that are new or from before a clock was set back are seen now. Those of
 * jobs that are not configured here stay, as another app with this vault may have them. `known`: since when those are
 * known that the state lacks.
 */
export function withSeen(
  state: WatchState,
  keys: readonly string[],
  now: Date,
  known: ReadonlyMap<string, string> = new Map(),
): WatchState {
  const seenAt = (key: string) => {
    const at = state.seen[key] ?? known.get(key);
    return at !== undefined && !isLaterThan(at, now) ? at : now.toISOString();
  };
  return { ...state, seen: { ...state.seen, ...Object.fromEntries(keys.map((key) => [key, seenAt(key)])) } };
}

/** The state after a pass asked accounts: `answers` has a problem for each that did not answer. */
export function withAnswers(
  state: WatchState,
  answers: ReadonlyMap<string, ProblemCode | undefined>,
  now: Date,
): WatchState {
  const silent = { ...state.silent };
  for (const [alias, code] of answers) {
    // The number has an end, so that the state does not change at each pass.
    if (code === undefined) delete silent[alias];
    else {
      const { passes, since } = silent[alias] ?? { passes: 0, since: now.toISOString() };
      silent[alias] = { passes: Math.min(9, passes + 1), code, ...(since !== undefined && { since }) };
    }
  }
  return { ...state, silent };
}

/** The state after a channel took a message that an operator sent: it no longer refuses. */
export function withTaken({ refused, ...state }: WatchState, channel: string): WatchState {
  const { [channel]: _, ...others } = refused;
  return { ...state, refused: others };
}

/** The state after changes were logged and messages sent. */
export function withSent(
  state: WatchState,
  { taken, refusedBy, logged }: Sent & { logged: readonly Change[] },
  now: Date,
): WatchState {
  const refused = { ...state.refused };
  for (const { channel } of taken) if (!refusedBy.has(channel)) delete refused[channel];
  for (const channel of refusedBy) refused[channel] ??= now.toISOString();
  return { ...state, refused, notices: withoutSent(state.notices, { taken, logged }) };
}
