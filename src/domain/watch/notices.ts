import { createHash } from 'node:crypto';
import type { Condition, ConditionName, Severity } from './conditions.ts';
import type { RunEnd, RunEndName } from './run-end.ts';

/** Which conditions and ends of runs a channel gets, and when. */
export interface Route {
  channel: string;
  when: readonly (Severity | ConditionName | RunEndName | 'all')[];
  /** Jobs and archive rules; absent for all, and for conditions of accounts. */
  jobs?: readonly string[];
  /** Milliseconds after which an open condition is reported again; absent: never. */
  repeatMs?: number;
  /** Whether the channel gets a notice when a condition closes. */
  recovered: boolean;
  /** Collects notices until the next time after the given one; absent: each is a message of its own. */
  digestAfter?: (now: Date) => Date | undefined;
  /** Whether a digest comes at each of its times: with nothing to report, it says how everything stands. */
  always?: boolean;
}

/** `ended`: a run has ended. `summary`: how everything stands. */
export type NoticeType = 'opened' | 'repeated' | 'closed' | 'ended' | 'summary';

/** What a notice is about: a condition, the end of a run, or everything. */
export type Subject = Condition<ConditionName | RunEndName | 'summary'>;

/** What a digest says that has nothing to report. */
export type Summary = Omit<Subject, 'id' | 'since'>;

/** A message to a channel. It stays until the channel has taken it. */
export interface Notice {
  /** The same however often it is sent. */
  id: string;
  channel: string;
  type: NoticeType;
  /** When it was decided. ISO 8601. */
  at: string;
  condition: Subject;
  /** Of a condition that has closed: the title of the one of the same runs that is open now. It is no all-clear. */
  replacedBy?: string;
  /** Of a digest: not before this time, and together with all others of this time. */
  due?: string;
}

interface OpenCondition {
  condition: Condition;
  /** By channel: when it was last reported, and the count in it. */
  reported: Record<string, { at: string; count?: number }>;
}

/** A condition that opened or closed. */
export interface Change {
  to: 'open' | 'closed';
  condition: Condition;
}

/** What is open, and what is still to be logged and sent. */
export interface Notices {
  open: Record<string, OpenCondition>;
  outbox: Notice[];
  /** Not logged yet, as far as is certain. */
  changes?: Change[];
}

export const NOTHING: Notices = { open: {}, outbox: [] };

const OF_RUNS = ['failed', 'stalled', 'not-started', 'overdue', 'incomplete'] as const;

/** A channel that takes nothing loses its oldest notices beyond so many, and those that are this old. */
const MOST_PER_CHANNEL = 100;
const LONGEST_MS = 3 * 24 * 3_600_000;
/** Of an app that watches no more, nothing would ever be logged. */
const MOST_CHANGES = 1_000;

/**
 * Compares what is wrong with what was reported, and decides what is to be sent. `isKnown`: whether this pass could
 * find out about a condition that it does not list; what it could not stays as it was.
 */
export function withConditions(
  notices: Notices,
  conditions: readonly Condition[],
  { routes, now, isKnown }: { routes: readonly Route[]; now: Date; isKnown: (condition: Condition) => boolean },
): Notices {
  const present = new Map(conditions.map((condition) => [condition.id, condition]));
  const outbox = [...notices.outbox];
  const open: Notices['open'] = {};
  const changes = [...(notices.changes ?? [])];
  for (const [id, before] of Object.entries(notices.open)) {
    if (present.has(id)) continue;
    if (!isKnown(before.condition)) open[id] = before;
    else {
      const next = conditions.find((found) => isOfSameRuns(found, before.condition))?.title;
      outbox.push(...closing(before, routes, now).map((each) => ({ ...each, ...(next && { replacedBy: next }) })));
      changes.push({ to: 'closed', condition: before.condition });
    }
  }
  for (const found of conditions) {
    const before = notices.open[found.id];
    // It has the time at which it was first seen, however it is found later.
    const condition = { ...found, since: before?.condition.since ?? found.since };
    const reported = { ...before?.reported };
    if (before === undefined) changes.push({ to: 'open', condition });
    for (const route of routesOf(routes, condition)) {
      const type = dueNotice(reported[route.channel], condition, route, now);
      if (type === undefined) continue;
      reported[route.channel] = {
        at: now.toISOString(),
        ...(condition.count !== undefined && { count: condition.count }),
      };
      outbox.push(noticeOf(type, condition, route, now));
    }
    open[found.id] = { condition, reported };
  }
  return { open, outbox: bounded(outbox, now), ...(changes.length > 0 && { changes: changes.slice(-MOST_CHANGES) }) };
}

