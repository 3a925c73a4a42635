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
  withoutSent,
  withRunEnds,
  withSummaries,
} from '#domain/watch/notices.ts';
import { newRunEnds } from '#domain/watch/run-end.ts';
import { EMPTY_STATE, type WatchState, withAnswers, withSent } from '#domain/watch/state.ts';
import { type Found, summaryOf } from '#domain/watch/summary.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { vaultsOf } from '../run/find-run.ts';
import { askSources } from './ask-sources.ts';
import { isConfigured, ratedHere } from './configured-condition.ts';
import { sendLostPings } from './lost-pings.ts';
import { openConditions, readVault, type VaultFacts, watchedIn } from './read-vault.ts';
import { routesOfNotices } from './routes-of-notices.ts';
import { sendMessages } from './send-messages.ts';

/** A channel that has not taken a message for so long is reported to the others. */
const UNDELIVERED_MS = 3_600_000;

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
    const gathered: Gathered = {
      ...{ refused: new Map(), busy: new Set() },
      found: {
        ...{ facts: [], conditions: [], unread: [] },
        rules: new Set(deps.configuration.archives.map(({ name }) => name)),
      },
    };
    let open = 0;
    // The first vault keeps what concerns no vault, so it comes last.
    for (const vault of vaults.toReversed()) {
      const silence = silences.get(vault) ?? { passes: 0, notices: NOTHING };
      silences.set(vault, silence);
      try {
        const { state, conditions } = await passOfVault(deps, vault, vault === vaults[0], gathered);
        open += conditions;
        silence.passes = 0;
        delete silence.since;
        await reportSilence(deps, silence, []);
        await sendLostPings(deps, vault, state);
      } catch (error) {
        if (!isStorageError(error)) throw error;
        silence.passes++;
        silence.since ??= deps.now().toISOString();
        const { passes, since } = silence;
        const silent = [{ alias: vault, passes, since, code: codeOf(error) }];
        const conditions = ratedHere(deps, accountConditions(silent, deps.now()));
        await reportSilence(deps, silence, conditions);
        open += conditions.length;
        gathered.found.conditions.push(...conditions);
        gathered.found.unread.push(...watchedIn(deps, vault).map(({ job }) => job.name));
      }
    }
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
  silence.notices = withoutSent(silence.notices, taken);
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
  refused: Map<string, string>;
  /** Channels to which a digest with notices goes. */
  busy: Set<string>;
  found: Found;
}

async function passOfVault(
  deps: Dependencies,
  vault: string,
  isFirst: boolean,
  { refused, busy, found: all }: Gathered,
): Promise<{ state: WatchState; conditions: number }> {
  const { notify } = deps.configuration;
  const store = new WatchStore(deps.blobs(vault));
  const { state: before, expect } = await store.readState();
  const found = await readVault(deps, vault, store, before ?? EMPTY_STATE, before === undefined);
  for (const [job, message] of found.unread) deps.telemetry.warn('watch-not-read', { job, message });
  const now = deps.now();
  let state = found.state;
  const facts = notify.names ? found.facts : found.facts.map(withoutNames);
  const open = openConditions({ ...found, facts }, now);
  for (const [channel, since] of Object.entries(state.refused)) {
    if (!(refused.get(channel)! <= since)) refused.set(channel, since);
  }
  if (isFirst) {
    const answers = await askSources(deps);
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
  for (const { channel, due } of state.notices.outbox) {
    if (due !== undefined && due <= now.toISOString()) busy.add(channel);
  }
  all.facts.push(...facts);
  all.conditions.push(...conditions);
  all.unread.push(...found.unread.keys());
  if (isFirst) state = withDueSummaries(deps, state, { busy, found: all });
  return { state: await reported(deps, store, before, state, expect), conditions: conditions.length };
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

/**
 * Claims the pass, logs and sends, and writes that this was done. Another process that watches the same vault goes
 * first or last.
 */
async function reported(
  deps: Dependencies,
  store: WatchStore,
  before: WatchState | undefined,
  state: WatchState,
  expect: { ifMatch: string } | 'absent',
): Promise<WatchState> {
  const isChanged = !isDeepStrictEqual(state, before);
  // A pass that changes nothing writes nothing: a vault with versions would keep each.
  const etag = isChanged ? await store.writeState(state, expect) : undefined;
  if (isChanged && etag === undefined) return state;
  logChanges(deps, state.notices);
  const sent = await sendMessages(deps, messagesIn(deps, state.notices));
  const after = withSent(state, sent, deps.now());
  if (!isDeepStrictEqual(after, state)) await store.writeState(after, etag === undefined ? expect : { ifMatch: etag });
  return after;
}

function logChanges({ telemetry }: Dependencies, { changes = [] }: Notices): void {
  for (const { to, condition } of changes) telemetry.conditionChanged(to, condition);
}
