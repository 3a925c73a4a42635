import { isDeepStrictEqual } from 'node:util';
import type { Dependencies } from '#app/dependencies.ts';
import { noteMissedStarts } from '#app/missed-start-notes.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { accountConditions, type Condition, undelivered } from '#domain/watch/conditions.ts';
import { withoutContainer, withoutNames } from '#domain/watch/facts.ts';
import {
  dueMessages,
  type Message,
  NOTHING,
  type Notices,
  withConditions,
  withoutKnown,
  withoutSent,
  withRunEnds,
  withSummaries,
} from '#domain/watch/notices.ts';
import { newRunEnds } from '#domain/watch/run-end.ts';
import { EMPTY_STATE, type WatchState, withAnswers, withSent } from '#domain/watch/state.ts';
import { type Found, summaryOf } from '#domain/watch/summary.ts';
import { compareAndSwap } from '#storage/control/compare-and-swap.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import { vaultsOf } from '../run/find-run.ts';
import { askSources } from './ask-sources.ts';
import { isConfigured, ratedHere } from './configured-condition.ts';
import { sendLostPings } from './lost-pings.ts';
import { openConditions, readVault, type VaultFacts, watchedIn } from './read-vault.ts';
import { routesOfNotices } from './routes-of-notices.ts';
import { sendMessages } from './send-messages.ts';

/** A channel that has not taken a message for so long is reported to the others. */
const UNDELIVERED_MS = 3_600_000;
/** Each other app with a vault writes at most twice in a pass, so that as many as eight cannot keep one from it. */
const MOST_TRIES = 16;

/** What a process knows of a vault that does not answer, which can keep nothing itself. */
interface Silence {
  passes: number;
  /** When the first of these passes was. ISO 8601. */
  since?: string;
  notices: Notices;
}

/**
 * Compares what should be with what is, and reports the difference. Each pass starts from what lies in the vaults, so
 * none needs to have seen an event. What is to be logged and sent is written first, then logged and sent, then written
 * as done: a crash logs an event again and sends a message again, under the same id, and loses none.
 */
export function watchHandler(deps: Dependencies) {
  const silences = new Map<string, Silence>();
  return async (): Promise<void> => {
    await noteMissedStarts(deps);
    const vaults = vaultsOf(deps);
    let gathered: Gathered = {
      ...{ refused: new Map(), busy: new Set() },
      found: {
        ...{ facts: [], conditions: [], unread: [] },
        rules: new Set(deps.configuration.archives.map(({ name }) => name)),
      },
    };
    let open = 0;
    // A channel that does not answer must not delay what other vaults report.
    const reports: Promise<void>[] = [];
    const start = (report: Promise<void>) => {
      // It may fail while the next vault is read.
      report.catch(() => {});
      reports.push(report);
    };
    const settle = async (vault: string, silence: Silence, report: () => Promise<WatchState>): Promise<void> => {
      try {
        await sendLostPings(deps, vault, await report());
      } catch (error) {
        if (!isStorageError(error)) throw error;
        silence.passes++;
        silence.since ??= deps.now().toISOString();
      }
    };
    // The first vault keeps what concerns no vault, so it comes last.
    try {
      for (const vault of vaults.toReversed()) {
        const silence = silences.get(vault) ?? { passes: 0, notices: NOTHING };
        silences.set(vault, silence);
        try {
          const pass = await passOfVault(deps, vault, vault === vaults[0], gathered);
          gathered = pass.gathered;
          open += pass.conditions;
          silence.passes = 0;
          delete silence.since;
          start(reportSilence(deps, silence, []));
          start(settle(vault, silence, pass.report));
        } catch (error) {
          if (!isStorageError(error)) throw error;
          silence.passes++;
          silence.since ??= deps.now().toISOString();
          const { passes, since } = silence;
          const silent = [{ alias: vault, passes, since, code: codeOf(error) }];
          const conditions = ratedHere(deps, accountConditions(silent, deps.now()));
          start(reportSilence(deps, silence, conditions));
          open += conditions.length;
          gathered.found.conditions.push(...conditions);
          gathered.found.unread.push(...watchedIn(deps, vault).map(({ job }) => job.name));
        }
      }
    } finally {
      await Promise.allSettled(reports);
    }
    await Promise.all(reports);
    deps.telemetry.watchPassed(open);
  };
}

function codeOf(error: StorageError): ProblemCode {
  return error.kind === 'container-not-found' ? 'content-missing' : problemCodeOf(error, 'destination');
}