/** Whether both are about the runs of one kind of a job, of which one condition is open at a time. */
function isOfSameRuns(a: Condition, b: Condition): boolean {
  const of = ({ condition, id }: Condition) =>
    (OF_RUNS as readonly string[]).includes(condition) ? id.slice(condition.length) : id;
  return of(a) === of(b);
}

/** With what is to be sent about runs that have ended. An end has one notice, whichever pass finds it. */
export function withRunEnds(
  notices: Notices,
  ends: readonly RunEnd[],
  { routes, now }: { routes: readonly Route[]; now: Date },
): Notices {
  if (ends.length === 0) return notices;
  const added = ends.flatMap((end) => routesOf(routes, end).map((route) => noticeOf('ended', end, route, now)));
  return { ...notices, outbox: bounded([...notices.outbox, ...added], now) };
}

/** The routes of a condition or an end: the first of each channel. */
function routesOf(
  routes: readonly Route[],
  { condition, severity, job, channel: own }: Condition<ConditionName | RunEndName>,
): Route[] {
  const fit = routes.filter(
    ({ channel, when, jobs }) =>
      // No channel can report that it takes nothing.
      channel !== own &&
      (when.includes('all') || when.includes(severity) || when.includes(condition)) &&
      (jobs === undefined || (job !== undefined && jobs.includes(job))),
  );
  return fit.filter(({ channel }, index) => fit.findIndex((each) => each.channel === channel) === index);
}

function dueNotice(
  last: OpenCondition['reported'][string] | undefined,
  { count }: Condition,
  { repeatMs }: Route,
  now: Date,
): NoticeType | undefined {
  if (!last) return 'opened';
  const isOld = repeatMs !== undefined && now.getTime() - Date.parse(last.at) >= repeatMs;
  const hasGrown = count !== undefined && last.count !== undefined && count >= 2 * last.count;
  return isOld || hasGrown ? 'repeated' : undefined;
}

/** Only a channel that got a condition gets its end. */
function closing({ condition, reported }: OpenCondition, routes: readonly Route[], now: Date): Notice[] {
  return routesOf(routes, condition)
    .filter(({ channel, recovered }) => recovered && reported[channel] !== undefined)
    .map((route) => noticeOf('closed', condition, route, now));
}

function noticeOf(type: NoticeType, condition: Subject, { channel, digestAfter }: Route, now: Date): Notice {
  const at = now.toISOString();
  // A condition may open and close again and again. A run ends once.
  const which = type === 'ended' ? condition.id : `${condition.id} ${condition.since} ${type} ${at}`;
  const id = `msg_${sha256(which).slice(0, 32)}`;
  const due = digestAfter?.(now)?.toISOString();
  return { id, channel, type, at, condition, ...(due !== undefined && { due }) };
}

/** Names a digest that always comes. A channel may have several, for other jobs. */
export function digestKey({ channel, jobs }: Pick<Route, 'channel' | 'jobs'>): string {
  return [channel, ...(jobs ?? [])].join('/');
}

/**
 * With the digests that are due by now although they have nothing to report. `next` has the next time of each, and
 * `busy` the channels to which a digest with notices goes now.
 */
