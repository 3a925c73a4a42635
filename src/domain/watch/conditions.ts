import type { Scheduled } from '../run/occurrence.ts';
import { hintFor, PROBLEMS, type Problem, type ProblemCode, problemOf } from '../run/problems.ts';
import type { Awaited } from './expected.ts';
import { type EndedRun, type JobFacts, type RunningRun, type SilentAccount, scheduledKind } from './facts.ts';
import { isPaused } from './pause.ts';

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What may be wrong, and for how long it stays so. No name of a blob is in a condition. */
export interface Condition<Name extends string = ConditionName> {
  /** Names the condition for as long as it is open, such as `overdue/backup/nightly`. */
  id: string;
  condition: Name;
  severity: Severity;
  /** The job or archive rule, account or channel that it concerns: one of them. */
  job?: string;
  account?: string;
  channel?: string;
  /** ISO 8601. */
  since: string;
  title: string;
  message: string;
  hint: string;
  run?: string;
  /** If it grows, the condition is reported again each time that it has doubled. */
  count?: number;
}

export const CONDITION_NAMES = [
  ...(['failed', 'incomplete', 'overdue', 'stalled', 'slow', 'brake', 'damaged', 'unproved'] as const),
  ...(['poison', 'out-of-reach', 'not-started', 'paused', 'undelivered'] as const),
];
export type ConditionName = (typeof CONDITION_NAMES)[number];

/** Passes in a row without an answer after which an account is out of reach. */
const PASSES = 3;
/** A run is slow if it takes so many times as long as usual, and at least so long. */
const SLOW_FACTOR = 3;
const SLOW_MS = 30 * 60_000;
/** A pause that is this old may have been forgotten. */
const PAUSE_REMINDER_MS = 24 * 3_600_000;

const KINDS: readonly Scheduled[] = ['backup', 'verify', 'prune', 'reconcile'];
const WORDS: Record<Scheduled, string> = {
  backup: 'backup',
  verify: 'verification',
  prune: 'prune',
  reconcile: 'reconciliation',
};
const START: Record<Scheduled, (job: string) => string> = {
  backup: (job) => `POST /api/jobs/${job}/runs`,
  verify: () => 'POST /api/verifications',
  prune: () => 'POST /api/prunes',
  reconcile: (rule) => `POST /api/archives/${rule}/reconcile`,
};

/** Every open condition of a job or archive rule. Of the runs of one kind, only the first that applies is open. */
export function conditionsOf(facts: JobFacts, now: Date): Condition[] {
  return [
    ...KINDS.flatMap((what) => ofRuns(facts, what, now)),
    ...stalledOthers(facts, now),
    ...facts.running.flatMap((run) => slow(facts.job, run, now)),
    ...brake(facts, now),
    ...lostPoint(facts, now),
    ...damaged(facts),
    ...unproved(facts, now),
    ...poison(facts, now),
    ...paused(facts, now),
  ];
}

/** A job or archive rule of which an object cannot be read, as the message says: nothing else is known of it. */
export function unreadable(job: string, message: string, now: Date): Condition {
  return {
    id: `damaged/object/${job}`,
    condition: 'damaged',
    severity: 'error',
    job,
    since: now.toISOString(),
    title: `${job}: a stored object cannot be read`,
    message: `${message}. Until it can, runs of the job may not start, and nothing else is known of the job.`,
    hint: PROBLEMS.damaged.hint,
  };
}

/** The conditions of accounts. */
export function accountConditions(accounts: readonly SilentAccount[], now: Date): Condition[] {
  return accounts
    .filter(({ passes }) => passes >= PASSES)
    .map(({ alias, code, since = now.toISOString() }) => ({
      id: `out-of-reach/${alias}`,
      condition: 'out-of-reach',
      severity: 'error',
      account: alias,
      since,
      ...wordsOfSilence(alias, code),
    }));
}

function wordsOfSilence(alias: string, code: ProblemCode): Pick<Condition, 'title' | 'message' | 'hint'> {
  // The watch writes nothing else there.
  if (code === 'destination-changing') {
    return {
      title: `${alias}: the watch cannot keep what it finds`,
      message: `${alias}: other apps with this vault have changed watch/state.json whenever this one wrote it.`,
      hint: 'Give each app with this vault other times: "every" in "notify", such as "30 */5 * * * *".',
    };
  }
  return {
    title: `${alias}: the account is out of reach`,
    message: `${alias}: ${PROBLEMS[code].meaning}.`,
    hint: PROBLEMS[code].hint,
  };
}