/** Reports that a vault does not answer, or does again, from memory. */
async function reportSilence(deps: Dependencies, silence: Silence, conditions: Condition[]): Promise<void> {
  silence.notices = advanced(deps, silence.notices, conditions, () => true);
  logChanges(deps, silence.notices);
  const { taken } = await sendMessages(deps, messagesIn(deps, silence.notices));
  silence.notices = withoutSent(silence.notices, { taken, logged: silence.notices.changes ?? [] });
}

function messagesIn({ configuration, now }: Dependencies, notices: Notices): Message[] {
  return dueMessages(
    notices,
    configuration.notify.channels.map(({ name }) => name),
    now(),
  );
}

/** What a pass knows of the vaults that it has watched already. */
interface Gathered {
  /** Since when channels refuse messages. */
  refused: ReadonlyMap<string, string>;
  /** Channels to which a digest with notices goes. */
  busy: ReadonlySet<string>;
  found: Found;
}

/** What one try of a pass found in a vault, and what it gathered with that. */
interface View {
  state: WatchState;
  gathered: Gathered;
  conditions: number;
}

/**
 * Watches a vault: claims what it found by writing it. `report` logs and sends it, and writes that this was done. If
 * another app has written in between, its state is read, and the vault is compared with that one: else the app that
 * writes last would report nothing, in each pass, as all their timers fire at the same second.
 */
async function passOfVault(
  deps: Dependencies,
  vault: string,
  isFirst: boolean,
  before: Gathered,
): Promise<View & { report: () => Promise<WatchState> }> {
  const store = new WatchStore(deps.blobs(vault));
  let atFirst: WatchState | undefined;
  let answers: Awaited<ReturnType<typeof askSources>> | undefined;
  const claimed = await compareAndSwap(async () => {
    const { state: stored, expect } = await store.readState();
    atFirst ??= stored ?? EMPTY_STATE;
    const found = await readVault(deps, vault, store, stored ?? EMPTY_STATE, stored === undefined);
    // Once: each answer counts as a pass.
    if (isFirst) answers ??= await askSources(deps);
    const view = viewOf(deps, vault, found, answers, before);
    // A pass that changes nothing writes nothing: a vault with versions would keep each.
    const isChanged = !isDeepStrictEqual(view.state, stored);
    const etag = isChanged ? await store.writeState(view.state, expect) : undefined;
    if (isChanged && etag === undefined) return undefined;
    const others = withoutKnown(stored?.notices ?? NOTHING, atFirst.notices);
    return { view, unread: found.unread, others, expect: etag === undefined ? expect : { ifMatch: etag } };
  }, MOST_TRIES);
  if (!claimed) {
    const message = 'Other apps with this vault have changed watch/state.json in each try. The next pass tries again';
    deps.telemetry.warn('watch-not-kept', { vault, message });
    throw new StorageError('precondition', message);
  }
  const { view, unread, others, expect } = claimed;
  for (const [job, message] of unread) deps.telemetry.warn('watch-not-read', { job, message });
  // What other passes have added since this one began, they are logging and sending.
  const own = ofThisApp(deps, withoutKnown(view.state.notices, others));
  return { ...view, report: () => reported(deps, store, { state: view.state, expect }, own) };
}

function viewOf(
  deps: Dependencies,
  vault: string,
  found: VaultFacts,
  answers: Awaited<ReturnType<typeof askSources>> | undefined,
  { refused: refusedBefore, busy: busyBefore, found: foundBefore }: Gathered,
): View {
  const { notify } = deps.configuration;
  const now = deps.now();
  let state = found.state;
  const facts = notify.names ? found.facts : found.facts.map(withoutNames);
  const open = openConditions({ ...found, facts }, now);
  const refused = new Map(refusedBefore);
  for (const [channel, since] of Object.entries(state.refused)) {
    if (!(refused.get(channel)! <= since)) refused.set(channel, since);
  }
  if (answers) {
    state = withAnswers(state, answers, now);
    const accounts = Object.entries(state.silent).map(([alias, each]) => ({ alias, ...each }));
    open.push(
      ...accountConditions(
        accounts.filter(({ alias }) => answers.has(alias)),
        now,
      ),
    );
    const late = [...refused].filter(([, since]) => now.getTime() - Date.parse(since) > UNDELIVERED_MS);
    const silent = late.map(([channel, since]) => undelivered(channel, since));
    // One that was removed takes nothing any more, and is no trouble.
    open.push(...silent.filter((condition) => isConfigured(deps, condition)));
  }
  const conditions = ratedHere(deps, open);
  const known = new Set(found.facts.map(({ job }) => job));
  const isKnown = (condition: Condition) =>
    isConfigured(deps, condition) && (!condition.job || known.has(condition.job));
  state = { ...state, notices: advanced(deps, state.notices, conditions, isKnown) };
  state = withEnds(deps, vault, state, found.ended);
  const busy = new Set(busyBefore);
  for (const { channel, due } of ofThisApp(deps, state.notices).outbox) {
    if (due !== undefined && due <= now.toISOString()) busy.add(channel);
  }
  const all: Found = {
    facts: [...foundBefore.facts, ...facts],
    rules: foundBefore.rules,
    conditions: [...foundBefore.conditions, ...conditions],
    unread: [...foundBefore.unread, ...found.unread.keys()],
  };
  const gathered = { refused, busy, found: all };
  if (answers) state = withDueSummaries(deps, state, gathered);
  return { state, gathered, conditions: conditions.length };
}