export function withSummaries(
  notices: Notices,
  next: Readonly<Record<string, string>>,
  {
    routes,
    now,
    busy,
    summaryFor,
  }: { routes: readonly Route[]; now: Date; busy: ReadonlySet<string>; summaryFor: (route: Route) => Summary },
): { notices: Notices; next: Record<string, string> } {
  const outbox = [...notices.outbox];
  const after = { ...next };
  const wanted = routes.filter(({ always }) => always);
  for (const [key, same] of Map.groupBy(wanted, digestKey)) {
    // Entries that differ in what they collect say the same when there is nothing: one digest, at each of their times.
    const [following] = same.flatMap(({ digestAfter }) => digestAfter?.(now)?.toISOString() ?? []).toSorted();
    const { digestAfter: _, ...atOnce } = same[0]!;
    const due = next[key];
    const isDue = due !== undefined && due <= now.toISOString();
    if (isDue && !busy.has(atOnce.channel)) {
      const subject = { ...summaryFor(atOnce), id: `summary/${key}`, since: due };
      outbox.push(noticeOf('summary', subject, atOnce, now));
    }
    if (following === undefined) delete after[key];
    // The earlier of the two, in case that the schedule has changed.
    else if (due === undefined || isDue || following < due) after[key] = following;
  }
  return { notices: { ...notices, outbox: bounded(outbox, now) }, next: after };
}

/** Another app with this vault may have other channels: their notices stay for as long as all others. */
function bounded(outbox: readonly Notice[], now: Date): Notice[] {
  const recent = outbox.filter(({ at, due }) => now.getTime() - Date.parse(due ?? at) < LONGEST_MS);
  return recent.filter(
    ({ channel }, index) => recent.slice(index).filter((each) => each.channel === channel).length <= MOST_PER_CHANNEL,
  );
}

/** What one request to a channel carries. */
export interface Message {
  id: string;
  channel: string;
  /** One, or those of a digest. */
  notices: Notice[];
}

/** What is to be sent to these channels now, in the order in which it was decided. A digest is one message. */
export function dueMessages({ outbox }: Notices, channels: readonly string[], now: Date): Message[] {
  const messages = new Map<string, Message>();
  for (const notice of outbox) {
    const { channel, due } = notice;
    if (!channels.includes(channel) || (due !== undefined && Date.parse(due) > now.getTime())) continue;
    const key = `${channel} ${due ?? notice.id}`;
    const message = messages.get(key);
    if (message) {
      message.notices.push(notice);
      continue;
    }
    // The digests of two vaults at the same time are two messages.
    const id = due === undefined ? notice.id : `msg_${sha256(`digest ${channel} ${due} ${notice.id}`).slice(0, 32)}`;
    messages.set(key, { id, channel, notices: [notice] });
  }
  return [...messages.values()];
}

/** The messages of a pass that channels took, and the channels that refused some. */
export interface Sent {
  taken: Message[];
  refusedBy: ReadonlySet<string>;
}

const nameOf = ({ id, channel }: Pick<Notice, 'id' | 'channel'>) => `${channel} ${id}`;
const changeOf = ({ to, condition: { id, since } }: Change) => `${to} ${id} ${since}`;

/** Without what was logged, and without what channels took. What others have added since stays. */
export function withoutSent(
  { open, outbox, changes = [] }: Notices,
  { taken, logged }: { taken: readonly Message[]; logged: readonly Change[] },
): Notices {
  return withoutKnown({ open, outbox, changes }, { outbox: taken.flatMap(({ notices }) => notices), changes: logged });
}

/** Without what is to be logged and sent of others. */
export function withoutKnown(
  { open, outbox, changes = [] }: Notices,
  known: { outbox: readonly Notice[]; changes?: readonly Change[] },
): Notices {
  const names = new Set(known.outbox.map(nameOf));
  const logged = new Set((known.changes ?? []).map(changeOf));
  const left = changes.filter((change) => !logged.has(changeOf(change)));
  return {
    open,
    outbox: outbox.filter((notice) => !names.has(nameOf(notice))),
    ...(left.length > 0 && { changes: left }),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