/** A channel that has not taken a message for long. */
export function undelivered(channel: string, since: string): Condition {
  return {
    id: `undelivered/${channel}`,
    condition: 'undelivered',
    severity: 'error',
    channel,
    since,
    title: `The channel ${channel} takes no messages`,
    message: `Messages to the channel ${channel} have waited since ${since}.`,
    hint: 'The log of the app has the reason. Try the channel: POST /api/notify/test.',
  };
}

function ofRuns(facts: JobFacts, what: Scheduled, now: Date): Condition[] {
  const found = [failed, stalled, notStarted, overdue, incomplete].flatMap((find) => find(facts, what, now));
  return found.slice(0, 1);
}

function severityOf(what: Scheduled): Severity {
  return what === 'backup' ? 'error' : 'warning';
}

function failed(facts: JobFacts, what: Scheduled): Condition[] {
  const { job } = facts;
  const run = facts.ended[what];
  if (run?.status !== 'failed') return [];
  return [
    {
      ...ofEnded(facts, what, run),
      condition: 'failed',
      severity: severityOf(what),
      title: `${job}: the ${WORDS[what]} failed`,
    },
  ];
}

function incomplete(facts: JobFacts, what: Scheduled): Condition[] {
  const { job } = facts;
  const run = facts.ended[what];
  // What a verification found is damage, and has a condition of its own.
  if (run?.status !== 'completed-with-failures' || what === 'verify') return [];
  const how =
    run.failed > 0 ? `${run.failed} of ${run.listed} failed in the ${WORDS[what]}` : `the ${WORDS[what]} is incomplete`;
  // Of several causes, the worst: the report has all.
  const why = run.problem && run.problem.code in PROBLEMS ? `: ${PROBLEMS[run.problem.code].meaning}` : '';
  const title = `${job}: ${how}${why}`;
  return [
    {
      ...ofEnded(facts, what, run),
      id: `incomplete/${what}/${job}`,
      condition: 'incomplete',
      severity: 'warning',
      title,
    },
  ];
}

function ofEnded({ job, accounts }: JobFacts, what: Scheduled, run: EndedRun) {
  const worst = run.problem && problemOf(run.problem.code, run.problem.count, run.problem.container);
  const { source, vault } = accounts;
  const where = what === 'backup' || what === 'reconcile' ? `from ${source} to ${vault}` : `in ${vault}`;
  const report = `See GET /api/runs/${run.id}`;
  const why = worst && sentenceOf(worst);
  return {
    id: `failed/${what}/${job}`,
    job,
    run: run.id,
    since: run.finishedAt,
    message: `Run ${run.id} ${where} ended at ${run.finishedAt}.${why ? ` ${why}` : ''}`,
    hint: worst
      ? `${hintFor({ id: run.id, job }, worst.hint)} ${report}.`
      : `${report}, then start it again: ${callOf(job, what)}.`,
  };
}

/** The message of a problem as a sentence. A name at its beginning is not changed. */
export function sentenceOf({ message, container }: Pick<Problem, 'message' | 'container'>): string {
  return `${container === undefined ? capital(message) : message}.`;
}

function stalled({ job, running }: JobFacts, what: Scheduled, now: Date): Condition[] {
  const run = running.find((each) => each.what === what && each.silentMs !== undefined);
  if (!run) return [];
  return [
    {
      id: `stalled/${what}/${job}`,
      condition: 'stalled',
      severity: 'error',
      job,
      run: run.id,
      since: new Date(now.getTime() - finite(run.silentMs!)).toISOString(),
      title: `${job}: the ${WORDS[what]} gives no sign of life`,
      message: `Run ${run.id} has been in progress since ${run.startedAt} and does nothing.`,
      hint: `${hintFor({ id: run.id, job }, PROBLEMS['run-silent'].hint)} See GET /api/runs/${run.id}.`,
    },
  ];
}

/**
 * Runs that a call started and that no schedule makes up for: a person waits for each, so each has a condition of its
 * own.
 */