/** With the runs of the jobs and rules of this vault that have ended, and that were not reported yet. */
function withEnds(deps: Dependencies, vault: string, state: WatchState, ended: VaultFacts['ended']): WatchState {
  const { notify } = deps.configuration;
  const names = new Set(watchedIn(deps, vault).map(({ job }) => job.name));
  const own = ended.filter(({ job }) => names.has(job)).map((run) => (notify.names ? run : withoutContainer(run)));
  const { ends, reported } = newRunEnds(state.ends, own, deps.now());
  const sending = { routes: routesOfNotices(notify), now: deps.now() };
  return { ...state, ends: reported, notices: withRunEnds(state.notices, ratedHere(deps, ends), sending) };
}

/** With digests that have nothing to report. All other vaults were watched before the one that keeps them. */
function withDueSummaries(
  deps: Dependencies,
  state: WatchState,
  { busy, found }: Pick<Gathered, 'busy' | 'found'>,
): WatchState {
  const now = deps.now();
  const { notices, next } = withSummaries(state.notices, state.digests ?? {}, {
    ...{ routes: routesOfNotices(deps.configuration.notify), now, busy },
    summaryFor: ({ jobs }) => summaryOf(found, jobs, now),
  });
  const isNone = state.digests === undefined && Object.keys(next).length === 0;
  return { ...state, notices, ...(!isNone && { digests: next }) };
}

function advanced(
  deps: Dependencies,
  before: Notices,
  conditions: readonly Condition[],
  isKnown: (condition: Condition) => boolean,
): Notices {
  const routes = routesOfNotices(deps.configuration.notify);
  return withConditions(before, conditions, { routes, now: deps.now(), isKnown });
}

/** Logs and sends what a pass has claimed, and writes that this was done, whatever others have written since. */
async function reported(
  deps: Dependencies,
  store: WatchStore,
  claimed: { state: WatchState; expect: { ifMatch: string } | 'absent' },
  own: Notices,
): Promise<WatchState> {
  logChanges(deps, own);
  const sent = await sendMessages(deps, messagesIn(deps, own));
  const done = { ...sent, logged: own.changes ?? [] };
  let known: Awaited<ReturnType<WatchStore['readState']>> | undefined = claimed;
  const written = await compareAndSwap(async () => {
    const { state: before, expect } = known ?? (await store.readState());
    known = undefined;
    // One that is damaged now is as none: the next pass finds all of it.
    if (!before) return claimed.state;
    const after = withSent(before, done, deps.now());
    if (isDeepStrictEqual(after, before)) return after;
    return (await store.writeState(after, expect)) === undefined ? undefined : after;
  }, MOST_TRIES);
  // Otherwise, what was sent is sent once more, under the same ids.
  return written ?? claimed.state;
}

/** Another app with this vault may have channels of the same names: what concerns its jobs, only it logs and sends. */
function ofThisApp(deps: Dependencies, { open, outbox, changes = [] }: Notices): Notices {
  return {
    open,
    outbox: outbox.filter(({ type, condition }) => type === 'summary' || isConfigured(deps, condition)),
    changes: changes.filter(({ condition }) => isConfigured(deps, condition)),
  };
}

function logChanges({ telemetry }: Dependencies, { changes = [] }: Notices): void {
  for (const { to, condition } of changes) telemetry.conditionChanged(to, condition);
}
