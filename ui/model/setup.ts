import { rolesWith } from './access.ts';
import type { Answer, ApiError } from './answer.ts';
import type { Mark } from './mark.ts';
import { counted } from './quantity.ts';

type Health = Answer<'healthDetails'>;

/** What an app says of a right. */
export interface Check {
  id: string;
  alias: string;
  result: string;
  needed: boolean;
  for: string[];
  code: string | null;
  hint: string | null;
  command: string | null;
}

export interface CheckLine {
  id: string;
  mark: Mark;
  /** Such as `read blobs`. */
  right: string;
  /** Which jobs and rules need it. */
  for: string;
  hint: string;
  command: string | null;
}

/** A test compares them with those of the app. */
export const RIGHTS: Readonly<Record<string, string>> = {
  'list-containers': 'list containers',
  'list-blobs': 'list blobs',
  'read-blobs': 'read blobs',
  'read-tags': 'read index tags',
  'sign-copies': 'request a user delegation key',
  'list-tables': 'list tables',
  'read-tables': 'read tables',
  'create-containers': 'create containers',
  'write-blobs': 'write blobs',
  'write-tags': 'write index tags',
  'write-catalog': 'write the catalog',
  'delete-blobs': 'delete blobs',
  'soft-delete': 'soft delete',
  'read-queue': 'read the queue of upload events',
};

const MARKS: Readonly<Record<string, Mark>> = {
  ok: { tone: 'good', shape: 'check', word: 'as it should be' },
  missing: { tone: 'bad', shape: 'cross', word: 'missing' },
  unneeded: { tone: 'warn', shape: 'triangle', word: 'more than needed' },
  unknown: { tone: 'quiet', shape: 'question', word: 'not known' },
};

/** The rights of each account, those that need something done first. */
export function checksByAccount(checks: readonly Check[]): { alias: string; lines: CheckLine[]; missing: number }[] {
  const accounts = new Map<string, Check[]>();
  for (const check of checks) accounts.set(check.alias, [...(accounts.get(check.alias) ?? []), check]);
  const rank = ['missing', 'unneeded', 'unknown', 'ok'];
  return [...accounts].map(([alias, all]) => ({
    alias,
    missing: all.filter(({ result }) => result === 'missing').length,
    lines: all.toSorted((a, b) => rank.indexOf(a.result) - rank.indexOf(b.result)).map(lineOf),
  }));
}

function lineOf({ id, result, needed, for: jobs, hint, command }: Check): CheckLine {
  const right = RIGHTS[id] ?? id;
  const mark = MARKS[result] ?? { ...MARKS.unknown!, word: result };
  return {
    ...{ id, mark, command, hint: hint ?? '', for: jobs.join(', ') },
    right: id === 'delete-blobs' && !needed ? 'not delete blobs' : right,
  };
}

/** What has to be done until backups are made and known to be good. */
export interface SetupStep {
  title: string;
  state: 'done' | 'now' | 'wrong' | 'later' | 'unknown';
  text: string;
}

interface Facts {
  health: Health | undefined;
  healthError?: ApiError | undefined;
  checks: readonly Check[] | undefined;
  overview: Answer<'overview'> | undefined;
  overviewError?: ApiError | undefined;
}

export function stepsOfSetup({ health, healthError, checks, overview, overviewError }: Facts): SetupStep[] {
  const accounts = health?.accounts ?? [];
  const failed = accounts.filter(({ status }) => status === 'failed').length;
  const missing = checks?.filter(({ result }) => result === 'missing').length;
  const hasPoint = overview?.jobs.some(({ restorePoint }) => restorePoint !== null) ?? false;
  const sound = overview?.jobs
    .flatMap(({ restorePoint }) => restorePoint?.verified ?? [])
    .filter(({ failed }) => failed === 0);
  const isVerified = (sound?.length ?? 0) > 0;
  const isRead = sound?.some(({ kind }) => kind !== 'quick') ?? false;
  const jobs = overview ? overview.totals.jobs + overview.totals.archives : 0;
  const [unasked, unread] = [unknownBy(health, healthError), unknownBy(overview, overviewError)];
  const steps: (SetupStep & { isDone: boolean; isWrong: boolean })[] = [
    step('Configuration', overview !== undefined, false, overview ? `${jobs} in strongroom.json` : 'Reading …', unread),
    step(
      'Accounts',
      health !== undefined && failed === 0,
      failed > 0,
      failed > 0 ? `${counted(failed, 'does', 'do')} not answer` : health ? 'All answer' : 'Asking …',
      unasked,
    ),
    step(
      'Rights',
      missing === 0,
      (missing ?? 0) > 0,
      missing === undefined ? 'Not checked yet' : missing > 0 ? `${missing} missing` : 'Nothing is missing',
    ),
    step('First backup', hasPoint, false, hasPoint ? 'There is a restore point' : 'Not yet', unread),
    step(
      'Verified',
      isVerified,
      false,
      isRead ? 'Content was read and compared' : isVerified ? 'A listing was compared' : 'Not yet',
      unread,
    ),
  ];
  const first = steps.findIndex(({ isDone, state }) => !isDone && state !== 'unknown');
  return steps.map(({ title, text, state, isDone, isWrong }, index) => ({
    ...{ title, text },
    state: state === 'unknown' ? state : isWrong ? 'wrong' : isDone ? 'done' : index === first ? 'now' : 'later',
  }));
}

/** Why there is nothing to say, and nothing to wait for: it is refused, or the call failed. */
function unknownBy(answer: object | undefined, error: ApiError | undefined): string | undefined {
  if (answer !== undefined || error === undefined) return undefined;
  if (error.code === 'not-allowed' && error.needs !== undefined) return `To see it needs ${rolesWith(error.needs)}`;
  return 'Not known: there is no answer';
}

function step(title: string, isDone: boolean, isWrong: boolean, text: string, unknown?: string) {
  const state = unknown === undefined ? ('later' as const) : ('unknown' as const);
  return { title, text: unknown ?? text, isDone, isWrong, state };
}