function stalledOthers({ job, others }: JobFacts, now: Date): Condition[] {
  return others
    .filter(({ silentMs }) => silentMs !== undefined)
    .map(({ id, mode, dryRun, startedAt, silentMs }) => ({
      id: `stalled/${mode}/${id}`,
      condition: 'stalled',
      severity: 'error',
      job,
      run: id,
      since: new Date(now.getTime() - finite(silentMs!)).toISOString(),
      title: `${job}: a ${dryRun ? 'dry run of a ' : ''}${wordOf(mode)} gives no sign of life`,
      message: `Run ${id} has been in progress since ${startedAt} and does nothing.`,
      hint: `${hintFor({ id, job }, PROBLEMS['run-silent'].hint)} See GET /api/runs/${id}.`,
    }));
}

/** What people call a run of this mode. */
export function wordOf(mode: string): string {
  const what = scheduledKind(mode);
  if (what !== undefined) return WORDS[what];
  return mode === 'reprocess' ? 'reprocess run' : mode;
}

/** The age of a lock from before the clock was set back is not finite. */
function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}

function notStarted(
  { job, accounts, missed, standings, ended, pause }: JobFacts,
  what: Scheduled,
  now: Date,
): Condition[] {
  const start = missed[what];
  const standing = standings[what];
  if (!start || !standing || !isLate(standing) || isPaused(pause, now)) return [];
  // A run in progress is only in the way for a while. If it is for too long, the run is overdue.
  if (start.code === 'run-in-progress' || Date.parse(start.due) < standing.dueAt.getTime()) return [];
  const isTriedSince = ended[what] !== undefined && ended[what].startedAt > start.at;
  if (isTriedSince) return [];
  return [
    {
      id: `not-started/${what}/${job}`,
      condition: 'not-started',
      severity: severityOf(what),
      job,
      since: start.at,
      title: `${job}: the ${WORDS[what]} of ${start.due} could not be started`,
      message:
        `${capital(PROBLEMS[start.code].meaning)}; the vault is ${accounts.vault}. ` +
        'Strongroom tries again at least every hour.',
      hint: hintFor({ id: start.id, job }, PROBLEMS[start.code].hint),
    },
  ];
}

function isLate(standing: { state: string }): standing is Awaited {
  return standing.state === 'due' || standing.state === 'overdue';
}

function overdue({ job, standings, missed, pause }: JobFacts, what: Scheduled, now: Date): Condition[] {
  const standing = standings[what];
  if (standing?.state !== 'overdue' || isPaused(pause, now)) return [];
  const due = standing.dueAt.toISOString();
  const start = missed[what];
  const isOfThis = start && Date.parse(start.due) >= standing.dueAt.getTime();
  const inTheWay = isOfThis && start.run !== undefined ? ` It did not start: run ${start.run} was in progress.` : '';
  return [
    {
      id: `overdue/${what}/${job}`,
      condition: 'overdue',
      severity: severityOf(what),
      job,
      since: standing.overdueAt.toISOString(),
      title: `${job}: the ${WORDS[what]} is overdue`,
      message: `It was due at ${due}.${inTheWay}`,
      hint: `Look into GET /api/health/details and GET /api/runs?job=${job}, or start it: ${callOf(job, what)}.`,
    },
  ];
}

function slow(job: string, run: RunningRun, now: Date): Condition[] {
  const took = now.getTime() - Date.parse(run.startedAt);
  if (run.usualMs === undefined || took < Math.max(SLOW_MS, SLOW_FACTOR * run.usualMs)) return [];
  return [
    {
      id: `slow/${run.what}/${job}`,
      condition: 'slow',
      severity: 'info',
      job,
      run: run.id,
      since: now.toISOString(),
      title: `${job}: the ${WORDS[run.what]} takes long`,
      message: `Run ${run.id} has been in progress since ${run.startedAt}; it usually takes ${minutes(run.usualMs)}.`,
      hint: `See GET /api/runs/${run.id}.`,
    },
  ];
}

function minutes(ms: number): string {
  const count = Math.max(1, Math.round(ms / 60_000));
  return count === 1 ? '1 minute' : `${count} minutes`;
}

function brake({ job, brakes }: JobFacts, now: Date): Condition[] {
  const [first] = brakes;
  if (!first) return [];
  const containers = [...new Set(brakes.flatMap((each) => each.containers))].filter((name) => name !== '*');
  const which = containers.length > 0 ? ` of ${containers.slice(0, 5).join(', ')}` : '';
  return [
    {
      id: `brake/${job}`,
      condition: 'brake',
      severity: 'error',
      job,
      run: first.point,
      since: now.toISOString(),
      title: `${job}: the safety brake is engaged`,
      message:
        `A run changed or lost too much${which}, or could not be compared. Prunes delete nothing there until an ` +
        'operator releases it.',
      hint:
        `GET /api/restore-points/${first.point} says why. When you know the cause, release it: POST ` +
        `/api/restore-points/${first.point}/release.`,
    },
  ];
}

/** The next backup would miss everything that it held. */
function lostPoint({ job, lostPoint }: JobFacts, now: Date): Condition[] {
  if (!lostPoint) return [];
  const { id, message } = lostPoint;
  return [
    {
      id: `damaged/point/${job}`,
      condition: 'damaged',
      severity: 'critical',
      job,
      run: id,
      since: now.toISOString(),
      title: `${job}: the newest restore point is lost`,
      message: `${message}.`,
      hint:
        `Restore its run.json from soft delete or a version of the vault. If you cannot, state before the next ` +
        `backup that it is lost: POST /api/restore-points/${id}/forget. Otherwise that backup engages the safety ` +
        'brake.',
    },
  ];
}

function damaged({ job, proofs }: JobFacts): Condition[] {
  return proofs
    .filter(({ failed }) => failed > 0)
    .map(({ kind, at, failed, items, run }) => ({
      id: `damaged/${kind}/${job}`,
      condition: 'damaged',
      severity: 'critical',
      job,
      run,
      since: at,
      title: `${job}: a restore point is damaged`,
      message: `The ${kind} verification ${run} found ${failed} of ${items} items missing or different.`,
      hint: `See GET /api/runs/${run}/outcomes?status=failed.`,
      count: failed,
    }));
}

function unproved({ job, proofs, proofWithin }: JobFacts, now: Date): Condition[] {
  if (!proofWithin) return [];
  const sound = proofs.filter(({ failed }) => failed === 0).map(({ at }) => Date.parse(at));
  const from = Math.max(proofWithin.since.getTime(), ...sound);
  const late = from + proofWithin.ms;
  if (now.getTime() <= late) return [];
  return [
    {
      id: `unproved/${job}`,
      condition: 'unproved',
      severity: 'warning',
      job,
      since: new Date(late).toISOString(),
      title: `${job}: no restore point was found sound for too long`,
      message:
        sound.length > 0
          ? `The last sound verification ended at ${new Date(Math.max(...sound)).toISOString()}.`
          : 'No verification has found a restore point sound.',
      hint: 'Verify the newest restore point: POST /api/verifications.',
    },
  ];
}

function poison({ job, poison = 0 }: JobFacts, now: Date): Condition[] {
  if (poison === 0) return [];
  return [
    {
      id: `poison/${job}`,
      condition: 'poison',
      severity: 'warning',
      job,
      since: now.toISOString(),
      title: `${job}: ${poison === 1 ? '1 upload' : `${poison} uploads`} failed permanently`,
      message: 'They are not archived until they are reprocessed, or until a reconciliation archives them.',
      hint: `See GET /api/archives/${job}/poison, then POST /api/archives/${job}/reprocess.`,
      count: poison,
    },
  ];
}

function paused({ job, pause }: JobFacts, now: Date): Condition[] {
  if (!isPaused(pause, now) || now.getTime() < Date.parse(pause.at) + PAUSE_REMINDER_MS) return [];
  const until = pause.until === undefined ? '' : ` until ${pause.until}`;
  return [
    {
      id: `paused/${job}`,
      condition: 'paused',
      severity: 'warning',
      job,
      since: pause.at,
      title: `${job}: still paused`,
      message: `It has been paused since ${pause.at}${until}: ${pause.reason}`,
      hint: `Its schedules start nothing. Resume it: POST /api/jobs/${job}/resume.`,
    },
  ];
}

function callOf(job: string, what: Scheduled): string {
  return START[what](job);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
